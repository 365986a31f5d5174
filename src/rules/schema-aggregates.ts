/** Aggregates as they stand in a rule file: what is computed, over which window, of which events. */
import { DISTINCT_CAP_MAX } from "../base/limits.ts";
import type { Findings } from "./diagnostics.ts";
import { named, readScope, type ScopeSource } from "./schema-parts.ts";
import { asMap, checkKeys, integerAt, type Keys, scalarAt, wordAt } from "./shape.ts";
import type { MapNode, ScalarNode, SourceNode } from "./source.ts";
import { hintFor } from "./suggest.ts";

export const AGGREGATE_WORDS = [
  "count",
  "sum",
  "min",
  "max",
  "avg",
  "median",
  "distinct",
  "set",
  "first_seen",
  "last_seen",
  "top_share",
  "max_of",
  "gap_cv",
  "same_day_of_month",
  "equal_amount_share",
] as const;
export type AggregateWord = (typeof AGGREGATE_WORDS)[number];

/** What can be computed over recent movements that a `matching` filter compares with the judged one. */
export const PAST_WORDS = ["count", "sum", "min", "max", "distinct", "last_seen", "dwell", "passed_on"] as const;
export type PastWord = (typeof PAST_WORDS)[number];

/** How a window is written; exactly one of `last`, `calendar` and `burst` is there in a sound file. */
export interface WindowSource {
  readonly last: ScalarNode | undefined;
  readonly calendar: { readonly node: ScalarNode; readonly period: CalendarPeriod } | undefined;
  readonly tz: ScalarNode | undefined;
  readonly burst: { readonly gap: ScalarNode; readonly most: ScalarNode | undefined } | undefined;
}

export const CALENDAR_PERIODS = ["day", "week", "month"] as const;
export type CalendarPeriod = (typeof CALENDAR_PERIODS)[number];

export type AggregateSource =
  | {
      readonly kind: "measured";
      readonly name: ScalarNode;
      readonly word: AggregateWord;
      /** Expression, or `events`. */
      readonly of: ScalarNode;
      readonly where: ScalarNode | undefined;
      readonly window: WindowSource;
      readonly cap: number | undefined;
      readonly scope: ScopeSource | undefined;
      /** Splits the aggregate: expression of the key. */
      readonly by: ScalarNode | undefined;
      readonly includeCurrent: boolean;
    }
  | {
      readonly kind: "past";
      readonly name: ScalarNode;
      readonly word: PastWord;
      readonly of: ScalarNode;
      readonly matching: ScalarNode | undefined;
      readonly last: ScalarNode | undefined;
    }
  | {
      readonly kind: "completed";
      readonly name: ScalarNode;
      readonly of: ScalarNode;
      readonly last: ScalarNode | undefined;
    }
  | {
      readonly kind: "quotient";
      readonly name: ScalarNode;
      readonly word: "ratio" | "share";
      readonly of: ScalarNode;
      readonly over: ScalarNode;
    };

/** Reads `aggregates`, or what a flow step keeps. */
export function readAggregates(
  node: SourceNode | undefined,
  what: "aggregates" | "keep",
  findings: Findings,
): Map<string, AggregateSource> {
  const out = new Map<string, AggregateSource>();
  for (const { name, value } of named(node, what, findings)) {
    const map = asMap(value, `the aggregate \`${name.text}\``, findings);
    const aggregate = map && readAggregate(name, map, what === "keep", findings);
    if (aggregate !== undefined) out.set(name.text, aggregate);
  }
  return out;
}

const WINDOW_KEYS: Keys = { last: "optional", calendar: "optional", tz: "optional", burst: "optional" };
export const MEASURED_KEYS: Keys = {
  ...WINDOW_KEYS,
  where: "optional",
  cap: "optional",
  scope: "optional",
  by: "optional",
  include_current: "optional",
};
const KEPT_KEYS: Keys = { where: "optional", cap: "optional" };
/** What a flow step may keep. */
const KEPT_WORDS: readonly AggregateWord[] = AGGREGATE_WORDS.slice(0, AGGREGATE_WORDS.indexOf("max_of") + 1);
const OWN_WORDS: readonly AggregateWord[] = AGGREGATE_WORDS.filter((word) => word !== "set");

