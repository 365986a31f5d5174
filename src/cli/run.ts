/**
 * `palermo run`: reads the configuration, starts the service (service.ts) and ends it on SIGTERM or SIGINT:
 * ready no more at once, the batch in hand finished, flushed and committed, the group left, within a
 * deadline. A second signal ends it on the spot.
 */
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { UsageError } from "../base/errors.ts";
import { type Config, loadConfig, printConfig } from "../stream/config.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Terminal } from "./output.ts";

export interface RunOptions {
  /** YAML file; default: PALERMO_CONFIG. */
  readonly config?: string | undefined;
  /** Dotted key to text, from flags. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly printConfig?: boolean | undefined;
}

/** What the operating system tells the service. */
export interface Signals {
  /** Calls `listener` on each request to end; gives a function that takes it off again. */
  onStop(listener: (signal: string) => void): () => void;
  /** Calls `listener` on each request to read the rules again; gives a function that takes it off again. */
  onReload(listener: () => void): () => void;
  /** Ends the process without waiting for anything. */
  exit(code: number): void;
}

/** Runs the verb; resolves with the exit code when the service has ended. */
export async function runRun(options: RunOptions, terminal: Terminal, signals = processSignals()): Promise<number> {
  const config = readConfig(options, terminal.env);
  if (options.printConfig) {
    terminal.stdout.write(printConfig(config) + (await describeOwnPack(config)));
    return EXIT_OK;
  }
  return runService(config, signals, (line) => terminal.stdout.write(line));
}

/** What a start with this configuration would bring in; which pack is in force, only the broker knows. */
async function describeOwnPack(config: Config): Promise<string> {
  const { loadRules } = await import("./load-rules.ts");
  try {
    const { pack } = loadRules(config);
    return `# pack: ${pack.hash} (${pack.rules.length} rules; palermo packs tells which is in force)\n`;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return `# pack: ${error.message.split("\n")[0]}; see palermo rules check\n`;
  }
}

/** The configuration from file, environment and flags. Throws UsageError. */
export function readConfig(options: RunOptions, env: Terminal["env"]): Config {
  const name = options.config ?? env.PALERMO_CONFIG;
  let file: { name: string; text: string } | undefined;
  if (name !== undefined && name !== "") {
    try {
      file = { name, text: readFileSync(name, "utf8") };
    } catch (error) {
      throw new UsageError(`${name} cannot be read: ${error instanceof Error ? error.message : error}`);
    }
  }
  return loadConfig({ file, env, flags: options.flags ?? {} });
}

/**
 * Runs the service until a signal (0), or until a worker cannot go on (1: the supervisor starts it again).
 * Throws UsageError before anything is read when rules, topics or configuration are at fault.
 */
export async function runService(config: Config, signals: Signals, write: (line: string) => void): Promise<number> {
  setFlagsFromString(HEAP_GROWTH);
  const { startService } = await import("./service.ts");
  const starting = new AbortController();
  let service: Awaited<ReturnType<typeof startService>> | undefined;
  let stopping = false;
  let end: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const off = signals.onStop((signal) => {
    if (stopping) {
      signals.exit(EXIT_FAILED);
      return;
    }
    stopping = true;
    setTimeout(() => signals.exit(EXIT_FAILED), config.stop.deadlineMs).unref();
    service?.stopping(signal);
    starting.abort();
    end(EXIT_OK);
  });
  let early = false;
  const offReload = signals.onReload(() => {
    // Asked for while it starts: done when it has started, since its rules may have been read before.
    if (service === undefined) early = true;
    else service.reload();
  });
  try {
    service = await startService(config, { write, signal: starting.signal, failed: () => end(EXIT_FAILED) });
    if (early) service.reload();
    const code = await ended;
    if (code !== EXIT_OK) setTimeout(() => signals.exit(code), config.stop.deadlineMs).unref();
    await service.stop();
    return leave(code, signals);
  } catch (error) {
    if (stopping) return leave(EXIT_OK, signals);
    leave(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED, signals);
    throw error;
  } finally {
    off();
    offReload();
  }
}

/** Everything is closed: what a client left open (kafkajs in mid-join does) must not keep the process. */
function leave(code: number, signals: Signals): number {
  setTimeout(() => signals.exit(code), LEAVE_MS).unref();
  return code;
}

/**
 * How far V8 lets the old heap grow over what was alive, in percent, before it collects again. By itself it takes up to
 * three times as much: a screening worker with 130 MB of entities in its cache reached 1.2 GB, and 0.5 with this.
 */
const HEAP_GROWTH = "--heap-growing-percent=100";

/** Time for the last lines of the log to be written. */
const LEAVE_MS = 1_000;

function processSignals(): Signals {
  return {
    onStop(listener) {
      const names = ["SIGTERM", "SIGINT"] as const;
      for (const name of names) process.on(name, listener);
      return () => {
        for (const name of names) process.off(name, listener);
      };
    },
    onReload(listener) {
      process.on("SIGHUP", listener);
      return () => void process.off("SIGHUP", listener);
    },
    exit: (code) => process.exit(code),
  };
}
