/** Row 4: workers come and go every three seconds, some politely and some not. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { randomFrom } from "../stream/faulty-store.ts";
import { faultTest, LONG, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import type { PalermoProcess } from "./palermo-process.ts";
import type { RunRig } from "./run-rig.ts";
import { movements } from "./sample.ts";

const ROUNDS = LONG ? 40 : 8;
const EVERY_MS = 3_000;
const TOTAL = ROUNDS * 1_500;
/** A portion of the input comes so often that a standstill is no lack of work. */
const PORTIONS = 30;
const LOOK_MS = 200;
const STANDSTILL_MS = 10_000;

faultTest(
  {
    row: "4",
    fault: "rebalance storm",
    how: `a worker of both roles joins or leaves (half by SIGTERM, half by SIGKILL) every 3 s, ${ROUNDS} times, under load`,
    mustHold:
      "oracle; under a steady input screening never stands still for 10 s; all is screened soon after the storm",
    timeoutMs: 120_000 + ROUNDS * 15_000,
  },
  (measure) =>
    withRig({ inputs: 4 }, async (rig) => {
      const random = randomFrom(SEED);
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const stays = await rig.start("both");
      const others: PalermoProcess[] = [];
      const progress = watchProgress(rig);
      for (let round = 0; round < ROUNDS; round++) {
        const feeding = trickle(rig, lines.slice((round * TOTAL) / ROUNDS, ((round + 1) * TOTAL) / ROUNDS));
        const one = others.length > 0 && random(2) === 0 ? others.splice(random(others.length), 1)[0] : undefined;
        if (one === undefined && others.length < 3) others.push(await rig.start("both"));
        else if (round % 2 === 0) await one?.kill();
        else await one?.stop();
        await feeding;
      }
      const { runMs, partitionMs } = progress.stop();
      measure("settled after the storm ms", await rig.settled(TOTAL));
      measure("longest standstill ms", runMs);
      measure("of one partition ms", partitionMs);
      expect(runMs).toBeLessThan(STANDSTILL_MS);
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      expect(rig.processes.length).toBeGreaterThan(2);
      for (const palermo of [...others, stays]) expect(await palermo.stop()).toBe(0);
    }),
);

/** Sends lines in portions over one round. */
async function trickle(rig: RunRig, lines: readonly string[]): Promise<void> {
  const since = Date.now();
  for (let i = 0; i < PORTIONS; i++) {
    const [from, to] = [i, i + 1].map((n) => Math.floor((n * lines.length) / PORTIONS));
    await rig.feed(lines.slice(from, to));
    await sleep(Math.max(0, since + ((i + 1) * EVERY_MS) / PORTIONS - Date.now()));
  }
}

interface Progress {
  /**
   * The longest time in which no position moved, whatever held it up, since input never ceases; and in which one did
   * not although it had records to read.
   */
  stop(): { readonly runMs: number; readonly partitionMs: number };
}

function watchProgress(rig: RunRig): Progress {
  const from = Date.now();
  const moved = Array.from({ length: rig.views }, () => ({ next: -1n, at: from }));
  let movedAt = from;
  let runMs = 0;
  let partitionMs = 0;
  const look = async (): Promise<void> => {
    const ends = new Map((await rig.admin.fetchTopicOffsets(rig.topics.views)).map((at) => [at.partition, at.high]));
    const nexts = await Promise.all(moved.map((_, p) => rig.redis.hget(`${rig.id}:default:{p${p}}:meta`, "next")));
    const now = Date.now();
    for (const [p, last] of moved.entries()) {
      const next = BigInt(nexts[p] ?? 0);
      if (next !== last.next) movedAt = now;
      if (next !== last.next) Object.assign(last, { next, at: now });
      else if (next < BigInt(ends.get(p) ?? 0)) partitionMs = Math.max(partitionMs, now - last.at);
      // With nothing to read it waits for nobody; time counts from when there is something.
      else last.at = now;
    }
    runMs = Math.max(runMs, now - movedAt);
  };
  const watch = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  return {
    stop() {
      clearInterval(watch);
      return { runMs, partitionMs };
    },
  };
}
