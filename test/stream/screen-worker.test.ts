import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LANES, type StateStore, type Stored } from "../../src/store/port.ts";
import { tallyOf } from "./fake-engine.ts";
import { alertsIn, createRig, GROUP, type Message, oracle, PARTITIONS, type Rig, type RigWorker } from "./rig.ts";

const ACCOUNTS = ["A", "B", "C", "D", "E", "F", "G", "H"];

/** `n` transfers among a few accounts, from a seed. */
function transfers(n: number, seed = 1): Message[] {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  return Array.from({ length: n }, (_, offset) => {
    const from = next(ACCOUNTS.length);
    const to = (from + 1 + next(ACCOUNTS.length - 1)) % ACCOUNTS.length;
    return { offset, from: ACCOUNTS[from] as string, to: ACCOUNTS[to] as string, amount: 1 + next(1_000) };
  });
}

async function runToEnd(rig: Rig, ...workers: RigWorker[]): Promise<void> {
  for (const { worker } of workers) await worker.start();
  await rig.settled();
  for (const { worker } of workers) await worker.stop(500);
  for (const { errors, halts } of workers) expect([errors, halts]).toEqual([[], []]);
}

async function expectExactlyOnce(rig: Rig, messages: readonly Message[]): Promise<void> {
  const expected = oracle(messages);
  expect(await rig.tallies()).toEqual(expected.tallies);
  expect(alertsIn(rig.bus).distinct).toEqual(expected.alertIds);
}

