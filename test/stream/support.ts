/** What the tests of this folder share: buses, messages, and readers of what was written. */
import { fileURLToPath } from "node:url";
import type { Rates } from "../../src/domain/money.ts";
import { createDecoder } from "../../src/intake/decode.ts";
import { SYSTEM_CLOCK, sleep } from "../../src/stream/backoff.ts";
import type { Admin, Bus, BusRecord } from "../../src/stream/bus.ts";
import type { DriftBoard } from "../../src/stream/drift.ts";
import type { IntakeDeps, IntakeEvents } from "../../src/stream/intake-ports.ts";
import { createIntakeWorker } from "../../src/stream/intake-worker.ts";
import { createKafkaBus } from "../../src/stream/kafka-bus.ts";
import { type PackedView, RecordReader } from "../../src/stream/record.ts";

/** One day, 2026-03-02T00:00:00Z. */
export const DAY = Date.UTC(2026, 2, 2);

export const RATES: Rates = { base: "EUR", toBase: (amountMinor) => Number(amountMinor) };

export function testBus(brokers: readonly string[], sessionTimeoutMs = 6_000): Bus {
  return createKafkaBus(
    {
      brokers,
      clientId: "palermo-test",
      tls: undefined,
      sasl: undefined,
      sessionTimeoutMs,
      requestTimeoutMs: 10_000,
      watchdogMs: 60_000,
      giveUpMs: 20_000,
    },
    { debug: () => undefined, retrying: () => undefined },
  );
}

/** Names that no other test uses. */
export function uniqueName(name: string): string {
  return `${name}-${process.pid}-${process.hrtime.bigint()}`;
}

/** A valid `tx/1` of one transfer, `n` seconds into the day. */
export function transfer(n: number, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    schema: "tx/1",
    txId: `t${n}`,
    occurredAt: new Date(DAY + n * 1_000).toISOString(),
    rail: "transfer",
    amount: "25.00",
    currency: "EUR",
    debtor: { kind: "account", own: true, account: `A${n % 97}` },
    creditor: { kind: "account", own: true, account: `B${n % 89}` },
    ...more,
  };
}

export function profile(party: string): Record<string, unknown> {
  return { schema: "party/1", party, validFrom: "2026-01-01T00:00:00Z", partyType: "person" };
}

export interface IntakeSetup {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly viewsPartitions?: number;
  readonly board?: DriftBoard | undefined;
  readonly events?: IntakeEvents;
  readonly config?: Partial<IntakeDeps["config"]>;
  readonly bus?: Bus;
}

export function inputTopics(prefix: string): {
  transactions: string;
  parties: string;
  views: string;
  rejected: string;
  profiles: string;
} {
  const name = (topic: string): string => `${prefix}.${topic}`;
  return {
    transactions: name("transactions"),
    parties: name("parties"),
    views: name("views"),
    rejected: name("rejected"),
    profiles: name("profiles"),
  };
}

/** Creates the topics of one test. */
export async function createTopics(admin: Admin, prefix: string, inputs: number, views = 4): Promise<void> {
  const topics = inputTopics(prefix);
  const spec = (name: string, partitions: number, config = {}) => ({ name, partitions, replicationFactor: 1, config });
  await admin.create([
    spec(topics.transactions, inputs),
    spec(topics.parties, 1),
    spec(topics.views, views, { "max.message.bytes": String(8 << 20) }),
    spec(topics.rejected, 1),
    spec(topics.profiles, views, { "cleanup.policy": "compact" }),
  ]);
}

