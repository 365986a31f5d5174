/** Scale-out: 1, 2 and 4 workers on one topic, and how soon a new, a leaving and a dead one are made up for. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../../services/index.ts";
import { waitFor } from "../../services/process.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import type { PalermoProcess } from "../palermo-process.ts";
import { movements } from "../sample.ts";

const TOTAL = 24_000;
/** What a rebalance may take. A dead worker is missed only after its session. */
const REBALANCE_MS = 10_000;
const SESSION_MS = 6_000;

let redis: RedisService;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
});
afterAll(async () => redis.close());

faultTest(
  {
    row: "Scale-out",
    fault: "workers are added and taken away",
    how: "1, 2 and 4 workers of both roles on 8 input and 8 views partitions; then one leaves and one dies, under load",
    mustHold: "oracle; each change is over within 10 s (a death within 10 s after the session of 6 s)",
    timeoutMs: 240_000,
  },
  (measure) =>
    withRig({ redisUrl: redis.url, inputs: 8 }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      let fed = 0;
      let on = true;
      const feeding = (async () => {
        while (on && fed < TOTAL) {
          await rig.feed(lines.slice(fed, fed + 200));
          fed += 200;
          await sleep(300);
        }
      })();
      const workers: PalermoProcess[] = [await rig.start("both")];
      const owners = async (): Promise<string[]> =>
        Promise.all(
          Array.from({ length: rig.views }, async (_, p) =>
            String(await rig.redis.hget(`${rig.id}:default:{p${p}}:meta`, "owner")),
          ),
        );
      /** Until work goes on in every partition that has any, after `change`. */
      const timed = async (what: string, change: () => Promise<unknown>, allowedMs: number): Promise<void> => {
        const before = await owners();
        const since = Date.now();
        await change();
        await waitFor(
          `${what}: partitions change hands`,
          async () => (await owners()).some((owner, p) => owner !== before[p]),
          allowedMs + 10_000,
        );
        const ends = (await rig.admin.fetchTopicOffsets(rig.topics.views)).map(({ partition, high }) => ({
          partition,
          high,
        }));
        await waitFor(
          `${what}: every partition goes on`,
          async () => {
            for (const { partition, high } of ends) {
              const next = await rig.redis.hget(`${rig.id}:default:{p${partition}}:meta`, "next");
              if (BigInt(next ?? 0) < BigInt(high)) return false;
            }
            return true;
          },
          allowedMs + 10_000,
        );
        const ms = Date.now() - since;
        measure(`${what} ms`, ms);
        expect(ms, what).toBeLessThan(allowedMs);
      };
      await sleep(1_000);
      // A process that starts needs a while until it knows that there is a group.
      await timed("second worker", async () => workers.push(await rig.start("both")), REBALANCE_MS);
      await timed(
        "third and fourth",
        async () => workers.push(...(await Promise.all([rig.start("both"), rig.start("both")]))),
        REBALANCE_MS,
      );
      await timed("one leaves", async () => workers.pop()?.stop(), REBALANCE_MS);
      await timed("one dies", async () => workers.pop()?.kill(), REBALANCE_MS + SESSION_MS);
      on = false;
      await feeding;
      await rig.feed(lines.slice(fed));
      measure("settled after ms", await rig.settled(TOTAL));
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      for (const worker of workers) expect(await worker.stop()).toBe(0);
    }),
);
