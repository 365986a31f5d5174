/** The parts of a rule file that have a shape of their own: scope, params, filters, hits. */
import { MARK_HOPS_MAX } from "../base/limits.ts";
import type { EntityKind } from "../domain/entity.ts";
import { CHANNELS, type Direction, PURPOSES, RAILS, STAGES } from "../domain/tx.ts";
import type { Findings } from "./diagnostics.ts";
import type { HitFrom } from "./plan.ts";
import { asItems, asMap, asScalar, checkKeys, checkName, type Keys, scalarAt, wordAt, wordsAt } from "./shape.ts";
import { type MapNode, type ScalarNode, type SourceNode, shorten } from "./source.ts";

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

export interface HitSource {
  readonly name: ScalarNode;
  readonly of: readonly ScalarNode[];
  readonly from: HitFrom;
  readonly last: ScalarNode | undefined;
  readonly count: "episodes" | "sources";
  /** `attrs: { total: { sum: amount } }`: a number over what the counted hits carry. */
  readonly attrs: readonly { readonly name: ScalarNode; readonly word: HitAttrWord; readonly of: ScalarNode }[];
}

export const HIT_ATTR_WORDS = ["sum", "max", "distinct"] as const;
export type HitAttrWord = (typeof HIT_ATTR_WORDS)[number];

/** Bounds of one rule: the largest of the catalogue stays below a fifth of each. */
const NAMES_MAX = 60;
/** Names of filters and steps stand bare in an expression, where these mean something else. */
export const RESERVED: ReadonlySet<string> = new Set(
  (
    "tx self other profile past params lists agg hits score families base peer marks true false in events all any " +
    "not at_least and or ever"
  ).split(" "),
);

export const SCOPE_KEYS: Keys = {
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
export function named(
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

export const HIT_KEYS: Keys = {
  of: "required",
  from: "optional",
  last: "required",
  count: "optional",
  attrs: "optional",
};
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
      attrs: readHitAttrs(map.byKey.get("attrs")?.value, findings),
    });
  }
  return out;
}

function readHitAttrs(node: SourceNode | undefined, findings: Findings): HitSource["attrs"] {
  const out: HitSource["attrs"][number][] = [];
  for (const { name, value } of named(node, "attrs", findings)) {
    const map = asMap(value, `the attribute \`${name.text}\``, findings);
    const word = map && HIT_ATTR_WORDS.find((one) => map.byKey.has(one));
    if (map === undefined) continue;
    if (word === undefined) {
      findings.add("E011", map, `\`${name.text}\` says nothing to compute`, `one of ${HIT_ATTR_WORDS.join(", ")}`);
      continue;
    }
    checkKeys(map, { [word]: "required" }, `the attribute \`${name.text}\``, findings);
    const of = scalarAt(map, word, findings);
    if (of !== undefined) out.push({ name, word, of });
  }
  return out;
}

/** Reads `emit: { attrs: { NAME: expression } }`. */
export function readEmit(node: SourceNode | undefined, findings: Findings): Map<string, NamedExpression> {
  const out = new Map<string, NamedExpression>();
  const map = node && asMap(node, "`emit`", findings);
  if (map === undefined) return out;
  checkKeys(map, { attrs: "required" }, "`emit`", findings);
  const entries = named(map.byKey.get("attrs")?.value, "attrs", findings);
  if (entries.length > EMIT_MAX) findings.add("E015", map, `a hit carries at most ${EMIT_MAX} attributes`);
  for (const { name, value } of entries) {
    const expression = asScalar(value, `the attribute \`${name.text}\``, findings);
    if (expression !== undefined) out.set(name.text, { name, expression });
  }
  return out;
}

/** A hit travels to every holder and link: it carries little. */
const EMIT_MAX = 8;

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
