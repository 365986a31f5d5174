/**
 * The tail of an entity: its views since the settled base, in total order. What can still be put in its
 * place or taken out again is here; what nothing can change any more moves into the base.
 */
import { LATENESS_JUDGED_MS, TAIL_EVENTS_MAX, TAIL_MS } from "../base/limits.ts";
import type { EntityKind } from "../domain/entity.ts";
import type { TxView, View } from "../domain/view.ts";
import type { Pack } from "../rules/plan.ts";
import type { Folder } from "./fold.ts";
import { newState } from "./new-state.ts";
import type { FoldSink } from "./outputs.ts";
import type { Entity, EntityState } from "./state.ts";
import { packState, unpackState } from "./state-codec.ts";
import { Tail } from "./view-tail.ts";

export interface EngineOptions {
  /** Views that a wholly settled tail may hold before the base moves up. Never changes what holds in the end. */
  readonly tailKeep: number;
  /** So many more for each recent event: moving the base costs what those cost. Default 0. */
  readonly tailShare?: number;
  /** Entities count as known for longer than every window before their first view: inline rule tests assume it. */
  readonly warm?: boolean;
}

/** What folding an entity needs beside the entity. */
export interface Core {
  readonly pack: Pack;
  readonly folder: Folder;
  readonly options: EngineOptions;
}

/** A sink for folds whose outputs were sent before. */
export const SILENT: FoldSink = {
  alert: () => {},
  view: () => {},
  hit: () => {},
  unknown: () => {},
  unknownFilter: () => {},
};

/** Tails shorter than this move into the base only as a whole: a part costs a fold of that part. */
const PARTIAL_SETTLE_MIN = 64;

/** State before the first view. */
export function emptyState(core: Core, kind: EntityKind): EntityState {
  const state = newState(core.pack.subjects[kind]);
  if (core.options.warm) state.since = Number.NEGATIVE_INFINITY;
  return state;
}

/** The settled base, decoded. */
export function baseState(core: Core, entity: Pick<Entity, "base" | "kind">): EntityState {
  return entity.base === undefined ? emptyState(core, entity.kind) : unpackState(entity.base, core.pack, entity.kind);
}

/** Folds `tail` from the entity's base; `reversed` are the places of movements that a reversal takes out. */
export function foldTail(
  core: Core,
  entity: Pick<Entity, "base" | "kind">,
  tail: readonly View[],
  sink: FoldSink,
  reversed?: ReadonlySet<number>,
): EntityState {
  return foldFrom(core, baseState(core, entity), 0, tail, sink, reversed);
}

/** Folds the views of `tail` from `start` on into a state that has taken in those before. */
export function foldFrom(
  core: Core,
  state: EntityState,
  start: number,
  tail: readonly View[],
  sink: FoldSink,
  reversed: ReadonlySet<number> = reversedIn(tail),
): EntityState {
  for (let i = start; i < tail.length; i += 1) core.folder.fold(state, tail[i] as View, reversed.has(i), sink);
  return state;
}

/**
 * Where in a tail the movement stands that a view reverses as if it had never been; -1: nowhere. A customer's own
 * reversal takes nothing back, else a launderer could cancel his alert: it is folded where it stands and subtracts.
 */
export function originalIn(tail: readonly View[], view: View): number {
  if (!takesBack(view)) return -1;
  return tail.findIndex((known) => {
    if (known.kind !== "tx" || known.tx.id !== view.tx.relation?.of || known.direction !== view.direction) return false;
    return known !== view && view.tx.time - known.tx.time <= LATENESS_JUDGED_MS;
  });
}

/** Whether a view is of a reversal that takes its original out. */
export function takesBack(view: View): view is TxView {
  if (view.kind !== "tx") return false;
  const { relation, initiator } = view.tx;
  return relation?.kind === "reversal" && initiator !== "debtor" && initiator !== "creditor";
}

const NONE: ReadonlySet<number> = new Set();

/** Places of the views of a tail that a reversal in it takes out. */
export function reversedIn(tail: readonly View[]): ReadonlySet<number> {
  let found: Set<number> | undefined;
  for (const view of tail) {
    const original = originalIn(tail, view);
    if (original < 0) continue;
    found ??= new Set();
    found.add(original);
  }
  return found ?? NONE;
}

/** The same of a tail that may be packed. */
export function reversedInTail(tail: Tail): ReadonlySet<number> {
  return tail.reverses ? reversedIn(tail.views()) : NONE;
}

/** Moves the base up over what no view can change any more; true when a full tail forced it to move further. */
export function settle(core: Core, entity: Entity, now: number): boolean {
  const { tail } = entity;
  const { tailKeep, tailShare = 0 } = core.options;
  const keep = tailKeep + tailShare * entity.work.recent.length;
  if (tail.length < keep) return false;
  const settled = Math.max(entity.work.clock, now) - TAIL_MS;
  if (tail.newest < settled) {
    entity.base = packState(entity.work, core.pack, entity.kind);
    entity.tail = Tail.of();
    entity.shelf = undefined;
    return false;
  }
  // Moving the base by a part of the tail folds that part twice: worth it only for many views at once.
  if (tail.length < Math.max(PARTIAL_SETTLE_MIN, keep)) return false;
  let part = tail.countBefore(settled);
  const overflowed = tail.length >= TAIL_EVENTS_MAX && part === 0;
  if (overflowed) part = TAIL_EVENTS_MAX / 4;
  if (part < PARTIAL_SETTLE_MIN / 2) return false;
  const state = foldTail(core, entity, tail.views(0, part), SILENT, reversedInTail(tail));
  entity.base = packState(state, core.pack, entity.kind);
  entity.tail = tail.from(part);
  entity.shelf = undefined;
  return overflowed;
}
