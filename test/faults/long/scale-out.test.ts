/** Scale-out: 1, 2 and 4 workers on one topic, and how soon a new, a leaving and a dead one are made up for. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../../services/index.ts";
import { waitFor } from "../../services/process.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import type { PalermoProcess } from "../palermo-process.ts";
import type { RunRig } from "../run-rig.ts";
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
      /** What went on until every partition went on, after `change`; by the log's own times, from when it began. */
      const timed = async (what: string, change: () => Promise<number>, allowedMs: number): Promise<void> => {
        const asked = Date.now();
        const began = await change();
        const claimed = (): number[] => workers.flatMap((worker) => worker.times("partition claimed"));
        // What was there before a death is noticed may be screened already: only what comes later shows who goes on.
        await waitFor(`${what}: partitions change hands`, () => claimed().some((time) => time > asked), 60_000);
        const ends = await rig.admin.fetchTopicOffsets(rig.topics.views);
        await waitFor(`${what}: every partition goes on`, async () => isPast(rig, ends), 60_000);
        const claims = claimed();
        const ms = Math.max(...claims) - began;
        measure(`${what} ms`, ms);
        expect(ms, what).toBeLessThan(allowedMs);
      };
      /** Starts workers; gives when the last of them asked to join. */
      const join = async (count: number): Promise<number> => {
        const fresh = await Promise.all(Array.from({ length: count }, () => rig.start("both")));
        workers.push(...fresh);
        return Math.max(...fresh.flatMap((worker) => worker.times("connected to Redis")));
      };
      const leave = async (end: (worker: PalermoProcess) => Promise<unknown>): Promise<number> => {
        const since = Date.now();
        const last = workers.pop();
        if (last !== undefined) await end(last);
        return since;
      };
      await sleep(1_000);
      await timed("second worker", () => join(1), REBALANCE_MS);
      await timed("third and fourth", () => join(2), REBALANCE_MS);
      await timed("one leaves", () => leave((worker) => worker.stop()), REBALANCE_MS);
      await timed("one dies", () => leave((worker) => worker.kill()), REBALANCE_MS + SESSION_MS);
      on = false;
      await feeding;
      await rig.feed(lines.slice(fed));
      measure("settled after ms", await rig.settled(TOTAL));
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      for (const worker of workers) expect(await worker.stop()).toBe(0);
    }),
);

/** Whether every partition of the store is past the given ends. */
async function isPast(
  rig: RunRig,
  ends: readonly { readonly partition: number; readonly high: string }[],
): Promise<boolean> {
  for (const { partition, high } of ends) {
    const next = await rig.redis.hget(`${rig.id}:default:{p${partition}}:meta`, "next");
    if (BigInt(next ?? 0) < BigInt(high)) return false;
  }
  return true;
}
