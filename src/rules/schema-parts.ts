/** The parts of a rule file that have a shape of their own: scope, params, aggregates, hits, flows, clauses. */
import { DISTINCT_CAP_MAX, MARK_HOPS_MAX } from "../base/limits.ts";
import type { EntityKind } from "../domain/entity.ts";
import { CHANNELS, type Direction, PURPOSES, RAILS, STAGES } from "../domain/tx.ts";
import type { Findings } from "./diagnostics.ts";
import type { HitFrom } from "./plan.ts";
import {
  asItems,
  asMap,
  asScalar,
  checkKeys,
  checkName,
  integerAt,
  type Keys,
  scalarAt,
  wordAt,
  wordsAt,
} from "./shape.ts";
import { type MapNode, type ScalarNode, type SourceNode, shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";

export interface ScopeSource {
  readonly rail: readonly string[] | undefined;
  readonly direction: readonly Direction[] | undefined;
  readonly channel: readonly string[] | undefined;
  readonly purpose: readonly string[] | undefined;
  readonly stage: readonly string[] | undefined;
}

export interface ParamSource {
  readonly name: ScalarNode;
  readonly value: ScalarNode | undefined;
  readonly least: ScalarNode | undefined;
  readonly most: ScalarNode | undefined;
  readonly step: ScalarNode | undefined;
}

export interface NamedExpression {
  readonly name: ScalarNode;
  readonly expression: ScalarNode;
}

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
] as const;
export type AggregateWord = (typeof AGGREGATE_WORDS)[number];

export type AggregateSource =
  | {
      readonly kind: "measured";
      readonly name: ScalarNode;
      readonly word: AggregateWord;
      /** Expression, or `events`. */
      readonly of: ScalarNode;
      readonly where: ScalarNode | undefined;
      readonly last: ScalarNode | undefined;
      readonly cap: number | undefined;
      readonly scope: ScopeSource | undefined;
    }
  | {
      readonly kind: "quotient";
      readonly name: ScalarNode;
      readonly word: "ratio" | "share";
      readonly of: ScalarNode;
      readonly over: ScalarNode;
    };

export interface HitSource {
  readonly name: ScalarNode;
  readonly of: readonly ScalarNode[];
  readonly from: HitFrom;
  readonly last: ScalarNode | undefined;
  readonly count: "episodes" | "sources";
}

/** Bounds of one rule: the largest of the catalogue stays below a fifth of each. */
const NAMES_MAX = 60;
/** Names of filters and steps stand bare in an expression, where these mean something else. */
export const RESERVED: ReadonlySet<string> = new Set(
  (
    "tx self other profile params lists agg hits score families base peer marks true false in events all any not " +
    "at_least and or ever"
  ).split(" "),
);

const SCOPE_KEYS: Keys = {
  rail: "optional",
  direction: "optional",
  channel: "optional",
  purpose: "optional",
  stage: "optional",
};

/** Reads a scope; undefined when there is none. */
export function readScope(node: SourceNode | undefined, findings: Findings): ScopeSource | undefined {
  const map = node && asMap(node, "`scope`", findings);
  if (map === undefined) return undefined;
  checkKeys(map, SCOPE_KEYS, "a scope", findings);
  return {
    rail: wordsAt(map, "rail", RAILS, findings),
    direction: wordsAt(map, "direction", ["in", "out"] as const, findings),
    channel: wordsAt(map, "channel", CHANNELS, findings),
    purpose: wordsAt(map, "purpose", PURPOSES, findings),
    stage: wordsAt(map, "stage", STAGES, findings),
  };
}

/** Entries of a mapping whose keys are names; `what` is for messages. */
function named(
  node: SourceNode | undefined,
  what: string,
  findings: Findings,
): { name: ScalarNode; value: SourceNode }[] {
  const map = node && asMap(node, `\`${what}\``, findings);
  if (map === undefined) return [];
  if (map.entries.length > NAMES_MAX) {
    findings.add("E015", map, `\`${what}\` has ${map.entries.length} entries; the most is ${NAMES_MAX}`);
    return [];
  }
  const out: { name: ScalarNode; value: SourceNode }[] = [];
  for (const { key, value } of map.entries) {
    if (!checkName(key, `an entry of \`${what}\``, findings)) continue;
    if (what === "filters" && RESERVED.has(key.text))
      findings.add("E014", key, `\`${key.text}\` means something else in an expression`);
    else out.push({ name: key, value });
  }
  return out;
}

/** Reads `params`. Values are judged later, with the units that they have. */
export function readParams(node: SourceNode | undefined, findings: Findings): Map<string, ParamSource> {
  const out = new Map<string, ParamSource>();
  for (const { name, value } of named(node, "params", findings)) {
    const map = asMap(value, `the parameter \`${name.text}\``, findings);
    const param = { name, value: undefined, least: undefined, most: undefined, step: undefined };
    out.set(name.text, map === undefined ? param : readParam(name, map, findings));
  }
  return out;
}

