/** Row 2: kill -9 of the worker exactly between two steps that belong together. A proxy knows the instant. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../../services/index.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";
import { movements } from "../sample.ts";

/** Of the lane of alerts: marks are published by the same function, and none of them would go out twice here. */
const PUBLISHED = /palermo_published\r\n[^{]*\{p\d+\}:out:alerts/;

/** What is asked of Redis, whether it gets there before the worker dies, and between which steps that is. */
const POINTS = [
  ["palermo_commit", "before", "a batch is folded, its commit is not sent"],
  ["palermo_commit", "after", "the commit is done, its reply and the group's offset are not"],
  [PUBLISHED, "before", "alerts are acknowledged by the broker, the outbox still has them"],
  [PUBLISHED, "after", "the outbox is emptied, the group's offset is not told"],
  ["palermo_claim", "after", "partitions are claimed, nothing is read yet"],
] as const;
const ROUNDS = 2;
const TOTAL = POINTS.length * ROUNDS * 1_500;

let redis: RedisService;
let proxy: TcpProxy;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
  proxy = await startProxy(redis.port);
});
afterAll(async () => {
  await proxy.close();
  await redis.close();
});

faultTest(
  {
    row: "2",
    fault: "kill -9 between two steps that belong together",
    how: `SIGKILL when the proxy before Redis sees: ${POINTS.map(([, , what]) => what).join("; ")}; ${ROUNDS} times each`,
    mustHold: "oracle; duplicates only by id",
    timeoutMs: 300_000,
  },
  (measure) =>
    withRig({ redisUrl: redis.url, seen: { redisUrl: `redis://127.0.0.1:${proxy.port}` } }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const intake = await rig.start("intake");
      let screen = await rig.start("screen");
      const rounds = POINTS.length * ROUNDS;
      let kills = 0;
      for (let round = 0; round < rounds; round++) {
        const [needle, when] = POINTS[round % POINTS.length] as (typeof POINTS)[number];
        const reached = proxy.stopAt(needle, when);
        await rig.feed(lines.slice((round * TOTAL) / rounds, ((round + 1) * TOTAL) / rounds));
        if (needle === "palermo_claim") {
          await screen.kill();
          screen = rig.launch("screen");
        }
        await Promise.race([reached, sleep(30_000).then(() => Promise.reject(new Error(`${needle} never came`)))]);
        await screen.kill();
        kills++;
        proxy.heal();
        screen = await rig.start("screen");
      }
      measure("kills", kills);
      measure("settled after the last ms", await rig.settled(TOTAL));
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      // An alert that was acknowledged and not deleted goes out again, under its old id.
      expect(published.repeats).toBeGreaterThan(0);
      expect(await screen.stop()).toBe(0);
      expect(await intake.stop()).toBe(0);
    }),
);
