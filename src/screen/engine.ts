/**
 * The engine: gives an entity its next view and returns what follows. An entity is a settled base and
 * a tail in total order; a view that comes late is put in its place, the tail is folded again and only
 * the difference is sent. So the order of arrival does not decide what holds in the end.
 */
import { hash48 } from "../base/hash.ts";
import { LATENESS_COUNTED_MS, LATENESS_JUDGED_MS, TAIL_EVENTS_MAX } from "../base/limits.ts";
import { type EntityKey, type EntityKind, kindOf } from "../domain/entity.ts";
import type { HitView, MarkView, ProfileView, TxView, View } from "../domain/view.ts";
import type { Pack } from "../rules/plan.ts";
import {
  decodeEntityParts,
  encodeAddition,
  encodeEntity,
  foldedViews,
  keepStored,
  packTag,
  type ReadParts,
  writtenUnder,
} from "./entity-codec.ts";
import { createFolder } from "./fold.ts";
import { concernsOther, findRepeat } from "./movement-fold.ts";
import { newEntity } from "./new-state.ts";
import type { FoldSink, Output, Verdict } from "./outputs.ts";
import { carryOver } from "./pack-change.ts";
import { refold, sameTelling } from "./refold.ts";
import { goesOn } from "./said.ts";
import { sendAlert } from "./send.ts";
import type { Entity, EntityState } from "./state.ts";
import { packState, unpackState } from "./state-codec.ts";
import { withStandIns } from "./subject-index.ts";
import {
  type Core,
  type EngineOptions,
  emptyState,
  foldFrom,
  foldTail,
  originalIn,
  reversedInTail,
  SILENT,
  settle,
  takesBack,
} from "./tail.ts";

export type { EngineOptions } from "./tail.ts";

export interface Engine {
  readonly pack: Pack;
  /** Names the pack in the values that `encode` gives. */
  readonly tag: number;
  /** How often a rule (by slot), or a filter of its, lacked an input since the engine was made; refolds not counted. */
  readonly unknown: readonly number[];
  newEntity(key: EntityKey): Entity;
  /** Takes the next view in; appends what follows to `out`, in order. `packed`: its bytes, to be kept in its stead. */
  apply(entity: Entity, view: View, out: Output[], packed?: string): Verdict;
  /** The whole entity as bytes. */
  encode(entity: Entity): Uint8Array;
  /** What to put behind the bytes given or read last; undefined: that would not do, the entity must be encoded. */
  addition(entity: Entity): Uint8Array | undefined;
  /** Throws RangeError when the bytes are not an entity of this format. */
  decode(key: EntityKey, bytes: Uint8Array, additions?: readonly Uint8Array[]): Entity;
  /** `tag` of the engine that gave the bytes. Throws RangeError when they are not an entity of this format. */
  tagOf(bytes: Uint8Array): number;
  /**
   * Takes over an entity that the engine of another pack has kept: its tail settles as it was judged there, what the
   * two packs share goes on, what is new in this one begins.
   */
  adopt(entity: Entity, from: Engine): Entity;
}

/** Makes the engine of a pack. It holds no entity; entities are given to it one by one. */
export function createEngine(pack: Pack, options: EngineOptions): Engine {
  const full = withStandIns(pack);
  const unknown = full.rules.map(() => 0);
  const live = createLiveSink(unknown, readersOf(full));
  const core: Live = { pack: full, folder: createFolder(full), options, live };
  return {
    pack: full,
    unknown,
    newEntity: (key) => newEntity(key, emptyState(core, kindOf(key))),
    apply: (entity, view, out, packed) => apply(core, entity, view, out, packed),
    tag: packTag(full.hash),
    encode(entity) {
      keepStored(entity, foldedViews(entity));
      return encodeEntity(entity, full);
    },
    addition: encodeAddition,
    tagOf: writtenUnder,
    adopt(entity, from) {
      const { key, kind, sent } = entity;
      if (entity.base === undefined && entity.tail.length === 0)
        return newEntity(key, emptyState(core, kind), { sent });
      const work = carryOver(entity.work, kind, from.pack, full);
      return newEntity(key, work, { base: packState(work, full, kind), sent });
    },
    decode(key, bytes, additions) {
      const parts = decodeEntityParts(bytes, key, full, additions);
      const entity = newEntity(key, foldRead(core, kindOf(key), parts), parts);
      keepStored(entity, parts.folded);
      return entity;
    },
  };
}

