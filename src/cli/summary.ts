/** The end of a replay on one screen, and the same as one JSON object. */
import { formatTime } from "../domain/time.ts";
import { SEVERITIES } from "../domain/vocabulary.ts";
import type { ComparedAlerts } from "./compare-alerts.ts";
import type { Style } from "./output.ts";
import { counted, grouped } from "./output.ts";
import { layoutTable } from "./table.ts";
import type { Tally } from "./tally.ts";
import { total } from "./tally.ts";

/** What is known of a replay besides its counts. */
export interface RunFacts {
  readonly packHash: string;
  readonly rules: number;
  readonly baseCurrency: string;
  readonly asOf: number;
  readonly entities: number;
  readonly seconds: number;
  /** Largest resident memory of the process, bytes. */
  readonly peakBytes: number;
  /** Windows started empty at this time (`--cold`), epoch ms. */
  readonly coldFrom: number | undefined;
  /** Judgements that could not be made, by rule: something that the rule reads was missing. */
  readonly unknown: ReadonlyMap<string, number>;
  /** How the alerts stand against those of `--compare`. */
  readonly compare?: ComparedAlerts | undefined;
}

/** Rules and typologies shown one by one; the rest in one line, so that the summary fits a screen. */
const ROWS_SHOWN = 12;

/** The summary as text, with a line end after each line. */
export function renderSummary(tally: Tally, facts: RunFacts, style: Style): string {
  const rejected = total(tally.rejected);
  const rate = facts.seconds > 0 ? tally.screened / facts.seconds : 0;
  const late = tally.refolded + tally.counted;
  const facets: [string, string][] = [
    ["read", `${counted(tally.rows, "row")}: ${counted(tally.screened, "transaction")} screened${otherKinds(tally)}`],
    ["period", Number.isNaN(tally.firstTime) ? "none" : `${short(tally.firstTime)} to ${short(tally.lastTime)} UTC`],
    ["rejected", rejected === 0 ? "none" : `${counted(rejected, "row")}: ${listed(tally.rejected)}`],
    ["repeats", `${counted(tally.duplicates, "duplicate")}, ${counted(tally.reversed, "reversal")}`],
    [
      "late",
      late === 0 ? "none" : `${grouped(tally.refolded)} judged in their place, ${grouped(tally.counted)} only counted`,
    ],
    ["entities", grouped(facts.entities)],
    ["speed", `${grouped(rate)} transactions/s, ${seconds(facts.seconds)}, ${megabytes(facts.peakBytes)}`],
    [
      "rules",
      `${counted(facts.rules, "rule")}, pack ${facts.packHash.slice(0, 12)}, base currency ${facts.baseCurrency}`,
    ],
    ["as of", formatTime(facts.asOf)],
  ];
  if (tally.unordered > 0)
    facets.push(["order", `${counted(tally.unordered, "row")} far out of order: sort the input`]);
  if (facts.coldFrom !== undefined) facets.push(["warming", `windows started empty at ${short(facts.coldFrom)} UTC`]);
  const lines = facets.map(
    ([name, value]) => `  ${name.padEnd(9)} ${name === "rejected" && rejected > 0 ? style.yellow(value) : value}`,
  );
  const hits = [...tally.hits].sort(([aId, a], [bId, b]) => b - a || (aId < bId ? -1 : 1));
  const hitText = hits.slice(0, ROWS_SHOWN).map(([id, count]) => `${id} ${grouped(count)}`);
  if (hits.length > ROWS_SHOWN) hitText.push(`${hits.length - ROWS_SHOWN} more rules`);
  lines.push(`  ${"hits".padEnd(9)} ${hits.length === 0 ? "none" : `${grouped(total(tally.hits))} episodes`}`);
  for (let index = 0; index < hitText.length; index += 4) {
    lines.push(`            ${hitText.slice(index, index + 4).join(", ")}`);
  }
  if (facts.unknown.size > 0) lines.push(`  ${"unknown".padEnd(9)} ${unknownText(facts.unknown)}`);
  return [style.bold("Screened"), ...lines, ...alertLines(tally), ...compareLines(facts.compare, style), ""].join("\n");
}

/** Rules that lacked something to be judged, those most often first. */
function unknownText(unknown: ReadonlyMap<string, number>): string {
  const rules = [...unknown].sort(([aId, a], [bId, b]) => b - a || (aId < bId ? -1 : 1));
  const shown = rules.slice(0, 4).map(([id, count]) => `${id} ${grouped(count)}`);
  if (rules.length > shown.length) shown.push(`${rules.length - shown.length} more rules`);
  return `${grouped(total(unknown))} judgements lacked an input: ${shown.join(", ")}`;
}

