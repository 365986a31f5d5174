/** Row 5: the broker dies in mid-run and comes back, once hard and once in good order. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type KafkaService, startKafka } from "../services/index.ts";
import { faultTest, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { movements } from "./sample.ts";

const TOTAL = 12_000;
const DOWN_MS = 3_000;

let kafka: KafkaService;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(async () => kafka.close());

faultTest(
  {
    row: "5",
    fault: "broker killed and restarted",
    how: "kill -9 of the only broker under load, 3 s later started again; then the same with SIGTERM",
    mustHold: "oracle; no worker ends",
    timeoutMs: 180_000,
  },
  (measure) =>
    withRig({ brokers: kafka.brokers }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const intake = await rig.start("intake");
      const screen = await rig.start("screen");
      for (const [round, end] of [() => kafka.kill(), () => kafka.stop()].entries()) {
        const before = await rig.position();
        await rig.feed(lines.slice((round * TOTAL) / 2, ((round + 1) * TOTAL) / 2));
        while ((await rig.position()) === before) await sleep(5);
        await end();
        await sleep(DOWN_MS);
        await kafka.restart();
        const name = round === 0 ? "settled after kill -9 ms" : "settled after SIGTERM ms";
        measure(name, await rig.settled(((round + 1) * TOTAL) / 2));
      }
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      expect([intake.running, screen.running]).toEqual([true, true]);
      expect(await screen.stop()).toBe(0);
      expect(await intake.stop()).toBe(0);
    }),
);
