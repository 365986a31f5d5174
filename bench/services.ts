/** A broker and a Redis of this benchmark's own, with the process ids that their CPU time is read from. */
import { readdirSync, readFileSync } from "node:fs";
import { startKafka, startRedis } from "../test/services/index.ts";

export interface Services {
  readonly brokers: readonly string[];
  readonly redisUrl: string;
  /** Process ids, for CPU and memory. */
  readonly pids: { readonly broker: number; readonly redis: number };
  close(): Promise<void>;
}

/**
 * Starts both, or only Redis where PALERMO_BENCH_KAFKA names a broker of this machine (host:port) and
 * PALERMO_BENCH_KAFKA_PID its process. Redis keeps an append-only file synced each second, as docker-compose.yml has
 * it: state survives the death of every process.
 */
export async function startServices(): Promise<Services> {
  const { PALERMO_BENCH_KAFKA: given, PALERMO_BENCH_KAFKA_PID: givenPid } = process.env;
  const [kafka, redis] = await Promise.all([
    given === undefined ? startKafka({ heapMb: 1024 }) : undefined,
    startRedis({ appendOnly: true, args: ["--auto-aof-rewrite-percentage", "0"] }),
  ]);
  return {
    brokers: kafka?.brokers ?? [given ?? ""],
    redisUrl: redis.url,
    pids: {
      broker: kafka ? childNaming(kafka.brokers[0] ?? "") : Number(givenPid),
      redis: childNaming(String(redis.port)),
    },
    close: async () => {
      await Promise.all([kafka?.close(), redis.close()]);
    },
  };
}

/** The child of this process that has `word` on its command line, or in the file that it names there. */
function childNaming(word: string): number {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (parent !== process.pid) continue;
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      const settings = words.find((each) => each.endsWith("server.properties"));
      if (words.some((each) => each.includes(word))) return Number(name);
      if (settings !== undefined && readFileSync(settings, "utf8").includes(word)) return Number(name);
    } catch {
      // It has ended since.
    }
  }
  throw new Error(`no child process names ${word}: benchmarks need local services, not containers`);
}
