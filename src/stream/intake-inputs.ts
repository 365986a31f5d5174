/**
 * The input side of intake: which partitions it reads, from where, and that each is still the log that was
 * read. `intake-worker.ts` takes what stands in the lanes.
 */
import type { Batch, BusRecord, PartitionRange, TopicPartition } from "./bus.ts";
import type { BatchBuilder } from "./intake-batch.ts";
import { Lane } from "./intake-lane.ts";
import type { IntakeDeps } from "./intake-ports.ts";
import { confirms, decodeMetadata, encodeMetadata, planReading } from "./positions.ts";
import { inputSource } from "./record.ts";

const RETRY_MS = 500;

export class Inputs {
  /** By name, `topic:partition`. */
  readonly lanes = new Map<string, Lane>();
  /** Given up, and not yet taken off the drift board. */
  readonly gone = new Set<string>();
  /** Names of all input partitions, whoever reads them. */
  everywhere: readonly string[] = [];
  private readonly deps: IntakeDeps;
  private readonly builder: BatchBuilder;
  private readonly ending: AbortSignal;
  private readonly nudge: () => void;

  /** `builder` is emptied when an assignment is lost; `nudge` is called when there may be something to do. */
  constructor(deps: IntakeDeps, builder: BatchBuilder, ending: AbortSignal, nudge: () => void) {
    this.deps = deps;
    this.builder = builder;
    this.ending = ending;
    this.nudge = nudge;
  }

  /** Starts every partition where the group left off. */
  async assigned(partitions: readonly TopicPartition[], generation: number): Promise<void> {
    const { consumer, clock, events, topics } = this.deps;
    events.assigned?.(partitions);
    while (generation === consumer.generation && !this.ending.aborted) {
      this.drop();
      try {
        const everywhere: string[] = [];
        for (const topic of [topics.transactions, topics.parties]) {
          const own = partitions.filter((at) => at.topic === topic);
          everywhere.push(...(await this.begin(topic, own, generation)));
        }
        this.everywhere = everywhere;
        break;
      } catch (error) {
        events.waiting?.("positions", error instanceof Error ? error.message : String(error));
        await clock.sleep(RETRY_MS, this.ending);
      }
    }
    this.nudge();
  }

  revoked(): void {
    this.drop();
    this.deps.events.revoked?.();
  }

  /** Queues a fetch in its lane. */
  async fetched(batch: Batch): Promise<void> {
    const { clock, consumer } = this.deps;
    const lane = this.lanes.get(`${batch.topic}:${batch.partition}`);
    if (lane === undefined || lane.state === "halted" || lane.state === "starting") return;
    lane.highWatermark = batch.highWatermark;
    const records = await this.continuing(lane, batch.records);
    // The partition may have been given away, or halted, while the log was looked at.
    if (records === undefined || this.lanes.get(lane.name) !== lane) return;
    if (batch.end > lane.expected) lane.expected = batch.end;
    if (records.length > 0) lane.push(records, clock.now());
    if (lane.full && !lane.paused) {
      lane.paused = true;
      consumer.pause(lane.at);
    }
    this.nudge();
  }

  /** Forgets what is not sent yet. What is being sent goes on: repeats are dropped by their origin. */
  private drop(): void {
    for (const name of this.lanes.keys()) this.gone.add(name);
    this.lanes.clear();
    this.builder.take();
  }

