/**
 * Movements of chosen entities, kept one by one while recorded data is screened, and the numbers over earlier movements
 * that an analyst would compute from such a list: what a filter finds, how long money stays, what was passed on.
 */
import { AUTHORISATION_MS, RECENT_EVENTS_MAX } from "../base/limits.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { Tx } from "../domain/tx.ts";
import type { TxView } from "../domain/view.ts";
import type { Aggregate, PastEvent, PastQuery } from "../rules/plan.ts";
import type { JudgeContext } from "../screen/context.ts";
import { farEntity } from "../screen/movement-fold.ts";
import { scopeMatches } from "../screen/subject-index.ts";

/** A movement as one side of it sees it. */
export interface BookedMovement extends PastEvent {
  readonly tx: Tx;
  readonly txId: string;
  /** Order among the entity's movements. */
  readonly seq: number;
  amount: number;
  /** An authorisation that nothing has settled yet. */
  open: boolean;
  reversed: boolean;
}

/** Movements by entity. */
export interface MovementBook {
  /** Takes a movement that was just screened, seen from an entity; the context is aimed at it. */
  add(view: TxView, context: JudgeContext): void;
  of(entity: EntityKey): readonly BookedMovement[];
}

/** A number and the movements that it rests on. */
export interface Recounted {
  readonly value: number | undefined;
  readonly movements: readonly BookedMovement[];
}

/** An empty book. */
export function createMovementBook(): MovementBook {
  const kept = new Map<EntityKey, BookedMovement[]>();
  return {
    add(view, context) {
      const { tx, direction } = view;
      const list = kept.get(view.entity) ?? [];
      kept.set(view.entity, list);
      const incoming = direction === "in";
      const known = list.findLast((one) => one.incoming === incoming && one.txId === tx.relation?.of);
      if (tx.relation?.kind === "reversal") {
        if (known !== undefined) known.reversed = true;
        return;
      }
      if (tx.relation?.kind === "settles" && known?.open === true) {
        known.open = false;
        known.amount = tx.amount ?? Number.NaN;
        return;
      }
      const { id: txId, time, rail, purpose } = tx;
      const other = context.other === undefined ? "" : farEntity(context.other);
      const booked = { tx, txId, time, rail, purpose, incoming, other, seq: context.currentSeq, reversed: false };
      list.push({ ...booked, amount: tx.amount ?? Number.NaN, open: tx.stage === "authorised" });
    },
    of: (entity) => kept.get(entity) ?? [],
  };
}

/** An aggregate over earlier movements, computed anew from all movements of the entity as of the context. */
export function recountPast(
  aggregate: Aggregate,
  query: PastQuery,
  context: JudgeContext,
  all: readonly BookedMovement[],
): Recounted {
  const { now, currentSeq } = context;
  const moved = newest(all, now).filter((one) => {
    const isOut = one.reversed || (one.open && one.time < now - AUTHORISATION_MS);
    if (isOut || !(one.tx.stage === "booked" || one.tx.stage === "authorised")) return false;
    return query.matching === undefined || asked(context, one, query.matching) === true;
  });
  const inWindow = moved.filter(({ time }) => time > now - aggregate.windowMs);
  if (aggregate.function === "dwell" || aggregate.function === "passed_on") {
    const parts = firstInFirstOut(moved.filter(({ amount }) => !Number.isNaN(amount)));
    const value = aggregate.function === "dwell" ? meanStay(parts, inWindow) : sharePassed(parts, inWindow, query);
    return { value, movements: inWindow };
  }
  if (currentSeq < 0) return { value: undefined, movements: [] };
  const earlier = inWindow.filter(({ seq }) => seq < currentSeq);
  return { value: numberOver(aggregate, query, context, earlier), movements: earlier };
}

/** How often the rule's flow was completed, with the movements that did it. */
export function recountCompletions(
  aggregate: Aggregate,
  flow: number,
  context: JudgeContext,
  all: readonly BookedMovement[],
): Recounted {
  const { now, state, index, pack } = context;
  const rule = index.indicators.find((prepared) => prepared.rule.flow === flow);
  const since = now - aggregate.windowMs;
  const completions = rule === undefined ? [] : (state.flows.get(rule.index)?.completions ?? []);
  const times = completions.filter((time) => time > since && time <= now);
  const last = pack.flows[flow]?.steps.at(-1);
  const movements = all.filter(({ time, tx, incoming }) => {
    return times.includes(time) && last !== undefined && scopeMatches(last.scope, tx, incoming ? "in" : "out");
  });
  return { value: times.length, movements };
}

/** What an entity remembers one by one, in order of time. */
function newest(all: readonly BookedMovement[], now: number): BookedMovement[] {
  const known = all.filter(({ time }) => time <= now).sort((a, b) => a.time - b.time || a.seq - b.seq);
  return known.slice(-RECENT_EVENTS_MAX);
}

function asked<T>(context: JudgeContext, one: BookedMovement, read: (c: JudgeContext) => T): T {
  context.past = one;
  const value = read(context);
  context.past = undefined;
  return value;
}

function numberOver(
  aggregate: Aggregate,
  query: PastQuery,
  context: JudgeContext,
  list: readonly BookedMovement[],
): number | undefined {
  const { value: read, key } = query;
  if (key !== undefined) {
    return new Set(list.map((one) => asked(context, one, key)).filter((text) => text !== undefined)).size;
  }
  if (aggregate.function === "count") return list.length;
  if (aggregate.function === "last_seen")
    return list.length === 0 ? undefined : Math.max(...list.map((one) => one.time));
  const values = list.flatMap((one) => (read === undefined ? [] : (asked(context, one, read) ?? [])));
  if (aggregate.function === "sum") return values.reduce((sum, value) => sum + value, 0);
  if (values.length === 0) return undefined;
  return aggregate.function === "min" ? Math.min(...values) : Math.max(...values);
}

/** A part of what left that came in with one earlier movement. */
interface Passed {
  readonly amount: number;
  readonly came: number;
  readonly left: number;
}

/** What came in first leaves first. */
function firstInFirstOut(list: readonly BookedMovement[]): Passed[] {
  const waiting: { readonly came: number; rest: number }[] = [];
  const parts: Passed[] = [];
  for (const { incoming, amount, time } of list) {
    if (incoming) {
      waiting.push({ came: time, rest: amount });
      continue;
    }
    let open = amount;
    for (const sum of waiting) {
      const part = Math.min(open, sum.rest);
      if (part <= 0) continue;
      sum.rest -= part;
      open -= part;
      parts.push({ amount: part, came: sum.came, left: time });
    }
  }
  return parts;
}

function meanStay(parts: readonly Passed[], inWindow: readonly BookedMovement[]): number | undefined {
  const times = new Set(inWindow.map(({ time }) => time));
  const gone = parts.filter(({ left }) => times.has(left));
  const whole = gone.reduce((sum, { amount }) => sum + amount, 0);
  return whole > 0 ? gone.reduce((sum, { amount, came, left }) => sum + amount * (left - came), 0) / whole : undefined;
}

function sharePassed(
  parts: readonly Passed[],
  inWindow: readonly BookedMovement[],
  query: PastQuery,
): number | undefined {
  const times = new Set(inWindow.map(({ time }) => time));
  const cameIn = inWindow.reduce((sum, one) => (one.incoming && !Number.isNaN(one.amount) ? sum + one.amount : sum), 0);
  const soon = parts.filter(({ came, left }) => times.has(came) && left - came <= query.withinMs);
  return cameIn > 0 ? soon.reduce((sum, { amount }) => sum + amount, 0) / cameIn : undefined;
}
