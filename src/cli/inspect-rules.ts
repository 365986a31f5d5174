/** A folder of rules with everything that can be said about it: language, governance, lock. */
import { join } from "node:path";
import type { Diagnostic } from "../base/errors.ts";
import { readRuleFiles } from "../files/rules-dir.ts";
import { readOptionalFile } from "../files/text-file.ts";
import { createFindings, sortDiagnostics } from "../rules/diagnostics.ts";
import { checkGovernance } from "../rules/governance.ts";
import { lintRules } from "../rules/lint.ts";
import { type Loaded, loadPack } from "../rules/load.ts";
import { checkLock, LOCK_FILE, type Lock, readLock } from "../rules/lock.ts";
import type { SourceFile } from "../rules/source.ts";

export interface InspectOptions {
  /** Folder of the rules. */
  readonly dir: string;
  /** Folder with the operator's own lists. */
  readonly lists?: string | undefined;
  /** The operator's tuning file; undefined: `tuning.yaml` in the folder, if there is one. */
  readonly tuning?: string | undefined;
  /** Epoch ms by which days are judged; undefined: they are not. */
  readonly asOf?: number | undefined;
  /** Whether the lock must be up to date too, not only kept to. */
  readonly lockComplete: boolean;
}

export interface Inspected {
  /** Rules, lists and the lock, where there is one. */
  readonly files: readonly SourceFile[];
  readonly loaded: Loaded;
  /** The lock; undefined when the folder has none or it cannot be read. */
  readonly lock: Lock | undefined;
  /** All findings, sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /** No finding is an error, and there is a rule or list at all. */
  readonly sound: boolean;
}

/** Reads and checks a folder. Throws UsageError when a folder or file cannot be read. */
export function inspectRules(options: InspectOptions): Inspected {
  const lockPath = join(options.dir, LOCK_FILE);
  const ruleFiles = readRuleFiles(options.dir, options.lists, options.tuning);
  const lockFile = readOptionalFile(lockPath);
  const loaded = loadPack(ruleFiles, options.asOf === undefined ? {} : { asOf: options.asOf });
  const findings = createFindings();
  lintRules(loaded.rules, findings);
  checkGovernance(loaded.rules, options.asOf, findings);
  const lock = lockFile && readLock(lockFile, findings);
  if (lock !== undefined) checkLock(loaded.rules, lock, options.lockComplete, findings);
  else if (lockFile === undefined && options.lockComplete && loaded.rules.some(({ status }) => status !== "draft")) {
    const message = "there is no lock: nobody sees when a rule changes without a new version";
    findings.addPlain("W105", lockPath, message, "run `palermo rules lock`");
  }
  const diagnostics = sortDiagnostics([...loaded.diagnostics, ...findings.list()]);
  const sound = ruleFiles.length > 0 && loaded.pack !== undefined && findings.errors === 0;
  return { files: lockFile === undefined ? ruleFiles : [...ruleFiles, lockFile], loaded, lock, diagnostics, sound };
}
