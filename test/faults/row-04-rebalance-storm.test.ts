/** Row 4: workers come and go every three seconds, some politely and some not. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { randomFrom } from "../stream/faulty-store.ts";
import { faultTest, LONG, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import type { PalermoProcess } from "./palermo-process.ts";
import { movements } from "./sample.ts";

const ROUNDS = LONG ? 40 : 8;
const EVERY_MS = 3_000;
const TOTAL = ROUNDS * 1_500;

faultTest(
  {
    row: "4",
    fault: "rebalance storm",
    how: `a worker of both roles joins or leaves (half by SIGTERM, half by SIGKILL) every 3 s, ${ROUNDS} times, under load`,
    mustHold: "oracle; all is screened soon after the storm",
    timeoutMs: 120_000 + ROUNDS * 15_000,
  },
  (measure) =>
    withRig({ inputs: 4 }, async (rig) => {
      const random = randomFrom(SEED);
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const stays = await rig.start("both");
      const others: PalermoProcess[] = [];
      let standstillMs = 0;
      let movedAt = Date.now();
      let at = 0n;
      const look = async (): Promise<void> => {
        const now = await rig.position();
        if (now > at) movedAt = Date.now();
        at = now;
        standstillMs = Math.max(standstillMs, Date.now() - movedAt);
      };
      const watch = setInterval(() => void look().catch(() => undefined), 100);
      for (let round = 0; round < ROUNDS; round++) {
        const since = Date.now();
        await rig.feed(lines.slice((round * TOTAL) / ROUNDS, ((round + 1) * TOTAL) / ROUNDS));
        const one = others.length > 0 && random(2) === 0 ? others.splice(random(others.length), 1)[0] : undefined;
        if (one === undefined && others.length < 3) others.push(await rig.start("both"));
        else if (round % 2 === 0) await one?.kill();
        else await one?.stop();
        await sleep(Math.max(0, EVERY_MS - (Date.now() - since)));
      }
      measure("settled after the storm ms", await rig.settled(TOTAL));
      clearInterval(watch);
      measure("longest standstill ms", standstillMs);
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      expect(rig.processes.length).toBeGreaterThan(2);
      for (const palermo of [...others, stays]) expect(await palermo.stop()).toBe(0);
    }),
);
