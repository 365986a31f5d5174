/**
 * Marks: a hit carried along money. A flagged entity marks its flows of the look-back, an entity that
 * is marked passes the mark on along its own flows: later than the flow followed (downstream) or
 * earlier (upstream). Hops, fan-out and roots are bounded, hubs keep and do not pass.
 */
import { hash48 } from "../base/hash.ts";
import {
  HUB_COUNTERPARTIES,
  MARK_FANOUT_MAX,
  MARK_HOPS_MAX,
  MARK_LOOKBACK_MS,
  MARK_ROOTS_MAX,
  MARK_ROOTS_PASSED_MAX,
} from "../base/limits.ts";
import { changeable } from "../base/lists.ts";
import { type EntityKey, kindOf } from "../domain/entity.ts";
import type { MarkView } from "../domain/view.ts";
import type { CompiledRule } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { farEntity } from "./movement-fold.ts";
import type { FoldSink } from "./outputs.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { EntityState } from "./state.ts";
import { ruleOf } from "./subject-index.ts";
import { targetsNow } from "./targets.ts";
import { derivedIndex, isVictimRole, tellingId } from "./tellings.ts";

type Flow = MarkView["flow"];

/** What a mark is about: enough to send it from a root or to pass it on. */
interface Trace {
  readonly rule: CompiledRule;
  readonly root: EntityKey;
  readonly alertId: string | undefined;
  readonly period: number;
  readonly flow: Flow;
  /** Distance of the entity that sends. */
  readonly distance: number;
  /** Flows after this (downstream) or before it (upstream) are followed. */
  readonly about: number;
  readonly amount: number;
}

/** Marks that an entity sends because a rule of its own holds: in both directions, as far as rules read them. */
export function markOwnFlows(
  context: JudgeContext,
  rule: CompiledRule,
  period: number,
  alertId: string | undefined,
  sink: FoldSink,
): void {
  for (const flow of ["downstream", "upstream"] as const) {
    if (rule.marks[flow] >= 1) passOn(context, ownTrace(context, { rule, period, alertId }, flow), sink);
  }
}

function ownTrace(context: JudgeContext, { rule, period, alertId }: FlaggedRule, flow: Flow): Trace {
  const about = flow === "downstream" ? context.now - MARK_LOOKBACK_MS : Number.POSITIVE_INFINITY;
  return { rule, root: context.entity, alertId, period, flow, distance: 0, about, amount: Number.POSITIVE_INFINITY };
}

/** Tells the accounts behind a flagged party to mark their own flows: the money runs there. */
export function markAccounts(
  context: JudgeContext,
  rule: CompiledRule,
  period: number,
  alertId: string | undefined,
  accounts: readonly EntityKey[],
  sink: FoldSink,
): void {
  for (const flow of ["downstream", "upstream"] as const) {
    if (rule.marks[flow] < 1) continue;
    const trace = { rule, root: context.entity, alertId, period, flow, distance: 0, amount: Number.POSITIVE_INFINITY };
    const about = flow === "downstream" ? context.now - MARK_LOOKBACK_MS : context.now;
    for (const account of accounts) {
      if (account === context.entity || !firstPassing(context.state, { ...trace, about }, account)) continue;
      sink.view(markView(context, { ...trace, about }, account, 0, about, 0, ""));
    }
  }
}

/** Takes a mark in and passes it on; returns whether it is news here (nearer than what was known of its root). */
export function receiveMark(context: JudgeContext, mark: MarkView, sink: FoldSink): boolean {
  if (mark.root === context.entity) return false;
  const rule = ruleOf(context.pack, mark.ruleId);
  if (rule === undefined) return false;
  const news = keepMark(context.state, mark);
  if (!news) return false;
  if (mark.held) return true;
  tellHolders(context, mark, sink);
  const goesOn = mark.distance < Math.min(rule.marks[mark.flow], MARK_HOPS_MAX);
  if (goesOn && !isCrowded(context)) passOn(context, traceOf(mark, rule), sink);
  return true;
}

