/** `palermo` as a process of its own that a test may kill, with its log kept for the message of a failure. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface PalermoProcess {
  /** Resolves when a log line contains `text`; throws with the log when the process ends before. */
  logged(text: string): Promise<void>;
  readonly running: boolean;
  readonly pid: number;
  log(): string;
  /** When it logged a message, epoch ms by its own clock, oldest first. */
  times(message: string): number[];
  /** Sends a signal and goes on. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, as from a lost machine. */
  kill(): Promise<void>;
  /** SIGSTOP: it stands still, its connections stay open. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Waits until it ends by itself; gives the exit code. */
  ended(): Promise<number | null>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

const MAIN = fileURLToPath(new URL("./palermo-main.ts", import.meta.url));

/** None outlives the test run. */
const children = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Starts one verb. `env` adds to this process's environment. */
export function startPalermo(args: readonly string[], env: Readonly<Record<string, string>>): PalermoProcess {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  const waiting = new Set<() => void>();
  const take = (bytes: Buffer): void => {
    log = (log + bytes.toString("utf8")).slice(-200_000);
    for (const wake of waiting) wake();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      for (const wake of waiting) wake();
      resolve();
    });
  });
  const isRunning = (of: ChildProcess): boolean => of.exitCode === null && of.signalCode === null;
  children.add(child);
  child.once("exit", () => children.delete(child));
  return {
    async logged(text) {
      while (!log.includes(text)) {
        if (!isRunning(child)) throw new Error(`palermo ${args.join(" ")} ended before it said "${text}":\n${log}`);
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
        });
      }
    },
    get running() {
      return isRunning(child);
    },
    pid: child.pid ?? 0,
    log: () => log,
    times: (message) =>
      log
        .split("\n")
        .filter((line) => line.includes(`"msg":"${message}"`))
        .map((line) => Number(/"time":(\d+)/.exec(line)?.[1])),
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async ended() {
      await ended;
      return child.exitCode;
    },
    async stop() {
      if (isRunning(child)) child.kill("SIGTERM");
      await ended;
      return child.exitCode;
    },
  };
}
