/** Row 12: a commit is done, but its reply is lost on the way, again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../services/index.ts";
import { faultTest, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { startProxy, type TcpProxy } from "./proxy.ts";
import { movements } from "./sample.ts";

const TOTAL = 10_000;
const CUTS = 10;

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
    row: "12",
    fault: "reply lost after a commit",
    how: `the connection to Redis is cut ${CUTS} times in place of the reply to a commit`,
    mustHold: "oracle; the position is read again, nothing is applied twice",
    timeoutMs: 120_000,
  },
  (measure) =>
    withRig({ redisUrl: redis.url, seen: { redisUrl: `redis://127.0.0.1:${proxy.port}` } }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const palermo = await rig.start("both");
      for (let round = 0; round < CUTS; round++) {
        proxy.cutReplyTo("palermo_commit");
        await rig.feed(lines.slice((round * TOTAL) / CUTS, ((round + 1) * TOTAL) / CUTS));
        while (proxy.cuts <= round) await sleep(5);
      }
      measure("settled after the last cut ms", await rig.settled(TOTAL));
      const published = await expectAsReference(rig, reference);
      measure("replies cut", proxy.cuts);
      measure("repeats by id", published.repeats);
      expect(await palermo.stop()).toBe(0);
    }),
);
