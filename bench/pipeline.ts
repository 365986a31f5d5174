/** One pass of a filled topic through `palermo run`: time, CPU of every process, and whether the result is right. */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Alert } from "../src/domain/alert.ts";
import { createSettler, type SettledAlert } from "../src/screen/settled.ts";
import type { Admin } from "../src/stream/bus.ts";
import { type Palermo, type Role, startPalermo } from "./palermo.ts";
import { cpuUs, mainThreadUs } from "./processes.ts";
import type { Services } from "./services.ts";
import { benchBus } from "./topic.ts";

export interface PassOptions {
  readonly services: Services;
  /** A name of its own: topics, groups and keys of the pass begin with it. */
  readonly name: string;
  readonly topic: string;
  readonly roles: readonly Role[];
  readonly env?: Readonly<Record<string, string>>;
  /** Kills every process with SIGKILL when half of so many messages are through intake, and starts them again. */
  readonly killAtHalfOf?: number;
  /** Called while the pass runs, about once a second. */
  readonly watch?: (processes: readonly Palermo[]) => Promise<void>;
  /** Options of Node for the process of a role. */
  readonly nodeArgs?: (role: Role) => readonly string[];
}

export interface Pass {
  /** From the first process that runs to the last published offset. */
  readonly seconds: number;
  /** CPU within that time, microseconds, by process: roles, broker, redis. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** Of that, the main thread of each role. */
  readonly mainUs: Readonly<Record<string, number>>;
  /** That time by the clock of profiles, microseconds. */
  readonly window: Window;
  readonly peakMiB: Readonly<Record<string, number>>;
  /** Views by what became of them. */
  readonly views: { readonly taken: number; readonly judged: number };
  readonly rejected: number;
}

/** From and to, microseconds of the monotonic clock. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Environment of the processes of a pass. */
export function environment({ name, topic, env = {} }: Pick<PassOptions, "name" | "topic" | "env">) {
  return {
    PALERMO_TOPIC_TRANSACTIONS: topic,
    PALERMO_TOPIC_PREFIX: `${name}.`,
    PALERMO_REDIS_PREFIX: name,
    PALERMO_INTAKE_GROUP: `${name}-intake`,
    PALERMO_SCREEN_GROUP: `${name}-screen`,
    ...env,
  };
}

/** Starts the roles on a filled topic and measures until everything is published. */
export async function runPass(options: PassOptions): Promise<Pass> {
  const { services, name, topic, roles } = options;
  const env = environment(options);
  const admin = await benchBus(services.brokers).admin();
  let processes: Palermo[] = [];
  const start = async (): Promise<void> => {
    processes = [];
    // Screening first: intake, which has work at once, starts the clock.
    for (const role of [...roles].sort((a, b) => (a > b ? -1 : 1))) {
      processes.push(await startPalermo({ services, role, env, nodeArgs: options.nodeArgs?.(role) ?? [] }));
    }
  };
  try {
    await start();
    const usage = (): Record<string, number> => ({
      ...Object.fromEntries(processes.map((each) => [each.role, each.cpuUs()])),
      broker: cpuUs(services.pids.broker),
      redis: cpuUs(services.pids.redis),
    });
    const mains = (): Record<string, number> =>
      Object.fromEntries(processes.map((each) => [each.role, mainThreadUs(each.pid)]));
    const before = usage();
    const mainBefore = mains();
    const from = monotonicUs();
    if (options.killAtHalfOf !== undefined) {
      await untilTaken(processes, options.killAtHalfOf / 2);
      await Promise.all(processes.map((each) => each.end("SIGKILL")));
      await start();
    }
    await untilPublished(admin, { topic, name }, () => options.watch?.(processes));
    const window = { from, to: monotonicUs() };
    const after = usage();
    const mainAfter = mains();
    const sum = async (metric: string): Promise<number> =>
      (await Promise.all(processes.map((each) => each.metric(metric)))).reduce((total, value) => total + value, 0);
    return {
      seconds: (window.to - window.from) / 1e6,
      window,
      cpuUs: grown(after, before),
      mainUs: grown(mainAfter, mainBefore),
      peakMiB: Object.fromEntries(processes.map((each) => [each.role, each.peakMiB()])),
      views: {
        taken: await sum("palermo_screen_views_total"),
        judged: await sum('palermo_screen_views_total{verdict="judged"}'),
      },
      rejected: await sum("palermo_rejected_total"),
    };
  } finally {
    await Promise.all(processes.map((each) => each.end()));
    await admin.close();
  }
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function grown(after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(after).map(([who, used]) => [who, used - (before[who] ?? 0)]));
}

