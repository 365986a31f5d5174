/** Row 9: Redis forgets everything, while alerts wait in the outbox that cannot leave. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../services/index.ts";
import { faultTest, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { movements } from "./sample.ts";

const TOTAL = 12_000;

let redis: RedisService;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
});
afterAll(async () => redis.close());

faultTest(
  {
    row: "9",
    fault: "Redis empty (FLUSHALL)",
    how: "FLUSHALL in mid-run with the alerts topic unreachable and alerts in the outbox",
    mustHold: "oracle; the workers say so and rebuild from the views, what was published is not sent again",
    timeoutMs: 120_000,
  },
  (measure) =>
    withRig({ redisUrl: redis.url }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const palermo = await rig.start("both");
      await rig.feed(lines.slice(0, TOTAL / 4));
      await rig.settled(TOTAL / 4);
      await rig.blockAlerts(true);
      await rig.feed(lines.slice(TOTAL / 4, (3 * TOTAL) / 4));
      while ((await rig.waiting()) < 10) await sleep(20);
      const lost = await rig.waiting();
      await rig.redis.flushall();
      expect(lost).toBeGreaterThan(0);
      measure("alerts lost from the outbox", lost);
      await rig.feed(lines.slice((3 * TOTAL) / 4));
      await sleep(500);
      await rig.blockAlerts(false);
      const ms = await rig.settled(TOTAL);
      measure("settled after ms", ms);
      expect(palermo.log()).toContain("rebuilding");
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      expect(await palermo.stop()).toBe(0);
    }),
);
