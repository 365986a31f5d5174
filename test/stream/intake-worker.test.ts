/** Intake on a real broker: every view once and in order, poison, restarts, logs that changed, drift. */
import { expect, inject, test } from "vitest";
import { partitionOf } from "../../src/stream/record.ts";
import type { RejectedRecord } from "../../src/stream/rejected.ts";
import {
  createTopics,
  firstSeen,
  inputTopics,
  lagOf,
  profile,
  readAll,
  readViews,
  startIntake,
  testBus,
  transfer,
  uniqueName,
  until,
  write,
} from "./support.ts";

const brokers = inject("kafkaBrokers");
const bus = testBus(brokers);

async function prepare(inputs: number) {
  const prefix = uniqueName("intake");
  const admin = await bus.admin();
  await createTopics(admin, prefix, inputs);
  const topics = inputTopics(prefix);
  const drained = (): Promise<void> =>
    until(async () => {
      const groups = [topics.transactions, topics.parties].map((topic) => lagOf(admin, `${prefix}-intake`, topic));
      return (await Promise.all(groups)).every((lag) => lag === 0);
    }, "the inputs to be drained");
  return { prefix, admin, topics, drained };
}

/** Views that one transfer must give: entity and direction. */
function expectedViews(n: number): string[] {
  return [`account:A${n % 97} out t${n}`, `account:B${n % 89} in t${n}`];
}

test("every view of every message arrives once, in its entity's partition, in the order of its input", async () => {
  const { prefix, admin, topics, drained } = await prepare(3);
  const count = 3_000;
  for (let p = 0; p < 3; p++) {
    const messages = Array.from({ length: count / 3 }, (_, i) => transfer(i * 3 + p));
    await write(bus, topics.transactions, p, messages);
  }
  const { stop, failures } = await startIntake({ brokers, prefix, config: { batchViews: 100 } });
  await drained();
  await stop();
  expect(failures).toEqual([]);
  const views = await readViews(bus, topics.views);
  const found: string[] = [];
  for (const [partition, list] of views.entries()) {
    const { taken, repeated } = firstSeen(list);
    expect(repeated).toBe(0);
    for (const { view } of taken) {
      expect(partitionOf(view.entity, 4)).toBe(partition);
      found.push(`${view.entity} ${view.kind === "tx" ? view.direction : "?"} ${view.txId}`);
    }
  }
  const expected = Array.from({ length: count }, (_, n) => expectedViews(n)).flat();
  expect(found.sort()).toEqual(expected.sort());
  await admin.close();
});

test("inputs are merged by event time, so that an entity's views stand in order", async () => {
  const { prefix, admin, topics, drained } = await prepare(4);
  // Hours apart, and spread unevenly: without merging, one partition would run days ahead.
  const hours = Array.from({ length: 800 }, (_, i) => i);
  for (let p = 0; p < 4; p++) {
    const own = hours.filter((hour) => ((hour * 7) % 10 < 4 ? p === 0 : hour % 4 === p));
    await write(
      bus,
      topics.transactions,
      p,
      own.map((hour) => transfer(hour * 3_600)),
    );
  }
  const { stop } = await startIntake({ brokers, prefix });
  await drained();
  await stop();
  for (const list of await readViews(bus, topics.views)) {
    let newest = 0;
    for (const { view } of list) {
      expect(view.time).toBeGreaterThanOrEqual(newest - 5_000);
      newest = Math.max(newest, view.time);
    }
  }
  await admin.close();
});

test("poison is told on the rejected topic, in order, and stops nothing", async () => {
  const { prefix, admin, topics, drained } = await prepare(1);
  const future = new Date(Date.now() + 366 * 86_400_000).toISOString();
  const poison: [unknown, string][] = [
    ["{not json", "MALFORMED_JSON"],
    ["", "MALFORMED_JSON"],
    [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), "BAD_UTF8"],
    ['{"schema":"tx/1","schema":"tx/1"}', "DUPLICATE_KEY"],
    ['{"__proto__":{"x":1}}', "FORBIDDEN_KEY"],
    ['{"schema":"other/9"}', "SCHEMA"],
    [transfer(1, { amount: "-5.00" }), ""],
    [transfer(2, { currency: "QQQ" }), "UNKNOWN_CURRENCY"],
    [transfer(3, { occurredAt: future }), "FAR_FUTURE"],
    ["[]", "SCHEMA"],
  ];
  const messages = poison.flatMap(([value], i) => [transfer(100 + i), value]);
  await write(bus, topics.transactions, 0, messages);
  const codes: string[] = [];
  const { stop, failures } = await startIntake({
    brokers,
    prefix,
    events: { rejected: (_at, code) => codes.push(code) },
    config: { rejectedBytes: true },
  });
  await drained();
  await stop();
  expect(failures).toEqual([]);
  const rejected = (await readAll(bus, topics.rejected))
    .flat()
    .map((record) => JSON.parse(String(record.value)) as RejectedRecord);
  expect(rejected.map((r) => r.offset)).toEqual(poison.map((_, i) => i * 2 + 1));
  for (const [i, [value, code]] of poison.entries()) {
    const bytes =
      typeof value === "string" || value instanceof Uint8Array
        ? Buffer.from(value as string)
        : Buffer.from(JSON.stringify(value));
    expect(rejected[i]).toMatchObject({
      schema: "rejected/1",
      stage: "intake",
      topic: topics.transactions,
      partition: 0,
    });
    expect(rejected[i]?.length).toBe(bytes.length);
    expect(Buffer.from(rejected[i]?.bytes ?? "", "base64")).toEqual(bytes);
    if (code) expect(rejected[i]?.code).toBe(code);
  }
  expect(codes).toEqual(rejected.map((r) => r.code));
  const views = (await readViews(bus, topics.views)).flat();
  expect(new Set(views.map(({ view }) => view.txId)).size).toBe(poison.length);
  await admin.close();
});

