/** Between which bounds the names of one rule lie: parameters by their value or range, counts and sums from 0 on. */
import { DISTINCT_CAP_DEFAULT } from "../base/limits.ts";
import { ANY, type BoundsOf, between, boundsOf, type Interval, NOT_NEGATIVE, point } from "./expression/intervals.ts";
import { type Ast, parse } from "./expression/parser.ts";
import { FIELDS, foldName } from "./fields.ts";
import { parseQuantity, toNumber } from "./literals.ts";
import type { RuleSource } from "./schema.ts";
import type { AggregateSource } from "./schema-aggregates.ts";
import type { ScalarNode } from "./source.ts";

/** Values of parameters in place of those of the file. */
export type ParamValues = ReadonlyMap<string, Interval>;

/** Value and range of each parameter of a rule that can be read. */
export interface ParamBounds {
  readonly value: Interval;
  readonly range: Interval;
}

/** Parameters of a rule by name. */
export function paramBounds(rule: RuleSource): Map<string, ParamBounds> {
  const out = new Map<string, ParamBounds>();
  const read = (node: ScalarNode | undefined) => (node === undefined ? undefined : parseQuantity(node.text));
  for (const [name, param] of rule.params) {
    const value = read(param.value);
    const least = read(param.least);
    const most = read(param.most);
    if (value === undefined || least === undefined || most === undefined) continue;
    const range = between(least, most);
    if (range !== undefined && value.unit === least.unit) out.set(name, { value: point(toNumber(value)), range });
  }
  return out;
}

/** Bounds of the names of a rule, its parameters at these values. */
export function ruleBounds(rule: RuleSource, params: ParamValues): BoundsOf {
  const families = new Set(rule.typology?.indicators.map(({ family }) => family?.text));
  const leaf: BoundsOf = (ast) => {
    if (ast.kind === "call") return callBounds(ast.name);
    const [root, name, more] = ast.segments.map((segment) => segment.name);
    if (name === undefined) return undefined;
    if (root === "params") return params.get(name);
    if (root === "agg" && more === undefined) return aggregateBounds(rule.aggregates.get(name), leaf);
    if (root === "hits") return NOT_NEGATIVE;
    if (root === "families" && name === "count") return { least: 0, most: families.size };
    const step = rule.flow?.steps.find((candidate) => candidate.name.text === root);
    if (step !== undefined) return aggregateBounds(step.keep.get(name), leaf);
    return fieldBounds(ast.segments.map((segment) => segment.name).join("."));
  };
  return leaf;
}

function callBounds(name: string): Interval | undefined {
  // Half the way around the earth, with a margin for the radius.
  if (name === "km") return { least: 0, most: 20_100_000 };
  return name === "known_for" ? NOT_NEGATIVE : undefined;
}

function fieldBounds(name: string): Interval | undefined {
  const field = FIELDS.get(foldName(name));
  switch (field?.type.name) {
    case "money":
      return field.name.endsWith("balance_after") ? ANY : NOT_NEGATIVE;
    case "count":
    case "distance":
      return NOT_NEGATIVE;
    case "duration":
    case "ratio":
      return ANY;
    default:
      return undefined;
  }
}

const SHARES: ReadonlySet<string> = new Set(["top_share", "equal_amount_share", "same_day_of_month"]);
const SAME_AS_PARTS: ReadonlySet<string> = new Set(["min", "max", "avg", "median"]);

function aggregateBounds(source: AggregateSource | undefined, leaf: BoundsOf): Interval | undefined {
  if (source === undefined) return undefined;
  if (source.kind !== "measured") return NOT_NEGATIVE;
  const { word } = source;
  if (word === "distinct") return { least: 0, most: source.cap ?? DISTINCT_CAP_DEFAULT };
  if (SHARES.has(word)) return { least: 0, most: 1 };
  if (word === "sum" || SAME_AS_PARTS.has(word)) {
    const ast = expressionOf(source.of.text);
    const parts = ast === undefined ? undefined : boundsOf(ast, leaf);
    if (parts === undefined || word !== "sum") return parts ?? ANY;
    return parts.least >= 0 ? NOT_NEGATIVE : ANY;
  }
  return word === "set" ? undefined : NOT_NEGATIVE;
}

/** An expression's tree; undefined for one that cannot be parsed, which the loader tells. */
export function expressionOf(text: string): Ast | undefined {
  const parsed = parse(text);
  return parsed.ok ? parsed.ast : undefined;
}
