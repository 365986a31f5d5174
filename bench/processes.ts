/** What processes cost, by the operating system's own accounting. Linux only: it reads /proc. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** Linux reports CPU time in ticks of 10 ms. */
const TICK_US = 10_000;

/** CPU time that a process has used so far, microseconds. */
export function cpuUs(pid: number): number {
  return usedUs(`/proc/${pid}/stat`);
}

/** The same of its main thread alone. */
export function mainThreadUs(pid: number): number {
  return usedUs(`/proc/${pid}/task/${pid}/stat`);
}

function usedUs(file: string): number {
  const stat = readFileSync(file, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Greatest resident memory of a process so far, MiB. */
export function peakMiB(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

export interface Finished {
  readonly code: number | null;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly stdoutBytes: number;
  readonly stderr: string;
}

/** Runs a program to its end; its output is counted and thrown away, the end of stderr is kept. */
export async function runToEnd(command: string, args: readonly string[]): Promise<Finished> {
  const started = process.hrtime.bigint();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stdoutBytes = 0;
  let stderr = "";
  let cpu = 0;
  let peak = 0;
  child.stdout?.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.length;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-20_000);
  });
  const watch = setInterval(() => {
    try {
      cpu = cpuUs(child.pid as number);
      peak = Math.max(peak, peakMiB(child.pid as number));
    } catch {
      // It has just ended: the last reading stands.
    }
  }, 50);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearInterval(watch);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { code, seconds, cpuSeconds: cpu / 1e6, peakMiB: peak, stdoutBytes, stderr };
}

/** Ends a process that this program started, and waits for it. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await ended;
  clearTimeout(timer);
}
