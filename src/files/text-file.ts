/** Small text files read and written whole: rules, locks, tuning. What the file system says becomes a UsageError. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import type { SourceFile } from "../rules/source.ts";

/** The largest file that is read; what is larger is refused by its size alone. */
const BYTES_MAX = 64 * 1024 * 1024;

/** A file's text. Throws UsageError when it cannot be read, is too large or is not UTF-8. */
export function readTextFile(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > BYTES_MAX) throw new UsageError(`${path}: ${size} bytes; the most is ${BYTES_MAX}`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof TypeError) throw new UsageError(`${path}: not UTF-8 text`);
    throw new UsageError(`${path}: cannot be read (${fileReason(error)})`);
  }
}

/** A file that may be missing: undefined when it is. Throws UsageError when it is there and cannot be read. */
export function readOptionalFile(path: string): SourceFile | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  return { path, text: readTextFile(path) };
}

/** Replaces a file in one step, so that no reader meets half of it. Throws UsageError when it cannot be written. */
export function writeTextFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`${path}: cannot be written (${fileReason(error)})`);
  }
}

/** What a file system error means, in plain words. */
export function fileReason(error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === "ENOENT") return "it does not exist";
  if (code === "ENOTDIR") return "it is a file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return code ?? String(error);
}
