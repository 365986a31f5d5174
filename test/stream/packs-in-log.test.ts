/** The pack is a record of the log: each view is judged by the pack in force where it stands, in every way to read it. */
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Alert } from "../../src/domain/alert.ts";
import { BusError } from "../../src/stream/bus.ts";
import { createFaultyStore, randomFrom } from "./faulty-store.ts";
import { activate, countingEngine, ENGINES, entriesOf, foldLog, found, sourceOf } from "./pack-rig.ts";
import { createRig, type Message, PARTITIONS, type Rig, type RigWorker } from "./rig.ts";

const ACCOUNTS = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
const hashOf = (engine: number): string => ENGINES[engine]?.pack.hash ?? "";

function transfers(from: number, n: number, random: (below: number) => number): Message[] {
  return Array.from({ length: n }, (_, i) => {
    const payer = random(ACCOUNTS.length);
    const payee = (payer + 1 + random(ACCOUNTS.length - 1)) % ACCOUNTS.length;
    const [a, b] = [ACCOUNTS[payer] as string, ACCOUNTS[payee] as string];
    return { offset: from + i, from: a, to: b, amount: 1 + random(1_000) };
  });
}

/** One step of a log: some movements, then perhaps a pack for some partitions. */
interface Step {
  readonly messages: number;
  readonly engine: number;
  readonly activation: number;
  readonly partitions: readonly number[];
}

const step: fc.Arbitrary<Step> = fc.record({
  messages: fc.integer({ min: 0, max: 12 }),
  engine: fc.nat(ENGINES.length - 1),
  activation: fc.integer({ min: 1, max: 6 }),
  partitions: fc.subarray([0, 1, 2], { minLength: 1 }),
});

/** Writes the steps; an activation number always means the same pack, as it does in a log of packs. */
function write(rig: Rig, steps: readonly Step[], random: (below: number) => number): void {
  const meant = new Map<number, number>();
  let offset = 0;
  for (const { messages, engine, activation, partitions } of steps) {
    rig.feed(transfers(offset, messages, random));
    offset += messages;
    const means = meant.get(activation) ?? engine;
    meant.set(activation, means);
    activate(rig.bus, { hash: hashOf(means), activation: BigInt(activation) }, [...partitions]);
  }
  rig.feed(transfers(offset, 20, random));
}

async function expectAsFolded(rig: Rig): Promise<void> {
  const log = Array.from({ length: PARTITIONS }, (_, partition) => rig.bus.records("views", partition));
  expect(entriesOf(await found(rig))).toEqual(entriesOf(foldLog(log, ENGINES)));
}

function expectWell(...workers: readonly RigWorker[]): void {
  for (const { errors, halts } of workers) expect([errors, halts]).toEqual([[], []]);
}

describe("each view is judged by the pack in force where it stands", () => {
  test("however the log is cut into fetches and commits, and whatever the cache holds", async () => {
    const plan = fc.record({
      steps: fc.array(step, { minLength: 2, maxLength: 8 }),
      fetch: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      commitEntities: fc.constantFrom(1, 2, 5, 2_000),
      cacheBytes: fc.constantFrom(0, 4_000, 1 << 20),
      seed: fc.nat(1_000),
    });
    let switches = 0;
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, fetch, commitEntities, cacheBytes, seed }) => {
        const rig = createRig();
        write(rig, steps, randomFrom(seed));
        let turn = 0;
        const worker = rig.worker({
          packs: sourceOf(ENGINES),
          config: { commitEntities, cacheBytes },
          fetch: () => fetch[turn++ % fetch.length] as number,
          events: { packChanged: () => void switches++ },
        });
        await worker.worker.start();
        await rig.settled();
        const packs = worker.worker.status().map(({ pack }) => pack);
        await worker.worker.stop(500);
        expectWell(worker);
        await expectAsFolded(rig);
        for (let p = 0; p < PARTITIONS; p++) expect(await rig.store.pack(p)).toEqual(packs[p]);
      }),
      { numRuns: 40, seed: 20_261_125 },
    );
    expect(switches).toBeGreaterThan(40);
  });

  test("through deaths, a store that loses replies, and rebuilds of a store that was flushed", async () => {
    let rebuilds = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const random = randomFrom(seed);
      const rig = createRig();
      const start = (): RigWorker & { kill(): void } => {
        const faulty = createFaultyStore(rig.store, random, 5);
        const worker = rig.worker({
          store: faulty,
          packs: sourceOf(ENGINES),
          config: { commitEntities: 1 + random(6), cacheBytes: random(2) * 4_000 },
          fetch: () => 1 + random(4),
          events: { rebuilding: () => void rebuilds++ },
        });
        void worker.worker.start();
        const kill = (): void => {
          faulty.kill();
          worker.consumer.kill();
        };
        return { ...worker, kill };
      };
      let worker = start();
      const everyone = [worker];
      for (let round = 0, offset = 0; round < 20; round++) {
        rig.feed(transfers(offset, 10, random));
        offset += 10;
        if (random(3) === 0) {
          const which = random(ENGINES.length);
          const partitions = [0, 1, 2].filter(() => random(4) > 0);
          activate(rig.bus, { hash: hashOf(which), activation: BigInt(round + 1) }, partitions);
        }
        const event = random(6);
        if (event === 0) {
          worker.kill();
          worker = start();
          everyone.push(worker);
        } else if (event === 1) rig.store.flush();
        await sleep(random(4));
      }
      rig.feed(
        ACCOUNTS.map((from, i) => ({ offset: 1_000 + i, from, to: ACCOUNTS[(i + 1) % 10] as string, amount: 1 })),
      );
      await rig.settled();
      await worker.worker.stop(500);
      expectWell(...everyone);
      // Alerts of a cut that was lost with the store are sent again under the same sequence; all else is equal.
      await expectAsFolded(rig);
    }
    expect(rebuilds).toBeGreaterThan(0);
  });
});

