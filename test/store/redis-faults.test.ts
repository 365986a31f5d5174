/** What the Redis store does when the server refuses, forgets, dies or falls silent. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { namespaceOf, partitionKeys } from "../../src/store/keys.ts";
import { type CommitResult, StoreError } from "../../src/store/port.ts";
import { openRedisStore, type RedisStore, type RedisStoreOptions } from "../../src/store/redis.ts";
import { redisAddress } from "../../src/store/redis-connection.ts";
import { startProxy, type TcpProxy } from "../faults/proxy.ts";
import { type RedisService, startRedis } from "../services/index.ts";
import { startRedisCluster } from "../services/redis-cluster.ts";
import { commitOf, entry, LAYOUT } from "./conformance.ts";

const value = new TextEncoder().encode("x".repeat(600));
const entities = (n: number) => Array.from({ length: n }, (_, i) => ({ key: `account:${i}`, value }));

let server: RedisService;
let proxy: TcpProxy;
let admin: Redis;
let store: RedisStore;

const open = (more: Partial<RedisStoreOptions> = {}): Promise<RedisStore> =>
  openRedisStore({
    url: `redis://127.0.0.1:${proxy.port}`,
    prefix: "palermo",
    tenant: "t",
    layout: LAYOUT,
    commandTimeoutMs: 400,
    ...more,
  });

/** Calls until the answer is final, as the worker does. */
async function finalAnswer(call: () => Promise<CommitResult>): Promise<CommitResult> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const result = await call();
    if (result.kind !== "retry") return result;
    await sleep(20);
  }
  throw new Error("the store never recovered");
}

/** Any call that is repeatable, until the store answers. */
async function until<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreError && error.retriable) || attempt > 200) throw error;
      await sleep(20);
    }
  }
}

beforeAll(async () => {
  server = await startRedis({ appendOnly: true });
  proxy = await startProxy(server.port);
  admin = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  admin.on("error", () => undefined);
});
afterAll(async () => {
  admin.disconnect();
  await proxy.close();
  await server.close();
});
beforeEach(async () => {
  await admin.flushall();
  await store?.close();
  store = await open();
  await store.claim(0, "a");
  await store.init(0, "a", { next: 0n, fingerprint: 0 });
});

describe("refusals write nothing and may be repeated", () => {
  test("functions that were flushed are loaded again", async () => {
    await admin.call("FUNCTION", "FLUSH");
    expect(await store.commit(commitOf("a", 0, 1))).toEqual({ kind: "committed" });
    await admin.call("FUNCTION", "FLUSH");
    expect((await store.claim(0, "b")).previousOwner).toBe("a");
  });

  test("memory that is full", async () => {
    await admin.config("SET", "maxmemory", "1mb");
    const commit = commitOf("a", 0, 1, { entities: entities(50), outbox: [entry(0)] });
    expect(await store.commit(commit)).toMatchObject({ kind: "retry", reason: expect.stringContaining("OOM") });
    await expect(store.claim(0, "b")).rejects.toMatchObject({ retriable: true });
    await admin.config("SET", "maxmemory", "0");
    expect(await store.read(0, ["account:1"])).toEqual([undefined]);
    expect(await store.commit(commit)).toEqual({ kind: "committed" });
  });

  test("too few replicas", async () => {
    await admin.config("SET", "min-replicas-to-write", "1");
    expect(await store.commit(commitOf("a", 0, 1))).toMatchObject({
      kind: "retry",
      reason: expect.stringContaining("NOREPLICAS"),
    });
    await admin.config("SET", "min-replicas-to-write", "0");
    expect(await store.commit(commitOf("a", 0, 1))).toEqual({ kind: "committed" });
  });

  test("a master that became a replica", async () => {
    await admin.replicaof("127.0.0.1", "1");
    const refusal = await store.commit(commitOf("a", 0, 1));
    await admin.replicaof("NO", "ONE");
    expect(refusal).toMatchObject({ kind: "retry", reason: expect.stringContaining("READONLY") });
    expect(await store.commit(commitOf("a", 0, 1))).toEqual({ kind: "committed" });
  });

  test("a script that runs too long", async () => {
    await admin.config("SET", "busy-reply-threshold", "50");
    const stuck = new Redis(server.url);
    const loop = stuck.eval("while true do end", 0).catch(() => undefined);
    await sleep(150);
    const refusal = await store.commit(commitOf("a", 0, 1));
    await admin.script("KILL");
    await loop;
    stuck.disconnect();
    await admin.config("SET", "busy-reply-threshold", "5000");
    expect(refusal).toMatchObject({ kind: "retry", reason: expect.stringContaining("BUSY") });
    expect(await finalAnswer(() => store.commit(commitOf("a", 0, 1)))).toEqual({ kind: "committed" });
  });

  test("a key of the wrong type stops the commit before its first write", async () => {
    await admin.set("palermo:t:{p0}:out:marks", "not a list");
    const commit = commitOf("a", 0, 1, { entities: entities(3), outbox: [entry(0), entry(0, 0, "marks")] });
    await expect(store.commit(commit)).rejects.toThrow(/WRONGTYPE/);
    expect(await store.read(0, ["account:1"])).toEqual([undefined]);
    expect(await store.position(0)).toEqual({ next: 0n, fingerprint: 0 });
    expect(await admin.llen("palermo:t:{p0}:out:alerts")).toBe(0);
  });
});

