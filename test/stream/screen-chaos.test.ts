/**
 * Workers that die, zombies that do not know it, a store that loses replies and is flushed, an alerts topic that is
 * away: whatever happens, every view counts once and no alert is lost.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createFaultyStore, type FaultyStore, randomFrom } from "./faulty-store.ts";
import { alertsIn, createRig, type Message, oracle, type Rig, type RigWorker } from "./rig.ts";

interface Process extends RigWorker {
  readonly faulty: FaultyStore;
}

const ACCOUNTS = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];

function transfers(n: number, random: (below: number) => number): Message[] {
  return Array.from({ length: n }, (_, offset) => {
    const from = random(ACCOUNTS.length);
    const to = (from + 1 + random(ACCOUNTS.length - 1)) % ACCOUNTS.length;
    return { offset, from: ACCOUNTS[from] as string, to: ACCOUNTS[to] as string, amount: 1 + random(1_000) };
  });
}

function launch(rig: Rig, random: (below: number) => number, percent: number): Process {
  const faulty = createFaultyStore(rig.store, random, percent);
  const config = { commitEntities: 1 + random(9), cacheBytes: random(2) * 2_000, laneLimit: 5 + random(40) };
  const process = rig.worker({ store: faulty, config, fetch: () => 1 + random(5) });
  void process.worker.start();
  return { ...process, faulty };
}

interface Plan {
  readonly seed: number;
  readonly percent: number;
  readonly flush: boolean;
}

/** Feeds 300 messages while things go wrong, then lets everything settle. */
async function run({ seed, percent, flush }: Plan): Promise<{ rig: Rig; messages: Message[]; faults: number }> {
  const random = randomFrom(seed);
  const rig = createRig();
  const messages = transfers(300, random);
  let alive = [launch(rig, random, percent)];
  const everyone = [...alive];
  const add = (): void => {
    const process = launch(rig, random, percent);
    alive.push(process);
    everyone.push(process);
  };
  for (let at = 0; at < messages.length; ) {
    const n = 1 + random(20);
    // Intake repeats a stretch after a crash of its own.
    rig.feed(messages.slice(Math.max(0, at - random(8)), at + n));
    at += n;
    const event = random(12);
    const victim = alive[random(alive.length)];
    if (event === 0 && victim !== undefined) {
      victim.faulty.kill();
      victim.consumer.kill();
      alive = alive.filter((one) => one !== victim);
      add();
    } else if (event === 1 && victim !== undefined) {
      // It lives on and believes that it owns what it had: a zombie.
      victim.consumer.lose();
      alive = alive.filter((one) => one !== victim);
      add();
    } else if (event === 2 && alive.length < 3) add();
    else if (event === 3) rig.bus.block("alerts");
    else if (event === 4) rig.bus.unblock("alerts");
    else if (event === 5 && flush) rig.store.flush();
    await sleep(random(3));
  }
  if (flush) rig.store.flush();
  rig.bus.unblock("alerts");
  for (const { faulty } of everyone) faulty.calm();
  // A last record for each account, so that idle partitions notice what was flushed.
  const last = ACCOUNTS.map((account, i) => ({
    offset: messages.length + i,
    from: account,
    to: ACCOUNTS[(i + 1) % ACCOUNTS.length] as string,
    amount: 1,
  }));
  rig.feed(last);
  await rig.settled();
  for (const { errors, halts } of everyone) expect([errors, halts]).toEqual([[], []]);
  for (const { worker } of alive) await worker.stop(100);
  const faults = everyone.reduce((sum, { faulty }) => sum + Object.values(faulty.faults).reduce((a, b) => a + b, 0), 0);
  return { rig, messages: [...messages, ...last], faults };
}

async function expectExactlyOnce(rig: Rig, messages: readonly Message[], context: string): Promise<void> {
  const expected = oracle(messages);
  expect(await rig.tallies(), context).toEqual(expected.tallies);
  expect(alertsIn(rig.bus).distinct, context).toEqual(expected.alertIds);
}

describe("exactly once, whatever happens", () => {
  for (const [name, percent, flush, from, runs] of [
    ["deaths, zombies and rebalances", 0, false, 1, 12],
    ["a store that loses and delays replies as well", 8, false, 100, 20],
    ["a store that is flushed as well", 4, true, 200, 20],
  ] as const) {
    test(name, async () => {
      let happened = 0;
      for (let seed = from; seed < from + runs; seed++) {
        const { rig, messages, faults } = await run({ seed, percent, flush });
        await expectExactlyOnce(rig, messages, `seed ${seed}`);
        happened += faults;
      }
      expect(happened > 0).toBe(percent > 0);
    });
  }
});
