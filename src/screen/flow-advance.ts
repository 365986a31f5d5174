/**
 * Advances a flow by one movement: ordered steps within a bound, in a fixed number of cells. Step k
 * counts what came after step k-1 was reached; only an event of the last step can complete the flow.
 */
import type { TxView } from "../domain/view.ts";
import type { Context, FlowStep, Tri } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { newFlowState } from "./new-state.ts";
import type { FlowState } from "./state.ts";
import { type PreparedRule, scopeMatches } from "./subject-index.ts";

/** True when this movement completes the flow, or prolongs a completed one. */
export function advanceFlow(context: JudgeContext, prepared: PreparedRule, view: TxView): Tri {
  const plan = prepared.flow;
  if (plan === undefined) throw new Error(`invariant broken: ${prepared.rule.id} has no flow`);
  const { flow, until } = plan;
  const { state } = context;
  const cancels = flow.cancelOn !== undefined && inStep(context, flow.cancelOn, view);
  let cells = state.flows.get(prepared.index);
  if (cells === undefined) {
    // Only a first step, or what cancels one, leaves something to remember.
    if (!cancels && !inStep(context, flow.steps[0] as FlowStep, view)) return false;
    cells = newFlowState(flow);
    state.flows = state.flows.set(prepared.index, cells);
  }
  const seq = state.seq - 1;
  if (cancels) {
    restart(cells, seq);
    context.touch();
    return false;
  }
  let result: Tri = false;
  // Later steps first, so that an event that fits two steps cannot begin and complete a flow at once.
  for (let k = flow.steps.length - 1; k >= 0; k--) {
    const step = flow.steps[k] as FlowStep;
    if (!inStep(context, step, view)) continue;
    if (k === 0) firstStep(context, cells, until[0], seq);
    else if (laterStep(context, cells, step, k, flow.withinMs, seq)) {
      const reached = until[k]?.(context);
      if (k < flow.steps.length - 1) {
        if (reached === true && (cells.armedSeq[k + 1] as number) < 0) arm(cells, k + 1, seq, context.now);
      } else {
        result = reached === true ? stillReached(context, until) : reached;
        if (result === true) complete(cells, context.now);
      }
    }
  }
  return result;
}

/** Completions that are kept: thresholds of the catalogue are 3 to 5. */
const COMPLETIONS_MAX = 32;

/** One cycle completes once; what still comes of its last step only prolongs it. */
function complete(cells: FlowState, now: number): void {
  if (!cells.done) cells.completions.push(now);
  if (cells.completions.length > COMPLETIONS_MAX) cells.completions.shift();
  cells.done = true;
}

function inStep(context: Context, step: Pick<FlowStep, "scope" | "where">, view: TxView): boolean {
  if (!scopeMatches(step.scope, view.tx, view.direction)) return false;
  return step.where === undefined || step.where(context) === true;
}

function firstStep(
  context: JudgeContext,
  cells: FlowState,
  until: ((c: Context) => Tri) | undefined,
  seq: number,
): void {
  // Money that came in before an earlier completion is not counted a second time.
  if (cells.done) restart(cells, seq - 1);
  if (Number.isNaN(cells.first[0] as number)) cells.first[0] = context.now;
  cells.last[0] = context.now;
  context.touch();
  if (cells.armedSeq.length > 1 && (cells.armedSeq[1] as number) < 0 && until?.(context) === true) {
    arm(cells, 1, seq, context.now);
  }
}

/** Takes the event into step k; false when the step is not armed or the event came too late for it. */
function laterStep(
  context: JudgeContext,
  cells: FlowState,
  step: FlowStep,
  k: number,
  withinMs: number,
  seq: number,
): boolean {
  if ((cells.armedSeq[k] as number) < 0) return false;
  const begun = !Number.isNaN(cells.first[k] as number);
  const late = step.startsWithinMs !== undefined && context.now - (cells.last[k - 1] as number) > step.startsWithinMs;
  if ((!begun && late) || context.now - (cells.armedTime[k] as number) > withinMs) {
    disarm(cells, k);
    // Armed again from here when the step before still holds: this event itself does not count.
    if (context.now - (cells.last[k - 1] as number) <= withinMs) arm(cells, k, seq, context.now);
    context.touch();
    return false;
  }
  if (!begun) cells.first[k] = context.now;
  cells.last[k] = context.now;
  context.touch();
  return true;
}

/** The steps before the last must still hold inside the bound when the flow completes. */
function stillReached(context: JudgeContext, until: readonly ((c: Context) => Tri)[]): Tri {
  for (let k = 0; k < until.length - 1; k++) {
    const value = until[k]?.(context);
    if (value !== true) return value;
  }
  return true;
}

function arm(cells: FlowState, k: number, seq: number, now: number): void {
  cells.armedSeq[k] = seq;
  cells.armedTime[k] = now;
  cells.first[k] = Number.NaN;
  cells.last[k] = Number.NaN;
}

function disarm(cells: FlowState, from: number): void {
  for (let k = from; k < cells.armedSeq.length; k++) {
    cells.armedSeq[k] = -1;
    cells.armedTime[k] = Number.NaN;
    cells.first[k] = Number.NaN;
    cells.last[k] = Number.NaN;
  }
}

function restart(cells: FlowState, afterSeq: number): void {
  disarm(cells, 0);
  cells.armedSeq[0] = afterSeq;
  cells.done = false;
}