/** The working state of an entity that was read: what its stored fold has not taken in is folded now. */
function foldRead(core: Core, kind: EntityKind, { base, views, fold, folded }: ReadParts): EntityState {
  if (fold === undefined) return foldTail(core, { base, kind }, views, SILENT);
  return foldFrom(core, unpackState(fold, core.pack, kind), folded, views, SILENT);
}

interface Live extends Core {
  readonly live: LiveSink;
}

/** Slots of the rules that read each measure. */
function readersOf(pack: Pack): number[][] {
  const readers: Set<number>[] = pack.measures.map(() => new Set());
  for (const rule of pack.rules) {
    for (const { slot } of rule.aggregates) {
      const measure = pack.aggregates[slot]?.measure;
      if (measure !== undefined) readers[measure]?.add(rule.slot);
    }
  }
  return readers.map((slots) => [...slots]);
}

function apply(core: Live, entity: Entity, view: View, out: Output[], packed: string | undefined): Verdict {
  if (view.kind === "tx") return applyTx(core, entity, view, out, packed);
  if (view.kind === "profile") return applyProfile(core, entity, view, out);
  if (view.kind === "event") return insert(core, entity, view, out);
  return applyDerived(core, entity, view, out);
}

/**
 * A profile is in force from its own date on, wherever it is folded: one of the future is kept until then. Only one
 * that comes more than L late holds from its arrival on.
 */
function applyProfile(core: Live, entity: Entity, view: ProfileView, out: Output[]): Verdict {
  const { clock } = entity.work;
  // Before the first view there is nothing that it could stand behind.
  if (!Number.isFinite(clock)) return insert(core, entity, { ...view, time: Math.min(view.time, 0) }, out);
  const late = view.time < clock - LATENESS_JUDGED_MS;
  const verdict = insert(core, entity, late || view.time > clock ? atClock(view, clock) : view, out);
  return late ? "counted" : verdict;
}

/** Sorts behind every transaction id of the same time. */
const LAST_AT_ITS_TIME = "\uffff";

/** A view in the place of its arrival: behind all that the entity has seen. */
function atClock<T extends ProfileView | TxView>(view: T, clock: number): T {
  return { ...view, time: clock, txId: LAST_AT_ITS_TIME };
}

function applyTx(core: Live, entity: Entity, view: TxView, out: Output[], packed: string | undefined): Verdict {
  const { clock, tombstones } = entity.work;
  if (view.time < clock - LATENESS_COUNTED_MS) return "too_late";
  const late = view.time < clock - LATENESS_JUDGED_MS;
  const repeat = findRepeat(entity.work, view);
  if (repeat === "duplicate" || repeat === "conflict") return repeat;
  if (repeat === "posting") return late ? "duplicate" : replacePosting(core, entity, view, out);
  if (!late) return insert(core, entity, view, out, packed);
  // Later than L: counted where it arrived, so that what was judged before stays as it was.
  const swallowed = tombstones.includes(hash48(view.tx.id));
  const verdict = insert(core, entity, atClock(view, clock), out);
  return swallowed || verdict === "reversed" ? "reversed" : "counted";
}

/**
 * Two records of one movement: the one from the entity's own ledger counts, else the one with the lesser id. A booking
 * that came before its authorisation shares the movement's id too, and is no other record of it.
 */
function replacePosting(core: Live, entity: Entity, view: TxView, out: Output[]): Verdict {
  const { movementId } = view.tx;
  const known = entity.tail.views();
  const isOfMovement = (one: View): one is TxView =>
    one.kind === "tx" && one.direction === view.direction && one.tx.movementId === movementId;
  const ofMovement = known.filter(isOfMovement);
  if (ofMovement.some(({ tx }) => tx.relation?.kind === "settles" && tx.relation.of === view.tx.id)) {
    return insert(core, entity, view, out);
  }
  const posting = ofMovement.find(({ tx }) => !concernsOther(tx));
  if (posting === undefined || postingRank(posting) <= postingRank(view)) return "duplicate";
  refold(core, entity, entity.tail.placed(view, known.indexOf(posting)), "late_event", out);
  return "refolded";
}