describe("a run without faults", () => {
  test("every view counts once, every output leaves once, the group knows the end", async () => {
    const rig = createRig();
    const messages = transfers(400);
    for (let at = 0; at < messages.length; at += 25) rig.feed(messages.slice(at, at + 25));
    await runToEnd(rig, rig.worker());
    await expectExactlyOnce(rig, messages);
    expect(alertsIn(rig.bus).all.length).toBe(alertsIn(rig.bus).distinct.length);
    for (const { partition, high } of await rig.bus.admin().ranges("views")) {
      expect(rig.bus.groupOffset(GROUP, "views", partition)).toBe(high);
    }
  });

  test("repeated messages and repeated stretches of the log are dropped", async () => {
    const rig = createRig();
    const messages = transfers(120);
    rig.feed(messages.slice(0, 50));
    rig.feed(messages.slice(20, 70));
    rig.feed(messages.slice(0, 120));
    let repeated = 0;
    const worker = rig.worker({
      events: {
        repeated: (_, views) => {
          repeated += views;
        },
      },
    });
    await runToEnd(rig, worker);
    await expectExactlyOnce(rig, messages);
    expect(repeated).toBeGreaterThan(0);
  });

  test("the group is told again: an offset that a late request set back does not stay", async () => {
    const rig = createRig();
    rig.feed(transfers(60));
    const { worker } = rig.worker({ config: { publishedAgainMs: 20 } });
    await worker.start();
    await rig.settled();
    for (const { partition } of await rig.bus.admin().ranges("views")) {
      rig.bus.setGroupOffset(GROUP, "views", partition, 0n);
    }
    await rig.settled();
    await worker.stop(500);
  });

  test("a second worker shares the partitions, and one that stops gives them back", async () => {
    const rig = createRig();
    const messages = transfers(300);
    const [first, second] = [rig.worker(), rig.worker()];
    rig.feed(messages.slice(0, 100));
    await first.worker.start();
    await second.worker.start();
    rig.feed(messages.slice(100, 200));
    await rig.settled();
    expect(first.worker.status().length + second.worker.status().length).toBe(PARTITIONS);
    await second.worker.stop(500);
    rig.feed(messages.slice(200));
    await rig.settled();
    await first.worker.stop(500);
    await expectExactlyOnce(rig, messages);
    expect([first.errors, second.errors]).toEqual([[], []]);
  });

  test("alerts carry CloudEvents headers, their subject as key and the sequence of their cause", async () => {
    const rig = createRig();
    const messages = transfers(30);
    rig.feed(messages);
    await runToEnd(rig, rig.worker());
    const [record] = rig.bus.all("alerts");
    const alert = JSON.parse(String(record?.value)) as { alertId: string; revision: number };
    expect(record?.headers).toMatchObject({
      ce_specversion: "1.0",
      ce_type: "palermo.alert.v1",
      ce_id: `${alert.alertId}/${alert.revision}`,
      ce_source: "/palermo/default",
      "content-type": "application/json",
      sequence: expect.stringMatching(/^\d{20}\.\d{7}\.\d{7}$/),
      detectedat: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(String(record?.key)).toBe(record?.headers.ce_subject);
  });
});

describe("batch boundaries decide nothing", () => {
  test("any fetch size, commit size and cache give the same entries in the same order", async () => {
    const reference = await outcome(transfers(90, 7), [30, 60], {});
    const cuts = fc.record({
      fetch: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
      commitEntities: fc.constantFrom(1, 2, 3, 7, 2_000),
      commitBytes: fc.constantFrom(1, 500, 1 << 20),
      cacheBytes: fc.constantFrom(0, 300, 1 << 20),
    });
    await fc.assert(
      fc.asyncProperty(cuts, async ({ fetch, ...config }) => {
        let turn = 0;
        const next = (): number => fetch[turn++ % fetch.length] as number;
        expect(await outcome(transfers(90, 7), [30, 60], config, next)).toEqual(reference);
      }),
      { numRuns: 60, seed: 20_261_124 },
    );
  });

  /** Everything that leaves, in order: state, alerts with their sequence, marks by cause. */
  async function outcome(
    messages: readonly Message[],
    edges: readonly number[],
    config: object,
    fetch?: () => number,
  ): Promise<unknown> {
    const rig = createRig();
    let from = 0;
    for (const edge of [...edges, messages.length]) {
      for (let at = from; at < edge; at += 5) rig.feed(messages.slice(at, Math.min(edge, at + 5)));
      from = edge;
    }
    const inputs = (await rig.bus.admin().ranges("views")).map(({ high }) => Number(high));
    await runToEnd(rig, rig.worker({ config, ...(fetch ? { fetch } : {}) }));
    const alerts = rig.bus.all("alerts").map(({ value, headers }) => [String(value), headers.sequence]);
    const marks = inputs.map((high, partition) =>
      rig.bus
        .records("views", partition)
        .slice(high)
        .map(({ value }) => value?.toString("hex"))
        .sort(),
    );
    const tallies = [...(await rig.tallies())].sort(([a], [b]) => (a < b ? -1 : 1));
    return { alerts: alerts.sort(), marks, tallies };
  }
});

describe("a full lane", () => {
  test("pauses its partition until the topic takes entries again; nothing is lost", async () => {
    const rig = createRig();
    const messages = transfers(300);
    rig.bus.block("alerts");
    for (let at = 0; at < messages.length; at += 10) rig.feed(messages.slice(at, at + 10));
    const paused = new Set<number>();
    const worker = rig.worker({
      config: { laneLimit: 8 },
      fetch: () => 1,
      events: {
        paused: (partition) => void paused.add(partition),
        resumed: (partition) => void paused.delete(partition),
      },
    });
    await worker.worker.start();
    while (paused.size < PARTITIONS) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const { waiting, next, high } of worker.worker.status()) {
      expect(waiting).toBeLessThan(30);
      expect(next).toBeLessThan(high);
    }
    // Marks have a lane of their own: they went out meanwhile.
    expect((await rig.bus.admin().ranges("views")).some(({ high }) => high > 30n)).toBe(true);
    rig.bus.unblock("alerts");
    await rig.settled();
    await worker.worker.stop(500);
    await expectExactlyOnce(rig, messages);
  });
});

test("a fetch from before a seek is no hole: the log is asked again", async () => {
  const rig = createRig();
  const messages = transfers(60);
  for (let at = 0; at < messages.length; at += 5) rig.feed(messages.slice(at, at + 5));
  const made = rig.worker();
  const { consumer } = made;
  const run = consumer.run.bind(consumer);
  const late = new Set<number>();
  consumer.run = (topics, handlers) =>
    run(topics, {
      ...handlers,
      async batch(batch) {
        if (batch.records.length > 1 && !late.has(batch.partition)) {
          late.add(batch.partition);
          await handlers.batch({ ...batch, records: batch.records.slice(1) });
        }
        await handlers.batch(batch);
      },
    });
  await runToEnd(rig, made);
  expect(late.size).toBeGreaterThan(0);
  await expectExactlyOnce(rig, messages);
});

describe("a log that changed", () => {
  const halted = async (change: (rig: Rig) => void): Promise<RigWorker> => {
    const rig = createRig();
    rig.feed(transfers(60));
    await runToEnd(rig, rig.worker());
    change(rig);
    const worker = rig.worker();
    await worker.worker.start();
    while (worker.halts.length < PARTITIONS) await new Promise((resolve) => setTimeout(resolve, 2));
    const states = worker.worker.status().map(({ state }) => state);
    expect(states).toEqual(["halted", "halted", "halted"]);
    await worker.worker.stop(100);
    return worker;
  };

  test("made anew and shorter: halts and says what to do", async () => {
    const { halts } = await halted((rig) => rig.bus.recreate("views"));
    for (const [, code, message] of halts) {
      expect(code).toBe("LOG_CHANGED");
      expect(message).toMatch(/ends at offset 0.*restore it, or rebuild the state/);
    }
  });

  test("made anew with other records: halts at the fingerprint", async () => {
    const { halts } = await halted((rig) => {
      rig.bus.recreate("views");
      for (let i = 0; i < 30; i++) rig.feed(transfers(60, 99 + i));
    });
    for (const [, code, message] of halts) {
      expect(code).toBe("LOG_CHANGED");
      expect(message).toContain("another one than was read there");
    }
  });

  test("unread records removed by age: halts", async () => {
    const { halts } = await halted((rig) => {
      for (let i = 1; i < 4; i++) rig.feed(transfers(60).map((m) => ({ ...m, offset: m.offset + i * 60 })));
      for (let p = 0; p < PARTITIONS; p++) rig.bus.trim("views", p, BigInt(rig.bus.records("views", p).length - 1));
    });
    for (const [, code, message] of halts)
      expect([code, message]).toEqual(["LOG_CHANGED", expect.stringMatching(/gone/)]);
  });

  test("a record that nobody of ours wrote: halts the partition, the others go on", async () => {
    const rig = createRig();
    rig.feed(transfers(60));
    rig.bus.append("views", [{ partition: 1, key: null, value: "not a record" }]);
    rig.bus.append("views", [{ partition: 2, key: null, value: null }]);
    rig.feed(transfers(60).map((m) => ({ ...m, offset: m.offset + 60 })));
    const worker = rig.worker();
    await worker.worker.start();
    while (worker.halts.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    while ((await rig.store.position(0))?.next !== BigInt(rig.bus.records("views", 0).length)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(worker.halts.map(([partition, code]) => [partition, code]).sort()).toEqual([
      [1, "BAD_RECORD"],
      [2, "BAD_RECORD"],
    ]);
    await worker.worker.stop(100);
  });
});

describe("a store that forgot its newest writes while nothing comes", () => {
  test("commits: what it lost is screened again", async () => {
    const rig = createRig();
    const messages = transfers(60);
    rig.feed(messages);
    const worker = rig.worker();
    await worker.worker.start();
    await rig.settled();
    rig.store.flush();
    await rig.settled();
    await worker.worker.stop(500);
    expect(worker.rebuilds.length).toBeGreaterThan(0);
    expect([worker.errors, worker.halts]).toEqual([[], []]);
    await expectExactlyOnce(rig, messages);
  });

  test("deletions: what stands in an outbox again leaves again, and nothing stays", async () => {
    const rig = createRig();
    const messages = transfers(60);
    rig.feed(messages);
    let forgotten = 0;
    const store: StateStore = {
      ...rig.store,
      published: async (partition, lane, sequences) => {
        if (forgotten > 0) return rig.store.published(partition, lane, sequences);
        forgotten += sequences.length;
        return 0;
      },
    };
    await runToEnd(rig, rig.worker({ store }));
    expect(forgotten).toBeGreaterThan(0);
    await expectExactlyOnce(rig, messages);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const lane of LANES) expect(await rig.store.outbox(partition, lane, 1)).toEqual([]);
    }
  });
});

describe("state that is foreign", () => {
  test("an entity written beyond the position halts its partition", async () => {
    const rig = createRig();
    rig.feed(transfers(60));
    await runToEnd(rig, rig.worker());
    // As after a torn restore: the values are newer than the position.
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const keys = rig.store.entities(partition);
      const values = await rig.store.read(partition, keys);
      rig.store.forgetPosition(partition);
      await rig.store.claim(partition, "x");
      await rig.store.init(partition, "x", { next: 0n, fingerprint: 0 });
      expect(tallyOf(values[0] as Stored).count).toBeGreaterThan(0);
    }
    const worker = rig.worker();
    await worker.worker.start();
    while (worker.halts.length < PARTITIONS) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(worker.halts.map(([, code]) => code)).toEqual(["FOREIGN_STATE", "FOREIGN_STATE", "FOREIGN_STATE"]);
    await worker.worker.stop(100);
  });
});