/**
 * After a movement: flagged or marked entities follow it at once. Only its own counterparty can be new to a trace,
 * so no other flow is looked at again (on a dense graph that was most of the cost of a marked entity).
 */
export function followMovement(context: JudgeContext, flagged: readonly FlaggedRule[], sink: FoldSink): void {
  const target = context.other === undefined ? "" : farEntity(context.other);
  if (target === "") return;
  const flow = context.direction === "in" ? "upstream" : "downstream";
  for (const own of flagged) {
    if (own.rule.marks[flow] >= 1) passOn(context, ownTrace(context, own, flow), sink, target);
  }
  if (flow === "upstream" || isCrowded(context)) return;
  for (const mark of context.state.marks) {
    if (mark.held || mark.flow !== flow || context.now - mark.about > MARK_LOOKBACK_MS) continue;
    const rule = ruleOf(context.pack, mark.ruleId);
    if (rule === undefined || mark.distance >= Math.min(rule.marks.downstream, MARK_HOPS_MAX)) continue;
    passOn(context, traceOf(mark, rule), sink, target);
  }
}

/** A rule of the entity whose episode runs. */
export interface FlaggedRule {
  readonly rule: CompiledRule;
  readonly period: number;
  readonly alertId: string | undefined;
}

function traceOf(mark: MarkView, rule: CompiledRule): Trace {
  const { root, alertId, period, flow, distance, about } = mark;
  const amount = distance === 0 ? Number.POSITIVE_INFINITY : mark.amount;
  return { rule, root, alertId, period, flow, distance, about, amount };
}

/** Sends a mark one hop further, once a counterparty and period; `only`: no further than to this one. */
function passOn(context: JudgeContext, trace: Trace, sink: FoldSink, only?: EntityKey): void {
  const { state } = context;
  if (only !== undefined && state.passed?.has(passingOf(trace, only))) return;
  const flows = flowsToFollow(context, trace, only);
  if (flows.size === 0 || isHub(context)) return;
  let sent = 0;
  for (const [target, { time, amount, txId }] of flows) {
    if (target === trace.root || target === context.entity) continue;
    if (sent >= MARK_FANOUT_MAX) break;
    if (!firstPassing(state, trace, target)) continue;
    sink.view(markView(context, trace, target, trace.distance + 1, time, Math.min(amount, trace.amount), txId));
    sent++;
  }
}

/** Whether a root's mark has not gone to `target` yet in this period; from now on it has. */
function firstPassing(state: EntityState, trace: Trace, target: EntityKey): boolean {
  state.passed ??= new Set();
  const { passed } = state;
  const passing = passingOf(trace, target);
  if (passed.has(passing)) return false;
  passed.add(passing);
  if (passed.size > MARK_ROOTS_MAX * MARK_FANOUT_MAX) {
    for (const oldest of passed) {
      passed.delete(oldest);
      break;
    }
  }
  return true;
}

function passingOf(trace: Trace, target: EntityKey): number {
  return hash48(`${trace.root}|${trace.rule.id}|${trace.period}|${trace.flow}|${target}`);
}

/** Counterparties along the trace: money in all, and the flow nearest to the root's in time. */
function flowsToFollow(
  context: JudgeContext,
  trace: Trace,
  only: EntityKey | undefined,
): Map<EntityKey, { time: number; amount: number; txId: string }> {
  const found = new Map<EntityKey, { time: number; amount: number; txId: string }>();
  const downstream = trace.flow === "downstream";
  const oldest = context.now - MARK_LOOKBACK_MS;
  const { recent } = context.state;
  for (let i = 0; i < recent.length; i += 1) {
    const other = recent.otherAt(i);
    if (other === "" || (only !== undefined && other !== only)) continue;
    const time = recent.timeAt(i);
    if (recent.isReversed(i) || time <= oldest || recent.isIncoming(i) === downstream) continue;
    if (downstream ? time < trace.about : time > trace.about) continue;
    take(found, recent, i, downstream);
  }
  return found;
}

