/**
 * `palermo rules check`: every finding about rules, lists and lock at once, then what the pack consists of.
 * Exit 0: sound (warnings allowed), 2: at fault.
 */
import { readFileSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { formatDiagnostic } from "../rules/diagnostics.ts";
import type { Pack } from "../rules/plan.ts";
import { type Inspected, inspectRules } from "./inspect-rules.ts";
import { counted, EXIT_OK, EXIT_USAGE } from "./output.ts";
import { packageFile } from "./paths.ts";
import { githubReport, sarifReport } from "./report-formats.ts";
import type { ReportFormat } from "./report-options.ts";

export interface RulesCheckArgs {
  /** Folder of the rules. */
  readonly dir: string;
  /** Folder with the operator's own lists. */
  readonly lists?: string | undefined;
  /** The operator's tuning file; undefined: `tuning.yaml` in the folder, if there is one. */
  readonly tuning?: string | undefined;
  readonly format: ReportFormat;
  readonly color: boolean;
  /** Epoch ms; lists that have expired by then are at fault. Undefined: no day is judged. */
  readonly asOf?: number | undefined;
}

/** Checks a folder and writes the findings to `out`; returns the exit code. */
export function runRulesCheck(args: RulesCheckArgs, out: { write(text: string): unknown }): number {
  let inspected: Inspected;
  try {
    inspected = inspectRules({ ...args, lockComplete: true });
  } catch (error) {
    if (!(error instanceof UsageError) || args.format !== "json") throw error;
    out.write(`${JSON.stringify({ ok: false, error: error.message })}\n`);
    return EXIT_USAGE;
  }
  out.write(checkReport(inspected, args));
  return inspected.sound ? EXIT_OK : EXIT_USAGE;
}

/** The findings in the form that is asked for. */
export function checkReport(inspected: Inspected, args: RulesCheckArgs): string {
  switch (args.format) {
    case "text":
      return asText(inspected, args);
    case "json":
      return asJson(inspected);
    case "sarif": {
      const { version } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
      return sarifReport(inspected.diagnostics, version, process.cwd());
    }
    case "github":
      return githubReport(inspected.diagnostics, process.cwd());
  }
}

function asJson({ loaded, files, diagnostics, sound }: Inspected): string {
  const { pack } = loaded;
  const summary = pack === undefined ? {} : { packHash: pack.hash, ...countsOf(pack) };
  return `${JSON.stringify({ ok: sound, files: files.length, ...summary, diagnostics })}\n`;
}

function asText(inspected: Inspected, args: RulesCheckArgs): string {
  const { files, loaded, diagnostics } = inspected;
  if (files.length === 0) return `${args.dir}: no rule files (*.yaml) here\n`;
  const texts = new Map(files.map((file) => [file.path, file.text]));
  const lines = diagnostics.map((finding) => formatDiagnostic(finding, texts, args.color));
  const errors = diagnostics.filter((finding) => finding.severity === "error").length;
  const warnings = diagnostics.length - errors;
  if (lines.length > 0) lines.push("");
  const found = `${counted(errors, "error")}, ${counted(warnings, "warning")} in ${counted(files.length, "file")}`;
  lines.push(found);
  if (loaded.pack !== undefined) lines.push(...describePack(loaded.pack));
  return `${lines.join("\n")}\n`;
}

function countsOf(pack: Pack) {
  const indicators = pack.rules.filter((rule) => rule.kind === "indicator").length;
  return {
    indicators,
    typologies: pack.rules.length - indicators,
    shadow: pack.rules.filter((rule) => rule.status === "shadow").length,
    aggregates: pack.aggregates.length,
    measures: pack.measures.length,
    flows: pack.flows.length,
  };
}

function describePack(pack: Pack): string[] {
  const counts = countsOf(pack);
  const shadow = counts.shadow === 0 ? "" : ` (${counts.shadow} in shadow)`;
  return [
    `${counted(counts.indicators, "indicator")} and ${counted(counts.typologies, "typology", "typologies")}${shadow}`,
    `${counted(counts.aggregates, "aggregate")} over ${counted(counts.measures, "base measure")}, ` +
      `${counted(counts.flows, "flow")}, longest window ${Math.round(pack.horizonMs / 86_400_000)} d`,
    `pack ${pack.hash.slice(0, 16)}`,
  ];
}
