/** Redis Cluster: three masters, two workers, and every partition's slot moved to another master while they run. */
import { Cluster } from "ioredis";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisClusterService, startRedisCluster } from "../../services/redis-cluster.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { movements } from "../sample.ts";

const TOTAL = 30_000;
const ROUNDS = 3;

let servers: RedisClusterService;
let cluster: Cluster;
beforeAll(async () => {
  servers = await startRedisCluster();
  cluster = new Cluster([{ host: "127.0.0.1", port: servers.nodes[0]?.port ?? 0 }]);
});
afterAll(async () => {
  cluster.disconnect();
  await servers.close();
});

faultTest(
  {
    row: "Cluster",
    fault: "slots of a Redis Cluster move",
    how: `three masters, two workers; the slot of each partition moves to the next master ${ROUNDS} times under load (SETSLOT, MIGRATE)`,
    mustHold: "oracle; nobody ends, no partition halts",
    timeoutMs: 240_000,
  },
  (measure) =>
    withRig({ redisUrl: servers.url, cluster }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const first = await rig.start("both");
      await rig.claimed(first);
      const workers = [first, await rig.start("both")];
      const slots: number[] = [];
      for (let p = 0; p < rig.views; p++) {
        slots.push(Number(await cluster.call("CLUSTER", "KEYSLOT", `${rig.id}:default:{p${p}}:meta`)));
      }
      const before = await servers.owners();
      expect(new Set(slots.map((slot) => before[slot])).size).toBeGreaterThan(1);
      const since = Date.now();
      let moved = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await rig.feed(lines.slice((round * TOTAL) / ROUNDS, ((round + 1) * TOTAL) / ROUNDS));
        for (const slot of slots) {
          const owner = (await servers.owners())[slot] ?? 0;
          moved += await servers.move(slot, (owner + 1) % servers.nodes.length);
        }
      }
      measure("slots moved", slots.length * ROUNDS);
      measure("keys moved", moved);
      measure("moving took ms", Date.now() - since);
      measure("settled after ms", await rig.settled(TOTAL));
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      expect(moved).toBeGreaterThan(0);
      for (const worker of workers) expect(worker.log()).not.toContain("rebuilding");
      for (const worker of workers) expect(await worker.stop()).toBe(0);
    }),
);