function readParam(name: ScalarNode, map: MapNode, findings: Findings): ParamSource {
  checkKeys(
    map,
    { value: "required", range: "required", step: "optional" },
    `the parameter \`${name.text}\``,
    findings,
  );
  const range = map.byKey.get("range")?.value;
  const bounds = range === undefined ? [] : asItems(range, "`range`", findings, false);
  if (range !== undefined && range.kind === "seq" && bounds.length !== 2) {
    findings.add("E012", range, "`range` is a least and a greatest value", "such as [7d, 30d]");
  }
  const bound = (index: number): ScalarNode | undefined => {
    const item = bounds[index];
    return item && asScalar(item, "a bound", findings);
  };
  return {
    name,
    value: scalarAt(map, "value", findings),
    least: bound(0),
    most: bound(1),
    step: scalarAt(map, "step", findings),
  };
}

/** Reads `filters`. */
export function readFilters(node: SourceNode | undefined, findings: Findings): Map<string, NamedExpression> {
  const out = new Map<string, NamedExpression>();
  for (const { name, value } of named(node, "filters", findings)) {
    const expression = asScalar(value, `the filter \`${name.text}\``, findings);
    if (expression !== undefined) out.set(name.text, { name, expression });
  }
  return out;
}

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

function readAggregate(name: ScalarNode, map: MapNode, kept: boolean, findings: Findings): AggregateSource | undefined {
  const quotient = map.byKey.get("ratio") ?? map.byKey.get("share");
  if (quotient !== undefined && !kept) return readQuotient(name, map, quotient.key, quotient.value, findings);
  const words = AGGREGATE_WORDS.filter((word) => map.byKey.has(word) && (kept || word !== "set"));
  const [word, second] = words;
  if (word === undefined) {
    const known = kept ? AGGREGATE_WORDS : [...AGGREGATE_WORDS.filter((w) => w !== "set"), "ratio", "share"];
    const first = map.entries[0]?.key;
    const hint = first && !Object.hasOwn(MEASURED_KEYS, first.text) ? hintFor(first.text, known) : undefined;
    const message = `\`${name.text}\` says nothing to compute`;
    findings.add("E011", first ?? map, message, hint ?? `one of ${known.join(", ")}`);
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
  const keys: Keys = kept
    ? { [word]: "required", where: "optional", cap: "optional", ...told }
    : { [word]: "required", ...MEASURED_KEYS, ...told };
  checkKeys(map, keys, `the aggregate \`${name.text}\``, findings);
  const of = scalarAt(map, word, findings);
  if (of === undefined) return undefined;
  if (word === "count" && of.text !== "events") {
    findings.add("E013", of, "`count` counts `events`", "use `distinct` to count different values");
  }
  return {
    kind: "measured",
    name,
    word,
    of,
    where: scalarAt(map, "where", findings),
    last: scalarAt(map, "last", findings),
    cap: integerAt(map, "cap", 1, DISTINCT_CAP_MAX, findings),
    scope: readScope(map.byKey.get("scope")?.value, findings),
  };
}

const MEASURED_KEYS: Keys = { where: "optional", last: "required", cap: "optional", scope: "optional" };

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

const HIT_KEYS: Keys = { of: "required", from: "optional", last: "required", count: "optional" };
const LINK_ENTITIES: readonly EntityKind[] = ["phone", "address", "device", "employer"];

/** Reads `hits`. */
export function readHits(node: SourceNode | undefined, findings: Findings): Map<string, HitSource> {
  const out = new Map<string, HitSource>();
  for (const { name, value } of named(node, "hits", findings)) {
    const map = asMap(value, `the hit input \`${name.text}\``, findings);
    if (map === undefined) continue;
    checkKeys(map, HIT_KEYS, `the hit input \`${name.text}\``, findings);
    const of = map.byKey.get("of")?.value;
    const ids: ScalarNode[] = [];
    for (const item of of === undefined ? [] : asItems(of, "`of`", findings, true)) {
      const id = asScalar(item, "a rule id", findings);
      if (id !== undefined) ids.push(id);
    }
    out.set(name.text, {
      name,
      of: ids,
      from: readFrom(map, findings),
      last: scalarAt(map, "last", findings),
      count: wordAt(map, "count", ["episodes", "sources"] as const, findings) ?? "episodes",
    });
  }
  return out;
}

function readFrom(map: MapNode, findings: Findings): HitFrom {
  const node = scalarAt(map, "from", findings);
  if (node === undefined || node.text === "self") return { kind: "self" };
  if (node.text === "accounts") return { kind: "accounts" };
  const call = /^(linked|upstream|downstream)\(\s*([a-z0-9]+)\s*\)$/.exec(node.text);
  const hops = Number(call?.[2]);
  if (call?.[1] === "linked") {
    const via = LINK_ENTITIES.find((kind) => kind === call[2]);
    if (via !== undefined) return { kind: "linked", via };
  } else if (call !== null && Number.isInteger(hops) && hops >= 1 && hops <= MARK_HOPS_MAX) {
    return { kind: call[1] === "upstream" ? "upstream" : "downstream", hops };
  }
  const hint = `self, accounts, linked(${LINK_ENTITIES.join(" | ")}), upstream(1..${MARK_HOPS_MAX}), downstream(..)`;
  findings.add("E013", node, `\`from\` cannot be \`${shorten(node.text)}\``, hint);
  return { kind: "self" };
}
