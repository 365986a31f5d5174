/**
 * Drains the outboxes of the owned partitions: each lane in order, one send at a time, deleted after the
 * acknowledgement. Knows up to where everything is published, which is what the consumer group is told.
 */
import type { Alert } from "../domain/alert.ts";
import { LANES, type Lane, type OutboxEntry, StoreError, sequenceOffset } from "../store/port.ts";
import { type AlertMessage, alertMessages } from "./alert-messages.ts";
import type { OutRecord, Producer } from "./bus.ts";
import { LaneQueue } from "./lane-queue.ts";
import { decodeMarksEntry } from "./marks-entry.ts";
import { type RejectedRecord, rejectedOut } from "./rejected.ts";
import type { ScreenDeps } from "./screen-ports.ts";
import { pause } from "./settle.ts";

export interface Publisher {
  /** Begins to drain a partition; `waiting` entries are there already, `next` is its position. */
  add(partition: number, waiting: Readonly<Record<Lane, number>>, next: bigint, publishedTo: bigint): void;
  /** A commit was acknowledged: its entries wait now. */
  committed(partition: number, outbox: readonly OutboxEntry[], next: bigint): void;
  /** The partition is no longer owned. */
  remove(partition: number): void;
  /** Entries in the fuller lane. */
  waiting(partition: number): number;
  /** Offset up to which the outbox is empty; undefined while that is not known. */
  publishedTo(partition: number): bigint | undefined;
  /** Resolves when nothing waits any more, or after `ms`. */
  drained(ms: number): Promise<void>;
  /** Ends the loops; call after closing the producers, so that an open send ends. */
  stop(): Promise<void>;
}

/** Entries of one partition in one round, and of all together. */
const PARTITION_ROUND = 100;
const ROUND = 1_000;
/** Bytes of one partition in one send: a broker takes a batch of 1 MiB by default. */
const SEND_BYTES = 512 * 1024;
const LOOK_AGAIN_MS = 30_000;

export interface PublisherHost {
  /** Entries of a partition were deleted. */
  changed(partition: number): void;
  /**
   * How many entries wait in a lane, from a store that still knows this owner and its position; undefined when it
   * does not. Asked when a lane was read and is empty: a store that was flushed looks the same.
   */
  verify(partition: number, lane: Lane): Promise<number | undefined>;
}

/** Starts one loop for each lane, and one that has them look again. */
export function createPublisher(deps: ScreenDeps, host: PublisherHost): Publisher {
  const lanes = { alerts: new LaneQueue(), marks: new LaneQueue() };
  const positions = new Map<number, { next: bigint; floor: bigint }>();
  const ending = new AbortController();
  const loops = LANES.map((lane) =>
    drainLane({ deps, host, lane, queue: lanes[lane] }, ending.signal).catch((error: Error) => deps.failed(error)),
  );
  loops.push(keepLooking(deps, Object.values(lanes), ending.signal));
  const publishedTo = (partition: number): bigint | undefined => {
    const position = positions.get(partition);
    if (position === undefined) return undefined;
    let least = position.next;
    for (const lane of LANES) {
      const floor = lanes[lane].floor(partition);
      if (floor === "unknown") return undefined;
      if (floor !== undefined && floor < least) least = floor;
    }
    if (least < position.floor) return position.floor;
    return least;
  };
  return {
    add(partition, waiting, next, floor) {
      positions.set(partition, { next, floor });
      for (const lane of LANES) lanes[lane].add(partition, waiting[lane]);
    },
    committed(partition, outbox, next) {
      const position = positions.get(partition);
      if (position === undefined) return;
      position.next = next;
      for (const lane of LANES) {
        const mine = outbox.filter((entry) => entry.lane === lane);
        const first = mine[0];
        if (first !== undefined) lanes[lane].grow(partition, mine.length, sequenceOffset(first.sequence));
      }
    },
    remove(partition) {
      positions.delete(partition);
      for (const lane of LANES) lanes[lane].remove(partition);
    },
    waiting: (partition) => Math.max(...LANES.map((lane) => lanes[lane].count(partition))),
    publishedTo,
    async drained(ms) {
      const end = deps.clock.now() + ms;
      while (LANES.some((lane) => !lanes[lane].idle) && deps.clock.now() < end) await deps.clock.sleep(20);
    },
    async stop() {
      ending.abort();
      for (const lane of LANES) lanes[lane].wake();
      await Promise.all(loops);
    },
  };
}

/**
 * Lanes thought empty are drained once more every so often: a failover may have lost the newest writes of the store,
 * deletions and whole commits, and while nothing comes to a partition nobody would hear of it.
 */
async function keepLooking({ clock }: ScreenDeps, lanes: readonly LaneQueue[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_AGAIN_MS, signal);
    if (!signal.aborted) for (const lane of lanes) lane.markAll();
  }
}

