/**
 * A place near the end of a tail from which it can be folded again. An account into which flagged money comes gets a
 * mark with each payment, behind later payments: with 256 views in its tail, folding all of them twice for each mark
 * took 25 ms, and a worker that saw fifty such payments a second fell behind.
 */
import { newSaid, type Said } from "./said.ts";
import type { Entity, EntityState, Shelf } from "./state.ts";
import { packState, unpackState } from "./state-codec.ts";
import { baseState, type Core, reversedInTail } from "./tail.ts";
import type { Tail } from "./view-tail.ts";

/** Views behind the shelf: late ones are seldom later than this many. */
const BEHIND = 8;
/** The shelf moves up by at least so many views: putting a state aside costs as much as folding a few. */
const STEP = 16;

/** Gives the entity a new tail and its fold, from the shelf where the tail begins as before; returns what it says. */
export function foldFromShelf(core: Core, entity: Entity, tail: Tail): Said {
  const reversed = reversedInTail(tail);
  const from = usable(entity, tail, reversed);
  const state = from === undefined ? baseState(core, entity) : unpackState(from.state, core.pack, entity.kind);
  const said = newSaid(from?.said);
  const start = from?.views ?? 0;
  const until = tail.length - BEHIND;
  const isMoved = until - start >= STEP;
  let shelf = from;
  for (let i = start; i < tail.length; i += 1) {
    if (isMoved && i === until) shelf = putAside(core, entity, state, i, reversed, said);
    core.folder.fold(state, tail.at(i), reversed.has(i), said);
  }
  entity.work = state;
  entity.tail = tail;
  entity.shelf = shelf && { ...shelf, all: said };
  return said;
}

function putAside(
  core: Core,
  { kind }: Entity,
  state: EntityState,
  views: number,
  reversed: ReadonlySet<number>,
  said: Said,
): Shelf {
  return { views, state: packState(state, core.pack, kind), reversed, said: newSaid(said), all: said };
}

/** The shelf, if a tail begins with the views that it stands on and a reversal takes out the same of them. */
function usable(entity: Entity, tail: Tail, reversed: ReadonlySet<number>): Shelf | undefined {
  const { shelf } = entity;
  if (shelf === undefined || tail.sharedWith(entity.tail, shelf.views) < shelf.views) return undefined;
  const ofThem = (places: ReadonlySet<number>) => [...places].filter((place) => place < shelf.views);
  const before = ofThem(shelf.reversed);
  const after = ofThem(reversed);
  return before.length === after.length && after.every((place) => shelf.reversed.has(place)) ? shelf : undefined;
}