describe("a lost reply", () => {
  const commit = commitOf("a", 0, 5, { entities: entities(20), outbox: [entry(3)] });

  test("is unknown, and a renewal tells that the commit was done", async () => {
    proxy.cutReplyTo("palermo_commit");
    expect(await store.commit(commit)).toMatchObject({ kind: "unknown" });
    expect(proxy.cuts).toBeGreaterThan(0);
    const claim = await until(() => store.renew(0, "a", "a2"));
    expect(claim?.position).toEqual(commit.to);
    expect(claim?.waiting.alerts).toBe(1);
  });

  test("is found out also when the server stays silent, within the time that was set", async () => {
    proxy.swallowReplies();
    expect(await store.commit(commit)).toMatchObject({ kind: "unknown", reason: expect.stringContaining("timed out") });
    proxy.heal();
    const claim = await until(() => store.renew(0, "a", "a2"));
    expect(claim?.position).toEqual(commit.to);
  });

  test("is never answered by sending the commit again", async () => {
    const before = await calls("fcall");
    proxy.cutReplyTo("palermo_commit");
    expect(await store.commit(commit)).toMatchObject({ kind: "unknown" });
    await until(() => store.position(0));
    await sleep(300);
    expect((await calls("fcall")) - before).toBe(1);
  });
});

describe("a server that dies", () => {
  test("while down, commits are refused as not sent; afterwards they go on, with the state of the append-only file", async () => {
    await store.commit(commitOf("a", 0, 1, { entities: entities(5), outbox: [entry(0)] }));
    await admin.config("SET", "appendfsync", "always");
    await store.commit(commitOf("a", 1, 2));
    await server.kill();
    await sleep(100);
    expect(await store.commit(commitOf("a", 2, 3))).toMatchObject({ kind: "retry", reason: "not connected" });
    await server.restart();
    expect(await finalAnswer(() => store.commit(commitOf("a", 2, 3)))).toEqual({ kind: "committed" });
    expect((await store.outbox(0, "alerts", 9)).length).toBe(1);
  });

  test("kill -9 in the middle of commits tears none of them", async () => {
    let next = 0;
    let owner = "a";
    for (let round = 0; round < 4; round++) {
      let killed = false;
      const kill = sleep(30 + round * 25).then(async () => {
        killed = true;
        await server.kill();
      });
      for (; !killed; ) {
        // Every commit writes its end into each of 300 entities and one outbox entry: torn would be seen.
        const mark = new TextEncoder().encode(String(next + 1));
        const changed = Array.from({ length: 300 }, (_, i) => ({ key: `account:${i}`, value: mark }));
        const result = await store.commit(
          commitOf(owner, next, next + 1, { entities: changed, outbox: [entry(next)] }),
        );
        if (result.kind !== "committed") break;
        next++;
      }
      await kill;
      await server.restart();
      const claim = await until(() => store.claim(0, `owner ${round}`));
      owner = `owner ${round}`;
      const position = Number(claim.position?.next);
      expect(position).toBeGreaterThanOrEqual(next);
      expect(position).toBeLessThanOrEqual(next + 1);
      const found = await store.read(
        0,
        Array.from({ length: 300 }, (_, i) => `account:${i}`),
      );
      const distinct = new Set(found.map((one) => one && Buffer.from(one.value).toString()));
      expect([...distinct]).toEqual(position === 0 ? [undefined] : [String(position)]);
      expect(claim.waiting.alerts).toBe(position);
      next = position;
    }
    expect(next).toBeGreaterThan(0);
  });
});

test("all keys of a partition share one slot of a cluster", async () => {
  const node = await startRedis({ args: ["--cluster-enabled", "yes"] });
  const cluster = new Redis(node.url);
  await cluster.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  while (!((await cluster.call("CLUSTER", "INFO")) as string).includes("cluster_state:ok")) await sleep(20);
  const inCluster = await open({ url: node.url });
  for (const partition of [0, 1, 17]) {
    await until(() => inCluster.claim(partition, "a"));
    expect(await inCluster.init(partition, "a", { next: 0n, fingerprint: 0 })).toBe(true);
    const seen = [{ source: "in:tx:1", offset: 4n, index: 0 }];
    const commit = commitOf("a", 0, 1, {
      partition,
      seen,
      entities: entities(50),
      outbox: [entry(0), entry(0, 0, "marks")],
    });
    expect(await inCluster.commit(commit)).toEqual({ kind: "committed" });
    expect((await inCluster.read(partition, ["account:7"]))[0]?.writtenAt).toBe(1n);
    expect(await inCluster.published(partition, "alerts", [entry(0).sequence])).toBe(0);
  }
  await inCluster.close();
  cluster.disconnect();
  await node.close();
});

