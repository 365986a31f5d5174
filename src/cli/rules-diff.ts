/**
 * `palermo rules diff A B FILE...`: what a change of the rules does to the alerts of recorded data, for the change
 * request. Counts of fewer than ten alerts in a segment are hidden: they would tell about single customers.
 * Exit 0: the same alerts, 3: they differ.
 */
import { type AlertChange, comparePacks, type PackDiff } from "../workshop/pack-diff.ts";
import { loadRules } from "./load-rules.ts";
import { EXIT_OK, EXIT_REJECTED, grouped, printable, type Terminal } from "./output.ts";
import { type RecordedOptions, readRecorded } from "./recorded.ts";
import { layoutTable } from "./table.ts";

export interface RulesDiffOptions extends RecordedOptions {
  readonly format?: "text" | "markdown";
}

/** Compares two folders of rules over files and gives the exit code. */
export async function runRulesDiff(
  before: string,
  after: string,
  files: readonly string[],
  options: RulesDiffOptions,
  terminal: Terminal,
): Promise<number> {
  const left = loadRules({ ...options, rules: before });
  const right = loadRules({ ...options, rules: after });
  const comparison = comparePacks(left.pack, right.pack);
  const recorded = await readRecorded(files, options, right.lists, terminal, ({ decoded }) => {
    comparison.take(decoded);
    return true;
  });
  const diff = comparison.result();
  const facts = { before, after, transactions: recorded.transactions };
  if (options.json === true) terminal.stdout.write(`${JSON.stringify({ schema: "pack-diff/1", ...facts, ...diff })}\n`);
  else terminal.stdout.write(options.format === "markdown" ? asMarkdown(diff, facts) : asText(diff, facts));
  return diff.changes.length === 0 ? EXIT_OK : EXIT_REJECTED;
}

interface Facts {
  readonly before: string;
  readonly after: string;
  readonly transactions: number;
}

/** Alerts told one by one; `--json` has all. */
const SHOWN_MAX = 50;
const CELL_LEAST = 10;

function asText(diff: PackDiff, facts: Facts): string {
  const lines = [headLine(diff, facts)];
  for (const [title, table] of tables(diff)) lines.push("", ...layoutTable(table.columns(title), table.rows));
  if (diff.changes.length > 0) lines.push("");
  for (const change of diff.changes.slice(0, SHOWN_MAX)) {
    lines.push(describe(change), ...change.flipped.map((clause) => `  ${printable(clause)}`));
  }
  return `${[...lines, ...moreLines(diff)].join("\n")}\n`;
}

function asMarkdown(diff: PackDiff, facts: Facts): string {
  const lines = ["# Change of rules", "", headLine(diff, facts)];
  for (const [title, table] of tables(diff)) {
    const names = table.columns(title).map((column) => column.title);
    const rule = names.map((_, i) => (i === 0 ? "---" : "---:"));
    lines.push("", ...[names, rule, ...table.rows].map((row) => `| ${row.map(escaped).join(" | ")} |`));
  }
  if (diff.changes.length > 0) lines.push("", "| alert | clauses that decide |", "| --- | --- |");
  for (const change of diff.changes.slice(0, SHOWN_MAX)) {
    lines.push(`| ${escaped(describe(change))} | ${change.flipped.map(escaped).join("<br>")} |`);
  }
  return `${[...lines, ...moreLines(diff)].join("\n")}\n`;
}

function headLine({ same, changes }: PackDiff, { before, after, transactions }: Facts): string {
  const of = (change: AlertChange["change"]) => grouped(changes.filter((one) => one.change === change).length);
  const counts = `${grouped(same)} same, ${of("added")} added, ${of("removed")} removed, ${of("changed")} changed`;
  return `${printable(before)} to ${printable(after)} over ${grouped(transactions)} transactions: ${counts}`;
}

interface Table {
  readonly columns: (title: string) => { readonly title: string; readonly align?: "right" }[];
  readonly rows: readonly string[][];
}

const CHANGES = ["added", "removed", "changed"] as const;

function tables(diff: PackDiff): [string, Table][] {
  const columns: Table["columns"] = (title) => [
    { title },
    ...CHANGES.map((c) => ({ title: c, align: "right" as const })),
  ];
  const rowsBy = (key: (change: AlertChange) => string, show: (count: number) => string): string[][] => {
    const names = [...new Set(diff.changes.map(key))].sort();
    return names.map((name) => {
      const own = diff.changes.filter((change) => key(change) === name);
      return [name, ...CHANGES.map((kind) => show(own.filter(({ change }) => change === kind).length))];
    });
  };
  if (diff.changes.length === 0) return [];
  const hidden = (count: number): string => (count > 0 && count < CELL_LEAST ? `< ${CELL_LEAST}` : grouped(count));
  return [
    ["typology", { columns, rows: rowsBy((change) => (change.after ?? change.before)?.typology ?? "", grouped) }],
    ["segment", { columns, rows: rowsBy((change) => change.segment, hidden) }],
  ];
}

function describe({ change, before, after }: AlertChange): string {
  const digest = after ?? before;
  if (digest === undefined) return change;
  const { alertId, typology, subject, openedAt, severity, score } = digest;
  const was = change === "changed" && before !== undefined ? `${before.severity} ${before.score} -> ` : "";
  const what = `${typology} on ${subject.kind} ${printable(subject.token)}`;
  return `${change} ${alertId} ${what}, ${was}${severity} ${score}, ${openedAt}`;
}

function moreLines(diff: PackDiff): string[] {
  const more = diff.changes.length - SHOWN_MAX;
  return more > 0 ? ["", `${grouped(more)} more; --json has all.`] : [];
}

function escaped(text: string): string {
  return printable(text).replaceAll("|", "\\|");
}