interface Drain {
  readonly deps: ScreenDeps;
  readonly host: PublisherHost;
  readonly lane: Lane;
  readonly queue: LaneQueue;
}

async function drainLane(drain: Drain, signal: AbortSignal): Promise<void> {
  const { deps, queue } = drain;
  const waiting = (reason: string, retryInMs: number): void => deps.events.storeWaiting?.(reason, retryInMs);
  for (let failures = 0; !signal.aborted; ) {
    const busy = await queue.next(signal);
    if (signal.aborted) return;
    try {
      await drainOnce(drain, busy);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof StoreError && error.retriable)) throw error;
      await pause({ clock: deps.clock, waiting, signal }, error.message, failures++);
    }
  }
}

interface Read {
  readonly partition: number;
  readonly version: number;
  readonly entries: readonly OutboxEntry[];
}

/** One round: read, send, delete. */
async function drainOnce(drain: Drain, busy: readonly number[]): Promise<void> {
  const { deps, lane, queue } = drain;
  const limit = Math.max(1, Math.min(PARTITION_ROUND, Math.floor(ROUND / busy.length)));
  const reads = await Promise.all(
    busy.map(async (partition): Promise<Read> => {
      const version = queue.version(partition);
      return { partition, version, entries: await deps.store.outbox(partition, lane, limit) };
    }),
  );
  const owned = reads.filter(({ partition }) => queue.has(partition));
  for (const { partition, entries } of owned) {
    const first = entries[0];
    if (first !== undefined) queue.setFloor(partition, sequenceOffset(first.sequence));
  }
  const entries = owned.flatMap((read) => read.entries);
  if (lane === "marks") await sendMarks(deps, entries);
  else await sendAlerts(deps, entries);
  await Promise.all(owned.map((read) => (read.entries.length > 0 ? remove(drain, read) : checkEmpty(drain, read))));
}

async function remove({ deps, host, lane, queue }: Drain, { partition, entries }: Read): Promise<void> {
  const last = entries.at(-1);
  if (last === undefined) return;
  const left = await deps.store.published(
    partition,
    lane,
    entries.map(({ sequence }) => sequence),
  );
  queue.shrink(partition, entries.length, sequenceOffset(last.sequence), left);
  deps.events.published?.(partition, lane, entries.length);
  host.changed(partition);
}

/** Nothing where something should wait: sent by a former owner, counted twice, or lost with the store. */
async function checkEmpty({ host, lane, queue }: Drain, { partition, version }: Read): Promise<void> {
  if ((await host.verify(partition, lane)) !== 0) return;
  queue.clear(partition, version);
  host.changed(partition);
}

async function sendMarks(deps: ScreenDeps, entries: readonly OutboxEntry[]): Promise<void> {
  const records = entries.map(({ value }) => ({ ...decodeMarksEntry(value), key: null }));
  await sendInOrder(deps.producers.marks, deps.topics.views.name, records);
}

async function sendAlerts(deps: ScreenDeps, entries: readonly OutboxEntry[]): Promise<void> {
  const now = deps.clock.now();
  const byTopic = new Map<string, OutRecord[]>();
  for (const { sequence, value } of entries) {
    for (const { topic, record } of messagesOf(deps, sequence, value, now)) {
      const records = byTopic.get(topic);
      if (records === undefined) byTopic.set(topic, [record]);
      else records.push(record);
    }
  }
  for (const [topic, records] of byTopic) await sendInOrder(deps.producers.alerts, topic, records);
}

function messagesOf(deps: ScreenDeps, sequence: string, value: Uint8Array, now: number): AlertMessage[] {
  const entry = JSON.parse(Buffer.from(value).toString("utf8")) as Alert | RejectedRecord;
  if (entry.schema === "rejected/1") {
    const { name, partitions } = deps.topics.rejected;
    deps.events.refused?.(entry.code);
    return [{ topic: name, record: rejectedOut(entry, partitions) }];
  }
  deps.events.alert?.(entry);
  return alertMessages(entry, sequence, now, deps.topics);
}

/** One send after the other, none with more for one partition than a broker takes at once. */
async function sendInOrder(producer: Producer, topic: string, records: readonly OutRecord[]): Promise<void> {
  let group: OutRecord[] = [];
  let bytes = new Map<number, number>();
  for (const record of records) {
    const held = bytes.get(record.partition) ?? 0;
    const size = (record.value?.length ?? 0) + 512;
    if (held > 0 && held + size > SEND_BYTES) {
      await producer.send(topic, group);
      group = [];
      bytes = new Map();
    }
    group.push(record);
    bytes.set(record.partition, (bytes.get(record.partition) ?? 0) + size);
  }
  if (group.length > 0) await producer.send(topic, group);
}
