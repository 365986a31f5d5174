/** Row 1: kill -9 of the screening worker at random instants. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { randomFrom } from "../stream/faulty-store.ts";
import { faultTest, LONG, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { movements } from "./sample.ts";

const KILLS = LONG ? 50 : 10;
const TOTAL = LONG ? 125_000 : 50_000;

faultTest(
  {
    row: "1",
    fault: "kill -9 of the screening worker",
    how: `SIGKILL at ${KILLS} random instants during ${TOTAL} transactions, each time started again`,
    mustHold: "oracle; recovery within two session timeouts",
    timeoutMs: 100_000 + KILLS * 12_000,
  },
  (measure) =>
    withRig({}, async (rig) => {
      const random = randomFrom(SEED);
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      expect(reference.settled.length).toBeGreaterThan(50);
      const intake = await rig.start("intake");
      let screen = await rig.start("screen");
      let interrupted = 0;
      let slowestMs = 0;
      for (let round = 0; round < KILLS; round++) {
        const before = await rig.position();
        await rig.feed(lines.slice((round * TOTAL) / KILLS, ((round + 1) * TOTAL) / KILLS));
        while ((await rig.position()) === before) await sleep(1);
        await sleep(random(60));
        await screen.kill();
        if ((await rig.position()) < (await rig.viewsEnd()) || (await rig.waiting()) > 0) interrupted++;
        const at = await rig.position();
        screen = await rig.start("screen");
        const since = Date.now();
        while ((await rig.position()) === at && at < (await rig.viewsEnd())) await sleep(20);
        slowestMs = Math.max(slowestMs, Date.now() - since);
      }
      measure("recovery ms", await rig.settled(TOTAL));
      measure("slowest return to work ms", slowestMs);
      const published = await expectAsReference(rig, reference);
      measure("alerts", reference.settled.length);
      measure("repeats by id", published.repeats);
      // Two session timeouts of the rig.
      expect(slowestMs).toBeLessThan(12_000);
      expect(await screen.stop()).toBe(0);
      expect(await intake.stop()).toBe(0);
      // Else the test would only have killed an idle worker.
      expect(interrupted).toBeGreaterThan(0);
    }),
);
