/** A Redis Cluster of three masters from this machine's redis-server, and a small resharder that moves its slots. */
import { Redis } from "ioredis";
import { waitFor } from "./process.ts";
import { type RedisService, startLocalRedis } from "./redis.ts";

export interface RedisClusterService {
  /** Address of the first node. */
  readonly url: string;
  readonly nodes: readonly RedisService[];
  /** Slots of each node now, by its place in `nodes`. */
  owners(): Promise<number[]>;
  /** Moves one slot with all of its keys to another node while clients work on it; gives how many keys moved. */
  move(slot: number, to: number): Promise<number>;
  close(): Promise<void>;
}

const SLOTS = 16_384;
/** Keys in one MIGRATE: it blocks both nodes for as long as it takes. */
const MIGRATE_KEYS = 20;

/** Starts the nodes, lets them meet and gives each a third of the slots. */
export async function startRedisCluster(masters = 3): Promise<RedisClusterService> {
  const nodes: RedisService[] = [];
  for (let i = 0; i < masters; i++) {
    nodes.push(
      await startLocalRedis({ appendOnly: true, args: ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"] }),
    );
  }
  const clients = nodes.map(({ port }) => new Redis(port, "127.0.0.1"));
  const client = (i: number): Redis => clients[i] as Redis;
  const ids: string[] = [];
  for (const [i, each] of clients.entries()) {
    ids.push(String(await each.call("CLUSTER", "MYID")));
    await each.call("CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
    const first = Math.floor((i * SLOTS) / masters);
    const last = Math.floor(((i + 1) * SLOTS) / masters) - 1;
    await each.call("CLUSTER", "ADDSLOTSRANGE", String(first), String(last));
  }
  for (const { port } of nodes.slice(1)) await client(0).call("CLUSTER", "MEET", "127.0.0.1", String(port));
  await waitFor("the cluster is formed", async () => {
    const infos = await Promise.all(clients.map(async (each) => String(await each.call("CLUSTER", "INFO"))));
    return infos.every(
      (info) => info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${masters}\r\n`),
    );
  });
  const owners = async (): Promise<number[]> => {
    const found = new Array<number>(SLOTS).fill(-1);
    const ranges = (await client(0).call("CLUSTER", "SLOTS")) as [number, number, [string, number, string]][];
    for (const [first, last, [, , id]] of ranges) found.fill(ids.indexOf(id), first, last + 1);
    return found;
  };
  return {
    url: (nodes[0] as RedisService).url,
    nodes,
    owners,
    async move(slot, to) {
      const from = (await owners())[slot] ?? -1;
      if (from < 0 || from === to) return 0;
      const [source, target] = [client(from), client(to)];
      await target.call("CLUSTER", "SETSLOT", String(slot), "IMPORTING", ids[from] ?? "");
      await source.call("CLUSTER", "SETSLOT", String(slot), "MIGRATING", ids[to] ?? "");
      let moved = 0;
      for (;;) {
        const keys = (await source.call("CLUSTER", "GETKEYSINSLOT", String(slot), String(MIGRATE_KEYS))) as string[];
        if (keys.length === 0) break;
        const port = String(nodes[to]?.port);
        await source.call("MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS", ...keys);
        moved += keys.length;
      }
      // The target first: it must know before the source sends anybody there.
      for (const each of [target, source, ...clients.filter((one) => one !== target && one !== source)]) {
        await each.call("CLUSTER", "SETSLOT", String(slot), "NODE", ids[to] ?? "");
      }
      return moved;
    },
    async close() {
      for (const each of clients) each.disconnect();
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}