function readAggregate(name: ScalarNode, map: MapNode, kept: boolean, findings: Findings): AggregateSource | undefined {
  const quotient = map.byKey.get("ratio") ?? map.byKey.get("share");
  if (quotient !== undefined && !kept) return readQuotient(name, map, quotient.key, quotient.value, findings);
  if (!kept && PAST_KEYS.some((key) => map.byKey.has(key))) return readPast(name, map, findings);
  if (!kept && map.byKey.has("completed")) return readCompleted(name, map, findings);
  const known = kept ? KEPT_WORDS : OWN_WORDS;
  const [word, second] = known.filter((one) => map.byKey.has(one));
  if (word === undefined) {
    const all = kept ? known : [...known, "ratio", "share", "dwell", "passed_on", "completed"];
    const first = map.entries[0]?.key;
    const hint = first && !Object.hasOwn(MEASURED_KEYS, first.text) ? hintFor(first.text, all) : undefined;
    const message = `\`${name.text}\` says nothing to compute`;
    findings.add("E011", first ?? map, message, hint ?? `one of ${all.join(", ")}`);
    return undefined;
  }
  if (second !== undefined) {
    findings.add(
      "E010",
      map.byKey.get(second)?.key ?? map,
      `an aggregate computes one thing, not ${word} and ${second}`,
    );
  }
  const told = second === undefined ? {} : { [second]: "optional" as const };
  const grouped = word === "top_share" || word === "max_of";
  // `until` of an earlier step is asked again when the last one is reached: a part of the movement's own would change.
  const keptKeys = grouped ? { ...KEPT_KEYS, by: "optional" as const } : KEPT_KEYS;
  const keys: Keys = { [word]: "required", ...(kept ? keptKeys : MEASURED_KEYS), ...told };
  checkKeys(map, keys, `the aggregate \`${name.text}\``, findings);
  const of = scalarAt(map, word, findings);
  if (of === undefined) return undefined;
  if (word === "count" && of.text !== "events") {
    findings.add("E013", of, "`count` counts `events`", "use `distinct` to count different values");
  }
  const by = scalarAt(map, "by", findings);
  if (grouped && by === undefined) {
    findings.add("E011", map, `\`${word}\` needs \`by\``, "by: other.id");
  }
  return {
    kind: "measured",
    name,
    word,
    of,
    where: scalarAt(map, "where", findings),
    window: kept ? NO_WINDOW : readWindowSource(name, map, findings),
    cap: integerAt(map, "cap", 1, DISTINCT_CAP_MAX, findings),
    scope: readScope(map.byKey.get("scope")?.value, findings),
    by,
    includeCurrent: wordAt(map, "include_current", ["true", "false"] as const, findings) !== "false",
  };
}

const PAST_KEYS = ["matching", "dwell", "passed_on"];

function readPast(name: ScalarNode, map: MapNode, findings: Findings): AggregateSource | undefined {
  const word = PAST_WORDS.find((one) => map.byKey.has(one));
  if (word === undefined) {
    findings.add("E011", map, `\`${name.text}\` says nothing to compute`, `one of ${PAST_WORDS.join(", ")}`);
    return undefined;
  }
  const matching = word === "dwell" || word === "passed_on" ? "optional" : "required";
  checkKeys(map, { [word]: "required", matching, last: "required" }, `the aggregate \`${name.text}\``, findings);
  const of = scalarAt(map, word, findings);
  if (of === undefined) return undefined;
  if ((word === "count" || word === "last_seen" || word === "dwell") && of.text !== "events") {
    findings.add("E013", of, `\`${word}\` is of \`events\``, `${word}: events`);
  }
  const last = scalarAt(map, "last", findings);
  return { kind: "past", name, word, of, matching: scalarAt(map, "matching", findings), last };
}

function readCompleted(name: ScalarNode, map: MapNode, findings: Findings): AggregateSource | undefined {
  checkKeys(map, { completed: "required", last: "required" }, `the aggregate \`${name.text}\``, findings);
  const of = scalarAt(map, "completed", findings);
  return of && { kind: "completed", name, of, last: scalarAt(map, "last", findings) };
}

const NO_WINDOW: WindowSource = { last: undefined, calendar: undefined, tz: undefined, burst: undefined };

function readWindowSource(name: ScalarNode, map: MapNode, findings: Findings): WindowSource {
  const given = ["last", "calendar", "burst"].filter((key) => map.byKey.has(key));
  const [, second] = given;
  if (given.length === 0) {
    findings.add(
      "E011",
      map,
      `the aggregate \`${name.text}\` needs \`last\``,
      "last: 7d, last: 10 events, calendar: day",
    );
  } else if (second !== undefined) {
    findings.add("E010", map.byKey.get(second)?.key ?? map, `an aggregate has one window: ${given.join(" or ")}`);
  }
  const period = wordAt(map, "calendar", CALENDAR_PERIODS, findings);
  const calendar = scalarAt(map, "calendar", findings);
  return {
    last: scalarAt(map, "last", findings),
    calendar: calendar && period && { node: calendar, period },
    tz: scalarAt(map, "tz", findings),
    burst: readBurst(map, findings),
  };
}

function readBurst(map: MapNode, findings: Findings): WindowSource["burst"] {
  const node = map.byKey.get("burst")?.value;
  const burst = node && asMap(node, "`burst`", findings);
  if (burst === undefined) return undefined;
  checkKeys(burst, { gap: "required", most: "optional" }, "`burst`", findings);
  const gap = scalarAt(burst, "gap", findings);
  return gap && { gap, most: scalarAt(burst, "most", findings) };
}

function readQuotient(
  name: ScalarNode,
  map: MapNode,
  key: ScalarNode,
  value: SourceNode,
  findings: Findings,
): AggregateSource | undefined {
  checkKeys(map, { [key.text]: "required" }, `the aggregate \`${name.text}\``, findings);
  const parts = asMap(value, `\`${key.text}\``, findings);
  if (parts === undefined) return undefined;
  checkKeys(parts, { of: "required", over: "required" }, `\`${key.text}\``, findings);
  const of = scalarAt(parts, "of", findings);
  const over = scalarAt(parts, "over", findings);
  if (of === undefined || over === undefined) return undefined;
  return { kind: "quotient", name, word: key.text === "share" ? "share" : "ratio", of, over };
}
