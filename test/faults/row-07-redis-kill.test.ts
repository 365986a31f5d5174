/** Row 7: Redis dies by kill -9 in the middle of commits, with its append-only file synced each second and always. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { startRedis } from "../services/index.ts";
import { randomFrom } from "../stream/faulty-store.ts";
import { faultTest, LONG, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { movements } from "./sample.ts";

const KILLS = LONG ? 12 : 3;
const TOTAL = KILLS * 2_500;

describe.each(["everysec", "always"] as const)("appendfsync %s", (appendFsync) => {
  faultTest(
    {
      row: `7 ${appendFsync}`,
      fault: `kill -9 of Redis, appendfsync ${appendFsync}`,
      how: `SIGKILL at ${KILLS} random instants under load, each time started again on its append-only file`,
      mustHold: "oracle; no commit is torn; screening goes on from the position that the file has",
      timeoutMs: 100_000 + KILLS * 15_000,
    },
    async (measure) => {
      const redis = await startRedis({ appendOnly: true, appendFsync });
      try {
        await withRig({ redisUrl: redis.url }, async (rig) => {
          const random = randomFrom(SEED);
          const lines = movements(TOTAL, SEED);
          const reference = referenceOf(rig, lines);
          const palermo = await rig.start("both");
          await rig.claimed(palermo);
          let slowestMs = 0;
          for (let round = 0; round < KILLS; round++) {
            const before = await rig.position();
            await rig.feed(lines.slice((round * TOTAL) / KILLS, ((round + 1) * TOTAL) / KILLS));
            while ((await rig.position()) === before) await sleep(1);
            await sleep(random(50));
            await redis.kill();
            await redis.restart();
            slowestMs = Math.max(slowestMs, await rig.settled(((round + 1) * TOTAL) / KILLS));
          }
          measure("slowest recovery ms", slowestMs);
          const published = await expectAsReference(rig, reference);
          measure("repeats by id", published.repeats);
          expect(palermo.log()).not.toContain("rebuilding");
          expect(await palermo.stop()).toBe(0);
        });
      } finally {
        await redis.close();
      }
    },
  );
});
