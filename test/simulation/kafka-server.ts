/**
 * A Kafka cluster in memory: logs that only grow, and consumer groups with members, sessions and generations. It is
 * the truth that the clients (`kafka-client.ts`) reach through an unreliable network.
 */
import type {
  BusRecord,
  GroupOffset,
  OffsetCommit,
  OutRecord,
  PartitionRange,
  TopicPartition,
} from "../../src/stream/bus.ts";
import type { Scheduler } from "./scheduler.ts";

/** Short against the times of life, since every process idles meanwhile; what matters is that they end. */
const SESSION_MS = 500;
const REBALANCE_MS = 4_000;

/** What the coordinator answers a member; the names are the protocol's. */
export type GroupVerdict = "NONE" | "REBALANCE_IN_PROGRESS" | "ILLEGAL_GENERATION" | "UNKNOWN_MEMBER_ID";

export interface Assignment {
  readonly member: string;
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
}

export class KafkaServer {
  /** Topics that take no writes now. */
  readonly blocked = new Set<string>();
  private readonly scheduler: Scheduler;
  private readonly waiting = new Set<{ readonly topics: readonly string[]; readonly go: () => void }>();
  private readonly topics = new Map<string, BusRecord[][]>();
  private readonly groups = new Map<string, Group>();

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  create(topic: string, partitions: number): void {
    this.topics.set(
      topic,
      Array.from({ length: partitions }, () => []),
    );
  }

  /** Appends to one partition, all or nothing; the log's clock dates it. */
  append(topic: string, partition: number, records: readonly OutRecord[]): void {
    const log = this.log(topic, partition);
    const timestamp = Math.floor(this.scheduler.now);
    for (const { key, value, headers } of records) {
      log.push({
        offset: BigInt(log.length),
        key: toBuffer(key),
        value: toBuffer(value),
        timestamp,
        headers: headers ?? {},
      });
    }
    for (const waiting of [...this.waiting]) if (waiting.topics.includes(topic)) waiting.go();
  }

  /** Calls `go` at the next append to one of the topics; the result ends the waiting for it. */
  onAppend(topics: readonly string[], go: () => void): () => void {
    const waiting = { topics, go };
    this.waiting.add(waiting);
    return () => this.waiting.delete(waiting);
  }

  log(topic: string, partition: number): BusRecord[] {
    const log = this.topics.get(topic)?.[partition];
    if (log === undefined) throw new Error(`no such partition: ${topic}:${partition}`);
    return log;
  }

  logs(topic: string): readonly (readonly BusRecord[])[] {
    return this.topics.get(topic) ?? [];
  }

  ranges(topic: string): PartitionRange[] {
    return this.logs(topic).map((log, partition) => ({ partition, low: 0n, high: BigInt(log.length) }));
  }

  group(name: string): Group {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new Group(name, this.scheduler, (topics) =>
        topics.flatMap((topic) => this.logs(topic).map((_, partition) => ({ topic, partition }))),
      );
      this.groups.set(name, group);
    }
    return group;
  }

  groupOffsets(name: string, topic: string): GroupOffset[] {
    const { offsets } = this.group(name);
    return this.logs(topic).map((_, partition) => {
      const kept = offsets.get(`${topic}:${partition}`);
      return { partition, offset: kept?.offset, metadata: kept?.metadata ?? "" };
    });
  }
}

interface Member {
  topics: readonly string[];
  aliveAt: number;
  /** Set while it waits for the group to form. */
  joining: ((assignment: Assignment | undefined) => void) | undefined;
}

/** One consumer group at its coordinator. */
export class Group {
  readonly offsets = new Map<string, OffsetCommit>();
  generation = 0;
  private readonly name: string;
  private readonly scheduler: Scheduler;
  private readonly partitionsOf: (topics: readonly string[]) => TopicPartition[];
  private readonly members = new Map<string, Member>();
  private preparing = false;
  private round = 0;
  private named = 0;

  constructor(name: string, scheduler: Scheduler, partitionsOf: (topics: readonly string[]) => TopicPartition[]) {
    this.name = name;
    this.scheduler = scheduler;
    this.partitionsOf = partitionsOf;
  }

  get memberNames(): string[] {
    return [...this.members.keys()];
  }

  /** Answers when all members have joined anew, or the slow ones were given up; undefined to one taken out. */
  join(
    known: string | undefined,
    topics: readonly string[],
    answer: (assignment: Assignment | undefined) => void,
  ): void {
    const isKnown = known !== undefined && this.members.has(known);
    const id = isKnown ? known : `${this.name}-${++this.named}`;
    this.members.set(id, { topics, aliveAt: this.scheduler.now, joining: answer });
    if (!isKnown) this.watch(id);
    if (!this.preparing) this.prepare();
    this.complete();
  }

  heartbeat(id: string, generation: number): GroupVerdict {
    const member = this.members.get(id);
    if (member === undefined) return "UNKNOWN_MEMBER_ID";
    member.aliveAt = this.scheduler.now;
    if (generation !== this.generation) return "ILLEGAL_GENERATION";
    return this.preparing ? "REBALANCE_IN_PROGRESS" : "NONE";
  }

  /** As on the broker, a member of the last generation may still commit while the next one is prepared. */
  commit(id: string, generation: number, offsets: readonly OffsetCommit[]): GroupVerdict {
    if (!this.members.has(id)) return "UNKNOWN_MEMBER_ID";
    if (generation !== this.generation) return "ILLEGAL_GENERATION";
    for (const at of offsets) this.offsets.set(`${at.topic}:${at.partition}`, at);
    return "NONE";
  }

  /** Takes a member out: it left, or its session ended. */
  remove(id: string): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    this.members.delete(id);
    member.joining?.(undefined);
    if (!this.preparing && this.members.size > 0) this.prepare();
    this.complete();
  }

  private prepare(): void {
    this.preparing = true;
    const round = ++this.round;
    this.scheduler.after(REBALANCE_MS, `group ${this.name} gives up on the slow`, () => {
      if (!this.preparing || round !== this.round) return;
      for (const [id, member] of this.members) if (member.joining === undefined) this.members.delete(id);
      this.complete();
    });
  }

  private complete(): void {
    if (!this.preparing || [...this.members.values()].some((member) => member.joining === undefined)) return;
    this.preparing = false;
    if (this.members.size === 0) return;
    this.generation++;
    const members = [...this.members];
    const all = this.partitionsOf(members[0]?.[1].topics ?? []);
    const first = this.scheduler.random.below(members.length);
    for (const [i, [id, member]] of members.entries()) {
      const partitions = all.filter((_, k) => (k + first) % members.length === i);
      const answer = member.joining;
      member.joining = undefined;
      member.aliveAt = this.scheduler.now;
      answer?.({ member: id, generation: this.generation, partitions });
    }
  }

  private watch(id: string): void {
    this.scheduler.after(SESSION_MS / 2, `session of ${id}`, () => {
      const member = this.members.get(id);
      if (member === undefined) return;
      if (member.joining === undefined && this.scheduler.now - member.aliveAt > SESSION_MS) this.remove(id);
      else this.watch(id);
    });
  }
}

function toBuffer(of: string | Uint8Array | null): Buffer | null {
  return of === null ? null : Buffer.from(of as Uint8Array);
}