function postingRank(view: TxView): string {
  const own = view.direction === "in" ? "creditor" : "debtor";
  return `${view.tx.books === own ? 0 : view.tx.books === "both" ? 1 : 2}${view.tx.id}`;
}

/** A hit or mark of another entity: its telling may be repeated, changed or taken back. */
function applyDerived(core: Live, entity: Entity, view: HitView | MarkView, out: Output[]): Verdict {
  const at = entity.tail.telling(view.kind, view.id);
  if (view.off) {
    if (at < 0) return "ignored";
    refold(core, entity, entity.tail.without(at), "late_event", out);
    return "refolded";
  }
  if (at >= 0) {
    if (sameTelling(entity.tail.at(at) as HitView | MarkView, view)) return "duplicate";
    refold(core, entity, entity.tail.placed(view, at), "late_event", out);
    return "refolded";
  }
  const { clock } = entity.work;
  const late = view.time < clock - LATENESS_JUDGED_MS;
  insert(core, entity, late ? { ...view, time: clock } : view, out);
  return late ? "counted" : "judged";
}

/** Puts a view in its place: at the end it is folded at once, before the end the tail is folded again. */
function insert(core: Live, entity: Entity, view: View, out: Output[], packed?: string): Verdict {
  const { tail } = entity;
  if (tail.endsBefore(view) && !(takesBack(view) && originalIn(tail.views(), view) >= 0)) {
    const overflowed = settle(core, entity, view.time);
    entity.tail.push(view, packed);
    const reversed = view.kind === "tx" && mayBeReversed(entity.work) && isReversed(entity);
    core.live.aim(entity, view, out);
    core.folder.fold(entity.work, view, reversed, core.live);
    return reversed ? "reversed" : overflowed ? "overflowed" : "judged";
  }
  const reversal = view.kind === "tx" && view.tx.relation?.kind === "reversal";
  refold(
    core,
    entity,
    tail.placed(view),
    reversal ? "correction" : view.kind === "profile" ? "profile" : "late_event",
    out,
  );
  const overflowed = entity.tail.length > TAIL_EVENTS_MAX && settle(core, entity, entity.work.clock);
  return reversal ? "reversed" : overflowed ? "overflowed" : "refolded";
}

/** Whether a reversal in the tail takes its last view out. */
function isReversed({ tail }: Entity): boolean {
  return reversedInTail(tail).has(tail.length - 1);
}

/** Whether a reversal came before its original: then it left the original's id, which may be among those seen. */
function mayBeReversed({ tombstones, seen }: EntityState): boolean {
  return tombstones.length > 0 || seen !== undefined;
}

/** Sends at once. One object an engine, pointed at the entity being folded: a view is too short for one of its own. */
interface LiveSink extends FoldSink {
  aim(entity: Entity, view: View, out: Output[]): void;
}

function createLiveSink(unknown: number[], readers: readonly (readonly number[])[]): LiveSink {
  let aimed: { readonly entity: Entity; readonly view: View; readonly out: Output[] } | undefined;
  const count = (slot: number) => {
    unknown[slot] = (unknown[slot] ?? 0) + 1;
  };
  return {
    aim(entity, view, out) {
      aimed = { entity, view, out };
    },
    alert(content, hash) {
      if (aimed === undefined) return;
      aimed.entity.shelf?.all.alert(content, hash);
      const cause = aimed.view.kind === "profile" ? "profile" : "evidence";
      sendAlert(aimed.entity, content, hash, cause, aimed.out);
    },
    view(view) {
      aimed?.entity.shelf?.all.view(view);
      if (goesOn(view)) aimed?.out.push({ kind: "view", view });
    },
    hit(hit) {
      aimed?.entity.shelf?.all.hit(hit);
      aimed?.out.push({ kind: "hit", hit });
    },
    unknown: ({ slot }) => count(slot),
    unknownFilter: ({ slot }) => {
      for (const rule of readers[slot] ?? []) count(rule);
    },
  };
}
