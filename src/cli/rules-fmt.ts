/**
 * `palermo rules fmt`: brings rule, list and tuning files into their one form. Files that cannot be read are told
 * and left alone. Exit 0: all in form now, 2: a file cannot be read, 3: with `--check`, some are not in form.
 */
import { statSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { readRuleFiles } from "../files/rules-dir.ts";
import { readTextFile, writeTextFile } from "../files/text-file.ts";
import { createFindings, formatDiagnostic } from "../rules/diagnostics.ts";
import { formatRuleFile } from "../rules/format.ts";
import { LIST_LIMITS, type SourceFile } from "../rules/source.ts";
import { counted, EXIT_OK, EXIT_REJECTED, EXIT_USAGE } from "./output.ts";

export interface RulesFmtArgs {
  /** Files and folders. */
  readonly paths: readonly string[];
  /** Writes nothing. */
  readonly check: boolean;
  readonly json: boolean;
  readonly color: boolean;
}

/** Formats files; returns the exit code. Throws UsageError when a path cannot be read or written. */
export function runRulesFmt(args: RulesFmtArgs, out: { write(text: string): unknown }): number {
  const files = args.paths.flatMap(filesOf);
  if (files.length === 0) throw new UsageError(`${args.paths.join(", ")}: no rule files (*.yaml) here`);
  const findings = createFindings();
  const changed: string[] = [];
  for (const file of files) {
    const text = formatRuleFile(file, LIST_LIMITS, findings);
    if (text === undefined || text === file.text) continue;
    changed.push(file.path);
    if (!args.check) writeTextFile(file.path, text);
  }
  const diagnostics = findings.list();
  if (args.json) out.write(`${JSON.stringify({ files: files.length, changed, written: !args.check, diagnostics })}\n`);
  else {
    const texts = new Map(files.map((file) => [file.path, file.text]));
    for (const finding of diagnostics) out.write(`${formatDiagnostic(finding, texts, args.color)}\n`);
    for (const path of changed) out.write(`${path}\n`);
    const verb = args.check ? "not in form" : "brought into form";
    out.write(`${counted(changed.length, "file")} of ${files.length} ${verb}\n`);
  }
  if (findings.errors > 0) return EXIT_USAGE;
  return args.check && changed.length > 0 ? EXIT_REJECTED : EXIT_OK;
}

function filesOf(path: string): SourceFile[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? readRuleFiles(path) : [{ path, text: readTextFile(path) }];
}