  /** Starts the partitions of one topic; gives the names of all its partitions. */
  private async begin(topic: string, own: readonly TopicPartition[], generation: number): Promise<string[]> {
    const { admin, config, consumer, topics, clock, decoders } = this.deps;
    const ranges = await admin.ranges(topic);
    const offsets = own.length > 0 ? await admin.groupOffsets(config.group, topic) : [];
    for (const at of own) {
      if (generation !== consumer.generation) break;
      const range = ranges.find((r) => r.partition === at.partition);
      if (range === undefined) throw new Error(`${topic} has no partition ${at.partition}`);
      const source = this.builder.source(inputSource(topic, at.partition, config.epoch));
      const isParties = topic === topics.parties;
      const decoder = isParties ? decoders.parties : decoders.transactions;
      const lane = new Lane(at, source, decoder, isParties ? range.high : undefined, clock.now());
      lane.highWatermark = range.high;
      this.lanes.set(lane.name, lane);
      this.gone.delete(lane.name);
      const kept = offsets.find((o) => o.partition === at.partition);
      this.place(lane, range, kept?.offset, kept?.metadata ?? "");
    }
    return ranges.map((range) => `${topic}:${range.partition}`);
  }

  private place(lane: Lane, range: PartitionRange, offset: bigint | undefined, metadata: string): void {
    const { config, consumer, events } = this.deps;
    const kept = offset === undefined ? undefined : decodeMetadata(metadata, offset, config.epoch);
    if (kept?.kind === "foreign") {
      this.halt(lane, `the group's offset ${offset} was not set by intake of epoch ${config.epoch}`);
      return;
    }
    lane.position = kept?.kind === "position" ? kept.position : undefined;
    const plan = planReading(lane.position, range);
    if (plan.kind === "changed") {
      this.halt(lane, plan.why);
      return;
    }
    lane.state = plan.kind === "confirm" ? "confirming" : "reading";
    lane.expected = plan.from;
    events.started?.(lane.at, lane.position?.next ?? plan.from, lane.position === undefined);
    consumer.start(lane.at, plan.from);
  }

  /** The records that continue the lane; undefined when they do not. */
  private async continuing(lane: Lane, fetched: readonly BusRecord[]): Promise<readonly BusRecord[] | undefined> {
    let records = fetched;
    if (lane.state === "confirming" && lane.position !== undefined && records[0] !== undefined) {
      const fault = confirms(lane.position, records[0]);
      if (fault !== undefined) {
        this.halt(lane, fault);
        return undefined;
      }
      lane.state = "reading";
      lane.expected = lane.position.next;
      records = records.slice(1);
    }
    const first = records[0];
    if (first === undefined || first.offset === lane.expected) return records;
    return (await this.isHole(lane, first.offset)) ? records : undefined;
  }

  /**
   * Whether a fetch that begins elsewhere than expected just leaves out control or compacted records. It may
   * also come from kafkajs, which was told "out of range" and went to the beginning, or from before a seek:
   * so the range is looked at, and a hole is believed when a second fetch from the expected offset shows it.
   */
  private async isHole(lane: Lane, first: bigint): Promise<boolean> {
    const { admin, consumer, config } = this.deps;
    const { generation } = consumer;
    const range = (await admin.ranges(lane.at.topic)).find((r) => r.partition === lane.at.partition);
    if (this.lanes.get(lane.name) !== lane || range === undefined) return false;
    const plan = planReading({ next: lane.expected, fingerprint: 0 }, range);
    if (plan.kind !== "changed") {
      if (first > lane.expected && lane.hole === first) return true;
      lane.hole = first;
      consumer.start(lane.at, lane.expected);
      return false;
    }
    this.halt(lane, plan.why);
    const kept = lane.position;
    // kafkajs has overwritten the group's offset: put it back, so that a restart notices as well.
    if (kept) {
      const metadata = encodeMetadata(kept, config.epoch);
      await consumer.commit([{ ...lane.at, offset: kept.next, metadata }], generation);
    }
    return false;
  }

  private halt(lane: Lane, why: string): void {
    lane.state = "halted";
    this.deps.consumer.halt(lane.at);
    this.deps.events.halted?.(
      lane.at,
      `LOG_CHANGED: ${lane.name} is not the log that was read: ${why}. Nothing of it is read. When the log was ` +
        "replaced on purpose, raise intake.epoch by one to read the inputs from their beginning as new",
    );
  }
}
