/** Hit inputs: which rules a rule counts, the order in which that lets rules be compiled, and how far marks go. */

import { isInForce } from "./check.ts";
import type { Findings } from "./diagnostics.ts";
import { CLASS_BITS, describeType, type Type, typeOf } from "./expression/types.ts";
import type { HitAttrInput, HitInput, SourceCitation } from "./plan.ts";
import type { RuleScope } from "./rule-scope.ts";
import type { RuleSource } from "./schema.ts";
import type { HitSource } from "./schema-parts.ts";
import { shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";
import { readDurationWindow } from "./window.ts";

/** All rules of a pack by id, with what is known of those compiled so far. */
export interface RuleIndex {
  readonly typologyIds: readonly string[];
  readonly sourceOf: ReadonlyMap<string, RuleSource>;
  /** Rules that can hold by geography alone. */
  readonly geography: ReadonlySet<string>;
  /** Types of what a rule emits, by name; grows as rules are compiled. */
  readonly emitted: ReadonlyMap<string, ReadonlyMap<string, Type>>;
  victimPossible(id: string): boolean;
  cautions(id: string): readonly string[];
  sources(id: string): readonly SourceCitation[];
}

/** The index over parsed rules; `geography` grows as they are compiled. */
export function createRuleIndex(
  rules: readonly RuleSource[],
  geography: ReadonlySet<string>,
  emitted: RuleIndex["emitted"],
): RuleIndex {
  const sourceOf = new Map(rules.map((rule) => [rule.id.text, rule]));
  const below = (id: string): RuleSource[] => {
    const seen = new Set<string>();
    const out: RuleSource[] = [];
    const visit = (name: string): void => {
      const rule = sourceOf.get(name);
      if (rule === undefined || seen.has(name)) return;
      seen.add(name);
      out.push(rule);
      for (const hit of rule.hits.values()) for (const next of idsOf(hit, rule, sourceOf)) visit(next);
    };
    visit(id);
    return out;
  };
  return {
    typologyIds: rules.filter((rule) => rule.kind === "typology").map((rule) => rule.id.text),
    sourceOf,
    geography,
    emitted,
    victimPossible: (id) => {
      const rule = sourceOf.get(id);
      return rule !== undefined && (rule.selfMayBe.includes("victim") || rule.selfMayBe.includes("relative"));
    },
    cautions: (id) => below(id).flatMap((rule) => rule.cautions.map((node) => node.text)),
    sources: (id) =>
      below(id).flatMap((rule) => rule.sources.map(({ doc, point }) => ({ doc: doc.text, point: point.text }))),
  };
}

/** Rule ids that a hit input names. `PREFIX-*` stands for the indicators that begin so, never for typologies. */
function idsOf(hit: HitSource, rule: RuleSource, rules: ReadonlyMap<string, RuleSource>): string[] {
  const out = new Set<string>();
  for (const { text } of hit.of) {
    if (!text.endsWith("*")) {
      if (rules.has(text)) out.add(text);
      continue;
    }
    for (const [id, other] of rules) {
      if (other.kind === "indicator" && id !== rule.id.text && id.startsWith(text.slice(0, -1))) out.add(id);
    }
  }
  return [...out];
}

/**
 * The rules so ordered that each comes after those whose hits it counts; rules on a circle are told and come
 * in the order of their ids.
 */
export function orderRules(rules: readonly RuleSource[], findings: Findings): RuleSource[] {
  const byId = new Map(rules.map((rule) => [rule.id.text, rule]));
  const done = new Set<string>();
  const open: string[] = [];
  const out: RuleSource[] = [];
  const visit = (rule: RuleSource): void => {
    const id = rule.id.text;
    if (done.has(id)) return;
    open.push(id);
    for (const hit of rule.hits.values()) {
      for (const next of idsOf(hit, rule, byId)) {
        const other = byId.get(next);
        if (open.includes(next)) {
          const circle = [...open.slice(open.indexOf(next)), next].join(" -> ");
          findings.add("E048", hit.of[0] ?? hit.name, `rules count each other's hits in a circle: ${circle}`);
        } else if (other !== undefined) visit(other);
      }
    }
    open.pop();
    done.add(id);
    out.push(rule);
  };
  for (const rule of rules) visit(rule);
  return out;
}

/** Resolves the hit inputs of one rule and names them in its scope. */
export function resolveHitInputs(
  rule: RuleSource,
  scope: RuleScope,
  inputs: HitInput[],
  index: RuleIndex,
): readonly HitInput[] {
  const out: HitInput[] = [];
  for (const [name, hit] of rule.hits) {
    checkIds(hit, rule, scope.pack.findings, index);
    const lastMs = readDurationWindow(scope, hit.last, "last", false);
    const of = idsOf(hit, rule, index.sourceOf).filter((id) => {
      const other = index.sourceOf.get(id);
      return other !== undefined && isInForce(other.status) && !isOnlyWatched(other, rule);
    });
    const slot = inputs.length;
    const geography = of.some((id) => index.geography.has(id));
    const attrs = resolveAttrs(hit, of, scope.pack.findings, index);
    const types = attrs.map(({ name: attr, type }, at) => [attr, { index: at, type }] as const);
    const classes = geography ? CLASS_BITS.geography : CLASS_BITS.behaviour;
    scope.hits.set(name, { slot, classes, attrs: new Map(types) });
    const carried = attrs.map(({ name: attr, function: fn, of: what }) => ({ name: attr, function: fn, of: what }));
    const shared = { slot, name, of: of.sort(), from: hit.from, count: hit.count, attrs: carried };
    const input = { ...shared, lastMs: lastMs ?? 0 };
    inputs.push(input);
    out.push(input);
  }
  return out;
}

/** A rule in shadow is only watched: what it finds must not reach the alerts of rules that are not. */
function isOnlyWatched(counted: RuleSource, by: RuleSource): boolean {
  return counted.status === "shadow" && by.status !== "shadow";
}

/** The values of carried attributes with their types; all rules that emit one must agree on its type. */
function resolveAttrs(
  hit: HitSource,
  of: readonly string[],
  findings: Findings,
  index: RuleIndex,
): (HitAttrInput & { readonly type: Type })[] {
  if (hit.attrs.length > 0 && (hit.from.kind === "upstream" || hit.from.kind === "downstream")) {
    findings.add("E010", hit.attrs[0]?.name ?? hit.name, "marks that travel along money carry no attributes");
    return [];
  }
  return hit.attrs.flatMap(({ name, word, of: node }) => {
    const types = of.flatMap((id) => index.emitted.get(id)?.get(node.text) ?? []);
    const [type, ...others] = types;
    if (type === undefined) {
      const known = of.flatMap((id) => [...(index.emitted.get(id)?.keys() ?? [])]);
      findings.add("E021", node, `no counted rule emits \`${shorten(node.text)}\``, hintFor(node.text, known));
      return [];
    }
    const text = type.name === "text";
    if (others.some((other) => other.name !== type.name) || text !== (word === "distinct")) {
      const hint = "sum and max are of numbers, distinct is of texts; all rules emit one type";
      findings.add("E022", node, `\`${word}\` is not of ${describeType(type)}`, hint);
      return [];
    }
    return { name: name.text, function: word, of: node.text, type: text ? typeOf("count") : type };
  });
}

function checkIds(hit: HitSource, rule: RuleSource, findings: Findings, index: RuleIndex): void {
  const known = index.sourceOf;
  for (const node of hit.of) {
    const { text } = node;
    if (text === rule.id.text) findings.add("E048", node, "a rule cannot count its own hits");
    else if (text.endsWith("*")) {
      const some = idsOf({ ...hit, of: [node] }, rule, known).length > 0;
      if (!some) findings.add("E047", node, `no indicator begins with \`${shorten(text.slice(0, -1))}\``);
    } else if (!known.has(text)) {
      findings.add("E047", node, `there is no rule \`${shorten(text)}\``, hintFor(text, known.keys()));
    } else if (!isInForce(known.get(text)?.status ?? "draft")) {
      findings.add("W104", node, `\`${text}\` is ${known.get(text)?.status}: it never has a hit`);
    } else if (known.get(text)?.status === "shadow" && rule.status === "active") {
      findings.add("W104", node, `\`${text}\` is in shadow: its hits count for rules in shadow only`);
    }
  }
}

/**
 * How far hits of each rule must travel along money, by rule id. A rule that counts hits `upstream(n)` asks
 * where its money came from: those marks go downstream from the flagged entity, and the other way round.
 */
export function markReach(inputs: readonly HitInput[]): Map<string, { downstream: number; upstream: number }> {
  const out = new Map<string, { downstream: number; upstream: number }>();
  for (const { of, from } of inputs) {
    if (from.kind !== "upstream" && from.kind !== "downstream") continue;
    for (const id of of) {
      const reach = out.get(id) ?? { downstream: 0, upstream: 0 };
      if (from.kind === "upstream") reach.downstream = Math.max(reach.downstream, from.hops);
      else reach.upstream = Math.max(reach.upstream, from.hops);
      out.set(id, reach);
    }
  }
  return out;
}
