/** Row 16: the alerts topic takes nothing for a minute, while more alerts come than a lane may hold. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../../services/index.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { movements } from "../sample.ts";

const DOWN_MS = 60_000;
const TOTAL = 60_000;
const LANE_LIMIT = 40;

let redis: RedisService;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
});
afterAll(async () => redis.close());

faultTest(
  {
    row: "16",
    fault: "alerts topic down for 60 s",
    how: `the topic refuses every write for 60 s under load; a lane of the outbox may hold ${LANE_LIMIT} entries a partition`,
    mustHold: "oracle; the outbox grows to its limit and no further, intake waits, then all leaves in order",
    timeoutMs: 300_000,
  },
  (measure) =>
    withRig({ redisUrl: redis.url, env: { PALERMO_SCREEN_LANE_LIMIT: String(LANE_LIMIT) } }, async (rig) => {
      const lines = movements(TOTAL, SEED, { accounts: TOTAL / 100 });
      const reference = referenceOf(rig, lines);
      const palermo = await rig.start("both");
      await rig.feed(lines.slice(0, TOTAL / 10));
      await rig.settled(TOTAL / 10);
      await rig.blockAlerts(true);
      const since = Date.now();
      await rig.feed(lines.slice(TOTAL / 10));
      let most = 0;
      let behind = 0;
      while (Date.now() - since < DOWN_MS) {
        most = Math.max(most, await rig.waiting());
        behind = Number((await rig.viewsEnd()) - (await rig.position()));
        await sleep(200);
      }
      measure("most entries waiting", most);
      measure("views records held back at the end", behind);
      await rig.blockAlerts(false);
      measure("settled after ms", await rig.settled(TOTAL));
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      expect(most).toBeGreaterThan(LANE_LIMIT / 2);
      expect(await palermo.stop()).toBe(0);
    }),
);
