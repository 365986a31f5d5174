/** `palermo run` as built code in processes of its own, and the numbers that they tell about themselves. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuUs, endProcess, peakMiB } from "./processes.ts";
import type { Services } from "./services.ts";

export type Role = "intake" | "screen" | "both";

export interface Palermo {
  readonly role: Role;
  readonly pid: number;
  /** CPU time so far, microseconds. */
  cpuUs(): number;
  peakMiB(): number;
  /** A metric by its name and labels as /metrics writes them, summed over what begins so. */
  metric(name: string): Promise<number>;
  /** Ends it; SIGKILL for a crash. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

export interface PalermoOptions {
  readonly services: Services;
  readonly role: Role;
  /** Configuration by the names of the environment, over what every benchmark sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Options of Node, for example --cpu-prof. */
  readonly nodeArgs?: readonly string[];
}

const START_MS = 60_000;
/** As the command and the image start it. */
const YOUNG = "--max-semi-space-size=32";

/** Starts a process and waits until it says that it runs. Throws with its log when it ends before that. */
export async function startPalermo({ services, role, env, nodeArgs = [] }: PalermoOptions): Promise<Palermo> {
  const child = spawn(process.execPath, [YOUNG, ...nodeArgs, "bin/palermo.js", "run", "--role", role], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PALERMO_BENCH_"))),
      PALERMO_KAFKA_BROKERS: services.brokers.join(","),
      PALERMO_REDIS_URL: services.redisUrl,
      PALERMO_HTTP_HOST: "127.0.0.1",
      PALERMO_HTTP_PORT: "0",
      ...env,
    },
  });
  let log = "";
  let address = "";
  let isRunning = false;
  const keep = (chunk: Buffer): void => {
    const text = chunk.toString("utf8");
    log = (log + text).slice(-20_000);
    address ||= /"address":"([^"]+)","msg":"starting"/.exec(log)?.[1] ?? "";
    isRunning ||= log.includes('"msg":"running"');
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const pid = child.pid as number;
  const deadline = Date.now() + START_MS;
  while (!isRunning) {
    if (hasEnded(child) || Date.now() > deadline) {
      await endProcess(child, "SIGKILL");
      throw new Error(`palermo run --role ${role} did not start:\n${log}`);
    }
    await sleep(10);
  }
  return {
    role,
    pid,
    cpuUs: () => cpuUs(pid),
    peakMiB: () => peakMiB(pid),
    async metric(name) {
      if (hasEnded(child)) throw new Error(`palermo run --role ${role} has ended:\n${log}`);
      const text = await (await fetch(`${address}/metrics`)).text();
      return sumOf(text, name);
    },
    async end(signal = "SIGTERM") {
      await endProcess(child, signal);
      if (signal === "SIGTERM" && child.exitCode !== 0) {
        throw new Error(`palermo run --role ${role} ended with ${child.exitCode ?? child.signalCode}:\n${log}`);
      }
    },
  };
}

function sumOf(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(name) || !" {".includes(line.charAt(name.length))) continue;
    sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
