/** Explanations as text: a tree a rule, each clause with what was seen, what was needed and the margin. */
import type { ClauseReport, LeafReport } from "../workshop/clause-report.ts";
import type { ExplainedRule } from "./explain.ts";
import { counted, printable, type Style, wrap } from "./output.ts";

export interface Form {
  readonly style: Style;
  readonly width: number;
}

/** All reports; `hidden` of them were left out because their rules are not judged on such a movement. */
export function renderReports(reports: readonly ExplainedRule[], hidden: number, form: Form): string {
  const lines: string[] = [];
  for (const report of reports) lines.push(...reportLines(report, form), "");
  if (reports.length === 0) lines.push("No rule is judged here.", "");
  if (hidden > 0) lines.push(`${counted(hidden, "rule")} not judged on such a movement: --all shows why.`, "");
  return `${lines.join("\n").trimEnd()}\n`;
}

const WORDS = { fired: "fired", quiet: "did not fire", not_judged: "not judged" } as const;

function reportLines(report: ExplainedRule, { style, width }: Form): string[] {
  const { ruleId, version, title, outcome, entity, closeness } = report;
  const word = outcome === "fired" ? style.red(WORDS.fired) : WORDS[outcome];
  const near = outcome === "quiet" ? `, ${percent(closeness)} of the way` : "";
  const shadow = report.status === "active" ? "" : ` (${report.status})`;
  const lines = [
    `${style.bold(ruleId)} v${version}${shadow} on ${entity.kind} ${printable(entity.token)}: ${word}${near}`,
    `  ${printable(title)}; at ${report.at}, movement ${printable(report.txId)}`,
  ];
  if (report.reason !== undefined) lines.push(`  ${printable(report.reason)}`);
  for (const tree of report.outcome === "not_judged" ? [] : report.trees) {
    const waits = tree.armed === false ? ", not reached yet" : "";
    lines.push(`  ${tree.name}${waits}:`, ...clauseLines(tree.clause, "    ", style));
  }
  if (report.families.length > 0) {
    lines.push(`  families: ${report.families.map(({ name, points }) => `${name} ${points}`).join(", ")}`);
  }
  if (report.outcome === "fired") {
    for (const caution of report.cautions) lines.push(...indented(`caution: ${caution}`, width));
    if (report.victimPossible) lines.push(...indented(VICTIM_NOTE, width));
  }
  return lines;
}

const VICTIM_NOTE = "A person in this pattern may be a victim: do not name the account holder as the suspect.";

function clauseLines(clause: ClauseReport, indent: string, style: Style): string[] {
  if (clause.kind === "leaf") return [`${indent}${mark(clause.value, style)} ${leafText(clause)}`];
  const name = clause.kind === "at_least" ? `at least ${clause.n} of` : clause.kind;
  const inner = clause.children.flatMap((child) => clauseLines(child, `${indent}  `, style));
  return [`${indent}${mark(clause.value, style)} ${name}`, ...inner];
}

function mark(value: boolean | undefined, style: Style): string {
  if (value === undefined) return style.yellow("unknown");
  return value ? style.green("yes") : "no ";
}

/** `people: agg.people >= params.min: 2 of 3, 66.7 %`. */
function leafText(leaf: LeafReport): string {
  const head = `${leaf.name}: ${printable(leaf.text)}`;
  if (leaf.observed === undefined || leaf.needed === undefined) return head;
  const upper = leaf.operator === "<=" || leaf.operator === "<";
  const lower = leaf.operator === ">=" || leaf.operator === ">";
  const link = upper ? "against at most" : lower ? "of" : `${leaf.operator}`;
  const margin = leaf.ratio === undefined ? "" : `, ${percent(leaf.ratio)}`;
  return `${head}: ${printable(leaf.observed)} ${link} ${printable(leaf.needed)}${margin}`;
}

/** Down to one decimal, so that 99.96 does not read as reached. */
function percent(ratio: number): string {
  const tenths = Math.floor(ratio * 1000) / 10;
  return tenths > 999 ? "over 999 %" : `${tenths} %`;
}

function indented(text: string, width: number): string[] {
  return wrap(text, width - 2).map((line) => `  ${line}`);
}