describe("what an operator is told", () => {
  test("an address that nobody answers at: what was tried, no password", async () => {
    const lines: string[] = [];
    const stop = new AbortController();
    const waiting = openRedisStore({
      url: "redis://someone:hunter2@127.0.0.1:1/3",
      prefix: "palermo",
      tenant: "t",
      layout: LAYOUT,
      signal: stop.signal,
      events: { disconnected: (address, reason, ms) => lines.push(`${address}: ${reason}, again in ${ms} ms`) },
    }).catch((error: Error) => error);
    while (lines.length < 3) await sleep(10);
    stop.abort();
    expect(await waiting).toMatchObject({ message: expect.stringContaining("127.0.0.1:1/3") });
    expect(lines.slice(0, 3)).toEqual(
      [50, 100, 200].map((ms) => `127.0.0.1:1/3: connection refused, again in ${ms} ms`),
    );
  });

  test("a wrong password: the server's word for it, and no endless silence", async () => {
    await admin.config("SET", "requirepass", "right");
    const lines: string[] = [];
    const stop = new AbortController();
    const waiting = openRedisStore({
      url: `redis://:wrong-secret@127.0.0.1:${server.port}`,
      prefix: "palermo",
      tenant: "t",
      layout: LAYOUT,
      signal: stop.signal,
      events: { disconnected: (_, reason) => lines.push(reason) },
    }).catch((error: Error) => error);
    const failure = await Promise.race([waiting, sleep(3_000).then(() => "still waiting")]);
    stop.abort();
    await waiting;
    await new Redis(server.url, { password: "right" }).config("SET", "requirepass", "").catch(() => undefined);
    expect(failure).toBeInstanceOf(StoreError);
    expect((failure as Error).message).toMatch(/WRONGPASS|NOAUTH/);
    expect((failure as Error).message + lines.join()).not.toContain("wrong-secret");
  });

  test("a policy that deletes state: a warning at start", async () => {
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    const warnings: string[] = [];
    await (await open({ warn: (message) => warnings.push(message) })).close();
    await admin.config("SET", "maxmemory-policy", "noeviction");
    expect(warnings).toEqual([expect.stringContaining("maxmemory-policy allkeys-lru")]);
  });

  test("an address shows no user and no password", () => {
    expect(redisAddress("redis://user:p%40ss@host.example:6380/2")).toBe("host.example:6380/2");
    expect(redisAddress("rediss://host")).toBe("host:6379");
    expect(() => redisAddress("http://host:1")).toThrow(/redis:\/\//);
    expect(() => redisAddress("secret words")).toThrow(/redis:\/\/host:port/);
    expect(() => redisAddress("secret words")).not.toThrow(/secret/);
  });
});

async function calls(command: string): Promise<number> {
  const stats = await admin.info("commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

test("a lane is emptied while its slot moves", async () => {
  const servers = await startRedisCluster(2);
  const inCluster = await open({ url: servers.url, cluster: true });
  const clients = servers.nodes.map(({ port }) => new Redis(port, "127.0.0.1"));
  try {
    const [source, target] = clients as [Redis, Redis];
    const lane = partitionKeys(namespaceOf("palermo", "t"), 0).lanes.alerts;
    const slot = Number(await source.call("CLUSTER", "KEYSLOT", lane));
    if ((await servers.owners())[slot] !== 0) await servers.move(slot, 0);
    await until(() => inCluster.claim(0, "a"));
    expect(await inCluster.init(0, "a", { next: 0n, fingerprint: 0 })).toBe(true);
    const only = entry(0);
    expect(await inCluster.commit(commitOf("a", 0, 1, { outbox: [only] }))).toEqual({ kind: "committed" });
    const ids = await Promise.all(clients.map(async (each) => String(await each.call("CLUSTER", "MYID"))));
    await target.call("CLUSTER", "SETSLOT", String(slot), "IMPORTING", ids[0] ?? "");
    await source.call("CLUSTER", "SETSLOT", String(slot), "MIGRATING", ids[1] ?? "");
    expect(await inCluster.published(0, "alerts", [only.sequence])).toBe(0);
    await source.call("CLUSTER", "SETSLOT", String(slot), "STABLE");
    expect(await inCluster.outbox(0, "alerts", 10)).toEqual([]);
  } finally {
    for (const each of clients) each.disconnect();
    await inCluster.close();
    await servers.close();
  }
});
