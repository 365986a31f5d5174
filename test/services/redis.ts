/** A real redis-server of this machine on a free port of the loopback, for one run or for one test. */
import { firstReply, freePorts, makeDir, type Service, startServer } from "./process.ts";

export interface RedisOptions {
  /** Keep an append-only file, so that data survive `kill`. Off by default. */
  readonly appendOnly?: boolean;
  /** With the append-only file: when it is synced. `everysec` by default. */
  readonly appendFsync?: "always" | "everysec" | "no";
  /** More arguments of redis-server, for example `["--maxmemory", "20mb"]`. */
  readonly args?: readonly string[];
}

export interface RedisService extends Service {
  readonly host: string;
  readonly port: number;
  /** redis://127.0.0.1:PORT */
  readonly url: string;
}

/** Starts redis-server and waits until it answers PING (about 0.1 s). */
export async function startLocalRedis(options: RedisOptions = {}): Promise<RedisService> {
  const [port] = (await freePorts(1)) as [number];
  const dir = makeDir("redis");
  const service = await startServer({
    name: "Redis",
    command: "redis-server",
    args: ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, ...redisArguments(options)],
    dir,
    startTimeoutMs: 20_000,
    // A server with a password or ACLs answers that it wants them, and is ready as well. One that loads is not.
    ready: async () => /^(\+PONG|-NOAUTH|-NOPERM)/.test((await firstReply(port, "PING\r\n")) ?? ""),
  }).catch((error: Error) => {
    throw error.message.includes("ENOENT")
      ? new Error("redis-server was not found: run `node scripts/services.mjs`, or install Debian's redis-server")
      : error;
  });
  return { ...service, host: "127.0.0.1", port, url: `redis://127.0.0.1:${port}` };
}

/** The arguments that do not depend on where the server runs. */
export function redisArguments(options: RedisOptions): string[] {
  return [
    ...["--save", "", "--maxmemory-policy", "noeviction"],
    ...["--appendonly", options.appendOnly ? "yes" : "no", "--appendfsync", options.appendFsync ?? "everysec"],
    ...(options.args ?? []),
  ];
}
