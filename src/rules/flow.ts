/** Flows: ordered steps, each a scope, what it keeps, and the condition that arms the next one. */
import { fnv1a32 } from "../base/hash.ts";
import { checkMeasured } from "./aggregates.ts";
import { compileClause, type WeighedClause } from "./clauses.ts";
import type { Checked } from "./expression/types.ts";
import { larger, type Weight } from "./expression/weight.ts";
import { scopeText } from "./measures.ts";
import type { Flow, FlowStep } from "./plan.ts";
import { IN_CLAUSE, planScope, type RuleScope, type StepNames } from "./rule-scope.ts";
import type { FlowSource, StepSource } from "./schema-clauses.ts";
import { readDurationWindow, type Window } from "./window.ts";

export interface CompiledFlow {
  readonly flow: Flow;
  /** Aggregates that the steps keep: name as written -> slot. */
  readonly aggregates: readonly { readonly name: string; readonly slot: number }[];
  /** The least that must have been seen for the flow to complete. */
  readonly weight: Weight;
  readonly geography: boolean;
  readonly npo: boolean;
}

/** Compiles a flow and names its steps in the rule's scope; undefined when it cannot run. */
export function compileFlow(source: FlowSource, slot: number, scope: RuleScope): CompiledFlow | undefined {
  const withinMs = readDurationWindow(scope, source.within, "within", false);
  const aggregates: { name: string; slot: number }[] = [];
  source.steps.forEach((step, index) => {
    const names = keepNames(step, index, slot, withinMs, scope);
    scope.steps.set(step.name.text, names);
    for (const [name, tree] of names.kept) {
      for (const aggregate of tree.aggregates) aggregates.push({ name: `${step.name.text}.${name}`, slot: aggregate });
    }
  });
  const steps: FlowStep[] = [];
  let weight: Weight = 0;
  let geography = true;
  let npo = false;
  for (const step of source.steps) {
    const until = step.until && compileClause(step.until, scope, IN_CLAUSE);
    if (until === undefined) continue;
    weight = larger(weight, until.weight);
    geography = geography && until.geography;
    npo = npo || until.npo;
    steps.push(planStep(step, until, scope));
  }
  const cancelWhere = scope.where(source.cancelOn?.where);
  if (withinMs === undefined || steps.length !== source.steps.length || steps.length < 2) return undefined;
  const flow: Flow = {
    slot,
    definition: fnv1a32(definitionText(source, scope)),
    withinMs,
    steps,
    cancelOn: source.cancelOn && { scope: planScope(source.cancelOn.scope), where: cancelWhere?.filter.test },
  };
  return { flow, aggregates, weight, geography, npo };
}

/** What a flow's partial state depends on: its steps' events, not its thresholds. */
function definitionText(source: FlowSource, scope: RuleScope): string {
  const steps = source.steps.map((step) => {
    return `${scopeText(planScope(step.scope))}where[${scope.where(step.where)?.filter.canonical ?? ""}]`;
  });
  return `flow of ${scope.rule.id} on ${scope.rule.subject}: ${steps.join(" then ")}`;
}

function keepNames(
  step: StepSource,
  index: number,
  flow: number,
  withinMs: number | undefined,
  scope: RuleScope,
): StepNames {
  const kept = new Map<string, Checked>();
  const window: Window | undefined =
    withinMs === undefined
      ? undefined
      : { windowMs: withinMs, windowMinMs: withinMs, shape: { kind: "last" }, canonical: "" };
  for (const [name, source] of step.keep) {
    if (source.kind !== "measured") continue;
    const inherited = { ...source, where: source.where ?? step.where };
    if (source.where !== undefined && step.where !== undefined) {
      scope.pack.findings.add("E010", source.where, "the step has a `where` already", "join both in one filter");
    }
    const options = { scope: planScope(step.scope), window, flow: { flow, step: index } };
    kept.set(name, checkMeasured(scope, inherited, options));
  }
  return { flow, step: index, kept };
}

function planStep(step: StepSource, until: WeighedClause, scope: RuleScope): FlowStep {
  const names = scope.steps.get(step.name.text);
  const slots: number[] = [];
  for (const tree of names?.kept.values() ?? []) {
    for (const slot of tree.aggregates) if (!slots.includes(slot)) slots.push(slot);
  }
  return {
    name: step.name.text,
    scope: planScope(step.scope),
    where: scope.where(step.where)?.filter.test,
    aggregates: slots,
    until: until.clause,
    startsWithinMs: readDurationWindow(scope, step.startsWithin, "starts_within", false),
  };
}
