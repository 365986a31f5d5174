/**
 * The input side of intake: which partitions it reads, from where, and that each is still the log that was
 * read. `intake-worker.ts` takes what stands in the lanes.
 */
import {
  type Batch,
  BusError,
  type BusRecord,
  type GroupOffset,
  type PartitionRange,
  type TopicPartition,
} from "./bus.ts";
import type { BatchBuilder } from "./intake-batch.ts";
import { Lane } from "./intake-lane.ts";
import type { IntakeDeps } from "./intake-ports.ts";
import { confirms, decodeMetadata, encodeMetadata, planReading } from "./positions.ts";
import { inputSource } from "./record.ts";

const RETRY_MS = 500;

/** What the inputs tell the worker. */
export interface InputsHost {
  /** There may be something to do. */
  nudge(): void;
  /** The assignment is void, and what was built of it is gone unsent. */
  dropped(): void;
}

/** One input topic as the broker has it. */
interface Input {
  readonly topic: string;
  readonly ranges: readonly PartitionRange[];
  readonly offsets: readonly GroupOffset[];
}

export class Inputs {
  /** By name, `topic:partition`. */
  readonly lanes = new Map<string, Lane>();
  /** Given up, and not yet taken off the drift board. */
  readonly gone = new Set<string>();
  /** Names of all input partitions, whoever reads them; undefined while no assignment is in place. */
  everywhere: readonly string[] | undefined;
  private readonly deps: IntakeDeps;
  private readonly builder: BatchBuilder;
  private readonly ending: AbortSignal;
  private readonly host: InputsHost;

  /** `builder` is emptied when an assignment is lost. */
  constructor(deps: IntakeDeps, builder: BatchBuilder, ending: AbortSignal, host: InputsHost) {
    this.deps = deps;
    this.builder = builder;
    this.ending = ending;
    this.host = host;
  }

  /** Starts every partition where the group left off. */
  async assigned(partitions: readonly TopicPartition[], generation: number): Promise<void> {
    const { consumer, clock, events, topics } = this.deps;
    events.assigned?.(partitions);
    while (generation === consumer.generation && !this.ending.aborted) {
      this.drop();
      try {
        const inputs: Input[] = [];
        for (const topic of [topics.transactions, topics.parties]) {
          inputs.push(
            await this.locate(
              topic,
              partitions.some((at) => at.topic === topic),
            ),
          );
        }
        if (generation !== consumer.generation) break;
        // All at once: a lane that stood alone meanwhile would know of nobody to wait for.
        for (const input of inputs) this.begin(input, partitions);
        this.everywhere = inputs.flatMap(({ topic, ranges }) => ranges.map((range) => `${topic}:${range.partition}`));
        break;
      } catch (error) {
        events.waiting?.("positions", error instanceof Error ? error.message : String(error));
        await clock.sleep(RETRY_MS, this.ending);
      }
    }
    this.host.nudge();
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
    this.host.nudge();
  }

  /** Forgets what is not sent yet. What is being sent goes on: repeats are dropped by their origin. */
  private drop(): void {
    for (const name of this.lanes.keys()) this.gone.add(name);
    this.lanes.clear();
    this.everywhere = undefined;
    this.builder.take();
    this.host.dropped();
  }

  /** What the broker knows of one topic. */
  private async locate(topic: string, isOwn: boolean): Promise<Input> {
    const { admin, config } = this.deps;
    // Offsets first: one that a former owner commits meanwhile would seem to lie beyond the end.
    const offsets = isOwn ? await admin.groupOffsets(config.group, topic) : [];
    return { topic, offsets, ranges: await admin.ranges(topic) };
  }

  /** Starts the partitions of one topic. */
  private begin({ topic, ranges, offsets }: Input, partitions: readonly TopicPartition[]): void {
    const { config, topics, clock, decoders } = this.deps;
    for (const at of partitions) {
      if (at.topic !== topic) continue;
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
    const { consumer, config } = this.deps;
    const { generation } = consumer;
    const range = (await this.rangesNow(lane))?.find((r) => r.partition === lane.at.partition);
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

  /** Asks until the broker answers; undefined when the lane was given up meanwhile. */
  private async rangesNow(lane: Lane): Promise<readonly PartitionRange[] | undefined> {
    const { admin, clock, events } = this.deps;
    while (this.lanes.get(lane.name) === lane && !this.ending.aborted) {
      try {
        return await admin.ranges(lane.at.topic);
      } catch (error) {
        if (!(error instanceof BusError && error.retriable)) throw error;
        events.waiting?.("ranges", error.message);
        await clock.sleep(RETRY_MS, this.ending);
      }
    }
    return undefined;
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
