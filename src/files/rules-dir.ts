/** Reads the files of a rules directory, and the operator's lists in place of the shipped ones, list by list. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import type { SourceFile } from "../rules/source.ts";
import { TUNING_FILE } from "../rules/tuning.ts";
import { fileReason, readTextFile } from "./text-file.ts";

/** Files of one directory tree at most; far beyond any pack. */
const FILES_MAX = 5_000;
const DEPTH_MAX = 6;
/**
 * Every `.yaml` and `.yml` file below `dir`, in the order of their paths; with `listsDir`, a list or a file of base
 * lines there takes the place of the one with the same file name; with `tuningPath`, that file takes the place of the
 * folder's own `tuning.yaml`. Throws UsageError when a directory or file cannot be read.
 */
export function readRuleFiles(dir: string, listsDir?: string, tuningPath?: string): SourceFile[] {
  const own = readTree(dir);
  if (tuningPath === undefined) return withLists(own, listsDir);
  const untuned = own.filter((file) => file.path !== join(dir, TUNING_FILE));
  return [...withLists(untuned, listsDir), { path: tuningPath, text: readTextFile(tuningPath) }];
}

/** The same for a folder that must hold something: an empty one is most often a slip in its name. */
export function requireRuleFiles(dir: string, listsDir?: string, tuningPath?: string): SourceFile[] {
  const files = readRuleFiles(dir, listsDir, tuningPath);
  if (files.length === 0) throw new UsageError(`${dir}: no rule files (*.yaml) here`);
  return files;
}

function withLists(shipped: readonly SourceFile[], listsDir: string | undefined): SourceFile[] {
  if (listsDir === undefined) return [...shipped];
  const own = readTree(listsDir);
  const replaced = new Set(own.map((file) => baseName(file.path)));
  const kept = shipped.filter((file) => !(isList(file) && replaced.has(baseName(file.path))));
  return [...kept, ...own];
}

function readTree(dir: string): SourceFile[] {
  const paths: string[] = [];
  walk(dir, 0, paths);
  return paths.sort().map((path) => ({ path, text: readTextFile(path) }));
}

function walk(dir: string, depth: number, out: string[]): void {
  if (depth > DEPTH_MAX) throw new UsageError(`${dir}: rules are nested more than ${DEPTH_MAX} folders deep`);
  for (const entry of entriesOf(dir)) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(dir, entry.name);
    const isDirectory = entry.isDirectory() || (entry.isSymbolicLink() && isFolder(path));
    if (isDirectory) walk(path, depth + 1, out);
    else if (/\.ya?ml$/.test(entry.name)) out.push(path);
    if (out.length > FILES_MAX) throw new UsageError(`${dir}: more than ${FILES_MAX} files; is this the rules folder?`);
  }
}

function entriesOf(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    throw new UsageError(`${dir}: cannot be read as a folder of rules or lists (${fileReason(error)})`);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isList(file: SourceFile): boolean {
  return /(^|\n)\s*schema:\s*["']?(list|baseline)\/v1/.test(file.text.slice(0, 4_000));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.ya?ml$/, "");
}
