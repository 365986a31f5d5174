/**
 * `palermo rules check --against FILE...`: screens recorded data and tells what the pack can do on them.
 * Exit 0: every rule can fire, 2: the rules are at fault (nothing is screened), 3: some rules cannot fire.
 */
import { UsageError } from "../base/errors.ts";
import { mergeFiles } from "../files/merge.ts";
import { type AgainstReport, COUNT_TOLD_LEAST, createAgainst } from "../workshop/against.ts";
import { inspectRules } from "./inspect-rules.ts";
import { counted, EXIT_OK, EXIT_REJECTED, EXIT_USAGE, printable, type Terminal } from "./output.ts";
import { checkPaths } from "./replay-files.ts";
import { checkReport, type RulesCheckArgs } from "./rules-check.ts";
import { layoutTable } from "./table.ts";

export interface RulesAgainstArgs extends RulesCheckArgs {
  /** Files of transactions. */
  readonly files: readonly string[];
  readonly parties: readonly string[];
  readonly mapping?: string | undefined;
}

/** Checks a folder, screens files with it and writes both reports; resolves with the exit code. */
export async function runRulesAgainst(args: RulesAgainstArgs, terminal: Terminal): Promise<number> {
  if (args.format !== "text" && args.format !== "json") {
    throw new UsageError(`--against reports as text or json, not as ${args.format}`);
  }
  checkPaths({ inputs: [...args.files, ...args.parties], outputs: [] });
  const inspected = inspectRules({ ...args, lockComplete: true });
  const { pack, rules, lists } = inspected.loaded;
  if (!inspected.sound || pack === undefined) {
    terminal.stdout.write(checkReport(inspected, args));
    return EXIT_USAGE;
  }
  const against = createAgainst(pack, rules, lists);
  const { rates, vocabulary } = lists;
  const asOf = args.asOf ?? terminal.now();
  const sources = { parties: args.parties, mapping: args.mapping, rates, vocabulary, asOf, stdin: terminal.stdin };
  let rejected = 0;
  for await (const items of mergeFiles(args.files, sources)) {
    for (const { decoded } of items) {
      if (decoded.kind === "tx") against.pushTx(decoded.tx);
      else if (decoded.kind === "profile") against.pushProfile(decoded.profile);
      else if (decoded.kind === "event") against.pushEvent(decoded.event);
      else rejected += 1;
    }
  }
  const report = against.report();
  if (args.format === "json") {
    const check = JSON.parse(checkReport(inspected, args)) as object;
    terminal.stdout.write(`${JSON.stringify({ ...check, against: { ...report, rejected } })}\n`);
  } else terminal.stdout.write(`${checkReport(inspected, args)}\n${describe(report, rejected)}`);
  return report.rules.every(({ canFire }) => canFire) ? EXIT_OK : EXIT_REJECTED;
}

/** The report as a person reads it: what to mend first, then what to expect, then what cannot fire and why. */
function describe(report: AgainstReport, rejected: number): string {
  const { movements, days } = report;
  const rows = `${counted(movements, "movement")} over ${Math.round(days)} d`;
  const refused = rejected === 0 ? "" : `; ${counted(rejected, "row")} rejected, palermo replay --rejects tells why`;
  const lines = [`Against ${rows}${refused}`];
  section(
    lines,
    "Fields never present where a rule asks for them:",
    report.absentFields.map(({ field, rules }) => [field, rules.join(", ")]),
  );
  const told = { never: "never held", always: "always held", unknown: "was always unknown" };
  section(
    lines,
    "Clauses that decide nothing on these data:",
    report.clauses.map(({ rule, clause, text, outcome }) => [rule, clause, told[outcome], text]),
  );
  section(
    lines,
    "List entries that nothing matched:",
    report.lists.map(({ list, entries, unmatched, examples }) => {
      const more = examples === undefined || examples.length === unmatched ? "" : ", ...";
      const names = examples === undefined ? "" : `${examples.join(", ")}${more}`;
      return [list, `${unmatched} of ${entries}`, names];
    }),
  );
  section(
    lines,
    "Alerts of typologies and hits of indicators to expect:",
    report.rules
      .filter(({ canFire }) => canFire)
      .map(({ id, kind, count, perDay }) => [
        id,
        kind === "typology" ? "alerts" : "hits",
        count === undefined ? `fewer than ${COUNT_TOLD_LEAST} in all` : `${(perDay ?? 0).toFixed(2)} a day`,
      ]),
  );
  const quiet = report.rules.filter(({ canFire }) => !canFire);
  lines.push("", `${report.rules.length - quiet.length} of ${report.rules.length} rules can fire on this data`);
  for (const { id, missing } of quiet) lines.push(`  ${id} lacks ${missing.join("; ")}`);
  return `${lines.map(printable).join("\n")}\n`;
}

function section(lines: string[], title: string, rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  const width = Math.max(...rows.map((row) => row.length));
  const columns = Array.from({ length: width }, () => ({ title: "" }));
  lines.push("", title, ...layoutTable(columns, rows).map((line) => `  ${line}`));
}
