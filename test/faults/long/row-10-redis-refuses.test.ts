/** Row 10: Redis refuses: full memory, read-only, a script that runs on, functions that are gone. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../../services/index.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { movements } from "../sample.ts";

const HELD_MS = 3_000;
const TOTAL = 10_000;
const BUSY = "local n = 0; while true do n = n + 1 end";

let redis: RedisService;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true, args: ["--busy-reply-threshold", "100"] });
});
afterAll(async () => redis.close());

/** What is done, for how long it holds, and how it is undone. */
const REFUSALS: readonly (readonly [string, (admin: Redis) => Promise<unknown>, (admin: Redis) => Promise<unknown>])[] =
  [
    ["OOM", (admin) => admin.config("SET", "maxmemory", "1mb"), (admin) => admin.config("SET", "maxmemory", "0")],
    ["READONLY", (admin) => admin.call("REPLICAOF", "127.0.0.1", "1"), (admin) => admin.call("REPLICAOF", "NO", "ONE")],
    [
      "BUSY",
      async (admin) => void admin.eval(BUSY, 0).catch(() => undefined),
      async () => {
        // Asking whether the server is ready would be refused too.
        const killer = new Redis(redis.url, { enableReadyCheck: false });
        await killer.call("SCRIPT", "KILL");
        killer.disconnect();
      },
    ],
    ["functions gone", (admin) => admin.call("FUNCTION", "FLUSH"), async () => undefined],
    [
      "NOREPLICAS",
      (admin) => admin.config("SET", "min-replicas-to-write", "1"),
      (admin) => admin.config("SET", "min-replicas-to-write", "0"),
    ],
  ];

faultTest(
  {
    row: "10",
    fault: "Redis refuses writes",
    how: `under load, each for 3 s: ${REFUSALS.map(([name]) => name).join(", ")}`,
    mustHold: "oracle; partitions wait, nothing is applied by halves, functions are loaded again, nobody ends",
    timeoutMs: 180_000,
  },
  (measure) =>
    withRig({ redisUrl: redis.url }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const palermo = await rig.start("both");
      await rig.claimed(palermo);
      const admin = new Redis(redis.url);
      const part = TOTAL / REFUSALS.length;
      for (const [i, [name, begin, end]] of REFUSALS.entries()) {
        await begin(admin);
        await rig.feed(lines.slice(i * part, (i + 1) * part));
        await sleep(HELD_MS);
        await end(admin);
        measure(`after ${name}: settled ms`, await rig.settled((i + 1) * part));
      }
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      admin.disconnect();
      expect(palermo.log()).not.toContain("rebuilding");
      expect(await palermo.stop()).toBe(0);
    }),
);
