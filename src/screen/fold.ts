/**
 * The fold: takes one view into an entity's state and judges what it can concern. Pure, in the order
 * that it is called; the engine above decides the order.
 */
import { kindOf } from "../domain/entity.ts";
import type { HitView, MarkView, TxView, View } from "../domain/view.ts";
import type { Pack, Tri } from "../rules/plan.ts";
import { JudgeContext } from "./context.ts";
import { advanceFlow } from "./flow-advance.ts";
import { receiveHit, recordJudgement, tellHit } from "./hits.ts";
import { type FlaggedRule, followMovement, markOwnFlows, receiveMark } from "./marks.ts";
import { foldLate, foldMovement } from "./movement-fold.ts";
import type { FoldSink } from "./outputs.ts";
import type { EntityState, Episode } from "./state.ts";
import { indexPack, type PreparedRule, type SubjectIndex } from "./subject-index.ts";
import { foldProfile, followProfiles, learnTargets } from "./targets.ts";
import { type AlertTests, alertTests, judgeTypologies } from "./typologies.ts";

export interface Folder {
  /** Folds a view. `reversed`: a reversal in the tail takes this movement out. */
  fold(state: EntityState, view: View, reversed: boolean, sink: FoldSink): void;
}

/** Makes the fold of a pack. One folder serves all entities, one view at a time. */
export function createFolder(pack: Pack): Folder {
  const context = new JudgeContext(pack);
  const indexes = indexPack(pack);
  const tests = alertTests(pack.rules);
  return {
    fold(state, view, reversed, sink) {
      context.aim(state, indexes.get(kindOf(view.entity)) as SubjectIndex, view, view.time);
      context.unknownFilter = sink.unknownFilter;
      foldView({ context, tests, sink }, view, reversed);
    },
  };
}

interface Fold {
  readonly context: JudgeContext;
  readonly tests: AlertTests;
  readonly sink: FoldSink;
}

function foldView(fold: Fold, view: View, reversed: boolean): void {
  const { context, sink } = fold;
  const { state } = context;
  if (view.kind === "profile") {
    foldProfile(context, view.profile, sink);
    return;
  }
  if (state.profiles.length > 0) followProfiles(context, sink);
  if (view.kind === "tx") {
    foldTx(fold, view, reversed);
    return;
  }
  state.clock = Math.max(state.clock, view.time);
  if (view.kind === "hit") {
    receiveHit(context, view, sink);
    judgeDerived(fold, view);
  } else if (view.kind === "mark" && receiveMark(context, view, sink)) {
    judgeDerived(fold, view);
  }
}

function foldTx(fold: Fold, view: TxView, reversed: boolean): void {
  const { context, sink } = fold;
  const { index } = context;
  if (view.time !== view.tx.time) {
    // It came too late to be judged and stands where it arrived; its window and its profile are those of its time.
    context.aim(context.state, index, view, view.tx.time);
    foldLate(context, view, reversed);
    return;
  }
  if (!reversed) learnTargets(context, sink);
  if (!foldMovement(context, view, reversed)) return;
  const candidates = index.candidates(view.tx, view.direction);
  let changed = false;
  for (const prepared of candidates.indicators) {
    const holds = judge(context, prepared, view);
    if (holds === "not_asked") continue;
    if (holds === undefined) sink.unknown(prepared.rule);
    const episode = recordJudgement(context, prepared, holds, sink);
    if (episode === undefined) continue;
    changed = true;
    flag(fold, prepared, episode);
  }
  follow(fold);
  if (changed) judgeTypologies(context, index.typologies, fold.tests, sink);
  else if (candidates.typologies.length > 0) judgeTypologies(context, candidates.typologies, fold.tests, sink);
}

/** Whether an indicator holds on a movement of its scope; `not_asked` where an open flow leaves nothing to judge. */
function judge(context: JudgeContext, prepared: PreparedRule, view: TxView): Tri | "not_asked" {
  const { rule } = prepared;
  if (rule.minHistoryMs > 0 && tooNew(context, rule.minHistoryMs)) return undefined;
  if (prepared.flow !== undefined) {
    const reached = advanceFlow(context, prepared, view);
    if (reached !== true || prepared.when === undefined) return reached === false ? "not_asked" : reached;
    return prepared.when(context);
  }
  return prepared.when === undefined ? "not_asked" : prepared.when(context);
}

/** Palermo has not seen the entity for long enough, and no profile says that it is older or really new. */
function tooNew(context: JudgeContext, minHistoryMs: number): boolean {
  if (context.now - context.state.since >= minHistoryMs) return false;
  const exists = context.existsSince();
  return exists === undefined || context.now - exists < minHistoryMs;
}

/** Rules that count hits or marks are judged when one arrives; then the typologies. */
function judgeDerived(fold: Fold, view: HitView | MarkView): void {
  const { context } = fold;
  context.touch();
  for (const prepared of context.index.indicators) {
    if (prepared.rule.hitInputs.length === 0 || prepared.when === undefined) continue;
    const inputs = prepared.rule.hitInputs.map((slot) => context.pack.hitInputs[slot]);
    if (!inputs.some((input) => input?.of.includes(view.ruleId))) continue;
    const holds = prepared.when(context);
    if (holds === undefined) fold.sink.unknown(prepared.rule);
    const episode = recordJudgement(context, prepared, holds, fold.sink);
    if (episode !== undefined) flag(fold, prepared, episode);
  }
  judgeTypologies(context, context.index.typologies, fold.tests, fold.sink);
}

function flag(fold: Fold, prepared: PreparedRule, episode: Episode): void {
  tellHit(fold.context, prepared, episode, fold.sink);
  markOwnFlows(fold.context, prepared.rule, episode.start, undefined, fold.sink);
}

/** Running episodes and marks follow each further movement. */
function follow(fold: Fold): void {
  const { context } = fold;
  const { state, index, now } = context;
  const flagged: FlaggedRule[] = [];
  for (const { rule, index: at } of index.marking.indicators) {
    const newest = state.rules.get(at)?.episodes.at(-1);
    if (newest !== undefined && now - newest.last <= rule.suppressForMs) {
      flagged.push({ rule, period: newest.start, alertId: undefined });
    }
  }
  for (const { rule, index: at } of index.marking.typologies) {
    const alert = state.alerts.get(at);
    if (alert !== undefined && now - alert.last <= rule.suppressForMs) {
      flagged.push({ rule, period: alert.start, alertId: alert.alertId });
    }
  }
  if (flagged.length > 0 || state.marks.length > 0) followMovement(context, flagged, fold.sink);
}
