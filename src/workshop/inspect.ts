/**
 * Looks into a pipeline in memory right after a movement was screened: every rule of an entity as a tree of
 * clauses with what was seen, what was needed and how far apart the two are. Nothing is changed by looking.
 */
import { type EntityKey, kindOf, tokenOf } from "../domain/entity.ts";
import type { TxView, View } from "../domain/view.ts";
import type { Scope } from "../rules/plan.ts";
import { JudgeContext } from "../screen/context.ts";
import type { Embedded } from "../screen/embedded.ts";
import type { EntityState } from "../screen/state.ts";
import { indexPack, type PreparedRule, type SubjectIndex } from "../screen/subject-index.ts";
import { holderKnown } from "../screen/targets.ts";
import { scoreOf } from "../screen/typologies.ts";
import { type ClauseReport, closenessOf, reportClause } from "./clause-report.ts";

/** `fired`: this movement opened or prolonged an episode or an alert. `not_judged`: `reason` says why. */
export type Outcome = "fired" | "quiet" | "not_judged";

/** One tree of a rule: `when`, `alert_when` or what a step of a flow waits for. */
export interface TreeReport {
  readonly name: string;
  readonly clause: ClauseReport;
  /** Of a step after the first: whether the steps before it have been reached. */
  readonly armed: boolean | undefined;
}

export interface RuleReport {
  readonly ruleId: string;
  readonly version: number;
  readonly title: string;
  readonly kind: "indicator" | "typology";
  readonly status: string;
  readonly entity: { readonly kind: string; readonly token: string };
  readonly outcome: Outcome;
  readonly reason: string | undefined;
  /** From 0 to 1: how near the rule is to firing; 1 when it fires. */
  readonly closeness: number;
  readonly trees: readonly TreeReport[];
  /** Of a typology: families that score, with their points. */
  readonly families: readonly { readonly name: string; readonly points: number }[];
  readonly cautions: readonly string[];
  /** A person in the pattern may be a victim, by the rule's roles or by earlier hits of the entity. */
  readonly victimPossible: boolean;
}

export interface Inspector {
  /** Told of a movement before it is screened: where its entities acted last is gone afterwards. */
  before(views: readonly TxView[]): void;
  /** Every rule that can be judged on the view's entity, as of the view. */
  inspect(view: View): RuleReport[];
  /** The context pointed at a view; undefined when the entity is unknown. Valid until the next call. */
  aim(view: View): JudgeContext | undefined;
  /** Rules that the view's movement is judged by. */
  candidates(view: TxView): readonly PreparedRule[];
}

/** An inspector of a pipeline in memory. */
export function createInspector(embedded: Embedded): Inspector {
  const { pack } = embedded.engine;
  const context = new JudgeContext(pack);
  const indexes = indexPack(pack);
  const acts = new Map<EntityKey, EntityState["act"]>();
  const aim = (view: View): JudgeContext | undefined => {
    const state = embedded.entity(view.entity)?.work;
    if (state === undefined) return undefined;
    context.aim(state, indexes.get(kindOf(view.entity)) as SubjectIndex, view, view.time);
    const place = state.recent.findByTx(view.txId);
    context.currentSeq = place < 0 ? -1 : state.recent.seqAt(place);
    // A movement without a place, or of the other side, asks nothing of where the entity was before.
    if (state.act?.time === view.time) context.priorAct = acts.get(view.entity);
    return context;
  };
  return {
    aim,
    before(views) {
      acts.clear();
      for (const { entity } of views) acts.set(entity, embedded.entity(entity)?.work.act);
    },
    inspect(view) {
      const aimed = aim(view);
      if (aimed === undefined) return [];
      const { indicators, typologies } = aimed.index;
      return [
        ...indicators.map((prepared) => reportIndicator(aimed, prepared)),
        ...typologies.map((prepared) => reportTypology(aimed, prepared)),
      ];
    },
    candidates(view) {
      const index = indexes.get(kindOf(view.entity)) as SubjectIndex;
      return index.candidates(view.tx, view.direction).indicators;
    },
  };
}

function reportIndicator(context: JudgeContext, prepared: PreparedRule): RuleReport {
  const { rule, flow } = prepared;
  const steps = flow?.flow.steps ?? [];
  const cells = context.state.flows.get(prepared.index);
  const trees: TreeReport[] = steps.map((step, i) => ({
    name: step.name,
    clause: reportClause(step.until, context),
    armed: i === 0 ? undefined : (cells?.armedSeq[i] ?? -1) >= 0,
  }));
  if (rule.when !== undefined) trees.push({ name: "when", clause: reportClause(rule.when, context), armed: undefined });
  const reason = notJudged(context, prepared);
  const episode = context.state.rules.get(prepared.index)?.episodes.at(-1);
  const fired = reason === undefined && episode?.last === context.now && holds(trees);
  return report(context, prepared, trees, fired, reason);
}