/** The summary as one line of JSON; keys in a fixed order. */
export function summaryJson(tally: Tally, facts: RunFacts): string {
  const time = (value: number): string | null => (Number.isNaN(value) ? null : formatTime(value));
  return JSON.stringify({
    schema: "replay-summary/1",
    rows: tally.rows,
    screened: tally.screened,
    profiles: tally.profiles,
    events: tally.events,
    outsidePeriod: tally.outside,
    unordered: tally.unordered,
    first: time(tally.firstTime),
    last: time(tally.lastTime),
    rejected: sorted(tally.rejected),
    duplicates: tally.duplicates,
    reversed: tally.reversed,
    late: { refolded: tally.refolded, counted: tally.counted },
    entities: facts.entities,
    hits: sorted(tally.hits),
    unknown: sorted(facts.unknown),
    alerts: Object.fromEntries(alertTable(tally).map(([id, counts]) => [id, counts])),
    alertRecords: tally.alertRecords,
    seconds: Math.round(facts.seconds * 1000) / 1000,
    transactionsPerSecond: facts.seconds > 0 ? Math.round(tally.screened / facts.seconds) : 0,
    peakBytes: facts.peakBytes,
    packHash: facts.packHash,
    rules: facts.rules,
    baseCurrency: facts.baseCurrency,
    asOf: formatTime(facts.asOf),
    ...(facts.coldFrom === undefined ? {} : { warmingFrom: formatTime(facts.coldFrom) }),
    ...(facts.compare === undefined ? {} : { compare: facts.compare }),
  });
}

/** Differences named one by one, as far as they fit. */
function compareLines(compare: ComparedAlerts | undefined, style: Style): string[] {
  if (compare === undefined) return [];
  const { same, missing, extra, changed } = compare;
  const counts = `${grouped(same)} same, ${grouped(missing.length)} missing, ${grouped(extra.length)} extra`;
  const text = `${counts}, ${grouped(changed.length)} changed`;
  const named = [
    ...missing.map((id) => `missing ${id}`),
    ...extra.map((id) => `extra   ${id}`),
    ...changed.map(({ alertId, fields }) => `changed ${alertId}: ${fields.join(", ")}`),
  ];
  const more = named.length > ROWS_SHOWN ? [`${grouped(named.length - ROWS_SHOWN)} more`] : [];
  const line = `  ${"compared".padEnd(9)} ${named.length === 0 ? style.green(text) : style.yellow(text)}`;
  return [line, ...[...named.slice(0, ROWS_SHOWN), ...more].map((one) => `            ${one}`)];
}

function alertLines(tally: Tally): string[] {
  const table = alertTable(tally);
  if (table.length === 0) return [`  ${"alerts".padEnd(9)} none`];
  const rows = table
    .slice(0, ROWS_SHOWN)
    .map(([id, counts]) => [id, ...[...SEVERITIES, "withdrawn" as const].map((name) => grouped(counts[name] ?? 0))]);
  const columns = [{ title: "" }, ...[...SEVERITIES, "withdrawn"].map((title) => ({ title, align: "right" as const }))];
  const standing = [...tally.alerts.values()].filter((alert) => !alert.withdrawn).length;
  return [
    `  ${"alerts".padEnd(9)} ${grouped(standing)} (${counted(tally.alertRecords, "record")})`,
    ...layoutTable(columns, rows).map((line) => `            ${line}`),
    ...(table.length > ROWS_SHOWN
      ? [`            ${counted(table.length - ROWS_SHOWN, "more typology", "more typologies")}`]
      : []),
  ];
}

type AlertCounts = Record<string, number>;

/** Alerts by typology and severity, withdrawn ones apart; most alerts first, then by id. */
function alertTable(tally: Tally): [string, AlertCounts][] {
  const table = new Map<string, AlertCounts>();
  for (const { typology, severity, withdrawn } of tally.alerts.values()) {
    const counts = table.get(typology) ?? {};
    const name = withdrawn ? "withdrawn" : severity;
    counts[name] = (counts[name] ?? 0) + 1;
    table.set(typology, counts);
  }
  const sum = (counts: AlertCounts): number => Object.values(counts).reduce((a, b) => a + b, 0);
  return [...table].sort(([aId, a], [bId, b]) => sum(b) - sum(a) || (aId < bId ? -1 : 1));
}

function otherKinds(tally: Tally): string {
  const parts = [
    ...(tally.profiles > 0 ? [counted(tally.profiles, "profile")] : []),
    ...(tally.events > 0 ? [counted(tally.events, "event")] : []),
    ...(tally.outside > 0 ? [`${grouped(tally.outside)} outside the period`] : []),
  ];
  return parts.map((part) => `, ${part}`).join("");
}

function listed(counts: ReadonlyMap<string, number>): string {
  return Object.entries(sorted(counts))
    .map(([name, count]) => `${name} ${grouped(count)}`)
    .join(", ");
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function short(timeMs: number): string {
  return formatTime(timeMs).slice(0, 16).replace("T", " ");
}

function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(2)} s` : `${grouped(value)} s`;
}

function megabytes(bytes: number): string {
  return `${grouped(bytes / 1024 / 1024)} MiB at most`;
}
