/** Row 3: a worker that is frozen past its session wakes up and believes that it still owns its partitions. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitFor } from "../services/process.ts";
import { faultTest, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { movements } from "./sample.ts";

const TOTAL = 12_000;

faultTest(
  {
    row: "3",
    fault: "zombie worker",
    how: "SIGSTOP of one of two workers in mid-batch for longer than its session of 6 s, then SIGCONT",
    mustHold: "oracle; its late commits are fenced, nothing is counted twice",
    timeoutMs: 120_000,
  },
  (measure) =>
    withRig({}, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const intake = await rig.start("intake");
      const zombie = await rig.start("screen");
      await rig.feed(lines.slice(0, TOTAL / 3));
      const before = await rig.position();
      await waitFor("the worker is at work", async () => (await rig.position()) > before);
      zombie.freeze();
      const frozen = Date.now();
      const other = await rig.start("screen");
      await rig.feed(lines.slice(TOTAL / 3, (2 * TOTAL) / 3));
      measure("taken over after ms", (await rig.settled((2 * TOTAL) / 3)) + Date.now() - frozen);
      await sleep(Math.max(0, 8_000 - (Date.now() - frozen)));
      // Work is at hand when it wakes up.
      await rig.feed(lines.slice((2 * TOTAL) / 3));
      zombie.thaw();
      await rig.settled(TOTAL);
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      for (const palermo of [zombie, other, intake]) expect(await palermo.stop()).toBe(0);
    }),
);
