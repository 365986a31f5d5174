/**
 * `palermo rules check`: every finding about rules and lists at once, then what the pack consists of.
 * Exit 0: sound (warnings allowed), 2: at fault.
 */
import { UsageError } from "../base/errors.ts";
import { readRuleFiles } from "../files/rules-dir.ts";
import { formatDiagnostic } from "../rules/diagnostics.ts";
import { type Loaded, loadPack } from "../rules/load.ts";
import type { Pack } from "../rules/plan.ts";
import type { SourceFile } from "../rules/source.ts";
import { counted, EXIT_OK, EXIT_USAGE } from "./output.ts";

export interface RulesCheckArgs {
  /** Folder of the rules. */
  readonly dir: string;
  /** Folder with the operator's own lists. */
  readonly lists?: string | undefined;
  readonly json: boolean;
  readonly color: boolean;
  /** Epoch ms; lists that have expired by then are at fault. Undefined: their dates are not judged. */
  readonly asOf?: number | undefined;
}

/** Checks a folder and writes the findings to `out`; returns the exit code. */
export function runRulesCheck(args: RulesCheckArgs, out: { write(text: string): unknown }): number {
  let files: SourceFile[];
  try {
    files = readRuleFiles(args.dir, args.lists);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    out.write(args.json ? `${JSON.stringify({ ok: false, error: error.message })}\n` : `${error.message}\n`);
    return EXIT_USAGE;
  }
  const loaded = loadPack(files, args.asOf === undefined ? {} : { asOf: args.asOf });
  const sound = loaded.pack !== undefined && files.length > 0;
  out.write(args.json ? asJson(loaded, files) : asText(loaded, files, args));
  return sound ? EXIT_OK : EXIT_USAGE;
}

function asJson(loaded: Loaded, files: readonly SourceFile[]): string {
  const { pack, diagnostics } = loaded;
  const summary = pack === undefined ? {} : { packHash: pack.hash, ...countsOf(pack) };
  const ok = pack !== undefined && files.length > 0;
  return `${JSON.stringify({ ok, files: files.length, ...summary, diagnostics })}\n`;
}

function asText(loaded: Loaded, files: readonly SourceFile[], args: RulesCheckArgs): string {
  if (files.length === 0) return `${args.dir}: no rule files (*.yaml) here\n`;
  const texts = new Map(files.map((file) => [file.path, file.text]));
  const lines = loaded.diagnostics.map((finding) => formatDiagnostic(finding, texts, args.color));
  const errors = loaded.diagnostics.filter((finding) => finding.severity === "error").length;
  const warnings = loaded.diagnostics.length - errors;
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
