/** Wraps the closures of a compiled pack, so that what they give while tests run is seen. */
import type { Clause, CompiledRule, Flow, Measure, Pack, Test } from "../rules/plan.ts";
import { rebuildPack } from "./rebuild-pack.ts";

export type PointKind = "clause" | "filter" | "indicator" | "reduction" | "cancel" | "severity";

/** What was seen of one part of a rule. */
export interface Seen {
  readonly kind: PointKind;
  readonly name: string;
  yes: boolean;
  no: boolean;
}

/** Who watches. */
export interface Watching {
  /** The one point of this name. */
  point(ruleId: string, kind: PointKind, name: string): Seen;
  /** The test, whose values are taken down while tests of its rule run. */
  watched(ruleId: string, kind: PointKind, name: string, test: Test): Test;
  /** Id of the rule whose tests run. */
  current(): string;
}

/** The same pack, watched. */
export function watchPack(pack: Pack, watch: Watching): Pack {
  const flows = pack.flows.slice();
  const rules = pack.rules.map((rule) => {
    const flow = rule.flow === undefined ? undefined : pack.flows[rule.flow];
    if (rule.flow !== undefined && flow !== undefined) flows[rule.flow] = watchFlow(rule.id, flow, watch);
    return watchRule(rule, watch);
  });
  return rebuildPack(pack, { rules, flows, measures: pack.measures.map((m) => watchMeasure(m, pack, watch)) });
}

function watchRule(rule: CompiledRule, watch: Watching): CompiledRule {
  const { id, when, typology } = rule;
  if (typology === undefined)
    return when === undefined ? rule : { ...rule, when: watchClause(id, when, "when", watch) };
  for (const { severity } of typology.bands) watch.point(id, "severity", severity);
  const scored = typology.indicators.map((indicator) => {
    return { ...indicator, when: watch.watched(id, "indicator", indicator.name, indicator.when) };
  });
  const reductions = typology.reductions.map((reduction) => {
    return { ...reduction, when: watch.watched(id, "reduction", reduction.name, reduction.when) };
  });
  const alertWhen = watchClause(id, typology.alertWhen, "alert_when", watch);
  return { ...rule, typology: { ...typology, indicators: scored, reductions, alertWhen } };
}

function watchClause(ruleId: string, clause: Clause, tree: string, watch: Watching): Clause {
  if (clause.kind !== "leaf") {
    return { ...clause, children: clause.children.map((child) => watchClause(ruleId, child, tree, watch)) };
  }
  return { ...clause, test: watch.watched(ruleId, "clause", `${tree}.${clause.name}`, clause.test) };
}

function watchFlow(ruleId: string, flow: Flow, watch: Watching): Flow {
  const { cancelOn } = flow;
  const steps = flow.steps.map((step) => {
    const where = step.where && watch.watched(ruleId, "filter", step.name, step.where);
    return { ...step, where, until: watchClause(ruleId, step.until, step.name, watch) };
  });
  if (cancelOn === undefined) return { ...flow, steps };
  const certain: Test = () => true;
  const where = watch.watched(ruleId, "cancel", "cancel_on", cancelOn.where ?? certain);
  return { ...flow, steps, cancelOn: { ...cancelOn, where } };
}

/** A filter belongs to every rule that reads its measure, under the name that the rule has for it. */
function watchMeasure(measure: Measure, pack: Pack, watch: Watching): Measure {
  const { where } = measure;
  if (where === undefined) return measure;
  const points = new Map<string, Seen>();
  for (const rule of pack.rules) {
    const own = rule.aggregates.find(({ slot }) => pack.aggregates[slot]?.measure === measure.slot);
    // What a flow step keeps is filtered by the step, which is a point of its own.
    if (own !== undefined && (own.name.startsWith("agg.") || !hasStep(pack, rule, own.name))) {
      points.set(rule.id, watch.point(rule.id, "filter", own.name));
    }
  }
  return {
    ...measure,
    where: (c) => {
      const value = where(c);
      const point = points.get(watch.current());
      if (point !== undefined && value !== undefined) point[value ? "yes" : "no"] = true;
      return value;
    },
  };
}

function hasStep(pack: Pack, rule: CompiledRule, name: string): boolean {
  const flow = rule.flow === undefined ? undefined : pack.flows[rule.flow];
  return flow?.steps.find((step) => name.startsWith(`${step.name}.`))?.where !== undefined;
}
