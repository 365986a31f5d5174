/**
 * Tells when something in folders changed. It looks at names, sizes and times of change a few times a second,
 * which holds for every editor, mounted folder and container; the notices of an operating system do not.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** Between two looks. */
const LOOK_EVERY_MS = 300;

/**
 * Gives a value each time that something below the folders has changed since this was called or since the last
 * value, until `signal` ends it.
 */
export function watchFolders(folders: readonly string[], signal: AbortSignal): AsyncGenerator<void> {
  return changesSince(stampOf(folders), folders, signal);
}

async function* changesSince(stamp: string, folders: readonly string[], signal: AbortSignal): AsyncGenerator<void> {
  let known = stamp;
  while (!signal.aborted) {
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const next = stampOf(folders);
    if (next === known) continue;
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