function take(
  found: Map<EntityKey, { time: number; amount: number; txId: string }>,
  recent: RecentEvents,
  i: number,
  downstream: boolean,
): void {
  const amount = Number.isNaN(recent.amountAt(i)) ? 0 : recent.amountAt(i);
  const known = found.get(recent.otherAt(i));
  if (known === undefined) {
    found.set(recent.otherAt(i), { time: recent.timeAt(i), amount, txId: recent.txIdAt(i) });
    return;
  }
  known.amount += amount;
  // Upstream the latest payment counts: what funded it came before.
  if (!downstream) {
    known.time = recent.timeAt(i);
    known.txId = recent.txIdAt(i);
  }
}

/** Merchants and entities with very many counterparties join everybody: what passes through says nothing. */
function isHub(context: JudgeContext): boolean {
  const kind = kindOf(context.entity);
  if (kind === "merchant" || kind === "employer") return true;
  if (context.profile?.partyType === "public") return true;
  const { recent } = context.state;
  if (recent.length <= HUB_COUNTERPARTIES) return false;
  const others = new Set<EntityKey>();
  for (let i = 0; i < recent.length; i += 1) others.add(recent.otherAt(i));
  return others.size > HUB_COUNTERPARTIES;
}

/**
 * Money of very many flagged entities comes together here: like a hub, it joins everybody, keeps marks and passes none
 * on. Without it a dense network hands every root to every entity, over and over, as kept roots push each other out.
 */
function isCrowded(context: JudgeContext): boolean {
  const { marks } = context.state;
  if (marks.length < MARK_ROOTS_PASSED_MAX) return false;
  const roots = new Set<EntityKey>();
  for (const mark of marks) if (context.now - mark.time <= MARK_LOOKBACK_MS) roots.add(mark.root);
  return roots.size >= MARK_ROOTS_PASSED_MAX;
}

/** A holder is told of its account's marks at the same distance: holding is no hop along money. */
function tellHolders(context: JudgeContext, mark: MarkView, sink: FoldSink): void {
  if (mark.distance === 0 || kindOf(context.entity) === "party") return;
  const { now, entity, view } = context;
  for (const target of targetsNow(context)) {
    if (!target.startsWith("party:") || target === mark.root) continue;
    const place = { entity: target, time: now, txId: view.txId, hop: view.hop + 1, source: entity };
    sink.view({ ...mark, ...place, held: true, id: tellingId(context, mark.id, target) });
  }
}

/** Keeps the nearest mark of each root, rule, period and flow; the newest roots stay. */
function keepMark(state: EntityState, mark: MarkView): boolean {
  const marks = changeable(state.marks);
  const at = marks.findIndex(
    (known) =>
      known.root === mark.root &&
      known.ruleId === mark.ruleId &&
      known.period === mark.period &&
      known.flow === mark.flow,
  );
  const known = marks[at];
  if (known !== undefined && known.distance <= mark.distance) return false;
  if (known !== undefined) marks.splice(at, 1);
  marks.push(mark);
  const roots = new Set(marks.map((kept) => kept.root));
  if (roots.size > MARK_ROOTS_MAX) {
    const oldest = (marks[0] as MarkView).root;
    for (let i = marks.length - 1; i >= 0; i--) if (marks[i]?.root === oldest) marks.splice(i, 1);
  }
  state.marks = marks;
  return true;
}

function markView(
  context: JudgeContext,
  trace: Trace,
  target: EntityKey,
  distance: number,
  about: number,
  amount: number,
  viaTx: string,
): MarkView {
  const { rule, root, period, flow } = trace;
  return {
    kind: "mark",
    entity: target,
    time: context.now,
    txId: context.view.txId,
    hop: context.view.hop + 1,
    source: context.entity,
    index: derivedIndex(rule.slot, root, flow === "downstream" ? 0 : 1),
    id: tellingId(context, `${rule.id}|${root}|${period}|${flow}|${distance}`, target),
    off: false,
    held: false,
    ruleId: rule.id,
    crime: rule.crime,
    victim: isVictimRole(rule),
    root,
    alertId: trace.alertId,
    flow,
    distance,
    period,
    about,
    amount: Number.isFinite(amount) ? amount : 0,
    viaTx,
  };
}
