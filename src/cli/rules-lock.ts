/**
 * `palermo rules lock`: writes what each rule means, with its version, to `rules.lock.json` beside the rules.
 * Exit 0: written or up to date, 2: the rules are at fault, 3: with `--check`, the file is not up to date.
 */
import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import { readOptionalFile, writeTextFile } from "../files/text-file.ts";
import { LOCK_FILE, lockText } from "../rules/lock.ts";
import { inspectRules } from "./inspect-rules.ts";
import { counted, EXIT_OK, EXIT_REJECTED } from "./output.ts";

export interface RulesLockArgs {
  /** Folder of the rules; the lock stands in it. */
  readonly dir: string;
  readonly lists?: string | undefined;
  readonly tuning?: string | undefined;
  /** Only says whether the file is up to date. */
  readonly check: boolean;
  readonly json: boolean;
  readonly asOf: number;
}

/** Writes or checks the lock; returns the exit code. Throws UsageError when the rules may not be locked. */
export function runRulesLock(args: RulesLockArgs, out: { write(text: string): unknown }): number {
  const { dir, lists, tuning, asOf } = args;
  const { loaded, lock, diagnostics, files, sound } = inspectRules({ dir, lists, tuning, asOf, lockComplete: false });
  const path = join(dir, LOCK_FILE);
  if (files.length === 0) throw new UsageError(`${dir}: no rule files (*.yaml) here`);
  if (!sound) {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    throw new UsageError(`${path} was not written: the rules are at fault`, errors);
  }
  const text = lockText(loaded.rules, lock ?? new Map());
  const changed = readOptionalFile(path)?.text !== text;
  if (changed && !args.check) writeTextFile(path, text);
  const rules = loaded.rules.filter(({ status }) => status !== "draft").length;
  const result = { path, rules, changed, written: changed && !args.check };
  const stale = changed && args.check;
  out.write(args.json ? `${JSON.stringify(result)}\n` : `${path}: ${counted(rules, "rule")}, ${told(result)}\n`);
  return stale ? EXIT_REJECTED : EXIT_OK;
}

function told({ changed, written }: { readonly changed: boolean; readonly written: boolean }): string {
  if (written) return "written";
  return changed ? "not up to date; run `palermo rules lock`" : "up to date";
}
