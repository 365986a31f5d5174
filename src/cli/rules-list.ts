/** `palermo rules list`: the rules of a folder, one a line. Exit 0, also when filters leave none; 2: rules at fault. */
import { requireRuleFiles } from "../files/rules-dir.ts";
import { readPack } from "../rules/load.ts";
import type { RuleSource } from "../rules/schema.ts";
import { tuningByRule } from "../rules/tuning.ts";
import { counted, EXIT_OK, EXIT_USAGE } from "./output.ts";
import { layoutTable } from "./table.ts";

export interface RulesListArgs {
  readonly dir: string;
  readonly lists?: string | undefined;
  readonly tuning?: string | undefined;
  /** Filters; undefined lets everything through. */
  readonly status?: string | undefined;
  readonly crime?: string | undefined;
  readonly kind?: string | undefined;
  readonly subject?: string | undefined;
  /** Id of a cited document. */
  readonly source?: string | undefined;
  readonly json: boolean;
}

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly version: number;
  readonly crime: string;
  readonly subject: string;
  readonly tests: number;
  readonly sources: readonly string[];
  readonly title: string;
  readonly file: string;
}

/** Writes the list to `out`; returns the exit code. */
export function runRulesList(args: RulesListArgs, out: { write(text: string): unknown }): number {
  const pack = readPack(requireRuleFiles(args.dir, args.lists, args.tuning));
  const tuned = tuningByRule(pack.tuning);
  const rows = pack.rules
    .map((rule) => rowOf(rule, tuned.get(rule.id.text)?.status))
    .filter((row) => passes(row, args));
  if (args.json) out.write(`${JSON.stringify({ rules: rows })}\n`);
  else {
    const columns = ["id", "status", "version", "crime", "subject", "tests", "sources"];
    const align = (title: string) => (["version", "tests"].includes(title) ? ("right" as const) : ("left" as const));
    const table = layoutTable(
      columns.map((title) => ({ title, align: align(title) })),
      rows.map((row) => [
        row.id,
        row.status,
        String(row.version),
        row.crime,
        row.subject,
        String(row.tests),
        row.sources.join(", "),
      ]),
    );
    out.write(`${[...table, counted(rows.length, "rule")].join("\n")}\n`);
  }
  return pack.errors > 0 ? EXIT_USAGE : EXIT_OK;
}

function rowOf(rule: RuleSource, status: string | undefined): Row {
  const tests = rule.root.byKey.get("tests")?.value;
  return {
    id: rule.id.text,
    kind: rule.kind,
    status: status ?? rule.status,
    version: rule.version,
    crime: rule.crime,
    subject: rule.subject,
    tests: tests?.kind === "seq" ? tests.items.length : 0,
    sources: [...new Set(rule.sources.map(({ doc }) => doc.text))],
    title: rule.title?.text ?? "",
    file: rule.root.source.file,
  };
}

function passes(row: Row, args: RulesListArgs): boolean {
  const is = (asked: string | undefined, value: string): boolean => asked === undefined || asked === value;
  const cited = args.source === undefined || row.sources.includes(args.source);
  const same = is(args.status, row.status) && is(args.crime, row.crime);
  return same && is(args.kind, row.kind) && is(args.subject, row.subject) && cited;
}