test("profiles are read before movements, told to their entity and kept compacted", async () => {
  const { prefix, admin, topics, drained } = await prepare(2);
  await write(bus, topics.transactions, 0, [transfer(1), transfer(2)]);
  await write(
    bus,
    topics.parties,
    0,
    Array.from({ length: 50 }, (_, i) => profile(`P${i}`)),
  );
  const { stop } = await startIntake({ brokers, prefix });
  await drained();
  await stop();
  const kept = (await readAll(bus, topics.profiles)).flat().map((record) => String(record.key));
  expect(kept.sort()).toEqual(Array.from({ length: 50 }, (_, i) => `party:P${i}`).sort());
  for (const list of await readViews(bus, topics.views)) {
    const kinds = list.map(({ view }) => view.kind);
    expect(kinds.lastIndexOf("profile")).toBeLessThan(kinds.indexOf("tx") < 0 ? kinds.length : kinds.indexOf("tx"));
  }
  await admin.close();
});

test("a restart goes on at the committed position and repeats nothing after a graceful stop", async () => {
  const { prefix, admin, topics, drained } = await prepare(1);
  await write(
    bus,
    topics.transactions,
    0,
    Array.from({ length: 100 }, (_, n) => transfer(n)),
  );
  const first = await startIntake({ brokers, prefix });
  await drained();
  await first.stop();
  await write(
    bus,
    topics.transactions,
    0,
    Array.from({ length: 100 }, (_, n) => transfer(100 + n)),
  );
  const from: bigint[] = [];
  const second = await startIntake({
    brokers,
    prefix,
    events: { started: (at, offset) => at.topic === topics.transactions && from.push(offset) },
  });
  await drained();
  await second.stop();
  expect(from).toEqual([100n]);
  const views = (await readViews(bus, topics.views)).flat();
  expect(views.length).toBe(400);
  expect(new Set(views.map(({ view }) => `${view.entity} ${view.txId}`)).size).toBe(400);
  await admin.close();
});

test("a log that was replaced halts its partition; a raised epoch reads it as new", async () => {
  const { prefix, admin, topics, drained } = await prepare(2);
  await write(bus, topics.transactions, 0, [transfer(1), transfer(2)]);
  await write(bus, topics.transactions, 1, [transfer(3)]);
  const first = await startIntake({ brokers, prefix });
  await drained();
  await first.stop();
  // The same offset with another record before it: as if the topic had been made anew and filled again.
  const raw = bus.consumer(`${prefix}-intake`);
  await new Promise<void>((resolve, reject) => {
    const assigned = async (_: unknown, generation: number): Promise<void> => {
      const at = { topic: topics.transactions, partition: 0 };
      await raw.commit([{ ...at, offset: 2n, metadata: "palermo/1;0;deadbeef" }], generation);
      resolve();
    };
    const handlers = { assigned, revoked: () => undefined, batch: async () => undefined, failed: reject };
    raw.run([topics.transactions, topics.parties], handlers).catch(reject);
  });
  await raw.close();
  await write(bus, topics.transactions, 1, [transfer(4)]);
  const halted: string[] = [];
  const second = await startIntake({ brokers, prefix, events: { halted: (_at, message) => halted.push(message) } });
  await until(() => halted.length > 0, "the partition to halt");
  await until(async () => (await readViews(bus, topics.views)).flat().length === 8, "the other partition to go on");
  expect(halted[0]).toMatch(/LOG_CHANGED.*transactions:0.*another one.*intake\.epoch/);
  expect(second.worker.lanes().filter((lane) => lane.halted)).toHaveLength(1);
  await second.stop();
  const third = await startIntake({ brokers, prefix, config: { epoch: 1 } });
  await until(async () => (await readViews(bus, topics.views)).flat().length === 16, "all inputs to be read as new");
  await third.stop();
  const sources = (await readViews(bus, topics.views)).flat().map(({ source }) => source);
  expect(sources.filter((source) => source.endsWith("@1"))).toHaveLength(8);
  await admin.close();
});

test("an offset that somebody else set is not trusted", async () => {
  const { prefix, admin, topics } = await prepare(1);
  await write(bus, topics.transactions, 0, [transfer(1), transfer(2)]);
  const raw = bus.consumer(`${prefix}-intake`);
  await new Promise<void>((resolve, reject) => {
    const assigned = async (_: unknown, generation: number): Promise<void> => {
      await raw.commit([{ topic: topics.transactions, partition: 0, offset: 1n, metadata: "" }], generation);
      resolve();
    };
    raw
      .run([topics.transactions], { assigned, revoked: () => undefined, batch: async () => undefined, failed: reject })
      .catch(reject);
  });
  await raw.close();
  const halted: string[] = [];
  const { stop } = await startIntake({ brokers, prefix, events: { halted: (_at, message) => halted.push(message) } });
  await until(() => halted.length > 0, "the partition to halt");
  expect(halted[0]).toContain("was not set by intake");
  await stop();
  await admin.close();
});
