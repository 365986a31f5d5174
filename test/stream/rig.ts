/** A screening worker over a broker in memory, a log of views to feed it, and what must come out. */
import { setImmediate as tick } from "node:timers/promises";
import type { EntityKey } from "../../src/domain/entity.ts";
import type { TxView } from "../../src/domain/view.ts";
import { createMemoryStore, type MemoryStore } from "../../src/store/memory.ts";
import type { StateStore } from "../../src/store/port.ts";
import { SYSTEM_CLOCK } from "../../src/stream/backoff.ts";
import { inputSource, PARTITIONER, partitionOf, ViewPacker } from "../../src/stream/record.ts";
import {
  type HaltCode,
  type PackSource,
  type ScreenConfig,
  type ScreenEvents,
  singlePack,
} from "../../src/stream/screen-ports.ts";
import { createScreenWorker, type ScreenWorker } from "../../src/stream/screen-worker.ts";
import { move } from "../screen/build.ts";
import { ALERT_EVERY, fakeEngine, MARK_EVERY, type Tally, tallyOf } from "./fake-engine.ts";
import { createMemoryBus, type MemoryBus, type MemoryConsumer } from "./memory-bus.ts";

export const PARTITIONS = 3;
export const GROUP = "screen";
export const TOPICS = {
  views: { name: "views", partitions: PARTITIONS },
  alerts: { name: "alerts", partitions: 2 },
  protected: { name: "protected", partitions: 2 },
  rejected: { name: "rejected", partitions: 2 },
  shadow: { name: "shadow", partitions: 2 },
} as const;

const CONFIG: ScreenConfig = {
  tenant: "test",
  group: GROUP,
  cacheBytes: 1 << 20,
  commitEntities: 2_000,
  commitBytes: 4 << 20,
  commitMs: 50,
  publishedEveryMs: 5,
};

export interface Rig {
  readonly bus: MemoryBus;
  readonly store: MemoryStore;
  /** `start` it, then `await settled()`. */
  worker(options?: WorkerOptions): RigWorker;
  /** Movements between accounts as one record for each partition; a repeated `offset` is a repeated message. */
  feed(messages: readonly Message[]): void;
  /** Waits until every record is taken by somebody and nothing waits in an outbox. */
  settled(): Promise<void>;
  /** What the store says of every account. */
  tallies(): Promise<Map<EntityKey, Tally>>;
}

export interface WorkerOptions {
  readonly config?: Partial<ScreenConfig>;
  readonly events?: ScreenEvents;
  readonly store?: StateStore;
  /** Default: one pack of the counting engine. */
  readonly packs?: PackSource;
  readonly fetch?: () => number;
}

export interface RigWorker {
  readonly worker: ScreenWorker;
  readonly consumer: MemoryConsumer;
  readonly errors: Error[];
  readonly halts: [number, HaltCode, string][];
  readonly fences: string[];
  readonly rebuilds: [number, bigint, bigint][];
}

