/** A broker in memory for tests of the workers: topics, groups, and a way to let a member die. */
import { setImmediate as tick } from "node:timers/promises";
import type {
  Admin,
  BusRecord,
  Consumer,
  ConsumerHandlers,
  OutRecord,
  Producer,
  TopicPartition,
} from "../../src/stream/bus.ts";
import { BusError } from "../../src/stream/bus.ts";

export interface MemoryBus {
  create(topic: string, partitions: number): void;
  append(topic: string, records: readonly OutRecord[]): void;
  records(topic: string, partition: number): readonly BusRecord[];
  /** Every record of a topic: partitions one after the other. */
  all(topic: string): BusRecord[];
  /** Sends to it wait until it is opened again. */
  block(topic: string): void;
  unblock(topic: string): void;
  /** Deletes the records of a partition below `offset`. */
  trim(topic: string, partition: number, offset: bigint): void;
  /** The topic is made anew, empty. */
  recreate(topic: string): void;
  groupOffset(group: string, topic: string, partition: number): bigint | undefined;
  /** Sets it from outside, as a request does that was given up and arrives late. */
  setGroupOffset(group: string, topic: string, partition: number, offset: bigint): void;
  admin(): Admin;
  producer(): Producer;
  /** `fetch`: how many records the next batch may have at most. */
  consumer(group: string, fetch?: () => number): MemoryConsumer;
  /** Gives partitions out anew, as a member that joined or left would cause. */
  rebalance(group: string): void;
}

export interface MemoryConsumer extends Consumer {
  /** The process died: it leaves the group without a word. */
  kill(): void;
  /** The group does not know it any more, but it has not noticed. */
  lose(): void;
}

interface Log {
  low: bigint;
  records: BusRecord[];
}

/** An empty broker. */
export function createMemoryBus(): MemoryBus {
  const topics = new Map<string, Log[]>();
  const blocked = new Map<string, Set<() => void>>();
  const groups = new Map<string, Group>();
  const logOf = (topic: string, partition: number): Log => {
    const log = topics.get(topic)?.[partition];
    if (log === undefined) throw new BusError(`no such partition: ${topic}:${partition}`, false);
    return log;
  };
  const append = (topic: string, records: readonly OutRecord[]): void => {
    for (const { partition, key, value, headers } of records) {
      const log = logOf(topic, partition);
      const bytes = (of: string | Uint8Array | null): Buffer | null =>
        of === null ? null : Buffer.from(of as Uint8Array);
      const offset = log.low + BigInt(log.records.length);
      log.records.push({ offset, key: bytes(key), value: bytes(value), timestamp: 1_000, headers: headers ?? {} });
    }
  };
  const groupOf = (name: string): Group => {
    let group = groups.get(name);
    if (group === undefined) {
      group = { members: [], offsets: new Map(), generation: 0 };
      groups.set(name, group);
    }
    return group;
  };
  const partitionsOf = (topic: string): TopicPartition[] =>
    (topics.get(topic) ?? []).map((_, partition) => ({ topic, partition }));
  const rebalance = (name: string): void => {
    const group = groupOf(name);
    group.generation++;
    const { members } = group;
    const all = members[0]?.topics.flatMap(partitionsOf) ?? [];
    for (const member of members) member.revoke();
    for (const [i, member] of members.entries()) {
      member.assign(all.filter((_, k) => k % members.length === i));
    }
  };
  return {
    create: (topic, partitions) =>
      void topics.set(
        topic,
        Array.from({ length: partitions }, () => ({ low: 0n, records: [] })),
      ),
    append,
    records: (topic, partition) => logOf(topic, partition).records,
    all: (topic) => (topics.get(topic) ?? []).flatMap((log) => log.records),
    block(topic) {
      if (!blocked.has(topic)) blocked.set(topic, new Set());
    },
    unblock(topic) {
      for (const wake of blocked.get(topic) ?? []) wake();
      blocked.delete(topic);
    },
    trim(topic, partition, offset) {
      const log = logOf(topic, partition);
      log.records = log.records.filter((record) => record.offset >= offset);
      log.low = offset;
    },
    recreate(topic) {
      for (const log of topics.get(topic) ?? []) Object.assign(log, { low: 0n, records: [] });
    },
    groupOffset: (group, topic, partition) => groupOf(group).offsets.get(`${topic}:${partition}`),
    setGroupOffset: (group, topic, partition, offset) =>
      void groupOf(group).offsets.set(`${topic}:${partition}`, offset),
    admin: () => ({
      describe: async () => [],
      create: async () => undefined,
      brokers: async () => 1,
      ranges: async (topic) =>
        (topics.get(topic) ?? []).map(({ low, records }, partition) => ({
          partition,
          low,
          high: low + BigInt(records.length),
        })),
      members: async (group) => groupOf(group).members.length,
      groupOffsets: async (group, topic) =>
        partitionsOf(topic).map(({ partition }) => ({
          partition,
          offset: groupOf(group).offsets.get(`${topic}:${partition}`),
          metadata: "",
        })),
      close: async () => undefined,
    }),
    producer(): Producer {
      let open = false;
      let closed = false;
      let abort: () => void = () => undefined;
      return {
        async send(topic, records) {
          if (open) throw new Error("two sends open");
          open = true;
          try {
            await tick();
            while (blocked.has(topic) && !closed) {
              await new Promise<void>((resolve) => {
                abort = resolve;
                blocked.get(topic)?.add(resolve);
              });
            }
            if (closed) throw new BusError("closed", false);
            append(topic, records);
            await tick();
          } finally {
            open = false;
          }
        },
        async close() {
          closed = true;
          abort();
        },
      };
    },
    consumer(name, fetch = () => 100) {
      const member = new Member(groupOf(name), name, fetch, logOf, rebalance);
      return member;
    },
    rebalance,
  };
}