describe("alerts", () => {
  test("name the pack that was in force", async () => {
    const rig = createRig();
    const random = randomFrom(7);
    rig.feed(transfers(0, 60, random));
    activate(rig.bus, { hash: hashOf(1), activation: 5n });
    rig.feed(transfers(60, 60, random));
    const worker = rig.worker({ packs: sourceOf(ENGINES) });
    await worker.worker.start();
    await rig.settled();
    await worker.worker.stop(500);
    const hashes = rig.bus
      .all("alerts")
      .map(({ value }) => (JSON.parse(String(value)) as { packHash: string }).packHash);
    expect(new Set(hashes)).toEqual(new Set([hashOf(0), hashOf(1)]));
  });
});

describe("a rule that goes into shadow", () => {
  test("tells its alerts in the topic of its own from there on", async () => {
    const rig = createRig();
    const random = randomFrom(8);
    rig.feed(transfers(0, 80, random));
    const watched = countingEngine(3, "1d", "", "", "shadow");
    activate(rig.bus, { hash: watched.pack.hash, activation: 1n });
    rig.feed(transfers(80, 80, random));
    const worker = rig.worker({ packs: sourceOf([...ENGINES, watched]) });
    await worker.worker.start();
    await rig.settled();
    await worker.worker.stop(500);
    expectWell(worker);
    const shadow = rig.bus.all("shadow").map(({ value }) => JSON.parse(String(value)) as Alert);
    expect(shadow.length).toBeGreaterThan(0);
    expect(shadow.every(({ status, packHash }) => status === "shadow" && packHash === watched.pack.hash)).toBe(true);
    const usual = rig.bus.all("alerts").map(({ value }) => JSON.parse(String(value)) as Alert);
    expect(usual.length).toBeGreaterThan(0);
    expect(usual.every(({ status, packHash }) => status === "active" && packHash === hashOf(0))).toBe(true);
  });
});

describe("a pack that cannot be used", () => {
  test("halts its partition where it would take force; what stood before is screened, the others go on", async () => {
    const rig = createRig();
    const random = randomFrom(3);
    rig.feed(transfers(0, 60, random));
    const before = BigInt(rig.bus.records("views", 1).length);
    activate(rig.bus, { hash: "f".repeat(64), activation: 9n }, [1]);
    rig.feed(transfers(60, 60, random));
    const worker = rig.worker({ packs: sourceOf(ENGINES), fetch: () => 4 });
    await worker.worker.start();
    while (worker.halts.length === 0) await sleep(2);
    while ((await rig.store.position(0))?.next !== BigInt(rig.bus.records("views", 0).length)) await sleep(2);
    expect(worker.halts).toEqual([[1, "PACK_UNUSABLE", expect.stringMatching(/never published.*palermo packs/)]]);
    expect((await rig.store.position(1))?.next).toBeLessThanOrEqual(before);
    await worker.worker.stop(100);
    // Once it is there, the partition goes on from where it stood.
    const known = [...ENGINES, { ...ENGINES[1], pack: { hash: "f".repeat(64), horizonMs: 1 } } as (typeof ENGINES)[0]];
    const next = rig.worker({ packs: sourceOf(known) });
    await next.worker.start();
    await rig.settled();
    await next.worker.stop(500);
    expectWell(next);
  });

  test("of a stored value halts the partition too", async () => {
    const rig = createRig();
    rig.feed(transfers(0, 60, randomFrom(4)));
    const first = rig.worker({ packs: sourceOf(ENGINES) });
    await first.worker.start();
    await rig.settled();
    await first.worker.stop(500);
    activate(rig.bus, { hash: hashOf(1), activation: 2n });
    rig.feed(transfers(60, 60, randomFrom(5)));
    const second = rig.worker({ packs: sourceOf([ENGINES[1] as (typeof ENGINES)[0]]) });
    await second.worker.start();
    while (second.halts.length < PARTITIONS) await sleep(2);
    expect(new Set(second.halts.map(([, code]) => code))).toEqual(new Set(["PACK_UNUSABLE"]));
    await second.worker.stop(100);
  });

  test("because the broker cannot be asked now is waited for", async () => {
    const rig = createRig();
    rig.feed(transfers(0, 30, randomFrom(6)));
    const source = sourceOf(ENGINES);
    let refusals = 3;
    const waits: string[] = [];
    const worker = rig.worker({
      packs: {
        ...source,
        async inForceAt(timeMs) {
          if (refusals-- > 0) throw new BusError("no broker", true);
          return source.inForceAt(timeMs);
        },
      },
      events: { storeWaiting: (reason) => void waits.push(reason) },
    });
    await worker.worker.start();
    await rig.settled();
    await worker.worker.stop(500);
    expectWell(worker);
    expect(waits).toContain("no broker");
    await expectAsFolded(rig);
  });
});
