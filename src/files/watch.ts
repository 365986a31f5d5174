/**
 * Tells when something in folders changed. It looks at names, sizes and times of change a few times a second,
 * which holds for every editor, mounted folder and container; the notices of an operating system do not.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export interface WatchTiming {
  /** Between two looks. */
  readonly everyMs: number;
  /** After a change nothing must have changed for so long: a copy or an editor writes in several steps. */
  readonly restMs: number;
}

/** For a person who waits. */
const EAGER: WatchTiming = { everyMs: 300, restMs: 0 };

/**
 * Gives a value each time that something below the folders has changed since this was called or since the last
 * value, until `signal` ends it.
 */
export function watchFolders(
  folders: readonly string[],
  signal: AbortSignal,
  timing: WatchTiming = EAGER,
): AsyncGenerator<void> {
  return changesSince(stampOf(folders), folders, signal, timing);
}

async function* changesSince(
  stamp: string,
  folders: readonly string[],
  signal: AbortSignal,
  { everyMs, restMs }: WatchTiming,
): AsyncGenerator<void> {
  let known = stamp;
  const look = async (afterMs: number): Promise<string> => {
    await wait(afterMs, undefined, { signal }).catch(() => undefined);
    return stampOf(folders);
  };
  while (!signal.aborted) {
    let next = await look(everyMs);
    if (next === known) continue;
    for (let moving = ""; restMs > 0 && moving !== next && !signal.aborted; ) {
      moving = next;
      next = await look(restMs);
    }
    if (signal.aborted || next === known) continue;
    known = next;
    yield;
  }
}

/** What is below the folders, as one text; what cannot be read just now is left out. */
function stampOf(folders: readonly string[]): string {
  const stamps: string[] = [];
  for (const folder of folders) collect(folder, 0, stamps);
  return stamps.join("\n");
}

const DEPTH_MAX = 6;

function collect(folder: string, depth: number, stamps: string[]): void {
  if (depth > DEPTH_MAX) return;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) collect(path, depth + 1, stamps);
      else stamps.push(stampOfFile(path));
    }
  } catch {
    // A folder that an editor is just replacing is there again at the next look.
  }
}

function stampOfFile(path: string): string {
  const { size, mtimeMs, ino } = statSync(path);
  return `${path} ${size} ${mtimeMs} ${ino}`;
}