interface Group {
  members: Member[];
  readonly offsets: Map<string, bigint>;
  generation: number;
}

class Member implements MemoryConsumer {
  topics: readonly string[] = [];
  generation = 0;
  joined = false;
  private readonly group: Group;
  private readonly name: string;
  private readonly fetch: () => number;
  private readonly logOf: (topic: string, partition: number) => Log;
  private readonly rebalance: (group: string) => void;
  private handlers: ConsumerHandlers | undefined;
  private assigned = new Map<string, TopicPartition>();
  private places = new Map<string, bigint>();
  private paused = new Set<string>();
  private dead = false;
  private unknown = false;
  private looping: Promise<void> | undefined;
  private pendingAssignment: TopicPartition[] | undefined;
  private busy = false;

  constructor(
    group: Group,
    name: string,
    fetch: () => number,
    logOf: (topic: string, partition: number) => Log,
    rebalance: (group: string) => void,
  ) {
    this.group = group;
    this.name = name;
    this.fetch = fetch;
    this.logOf = logOf;
    this.rebalance = rebalance;
  }

  async run(topics: readonly string[], handlers: ConsumerHandlers): Promise<void> {
    this.topics = topics;
    this.handlers = handlers;
    this.group.members.push(this);
    this.looping = this.loop();
    this.rebalance(this.name);
  }

  revoke(): void {
    if (!this.joined) return;
    const lost = this.generation;
    this.joined = false;
    this.generation++;
    this.places.clear();
    this.paused.clear();
    this.handlers?.revoked(lost);
  }

  assign(partitions: TopicPartition[]): void {
    // As with kafkajs, a member joins again when its batch in hand is done.
    this.pendingAssignment = partitions;
    if (!this.busy) this.join();
  }

  start(at: TopicPartition, offset: bigint): void {
    if (this.joined && this.assigned.has(nameOf(at))) this.places.set(nameOf(at), offset);
  }

  halt(at: TopicPartition): void {
    this.places.delete(nameOf(at));
  }

  pause(at: TopicPartition): void {
    this.paused.add(nameOf(at));
  }

  resume(at: TopicPartition): void {
    this.paused.delete(nameOf(at));
  }

  async commit(offsets: readonly (TopicPartition & { offset: bigint })[], generation: number): Promise<boolean> {
    await tick();
    if (this.dead || this.unknown || !this.joined || generation !== this.generation) return false;
    for (const at of offsets) this.group.offsets.set(nameOf(at), at.offset);
    return true;
  }

  async heartbeat(): Promise<boolean> {
    await tick();
    return !this.dead && !this.unknown && this.joined;
  }

  async close(): Promise<void> {
    this.dead = true;
    this.leave();
    await this.looping;
  }

  kill(): void {
    this.dead = true;
    this.joined = false;
    this.leave();
  }

  lose(): void {
    this.unknown = true;
    this.leave();
  }

  private leave(): void {
    this.group.members = this.group.members.filter((member) => member !== this);
    this.rebalance(this.name);
  }

  private join(): void {
    const partitions = this.pendingAssignment;
    if (partitions === undefined || this.dead) return;
    this.pendingAssignment = undefined;
    this.generation++;
    this.joined = true;
    this.assigned = new Map(partitions.map((at) => [nameOf(at), at]));
    this.places.clear();
    this.paused.clear();
    void this.handlers?.assigned(partitions, this.generation).catch((error) => this.handlers?.failed(error));
  }

  private async loop(): Promise<void> {
    while (!this.dead) {
      await tick();
      for (const [name, place] of [...this.places]) {
        if (this.dead || !this.joined || this.paused.has(name) || this.places.get(name) !== place) continue;
        await this.deliver(name, place);
      }
    }
  }

  private async deliver(name: string, place: bigint): Promise<void> {
    const at = this.assigned.get(name);
    if (at === undefined) return;
    const log = this.logOf(at.topic, at.partition);
    const high = log.low + BigInt(log.records.length);
    // Out of range: like kafkajs, back to the earliest, and the group is told so.
    const from = place < log.low || place > high ? log.low : place;
    if (from !== place) this.group.offsets.set(name, from);
    const records = log.records.slice(Number(from - log.low), Number(from - log.low) + Math.max(1, this.fetch()));
    const last = records.at(-1);
    if (last === undefined) return;
    this.busy = true;
    try {
      const end = last.offset + 1n;
      await this.handlers?.batch({ ...at, records, end, highWatermark: high, generation: this.generation });
      if (this.places.get(name) === place) this.places.set(name, last.offset + 1n);
    } catch (error) {
      this.handlers?.failed(error as Error);
      this.dead = true;
    } finally {
      this.busy = false;
      this.join();
    }
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}
