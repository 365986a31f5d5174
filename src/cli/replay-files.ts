/**
 * The files of a replay: inputs looked at before anything is opened, so that a misspelt name costs nothing,
 * and outputs opened together. No output may be an input or another output.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../base/errors.ts";
import type { LineWriter } from "../files/writer.ts";
import { createStreamWriter, openFileWriter } from "../files/writer.ts";
import type { Terminal } from "./output.ts";

/** Paths of one replay; `-` is standard input or output. */
export interface ReplayPaths {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * Checks that every input can be read and that no output would overwrite one. Gives the bytes to read in all;
 * undefined when part of them comes from a pipe. Throws UsageError with the path.
 */
export function checkPaths({ inputs, outputs }: ReplayPaths): number | undefined {
  let bytes: number | undefined = 0;
  const taken = new Map<string, string>();
  if (inputs.filter((path) => path === "-").length > 1) {
    throw new UsageError("- stands twice among the inputs: standard input can be read once");
  }
  for (const path of inputs) {
    if (path === "-") {
      bytes = undefined;
      continue;
    }
    const size = sizeOf(path);
    bytes = bytes === undefined || size === undefined ? undefined : bytes + size;
    taken.set(identityOf(path) ?? path, `${path} is also read`);
  }
  for (const path of outputs) {
    const identity = identityOf(path);
    // A terminal or /dev/null loses nothing by being written to, however often.
    if (identity === undefined) continue;
    const clash = taken.get(identity);
    if (clash !== undefined) throw new UsageError(`${path} would be overwritten: ${clash}`);
    taken.set(identity, `${path} is written twice`);
  }
  return bytes;
}

/** Writers of one replay; those that nobody asked for are undefined. */
export interface Outputs {
  readonly alerts: LineWriter | undefined;
  /** Alerts of rules in shadow; undefined: they go with the others. */
  readonly shadow: LineWriter | undefined;
  readonly hits: LineWriter | undefined;
  readonly rejects: LineWriter | undefined;
  readonly trace: LineWriter | undefined;
  /** Waits for what is gathered to move on. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the files and, for alerts without a file, standard output when `alertsToStdout`. */
export async function openOutputs(
  paths: {
    readonly alerts?: string;
    readonly shadow?: string;
    readonly hits?: string;
    readonly rejects?: string;
    readonly trace?: string;
  },
  alertsToStdout: boolean,
  terminal: Terminal,
): Promise<Outputs> {
  const open: LineWriter[] = [];
  const writerFor = async (path: string | undefined): Promise<LineWriter | undefined> => {
    if (path === undefined) return undefined;
    const writer = path === "-" ? createStreamWriter(terminal.stdout) : await openFileWriter(path);
    open.push(writer);
    return writer;
  };
  const alerts = await writerFor(paths.alerts ?? (alertsToStdout ? "-" : undefined));
  const shadow = await writerFor(paths.shadow);
  const hits = await writerFor(paths.hits);
  const rejects = await writerFor(paths.rejects);
  const trace = await writerFor(paths.trace);
  return {
    alerts,
    shadow,
    hits,
    rejects,
    trace,
    async flush() {
      for (const writer of open) await writer.flush();
    },
    async close() {
      for (const writer of open) await writer.close();
    },
  };
}

/** Size in bytes; undefined for a pipe or device. Throws UsageError when there is nothing to read. */
function sizeOf(path: string): number | undefined {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new UsageError(`${path}: is a folder; name the files in it`);
    return stat.isFile() ? stat.size : undefined;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`${path}: ${code === "ENOENT" ? "no such file" : `cannot be read (${code})`}`);
  }
}

/** What stays the same under every name of a file; undefined for what is there and no file. */
function identityOf(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? `${stat.dev}:${stat.ino}` : undefined;
  } catch {
    return resolve(path);
  }
}