/** An intake worker over topics of `createTopics`. `failures` collects what made it fail. */
export async function startIntake(setup: IntakeSetup) {
  const bus = setup.bus ?? testBus(setup.brokers);
  const names = inputTopics(setup.prefix);
  const admin = await bus.admin();
  const partitions = setup.viewsPartitions ?? 4;
  const failures: Error[] = [];
  const consumer = bus.consumer(`${setup.prefix}-intake`);
  const worker = createIntakeWorker({
    consumer,
    admin,
    producer: await bus.producer("intake"),
    decoders: { transactions: createDecoder({ rates: RATES }), parties: createDecoder({ rates: RATES }) },
    board: setup.board,
    topics: {
      transactions: names.transactions,
      parties: names.parties,
      views: { name: names.views, partitions },
      profiles: { name: names.profiles, partitions },
      rejected: { name: names.rejected, partitions: 1 },
    },
    config: {
      group: `${setup.prefix}-intake`,
      epoch: 0,
      batchViews: 1_024,
      batchBytes: 262_144,
      rejectedBytes: false,
      aheadMs: 5_000,
      waitMs: 60_000,
      ...setup.config,
    },
    events: setup.events ?? {},
    clock: SYSTEM_CLOCK,
    failed: (error) => failures.push(error),
  });
  await worker.run();
  const stop = async (): Promise<void> => {
    await worker.stop();
    await admin.close();
  };
  return { worker, consumer, failures, stop };
}

/** Writes messages to a partition of the transactions topic. */
export async function write(bus: Bus, topic: string, partition: number, values: readonly unknown[]): Promise<void> {
  const producer = await bus.producer("test");
  for (let i = 0; i < values.length; i += 500) {
    const records = values.slice(i, i + 500).map((value) => ({ partition, key: null, value: bytesOf(value) }));
    await producer.send(topic, records);
  }
  await producer.close();
}

function bytesOf(value: unknown): string | Uint8Array {
  return typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value);
}

/** Everything that a topic holds now, by partition in offset order. */
export async function readAll(bus: Bus, topic: string): Promise<BusRecord[][]> {
  const admin = await bus.admin();
  const ranges = await admin.ranges(topic);
  await admin.close();
  const found: BusRecord[][] = ranges.map(() => []);
  const missing = new Set(ranges.filter(({ low, high }) => high > low).map(({ partition }) => partition));
  if (missing.size === 0) return found;
  const consumer = bus.consumer(uniqueName("read"), { maxBytesPerPartition: 4 << 20 });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run([topic], {
        async assigned(partitions) {
          for (const at of partitions) consumer.start(at, ranges.find((r) => r.partition === at.partition)?.low ?? 0n);
        },
        revoked: () => undefined,
        async batch({ partition, records, end }) {
          found[partition]?.push(...records);
          if (end >= (ranges.find((r) => r.partition === partition)?.high ?? 0n)) missing.delete(partition);
          if (missing.size === 0) resolve();
        },
        failed: reject,
      })
      .catch(reject);
  });
  await consumer.close();
  return found;
}

/** Every view of the views topic, by partition in log order. */
export async function readViews(bus: Bus, topic: string, partitions = 4): Promise<PackedView[][]> {
  return (await readAll(bus, topic)).map((records) =>
    records.flatMap((record) => {
      const reader = new RecordReader(record.value ?? new Uint8Array(), partitions);
      const views: PackedView[] = [];
      for (let view = reader.next(); view !== undefined; view = reader.next()) views.push(view);
      return views;
    }),
  );
}

/** The views as screening takes them: those at or below an origin that was seen are dropped. */
export function firstSeen(views: readonly PackedView[]): { taken: PackedView[]; repeated: number } {
  const seen = new Map<string, PackedView>();
  const taken: PackedView[] = [];
  for (const view of views) {
    const last = seen.get(view.source);
    if (last && (view.offset < last.offset || (view.offset === last.offset && view.index <= last.index))) continue;
    seen.set(view.source, view);
    taken.push(view);
  }
  return { taken, repeated: views.length - taken.length };
}

/** Waits until `holds`; fails after `ms`. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await sleep(20);
  }
}

/** How many records the group has still to commit. */
export async function lagOf(admin: Admin, group: string, topic: string): Promise<number> {
  const ranges = await admin.ranges(topic);
  const offsets = await admin.groupOffsets(group, topic);
  return ranges.reduce((sum, { partition, low, high }) => {
    const at = offsets.find((o) => o.partition === partition)?.offset ?? low;
    return sum + Number(high - at);
  }, 0);
}

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