function reportTypology(context: JudgeContext, prepared: PreparedRule): RuleReport {
  const plan = prepared.rule.typology;
  if (plan === undefined) return report(context, prepared, [], false, "the rule has no condition");
  context.scoring = scoreOf(context, plan);
  const trees = [{ name: "alert_when", clause: reportClause(plan.alertWhen, context), armed: undefined }];
  const fired = context.state.alerts.get(prepared.index)?.last === context.now && holds(trees);
  const families = [...context.scoring.families].map(([name, { points }]) => ({ name, points }));
  const standsIn = prepared.standIn && holderKnown(context);
  const reason = standsIn ? "the holder of the account is known and judged in its place" : undefined;
  return { ...report(context, prepared, trees, fired, reason), families };
}

/** A flow fires by its last step: earlier ones may hold no longer when they are looked at afterwards. */
function holds(trees: readonly TreeReport[]): boolean {
  const last = trees[trees.length - 1];
  return last === undefined || last.clause.value === true;
}

function report(
  context: JudgeContext,
  prepared: PreparedRule,
  trees: readonly TreeReport[],
  fired: boolean,
  reason: string | undefined,
): RuleReport {
  const { rule } = prepared;
  const { entity, state, now } = context;
  // A step that waits for those before it has nothing of its own yet.
  const parts = trees.map(({ clause, armed }) => (armed === false ? 0 : closenessOf(clause)));
  const mean = parts.length === 0 ? 0 : parts.reduce((sum, part) => sum + part, 0) / parts.length;
  const may = [...rule.selfMayBe, ...rule.otherMayBe];
  return {
    ruleId: rule.id,
    version: rule.version,
    title: rule.title,
    kind: rule.kind,
    status: rule.status,
    entity: { kind: kindOf(entity), token: tokenOf(entity) },
    outcome: fired ? "fired" : reason === undefined ? "quiet" : "not_judged",
    reason,
    closeness: fired ? 1 : mean,
    trees,
    families: [],
    cautions: rule.cautions,
    victimPossible: state.victimUntil >= now || may.includes("victim") || may.includes("relative"),
  };
}

function notJudged(context: JudgeContext, prepared: PreparedRule): string | undefined {
  const { rule, flow } = prepared;
  const { tx, direction } = context;
  if (rule.minHistoryMs > 0 && isTooNew(context, rule.minHistoryMs)) {
    const days = Math.round(rule.minHistoryMs / 86_400_000);
    return `the entity has been known for less than ${days} d, and no profile says that it is older`;
  }
  if (tx === undefined || direction === undefined) return undefined;
  const scopes = flow === undefined ? [rule.scope] : flow.flow.steps.map((step) => step.scope);
  const reasons = scopes.map((scope) => (scope === undefined ? undefined : outside(scope, context)));
  if (reasons.some((reason) => reason === undefined)) return undefined;
  return flow === undefined ? reasons[0] : `the movement is none of the flow's: ${reasons[reasons.length - 1]}`;
}

function isTooNew(context: JudgeContext, leastMs: number): boolean {
  if (context.now - context.state.since >= leastMs) return false;
  const exists = context.existsSince();
  return exists === undefined || context.now - exists < leastMs;
}

/** Which part of a scope leaves the movement out; undefined: it lies inside. */
function outside(scope: Scope, context: JudgeContext): string | undefined {
  const { tx, direction } = context;
  const parts: [string, string | undefined, readonly string[] | undefined][] = [
    ["rail", tx?.rail, scope.rail],
    ["direction", direction, scope.direction],
    ["channel", tx?.channel, scope.channel],
    ["purpose", tx?.purpose, scope.purpose],
    ["stage", tx?.stage, scope.stage],
  ];
  for (const [name, value, wanted] of parts) {
    if (wanted === undefined || (value !== undefined && wanted.includes(value))) continue;
    return `its ${name} is ${value ?? "not known"}; the rule looks at ${wanted.join(", ")}`;
  }
  return undefined;
}

/** Entities that a movement told, and those that they tell: holders and links. */
export function entitiesAround(embedded: Embedded, views: readonly TxView[]): EntityKey[] {
  const told = views.flatMap((view) => stateOf(embedded, view.entity)?.tellTo ?? []);
  const own = new Set(views.map((view) => view.entity));
  return [...new Set(told)].filter((entity) => !own.has(entity)).sort();
}

function stateOf(embedded: Embedded, entity: EntityKey): EntityState | undefined {
  return embedded.entity(entity)?.work;
}
