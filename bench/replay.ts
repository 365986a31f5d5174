/** Replay as a user runs it: rate over the whole process from a file, memory and cost as the stream grows. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { lines, writeStream } from "./generate.ts";
import { cpuUs, peakMiB, runToEnd } from "./processes.ts";
import { median, type Row } from "./report.ts";

export interface Replayed {
  /** Transactions a second, start to end. */
  readonly rate: number;
  /** CPU a transaction of all threads, microseconds. */
  readonly cpuUs: number;
  readonly peakMiB: number;
}

/** One `palermo replay` of a file of `count` transactions, under the Node at `node`. */
export async function replayFile(node: string, file: string, count: number): Promise<Replayed> {
  const done = await runToEnd(node, ["bin/palermo.js", "replay", file, "--format", "ndjson", "--quiet"]);
  if (done.code !== 0) throw new Error(`replay ended with ${done.code}: ${done.stderr}`);
  return { rate: count / done.seconds, cpuUs: (done.cpuSeconds * 1e6) / count, peakMiB: done.peakMiB };
}

/** Rate of `palermo replay` over a file of `count` transactions; `runs` times. */
export async function replayRate(folder: string, count: number, runs: number): Promise<Row[]> {
  const file = join(folder, `stream-${count}.ndjson`);
  await writeStream(file, count, { accounts: 20_000 });
  const done: Replayed[] = [];
  for (let run = 0; run < runs; run++) done.push(await replayFile(process.execPath, file, count));
  rmSync(file);
  const middle = (of: keyof Replayed): number => median(done.map((one) => one[of]));
  const bench = "replay";
  const what = `${count.toLocaleString("en-US")} tx, start to end`;
  return [
    { bench, what, value: middle("rate"), unit: "tx/s", target: { value: 150_000, side: "least" } },
    { bench, what: "CPU, all threads", value: middle("cpuUs"), unit: "us/tx" },
    { bench, what: "peak memory", value: middle("peakMiB"), unit: "MiB" },
  ];
}

export interface Streamed {
  readonly seconds: number;
  /** CPU of the process when it had been given so many transactions, microseconds; the last one at its end. */
  readonly cpuAt: readonly number[];
  readonly peakMiB: number;
}

/** Sends `count` transactions to the standard input of a replay: memory and cost without a file of that size. */
export async function replayStream(count: number, accounts: number, marks: readonly number[] = []): Promise<Streamed> {
  const args = ["bin/palermo.js", "replay", "-", "--format", "ndjson", "--quiet"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "inherit"] });
  const pid = child.pid as number;
  const ended = once(child, "exit");
  const started = performance.now();
  const cpuAt: number[] = [];
  let block: string[] = [];
  let given = 0;
  let last = 0;
  let peak = 0;
  const look = (): void => {
    if (child.exitCode !== null) return;
    try {
      last = cpuUs(pid);
      peak = Math.max(peak, peakMiB(pid));
    } catch {
      // It has just ended: the last reading stands.
    }
  };
  const watch = setInterval(look, 50);
  for (const line of lines(count, { accounts })) {
    block.push(line);
    given++;
    if (block.length < 500 && given < count) continue;
    if (!child.stdin.write(`${block.join("\n")}\n`)) await Promise.race([once(child.stdin, "drain"), ended]);
    block = [];
    if (marks.includes(given)) {
      look();
      cpuAt.push(last);
    }
  }
  child.stdin.end();
  const [code] = (await ended) as [number | null];
  clearInterval(watch);
  if (code !== 0) throw new Error(`replay ended with ${code}`);
  cpuAt.push(last);
  return { seconds: (performance.now() - started) / 1_000, cpuAt, peakMiB: peak };
}

/** Peak memory of a replay, its state in memory. */
export async function replayMemory(count: number, accounts: number): Promise<Row[]> {
  const { peakMiB: value } = await replayStream(count, accounts);
  const what = `replay of ${figure(count)} tx over ${figure(accounts)} accounts: peak`;
  return [{ bench: "memory", what, value, unit: "MiB", target: { value: 512, side: "most" } }];
}

export interface ScalingOptions {
  /** Transactions of the long run, a multiple of `slice`. */
  readonly count: number;
  /** Transactions over which a cost is taken. */
  readonly slice: number;
  readonly fewAccounts: number;
  readonly manyAccounts: number;
}

/** CPU a transaction as transactions and entities grow, and how much it grows. */
export async function scaling({ count, slice, fewAccounts, manyAccounts }: ScalingOptions): Promise<Row[]> {
  const { cpuAt } = await replayStream(count, 20_000, [slice, 2 * slice, count - slice]);
  const [first = 0, second = 0, before = 0, end = 0] = cpuAt;
  const early = (second - first) / slice;
  const late = (end - before) / slice;
  // The first slice warms up the compiler: the cost is that of the second.
  const byAccounts = async (accounts: number): Promise<number> => {
    const { cpuAt: costs } = await replayStream(2 * slice, accounts, [slice]);
    return ((costs[1] ?? 0) - (costs[0] ?? 0)) / slice;
  };
  const few = await byAccounts(fewAccounts);
  const many = await byAccounts(manyAccounts);
  const cost = (what: string, value: number): Row => ({ bench: "scaling", what, value, unit: "us/tx" });
  const target = { value: 1.2, side: "most" } as const;
  return [
    cost(`tx ${figure(slice)} to ${figure(2 * slice)}, 20,000 accounts`, early),
    cost(`tx ${figure(count - slice)} to ${figure(count)}, 20,000 accounts`, late),
    { bench: "scaling", what: "growth with transactions", value: late / early, unit: "", target },
    cost(`${figure(fewAccounts)} accounts`, few),
    cost(`${figure(manyAccounts)} accounts`, many),
    { bench: "scaling", what: "growth with accounts", value: many / few, unit: "", target },
  ];
}

function figure(value: number): string {
  return value.toLocaleString("en-US");
}
