/** Order on the real broker: a backlog over 8 input partitions, written unevenly, drained by 1, 2 and 4 workers. */
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type RedisService, startRedis } from "../../services/index.ts";
import { randomFrom } from "../../stream/faulty-store.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { metricOf } from "../metrics.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { movements } from "../sample.ts";

const TOTAL = 24_000;
const INPUTS = 8;
/** Far more event time than may come late: without holding drift the order of drains would decide. */
const SPAN_MS = 5 * 3_600_000;

let redis: RedisService;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
});
afterAll(async () => redis.close());

describe.each([1, 2, 4])("%i workers", (workers) => {
  faultTest(
    {
      row: `Order ${workers}`,
      fault: "a backlog that drains unevenly",
      how: `${TOTAL} movements over 5 h of event time in ${INPUTS} input partitions, half of them in one, drained by ${workers} workers`,
      mustHold: "exactly the settled alerts of the ordered pass; nothing came too late to be judged; drift is held",
      timeoutMs: 240_000,
    },
    (measure) =>
      withRig(
        {
          redisUrl: redis.url,
          inputs: INPUTS,
          env: { PALERMO_DRIFT_AHEAD_MS: "60000", PALERMO_DRIFT_WAIT_MS: "60000" },
        },
        async (rig) => {
          const random = randomFrom(SEED);
          const lines = movements(TOTAL, SEED, { spanMs: SPAN_MS });
          const reference = referenceOf(rig, lines);
          expect(reference.settled.length).toBeGreaterThan(20);
          await rig.feed(lines, () => (random(2) === 0 ? 0 : 1 + random(INPUTS - 1)));
          const since = Date.now();
          const running = await Promise.all(Array.from({ length: workers }, () => rig.start("both")));
          await rig.settled(TOTAL);
          measure("drained and published ms, with start", Date.now() - since);
          const published = await expectAsReference(rig, reference);
          measure("repeats by id", published.repeats);
          const late = await metricOf(running, 'palermo_screen_views_total{verdict="counted"}');
          measure("views too late to be judged", late);
          expect(late).toBe(0);
          measure("given up on as too slow", await metricOf(running, "palermo_drift_released_total"));
          for (const worker of running) expect(await worker.stop()).toBe(0);
        },
      ),
  );
});

faultTest(
  {
    row: "Order, not held",
    fault: "a backlog that drains unevenly, with drift left alone",
    how: "the same with drift.aheadMs 0 and 2 workers",
    mustHold: "every movement is counted once; those that came too late to be judged are counted in the metrics",
    timeoutMs: 240_000,
  },
  (measure) =>
    withRig({ redisUrl: redis.url, inputs: INPUTS }, async (rig) => {
      const lines = movements(TOTAL, SEED, { spanMs: SPAN_MS });
      // The first half of the day in one partition, the second in the others: one worker is hours ahead of the other.
      await rig.feed(lines, (i) => (i < TOTAL / 2 ? 0 : 1 + (i % (INPUTS - 1))));
      const running = await Promise.all([rig.start("both"), rig.start("both")]);
      await rig.settled(TOTAL);
      const verdicts = async (verdict: string): Promise<number> =>
        metricOf(running, `palermo_screen_views_total{verdict="${verdict}"}`);
      const late = await verdicts("counted");
      measure("views too late to be judged", late);
      measure("views judged again in their place", await verdicts("refolded"));
      expect(late).toBeGreaterThan(0);
      for (const worker of running) expect(await worker.stop()).toBe(0);
    }),
);
