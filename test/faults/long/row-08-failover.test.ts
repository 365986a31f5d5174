/** Row 8: the Redis master dies, and its replica, which had not got the last commits, takes its place. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect } from "vitest";
import { type RedisService, startRedis } from "../../services/index.ts";
import { waitFor } from "../../services/process.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";
import { movements } from "../sample.ts";

const TOTAL = 15_000;

let master: RedisService;
let replica: RedisService;
/** Where the workers connect: to the master, after the failover to the replica. */
let front: TcpProxy;
/** The link of replication. */
let link: TcpProxy;
let current: number;
beforeAll(async () => {
  master = await startRedis({ appendOnly: true });
  replica = await startRedis({ appendOnly: true });
  current = master.port;
  front = await startProxy(() => current);
  link = await startProxy(master.port);
});
afterAll(async () => {
  await front.close();
  await link.close();
  await master.close();
  await replica.close();
});

faultTest(
  {
    row: "8",
    fault: "Redis failover that loses the tail",
    how: "the replication link falls silent under load, commits go on for 2 s, then kill -9 of the master and REPLICAOF NO ONE on the replica",
    mustHold: "oracle; positions step back together with state, the lost part is screened again under the same ids",
    timeoutMs: 180_000,
  },
  (measure) =>
    withRig({ redisUrl: `redis://127.0.0.1:${front.port}` }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const other = new Redis(replica.url);
      await other.call("REPLICAOF", "127.0.0.1", String(link.port));
      await waitFor("the replica follows", async () =>
        String(await other.info("replication")).includes("link_status:up"),
      );
      const palermo = await rig.start("both");
      await rig.feed(lines.slice(0, TOTAL / 3));
      await rig.settled(TOTAL / 3);
      await waitFor("the replica has it", async () => (await other.dbsize()) === (await rig.redis.dbsize()));
      link.swallowAll();
      await rig.feed(lines.slice(TOTAL / 3, (2 * TOTAL) / 3));
      await sleep(2_000);
      const before = await rig.position();
      await master.kill();
      await other.call("REPLICAOF", "NO", "ONE");
      current = replica.port;
      front.reset();
      await waitFor("the new master is reached", async () => (await rig.redis.ping()) === "PONG");
      const after = await rig.position();
      measure("records lost from the state", Number(before - after));
      expect(after).toBeLessThan(before);
      await rig.feed(lines.slice((2 * TOTAL) / 3));
      measure("settled after ms", await rig.settled(TOTAL));
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      other.disconnect();
      expect(await palermo.stop()).toBe(0);
    }),
);