export interface Message {
  readonly offset: number;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

/** Builds one. */
export function createRig(): Rig {
  const bus = createMemoryBus();
  const store = createMemoryStore({ partitions: PARTITIONS, hash: PARTITIONER });
  for (const { name, partitions } of Object.values(TOPICS)) bus.create(name, partitions);
  const packer = new ViewPacker(PARTITIONS);
  const source = packer.source(inputSource("tx", 0, 0));
  const isDone = async (): Promise<boolean> => {
    for (const { partition, high } of await bus.admin().ranges("views")) {
      if (high === 0n) continue;
      const position = await store.position(partition);
      if (position?.next !== high || bus.groupOffset(GROUP, "views", partition) !== high) return false;
    }
    return true;
  };
  return {
    bus,
    store,
    worker(options = {}) {
      const errors: Error[] = [];
      const halts: [number, HaltCode, string][] = [];
      const fences: string[] = [];
      const rebuilds: [number, bigint, bigint][] = [];
      const consumer = bus.consumer(GROUP, options.fetch);
      const worker = createScreenWorker({
        consumer,
        admin: bus.admin(),
        producers: { alerts: bus.producer(), marks: bus.producer() },
        store: options.store ?? store,
        packs: options.packs ?? singlePack(fakeEngine),
        topics: TOPICS,
        config: { ...CONFIG, ...options.config },
        events: {
          halted: (...facts) => void halts.push(facts),
          fenced: (_, reason) => void fences.push(reason),
          rebuilding: (...facts) => void rebuilds.push(facts),
          ...options.events,
        },
        clock: { ...SYSTEM_CLOCK, sleep: nap },
        token: () => crypto.randomUUID(),
        failed: (error) => void errors.push(error),
      });
      return { worker, consumer, errors, halts, fences, rebuilds };
    },
    feed(messages) {
      for (const { offset, from, to, amount } of messages) {
        for (const [index, view] of viewsOf(offset, from, to, amount).entries())
          packer.add(source, offset, index, view);
      }
      bus.append("views", packer.take());
    },
    async settled() {
      for (let quiet = 0, tries = 0; quiet < 3; tries++) {
        if (tries > 4_000) throw new Error("it did not settle");
        await nap(2);
        quiet = (await isDone()) ? quiet + 1 : 0;
      }
    },
    async tallies() {
      const found = new Map<EntityKey, Tally>();
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const keys = store.entities(partition);
        for (const [i, stored] of (await store.read(partition, keys)).entries()) {
          if (stored !== undefined) found.set(keys[i] as EntityKey, tallyOf(stored));
        }
      }
      return found;
    },
  };
}

/** The two views of a transfer. */
export function viewsOf(offset: number, from: string, to: string, amount: number): TxView[] {
  const tx = move({ id: `t${offset}`, time: 1_000_000 + offset, from, to, amount });
  const base = { kind: "tx" as const, time: tx.time, txId: tx.id, hop: 0, source: "", index: 0, tx };
  return [
    { ...base, entity: `account:${from}`, direction: "out" },
    { ...base, entity: `account:${to}`, direction: "in" },
  ];
}

export interface Expected {
  readonly tallies: Map<EntityKey, Tally>;
  readonly alertIds: string[];
}

/** What a single pass over the distinct messages gives. */
export function oracle(messages: readonly Message[]): Expected {
  const tallies = new Map<EntityKey, Tally>();
  const alertIds: string[] = [];
  const of = (key: EntityKey): Tally => {
    const known = tallies.get(key) ?? { key, count: 0, sum: 0, marks: 0, ids: [] };
    tallies.set(key, known);
    return known;
  };
  const done = new Set<number>();
  for (const { offset, from, to, amount } of messages) {
    if (done.has(offset)) continue;
    done.add(offset);
    for (const [me, other] of [
      [from, to],
      [to, from],
    ] as const) {
      const tally = of(`account:${me}`);
      tally.count++;
      tally.sum += amount;
      tally.ids.push(`t${offset}`);
      if (tally.count % ALERT_EVERY === 0) alertIds.push(`account:${me}#${tally.count}`);
      if (tally.count % MARK_EVERY === 0) of(`account:${other}`).marks++;
    }
  }
  return { tallies, alertIds: alertIds.sort() };
}

/** Alert ids in the topic, each once, sorted; the whole list beside it. */
export function alertsIn(bus: MemoryBus): { readonly distinct: string[]; readonly all: string[] } {
  const all = bus.all("alerts").map(({ value }) => (JSON.parse(String(value)) as { alertId: string }).alertId);
  return { distinct: [...new Set(all)].sort(), all };
}

/** Accounts by the partition that owns them. */
export function partitionOfAccount(account: string): number {
  return partitionOf(`account:${account}`, PARTITIONS);
}

/** Waits a little: in tests every pause is short, its length has no meaning. */
async function nap(ms: number, signal?: AbortSignal): Promise<void> {
  const until = Date.now() + Math.min(ms, 2);
  do await tick();
  while (Date.now() < until && !signal?.aborted);
}
