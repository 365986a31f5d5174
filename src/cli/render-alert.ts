/**
 * One alert as a page that a compliance person reads: what was seen and on whom, why in words, the
 * numbers with what was needed, the movements behind them, what speaks against it, what to do next.
 * Where the subject may be a victim, the page speaks of a person at risk and never of a suspect.
 */
import type { Alert, Evidence } from "../domain/alert.ts";
import { renderValue } from "../screen/render.ts";
import { nextSteps, personAtRisk } from "./guidance.ts";
import type { Style } from "./output.ts";
import { counted, printable, wrap } from "./output.ts";
import { layoutTable } from "./table.ts";

/** Movements shown under one indicator; the record lists more. */
const MOVEMENTS_SHOWN = 6;
/** Characters of a token shown where it only has to be recognised. */
const TOKEN_SHOWN = 24;

export interface RenderOptions {
  readonly style: Style;
  /** Columns to fill, 60 or more. */
  readonly width: number;
}

/** Lays one alert out as text, with a line end after every line. */
export function renderAlert(alert: Alert, options: RenderOptions): string {
  const { style, width } = options;
  const { note } = alert.handling;
  const sections: string[][] = [
    headline(alert, options),
    alert.victimPossible ? indented(personAtRisk(alert), 2, width).map(style.bold) : indented(note, 2, width),
    section("Why", whyLines(alert, options), style),
    section("Flows that join it with other flagged entities", markLines(alert, width), style),
    section("Possible roles, not findings", roleLines(alert, width), style),
    section("Innocent reasons to consider", bullets(alert.cautions, width), style),
    section("What to do next", bullets(nextSteps(alert), width), style),
    section("Changed since the revision before", bullets(alert.changes, width), style),
  ];
  const body = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${body.join("\n\n")}\n`;
}

/** One line: severity, score, typology, entity, newest evidence, id. */
export function renderAlertLine(alert: Alert): string[] {
  return [
    alert.severity,
    String(alert.score),
    alert.typology.id,
    entityText(alert.subject),
    minute(alert.updatedAt),
    alert.victimPossible ? "person at risk" : "",
    alert.alertId,
  ];
}

function headline(alert: Alert, { style, width }: RenderOptions): string[] {
  const priority = `${alert.severity.toUpperCase()}, score ${alert.score}`;
  const paint = { critical: style.red, high: style.red, medium: style.yellow, low: style.blue }[alert.severity];
  const title = `${printable(alert.typology.title)} (${alert.typology.id})`;
  const naming = alert.handling.doNotNameAsSubject ? "; not to be named as the subject of a report" : "";
  const facts: [string, string][] = [
    [alert.victimPossible ? "Concerns" : "Seen on", subjectText(alert.subject)],
    ...(alert.openFor === undefined ? [] : [["Case on", subjectText(alert.openFor)] as [string, string]]),
    ["Period", `${period(alert.openedAt, alert.updatedAt)} UTC`],
    ["Answer", `within ${hours(alert.sla.withinHours)}, ${alert.handling.queue} queue${naming}`],
    ["Alert", `${alert.alertId}, revision ${alert.revision}, ${standing(alert)}`],
  ];
  const links = alert.related.map((link) => `${link.relation.replaceAll("_", " ")} ${link.alertId}`);
  if (links.length > 0) facts.push(["Related", links.slice(0, 5).join("; ")]);
  const hints = [...alert.filing.codes, ...alert.filing.keyTerms].map(printable);
  if (hints.length > 0) facts.push(["For report", hints.join("; ")]);
  return [
    style.dim("─".repeat(width)),
    ...wrap(title, width - priority.length - 2).map((line, index) =>
      index === 0 ? `${paint(style.bold(priority))}  ${style.bold(line)}` : style.bold(line.padStart(4)),
    ),
    ...facts.flatMap(([name, value]) => hanging(`  ${name.padEnd(10)}`, value, width)),
  ];
}

function standing(alert: Alert): string {
  const shadow = alert.status === "shadow" ? ", shadow rule: for information" : "";
  const related = alert.relatedAlertId === undefined ? "" : ` by ${alert.relatedAlertId}`;
  if (alert.event === "superseded") return `superseded${related}${shadow}`;
  if (alert.event === "withdrawn") return `withdrawn: the data no longer bear it${shadow}`;
  return `${alert.event}${shadow}`;
}

function whyLines(alert: Alert, options: RenderOptions): string[] {
  const lines = indented(alert.explanation, 4, options.width);
  const points = new Map(alert.why.families.map((family) => [family.name, family.points]));
  for (const indicator of alert.indicators) {
    const family = `${words(indicator.family)} family with ${counted(points.get(indicator.family) ?? 0, "point")}`;
    const where = `${entityText(indicator.source)}, ${period(indicator.first, indicator.last)}`;
    lines.push("", ...indented(indicator.title, 4, options.width).map(options.style.bold));
    lines.push(...indented(`${indicator.ruleId}, ${family}, on ${where}`, 6, options.width).map(options.style.dim));
    lines.push(...indented(indicator.explanation, 6, options.width));
    lines.push(...numberLines(indicator.evidence, options));
    lines.push(...movementLines(indicator.evidence, options));
  }
  for (const { name, points: taken } of alert.why.reductions) {
    lines.push("", ...hanging("    ", `Lowered by ${words(name)}: ${taken} points`, options.width));
  }
  return lines;
}

function numberLines(evidence: readonly Evidence[], { style }: RenderOptions): string[] {
  const rows = evidence.map((number) => [
    words(number.measure),
    amountText(number.observed, number.unit),
    `${comparisonWords(number.comparison)} ${amountText(number.threshold, number.unit)}`,
    `${day(number.from)} to ${day(number.to)}`,
    counted(number.count, "movement"),
    number.exact ? "exact" : "at most 1/48 over",
  ]);
  const columns = [
    { title: "number" },
    { title: "seen", align: "right" as const },
    { title: "needed" },
    { title: "in the period" },
    { title: "from", align: "right" as const },
    { title: "exactness" },
  ];
  return layoutTable(columns, rows).map((line, index) => `      ${index === 0 ? style.dim(line) : line}`);
}

/** The movements that say most: those that crossed the line, the first, the last, the largest; in order of time. */
function movementLines(evidence: readonly Evidence[], { style }: RenderOptions): string[] {
  const rank = { crossed: 0, first: 1, last: 2, largest: 3, counted: 4 } as const;
  const movements = new Map<string, { at: string; amount: string; why: Set<keyof typeof rank> }>();
  for (const { txId, at, amount, why } of evidence.flatMap((number) => number.listed)) {
    const known = movements.get(txId) ?? { at, amount: amount ?? "", why: new Set() };
    known.why.add(why);
    movements.set(txId, known);
  }
  const best = (why: ReadonlySet<keyof typeof rank>) => Math.min(...[...why].map((reason) => rank[reason]));
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const shown = [...movements]
    .sort(([aId, a], [bId, b]) => best(a.why) - best(b.why) || byText(a.at, b.at) || byText(aId, bId))
    .slice(0, MOVEMENTS_SHOWN)
    .sort(([aId, a], [bId, b]) => byText(a.at, b.at) || byText(aId, bId));
  const rows = shown.map(([txId, { at, amount, why }]) => [
    minute(at),
    grouping(printable(amount)),
    printable(txId),
    [...why]
      .sort((a, b) => rank[a] - rank[b])
      .map((reason) => (reason === "crossed" ? "crossed the line" : reason))
      .join(", "),
  ]);
  const columns = [
    { title: "movement" },
    { title: "amount", align: "right" as const },
    { title: "transaction" },
    { title: "why listed" },
  ];
  const lines = layoutTable(columns, rows).map((line, index) => `      ${index === 0 ? style.dim(line) : line}`);
  const rest = movements.size - shown.length;
  return rest > 0 ? [...lines, style.dim(`      and ${counted(rest, "movement")} more in the record`)] : lines;
}

function markLines(alert: Alert, width: number): string[] {
  return bullets(
    alert.marks.map((mark) => {
      const way = mark.flow === "downstream" ? "Money came from" : "Money went to";
      const root = `${entityText(mark.root)} (${mark.ruleId}), ${counted(mark.distance, "step")} away`;
      return `${way} ${root}: ${grouping(mark.amount)} with ${mark.viaTx} on ${minute(mark.about)}`;
    }),
    width,
  );
}

function roleLines(alert: Alert, width: number): string[] {
  const known = alert.parties.filter((party) => party.role !== "unknown");
  return bullets(
    known.map((party) => {
      const article = /^[aeiou]/.test(party.role) ? "an" : "a";
      return `${entityText(party)} may be ${article} ${party.role}: ${party.basis} (confidence ${party.confidence})`;
    }),
    width,
  );
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  return lines.length === 0 ? [] : [`  ${style.bold(title)}`, ...lines];
}

function bullets(texts: readonly string[], width: number): string[] {
  return texts.flatMap((text) => hanging("    - ", text, width));
}

function indented(text: string, columns: number, width: number): string[] {
  return wrap(text, width - columns).map((line) => " ".repeat(columns) + line);
}

/** `lead` before the first line, blanks of its length before the others. */
function hanging(lead: string, text: string, width: number): string[] {
  const lines = wrap(text, width - lead.length);
  return lines.map((line, index) => (index === 0 ? lead : " ".repeat(lead.length)) + line);
}

function subjectText(subject: Alert["subject"]): string {
  const own = subject.own ? "held here" : "held elsewhere";
  const known = subject.ref === undefined ? own : `reference ${subject.ref}, ${own}`;
  return printable(`${subject.kind} ${subject.token} (${known})`);
}

/** Kind and token; a long token shortened, since the headline and the record give it whole. */
function entityText(entity: { readonly kind: string; readonly token: string }): string {
  const token = entity.token.length > TOKEN_SHOWN ? `${entity.token.slice(0, TOKEN_SHOWN - 1)}…` : entity.token;
  return printable(`${entity.kind} ${token}`);
}

function words(name: string): string {
  return printable(name.replace(/^agg\./, "").replace(/[._]+/g, " "));
}

function comparisonWords(comparison: Evidence["comparison"]): string {
  const table = {
    ">=": "at least",
    ">": "more than",
    "<=": "at most",
    "<": "less than",
    "==": "exactly",
    "!=": "other than",
    in: "one of",
  };
  return table[comparison];
}

/** The record has plain numbers (ms, metres, shares of one); a person gets them in days, kilometres, per cent. */
function amountText(text: string, unit: Evidence["unit"]): string {
  if (unit === "money" || unit === "count") return grouping(printable(text));
  const number = text.trim() === "" || unit === "text" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? renderValue(number, unit, "") : printable(text);
}

/** Thousands separated in the first run of digits that stands alone. */
function grouping(text: string): string {
  return text.replace(/^\d{4,}(?=\.|\s|$)/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ","));
}

function minute(time: string): string {
  return printable(time).slice(0, 16).replace("T", " ");
}

function period(first: string, last: string): string {
  return minute(first) === minute(last) ? minute(first) : `${minute(first)} to ${minute(last)}`;
}

function day(time: string): string {
  return printable(time).slice(0, 10);
}

function hours(count: number): string {
  return count > 48 && count % 24 === 0 ? counted(count / 24, "day") : counted(count, "hour");
}
