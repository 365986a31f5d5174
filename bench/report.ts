/** Results of a benchmark: a table for people, JSON for tools, the machine beside both. */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

export interface Row {
  readonly bench: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What design asks for; `least` or `most` says which side is good. */
  readonly target?: { readonly value: number; readonly side: "least" | "most" };
}

/** Prints the rows as a Markdown table and writes them as JSON where asked. */
export function report(rows: readonly Row[], json: string | undefined): void {
  const lines = ["| bench | what | measured | target |", "| --- | --- | --- | --- |", ...rows.map(line)];
  process.stdout.write(`\n${machine()}\n\n${lines.join("\n")}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine: machine(), rows }, null, 2)}\n`);
}

/** Processor, memory and runtime in one line. */
export function machine(): string {
  const model = (cpus()[0]?.model ?? "unknown processor").trim();
  return `${cpus().length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}

/** Middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function line(row: Row): string {
  const target =
    row.target === undefined
      ? ""
      : `${row.target.side === "least" ? "at least" : "at most"} ${figure(row.target.value)}`;
  const met = meets(row) ? "" : ` (missed: ${figure(shareOfTarget(row) * 100)} % of it)`;
  return `| ${row.bench} | ${row.what} | ${figure(row.value)} ${row.unit} | ${target}${met} |`;
}

function meets(row: Row): boolean {
  if (row.target === undefined) return true;
  return row.target.side === "least" ? row.value >= row.target.value : row.value <= row.target.value;
}

/** The value as a share of its target. */
function shareOfTarget({ value, target }: Row): number {
  return target === undefined ? 1 : value / target.value;
}

function figure(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString("en-US") : String(Math.round(value * 100) / 100);
}