async function untilTaken(processes: readonly Palermo[], messages: number): Promise<void> {
  const intake = processes.find(({ role }) => role !== "screen");
  while (intake !== undefined && (await intake.metric("palermo_intake_messages_total")) < messages) await sleep(50);
}

/** Waits until intake has taken the topic and screening has published all that follows. */
export async function untilPublished(
  admin: Admin,
  { topic, name }: { topic: string; name: string },
  watch?: () => Promise<void> | undefined,
): Promise<void> {
  const views = `${name}.views`;
  const isPast = async (group: string, of: string): Promise<boolean> => {
    // Offsets before ends: a group past ends read later has passed everything.
    const offsets = new Map((await admin.groupOffsets(group, of)).map((each) => [each.partition, each.offset]));
    const ends = await admin.ranges(of);
    return ends.every(({ partition, low, high }) => high === low || (offsets.get(partition) ?? 0n) >= high);
  };
  // A look costs the broker a dozen requests, so that one each 50 ms would be most of its work in a long pass: at most
  // a twentieth of the time is lost instead.
  const since = performance.now();
  for (let idle = 0; idle < 2; ) {
    await sleep(idle > 0 ? 50 : Math.min(1_000, Math.max(50, (performance.now() - since) / 20)));
    await watch?.();
    idle = (await isPast(`${name}-intake`, topic)) && (await isPast(`${name}-screen`, views)) ? idle + 1 : 0;
  }
}

/** What the alert topics hold in the end. */
export async function publishedAlerts(services: Services, name: string): Promise<SettledAlert[]> {
  const settler = createSettler();
  for (const alert of await alertRecords(services, name)) settler.add(alert);
  return settler.settled();
}

/** Every record of the alert topics that holds a whole alert. */
export async function alertRecords(services: Services, name: string): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for (const topic of [`${name}.alerts`, `${name}.alerts.protected`]) {
    for (const value of await readTopic(services.brokers, topic)) {
      const record = JSON.parse(value) as Alert | { readonly schema: "alert-stub/1" };
      if (record.schema !== "alert-stub/1") alerts.push(record as Alert);
    }
  }
  return alerts;
}

/** Every value of a topic, by partition and offset. */
export async function readTopic(brokers: readonly string[], topic: string): Promise<string[]> {
  const bus = benchBus(brokers);
  const admin = await bus.admin();
  const ends = new Map((await admin.ranges(topic)).map(({ partition, high }) => [partition, high]));
  await admin.close();
  const values: string[] = [];
  const open = new Set([...ends].filter(([, high]) => high > 0n).map(([partition]) => partition));
  if (open.size === 0) return values;
  const consumer = bus.consumer(`read-${topic}-${Date.now()}`);
  await new Promise<void>((resolve, reject) => {
    consumer
      .run([topic], {
        assigned: async (partitions) => {
          for (const at of partitions) consumer.start(at, 0n);
        },
        revoked: () => undefined,
        failed: reject,
        batch: async ({ partition, records, end }) => {
          for (const { value } of records) if (value !== null) values.push(value.toString("utf8"));
          if (end >= (ends.get(partition) ?? 0n)) open.delete(partition);
          if (open.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.close();
  return values;
}

export interface Bare {
  readonly seconds: number;
  readonly cpuUs: number;
}

/** kafkajs reading and parsing the same topic, in a process of its own. */
export async function bareConsume(services: Services, topic: string, count: number): Promise<Bare> {
  const script = ["--import", "tsx", "bench/bare-consumer.ts", services.brokers.join(","), topic, String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, script);
  const { seconds, cpuUs, fields } = JSON.parse(stdout) as Bare & { readonly fields: number };
  if (fields !== count) throw new Error(`the bare consumer read ${fields} transactions of ${count}`);
  return { seconds, cpuUs };
}
