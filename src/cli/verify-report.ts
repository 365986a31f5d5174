/** The findings of `palermo verify` as a page for a person, or as JSON. */
import { counted, grouped, styleOf, type Terminal, wrap } from "./output.ts";
import type { Findings } from "./verify.ts";
import type { Difference } from "./verify-compare.ts";

/** Prints what was compared, then the differences, at most `limit` of them. */
export function printFindings(
  findings: Findings,
  { limit, json }: { readonly limit: number; readonly json: boolean },
  { stdout, env }: Terminal,
): void {
  const { input, alerts, entities, rejects, differences, reservations } = findings;
  if (json) {
    stdout.write(
      `${JSON.stringify({ ...findings, differences: differences.slice(0, limit), count: differences.length })}\n`,
    );
    return;
  }
  const style = styleOf(stdout, env);
  const line = (name: string, text: string): void => void stdout.write(`${style.bold(name.padEnd(10))}${text}\n`);
  const of = (what: Difference["what"]): string => sumUp(differences.filter((each) => each.what === what));
  line(
    "input",
    `${counted(input.transactions, "transaction")}, ${counted(input.profiles, "profile")}, ` +
      `${counted(input.events, "event")}, ${grouped(input.rejected)} rejected`,
  );
  const repeats = alerts.repeats === 0 ? "" : `; ${counted(alerts.repeats, "record")} sent again under the same id`;
  line(
    "alerts",
    `${grouped(alerts.published)} published, ${grouped(alerts.expected)} expected: ${of("alert")}${repeats}`,
  );
  line("entities", `${grouped(entities.stored)} stored, ${grouped(entities.expected)} expected: ${of("entity")}`);
  line("rejected", `${grouped(rejects.told)} told, ${grouped(rejects.expected)} expected: ${of("rejected")}`);
  for (const text of reservations) stdout.write(`${style.yellow("note:")} ${wrap(text, 100).join("\n  ")}\n`);
  if (differences.length === 0) {
    stdout.write(`${style.green("Nothing is lost, nothing is twice.")}\n`);
    return;
  }
  stdout.write(`\n${style.red(counted(differences.length, "difference"))}\n`);
  for (const { what, name, problem, detail } of differences.slice(0, limit)) {
    stdout.write(`  ${what} ${name} ${problem}: ${detail}\n`);
  }
  if (differences.length > limit)
    stdout.write(`  and ${grouped(differences.length - limit)} more (--limit lists them)\n`);
  stdout.write(`${style.dim(LATE)}\n`);
}

function sumUp(differences: readonly Difference[]): string {
  if (differences.length === 0) return "the same";
  const count = (problem: Difference["problem"]): number =>
    differences.filter((each) => each.problem === problem).length;
  return `${count("missing")} missing, ${count("extra")} extra, ${count("differs")} differ`;
}

const LATE =
  "What came more than an hour of event time after later events of its entity is counted but not judged: see\n" +
  'the metric palermo_screen_views_total{verdict="counted"} before you look for a fault.';
