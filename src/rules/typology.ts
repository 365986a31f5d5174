/** Typologies: scored families of red flags, the condition that opens an alert, and what an alert says. */
import { HOUR_MS } from "../base/limits.ts";
import type { Crime, PartyRole } from "../domain/vocabulary.ts";
import { compileClause, type WeighedClause } from "./clauses.ts";
import { compileTest, constantNumber } from "./expression/compile.ts";
import { type Checked, CLASS_BITS, describeType } from "./expression/types.ts";
import { isGeography, raisesByProfile } from "./expression/weight.ts";
import { evaluateClause } from "./logic.ts";
import type { Context, HitInput, ScoredIndicator, TypologyPlan } from "./plan.ts";
import { IN_ALERT, IN_REDUCTION, IN_SCORE, type Place, type RuleScope } from "./rule-scope.ts";
import type { RuleSource, ScoredSource, TypologySource } from "./schema.ts";
import { type ScalarNode, shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";

/** What a typology needs to know of other rules. */
export interface OtherRules {
  readonly typologyIds: readonly string[];
  /** Some rule that the typology counts may have a victim or a relative as its own side. */
  readonly victimPossible: boolean;
}

/** Compiles the typology part of a rule; undefined when it cannot alert at all. */
export function compileTypology(
  rule: RuleSource,
  source: TypologySource,
  scope: RuleScope,
  hitInputs: readonly HitInput[],
  others: OtherRules,
): TypologyPlan | undefined {
  const indicators: ScoredIndicator[] = [];
  for (const scored of source.indicators) {
    const indicator = compileIndicator(scored, scope);
    if (indicator !== undefined) indicators.push(indicator);
    if (scored.family !== undefined) scope.families.add(scored.family.text);
  }
  const reductions: { name: string; points: number; when: ScoredIndicator["when"] }[] = [];
  for (const reduction of source.reductions) {
    const tree = checkWhen(reduction.when, scope, IN_REDUCTION);
    const points = checkPoints(reduction, scope, false);
    if (tree !== undefined && points !== undefined) {
      reductions.push({ name: reduction.name.text, points, when: compileTest(tree) });
    }
  }
  const alert = source.alertWhen && compileClause(source.alertWhen, scope, IN_ALERT);
  checkSupersedes(rule, source, scope, others);
  if (alert === undefined) return undefined;
  const plan: TypologyPlan = {
    indicators,
    familyCap: source.familyCap ?? Number.POSITIVE_INFINITY,
    reductions,
    alertWhen: alert.clause,
    bands: source.bands,
    alertClass: source.alertClass,
    sla: source.sla
      ? { class: source.sla.class, withinHours: Math.max(1, Math.round(source.sla.withinMs / HOUR_MS)) }
      : defaultSla(rule.id.text, rule.crime, rule.selfMayBe, others.victimPossible),
    supersedes: source.supersedes.map((id) => id.text),
  };
  if (indicators.length === source.indicators.length) checkReach(rule, source, plan, alert, scope, hitInputs);
  return plan;
}

/** Time within which an alert should be looked at, by crime, from the filing duties that most regimes share. */
function defaultSla(
  id: string,
  crime: Crime,
  selfMayBe: readonly PartyRole[],
  victimPossible: boolean,
): { readonly class: string; readonly withinHours: number } {
  if (id.startsWith("TF-LIST")) return { class: "list", withinHours: 1 };
  if (crime === "child_exploitation") return { class: "child", withinHours: 4 };
  if (crime === "terrorist_financing") return { class: "terrorist_financing", withinHours: 24 };
  if (crime === "nexus") return { class: "nexus", withinHours: 24 };
  const victim = victimPossible || selfMayBe.includes("victim") || selfMayBe.includes("relative");
  return victim ? { class: "victim", withinHours: 24 } : { class: "standard", withinHours: 120 };
}

function compileIndicator(source: ScoredSource, scope: RuleScope): ScoredIndicator | undefined {
  const tree = checkWhen(source.when, scope, IN_SCORE);
  const points = checkPoints(source, scope, true);
  if (source.family !== undefined && !/^[a-z][a-z0-9_]{0,39}$/.test(source.family.text)) {
    scope.pack.findings.add("E014", source.family, `\`${shorten(source.family.text)}\` cannot name a family`);
    return undefined;
  }
  if (tree === undefined || points === undefined || source.family === undefined) return undefined;
  if (source.when !== undefined && isWeightless(tree)) {
    const hint = "being a non-profit organisation scores 0; lower a score by it under `scoring.reduce`";
    scope.pack.findings.add("E046", source.when, "points may not rest on being a non-profit organisation", hint);
  }
  return {
    name: source.name.text,
    family: source.family.text,
    when: compileTest(tree),
    points: () => points,
    hitInputs: tree.hitInputs,
    geography: isGeography(tree),
  };
}

function isWeightless(tree: Checked): boolean {
  if (tree.kind === "logic") {
    const left = isWeightless(tree.left);
    return tree.operator === "&&" ? left && isWeightless(tree.right) : left || isWeightless(tree.right);
  }
  return tree.classes === CLASS_BITS.npo;
}

function checkWhen(node: ScalarNode | undefined, scope: RuleScope, place: Place): Checked | undefined {
  if (node === undefined) return undefined;
  const tree = scope.check(node, place);
  if (tree.type.name === "error") return undefined;
  const { findings } = scope.pack;
  if (tree.type.name !== "bool") {
    findings.add("E027", node, `\`when\` is a truth value, not ${describeType(tree.type)}`);
    return undefined;
  }
  if (!place.lowering && raisesByProfile(tree, true)) {
    findings.add("E052", node, "a word of the customer profile may not raise a score", "use it under `scoring.reduce`");
  }
  return tree;
}

function checkPoints(source: ScoredSource, scope: RuleScope, raise: boolean): number | undefined {
  if (source.points === undefined) return undefined;
  const constant = scope.constant(source.points, "`points`");
  if (constant === undefined) return undefined;
  const value = constantNumber(constant.value);
  const { findings } = scope.pack;
  if (constant.type.name !== "number" || !Number.isInteger(value) || Math.abs(value) > 1_000) {
    findings.add("E027", source.points, "`points` is a whole number of at most 1000");
    return undefined;
  }
  if (raise ? value <= 0 : value >= 0) {
    const what = raise ? "points of an indicator are above 0" : "points of a reduction are below 0";
    findings.add("E017", source.points, what, raise ? "lower a score under `scoring.reduce`" : undefined);
  }
  return value;
}

function checkSupersedes(rule: RuleSource, source: TypologySource, scope: RuleScope, others: OtherRules): void {
  for (const id of source.supersedes) {
    if (others.typologyIds.includes(id.text) && id.text !== rule.id.text) continue;
    const known = others.typologyIds.filter((other) => other !== rule.id.text);
    scope.pack.findings.add("E047", id, `there is no other typology \`${shorten(id.text)}\``, hintFor(id.text, known));
  }
}

/** What one family, or all, can reach: geography families stand together as one. */
function checkReach(
  rule: RuleSource,
  source: TypologySource,
  plan: TypologyPlan,
  alert: WeighedClause,
  scope: RuleScope,
  hitInputs: readonly HitInput[],
): void {
  const { findings } = scope.pack;
  const groups = new Map<string, ScoredIndicator[]>();
  for (const indicator of plan.indicators) {
    const group = indicator.geography ? "geography" : `family ${indicator.family}`;
    groups.set(group, [...(groups.get(group) ?? []), indicator]);
  }
  const at = source.alertWhen?.kind === "leaf" ? source.alertWhen.expression : (source.alertWhen?.node ?? rule.id);
  const scored = new Set(plan.indicators.flatMap((indicator) => indicator.hitInputs));
  const all = hitInputs.map((input) => input.slot);
  if (evaluateClause(alert.clause, imagined(plan.indicators, plan.familyCap, all, groups.size)) === false) {
    findings.add("E051", at, "this can never hold, even with every indicator present");
    return;
  }
  if (source.alone !== undefined) return;
  const unscored = all.filter((slot) => !scored.has(slot));
  for (const [name, group] of groups) {
    const slots = [...new Set(group.flatMap((indicator) => indicator.hitInputs))];
    if (evaluateClause(alert.clause, imagined(group, plan.familyCap, slots, 1)) !== true) continue;
    const hint = "ask for two families, or write `alone: { because: <cited point> }`";
    findings.add("E049", at, `${name} alone opens an alert; one red flag is not enough`, hint);
    return;
  }
  const single = unscored.find((slot) => evaluateClause(alert.clause, imagined([], 0, [slot], 0)) === true);
  if (single === undefined) return;
  const input = hitInputs.find((candidate) => candidate.slot === single);
  const hint = "ask for two kinds of hits, or write `alone: { because: <cited point> }`";
  findings.add("E049", at, `\`hits.${input?.name ?? ""}\` alone opens an alert; one red flag is not enough`, hint);
}

/** A context in which these indicators hold with all the hits that one may ask for, and nothing else is known. */
export function imagined(
  present: readonly ScoredIndicator[],
  familyCap: number,
  hitSlots: readonly number[],
  families: number,
): Context {
  const byFamily = new Map<string, number>();
  for (const indicator of present) {
    const points = indicator.points({} as Context) ?? 0;
    byFamily.set(indicator.family, Math.min(familyCap, (byFamily.get(indicator.family) ?? 0) + points));
  }
  let score = 0;
  for (const points of byFamily.values()) score += points;
  return {
    view: undefined as never,
    entity: "",
    now: 0,
    tx: undefined,
    self: undefined,
    other: undefined,
    direction: undefined,
    profile: undefined,
    agg: () => undefined,
    base: () => undefined,
    aggHas: () => undefined,
    hits: (slot) => (hitSlots.includes(slot) ? Number.MAX_SAFE_INTEGER : 0),
    hitAttr: () => undefined,
    knownFor: () => undefined,
    past: undefined,
    priorAct: undefined,
    flowTime: () => undefined,
    score,
    familyCount: () => families,
    hasFamily: (name) => byFamily.has(name),
  };
}
