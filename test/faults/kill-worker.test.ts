/** kill -9 and FLUSHALL on the real thing: the settled alerts and the state are those of one ordered pass. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Entity } from "../../src/screen/state.ts";
import { type RedisService, startRedis } from "../services/index.ts";
import { randomFrom } from "../stream/faulty-store.ts";
import { createRunRig, movements, type Reference, type RunRig } from "./run-rig.ts";

const TOTAL = 50_000;
const KILLS = 10;
const seed = Number(process.env.PALERMO_TEST_SEED ?? Date.now() % 1_000_000);

let redis: RedisService;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
});
afterAll(async () => redis.close());

async function withRig(work: (rig: RunRig) => Promise<void>): Promise<void> {
  const rig = await createRunRig(inject("kafkaBrokers"), redis.url);
  try {
    await work(rig);
  } finally {
    await rig.close();
  }
}

/** What an entity has counted: movements in fold order with their amounts, and how many. */
function counted({ work }: Entity): unknown {
  return { seq: work.seq, recent: work.recent.map(({ txId, incoming, amount }) => [txId, incoming, amount]) };
}

async function expectAsReference(rig: RunRig, { settled, embedded }: Reference): Promise<void> {
  expect(await rig.alerts()).toEqual(settled);
  const entities = await rig.entities();
  expect(entities.size).toBe(embedded.entities);
  for (const [key, entity] of entities) {
    const known = embedded.entity(key);
    if (known === undefined) throw new Error(`${key} is in the store, but not in the ordered pass`);
    expect(counted(entity), key).toEqual(counted(known));
  }
}

describe(`a run on real services (seed ${seed})`, () => {
  test("kill -9 of the screening worker at ten random instants", { timeout: 400_000 }, async () => {
    await withRig(async (rig) => {
      const random = randomFrom(seed);
      const lines = movements(TOTAL, seed);
      const reference = rig.reference(lines);
      expect(reference.settled.length).toBeGreaterThan(100);
      const intake = await rig.start("intake");
      let screen = await rig.start("screen");
      let interrupted = 0;
      for (let round = 0; round < KILLS; round++) {
        const before = await rig.position();
        await rig.feed(lines.slice((round * TOTAL) / KILLS, ((round + 1) * TOTAL) / KILLS));
        while ((await rig.position()) === before) await sleep(1);
        await sleep(random(60));
        await screen.kill();
        if ((await rig.position()) < (await rig.viewsEnd()) || (await rig.waiting()) > 0) interrupted++;
        screen = await rig.start("screen");
      }
      await rig.settled(TOTAL);
      await expectAsReference(rig, reference);
      expect(await screen.stop()).toBe(0);
      expect(await intake.stop()).toBe(0);
      // Else the test would only have killed an idle worker.
      expect(interrupted).toBeGreaterThan(0);
    });
  });

  test("FLUSHALL in mid-run with the alerts topic unreachable", { timeout: 200_000 }, async () => {
    await withRig(async (rig) => {
      const lines = movements(20_000, seed + 1);
      const reference = rig.reference(lines);
      const palermo = await rig.start("both");
      await rig.feed(lines.slice(0, 5_000));
      await rig.settled(5_000);
      await rig.blockAlerts(true);
      await rig.feed(lines.slice(5_000, 15_000));
      while ((await rig.waiting()) < 10) await sleep(20);
      const lost = await rig.waiting();
      await rig.redis.flushall();
      expect(lost).toBeGreaterThan(0);
      await rig.feed(lines.slice(15_000));
      await sleep(1_000);
      await rig.blockAlerts(false);
      await rig.settled(lines.length);
      expect(palermo.log()).toContain("rebuilding");
      await expectAsReference(rig, reference);
      expect(await palermo.stop()).toBe(0);
    });
  });
});
