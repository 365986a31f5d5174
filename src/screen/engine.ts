/**
 * The engine: gives an entity its next view and returns what follows. An entity is a settled base and
 * a tail in total order; a view that comes late is put in its place, the tail is folded again and only
 * the difference is sent. So the order of arrival does not decide what holds in the end.
 */
import { fnv1a32 } from "../base/hash.ts";
import { LATENESS_COUNTED_MS, LATENESS_JUDGED_MS, TAIL_EVENTS_MAX, TAIL_MS } from "../base/limits.ts";
import { type EntityKey, type EntityKind, kindOf } from "../domain/entity.ts";
import { compareViews, type HitView, type MarkView, type ProfileView, type TxView, type View } from "../domain/view.ts";
import type { Pack } from "../rules/plan.ts";
import { createFolder, type Folder } from "./fold.ts";
import { findRepeat } from "./movement-fold.ts";
import { newEntity, newState } from "./new-state.ts";
import type { AlertContent, FoldSink, HitRecord, Output, Verdict } from "./outputs.ts";
import { carryOver } from "./pack-change.ts";
import { sendAlert, sendWithdrawal } from "./send.ts";
import type { Entity, EntityState } from "./state.ts";
import {
  decodeEntityParts,
  decodeStateBytes,
  encodeEntity,
  encodeStateBytes,
  packTag,
  writtenUnder,
} from "./state-codec.ts";
import { withStandIns } from "./subject-index.ts";
import { lastSaid } from "./typologies.ts";

export interface EngineOptions {
  /** Views that a wholly settled tail may hold before the base moves up. Never changes what holds in the end. */
  readonly tailKeep: number;
  /** Entities count as known for longer than every window before their first view: inline rule tests assume it. */
  readonly warm?: boolean;
}

export interface Engine {
  readonly pack: Pack;
  /** Names the pack in the values that `encode` gives. */
  readonly tag: number;
  /** How often a rule (by slot), or a filter of its, lacked an input since the engine was made; refolds not counted. */
  readonly unknown: readonly number[];
  newEntity(key: EntityKey): Entity;
  /** Takes the next view in; appends what follows to `out`, in order. */
  apply(entity: Entity, view: View, out: Output[]): Verdict;
  encode(entity: Entity): Uint8Array;
  /** Throws RangeError when the bytes are not an entity of this format. */
  decode(key: EntityKey, bytes: Uint8Array): Entity;
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
  const core: Core = {
    pack: full,
    folder: createFolder(full),
    options,
    unknown: full.rules.map(() => 0),
    readers: readersOf(full),
  };
  return {
    pack: full,
    unknown: core.unknown,
    newEntity: (key) => ({ ...newEntity(key, full.subjects[kindOf(key)]), work: emptyState(core, kindOf(key)) }),
    apply: (entity, view, out) => apply(core, entity, view, out),
    tag: packTag(full.hash),
    encode: (entity) => encodeEntity(entity, full),
    tagOf: writtenUnder,
    adopt(entity, from) {
      const { key, kind, sent } = entity;
      const fresh = newEntity(key, full.subjects[kind]);
      if (entity.base === undefined && entity.tail.length === 0)
        return { ...fresh, work: emptyState(core, kind), sent };
      const work = carryOver(entity.work, kind, from.pack, full);
      return { ...fresh, base: encodeStateBytes(work, full, kind), work, sent };
    },
    decode(key, bytes) {
      const entity: Entity = { ...newEntity(key, full.subjects[kindOf(key)]), ...decodeEntityParts(bytes, key, full) };
      entity.work = foldTail(core, entity, entity.base, entity.tail, SILENT);
      return entity;
    },
  };
}

interface Core {
  readonly pack: Pack;
  readonly folder: Folder;
  readonly options: EngineOptions;
  /** By slot of the rule. */
  readonly unknown: number[];
  /** Slots of the rules that read a measure, by its slot. */
  readonly readers: readonly (readonly number[])[];
}

function countUnknown(core: Core, slot: number): void {
  core.unknown[slot] = (core.unknown[slot] ?? 0) + 1;
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

const SILENT: FoldSink = { alert: () => {}, view: () => {}, hit: () => {}, unknown: () => {}, unknownFilter: () => {} };

function apply(core: Core, entity: Entity, view: View, out: Output[]): Verdict {
  const { clock } = entity.work;
  if (view.kind === "tx") return applyTx(core, entity, view, out);
  if (view.kind === "profile") {
    return insert(core, entity, placeProfile(view, clock), out);
  }
  if (view.kind === "event") return insert(core, entity, view, out);
  return applyDerived(core, entity, view, out);
}

/**
 * A profile is in force by its own date, wherever it is folded. One that comes more than L late holds
 * from its arrival on; one of the future waits in the state, so that it never stands behind movements.
 */
function placeProfile(view: ProfileView, clock: number): ProfileView {
  if (!Number.isFinite(clock)) return { ...view, time: Math.min(view.time, 0) };
  if (view.time <= clock && view.time >= clock - LATENESS_JUDGED_MS) return view;
  return { ...view, time: clock, txId: LAST_AT_ITS_TIME };
}

/** Sorts behind every transaction id of the same time. */
const LAST_AT_ITS_TIME = "\uffff";

function applyTx(core: Core, entity: Entity, view: TxView, out: Output[]): Verdict {
  const { clock } = entity.work;
  if (view.time < clock - LATENESS_COUNTED_MS) return "too_late";
  const repeat = findRepeat(entity.work, view);
  if (repeat === "duplicate" || repeat === "conflict") return repeat;
  if (repeat === "posting") return replacePosting(core, entity, view, out);
  if (view.time < clock - LATENESS_JUDGED_MS) return applyLate(core, entity, view);
  return insert(core, entity, view, out);
}

/** Two records of one movement: the one from the entity's own ledger counts, else the one with the lesser id. */
function replacePosting(core: Core, entity: Entity, view: TxView, out: Output[]): Verdict {
  const at = entity.tail.findIndex(
    (known) => known.kind === "tx" && known.direction === view.direction && known.tx.movementId === view.tx.movementId,
  );
  const known = entity.tail[at];
  if (known === undefined || known.kind !== "tx" || postingRank(known) <= postingRank(view)) return "duplicate";
  const tail = entity.tail.filter((_, i) => i !== at);
  place(tail, view);
  refold(core, entity, tail, "late_event", out);
  return "refolded";
}

function postingRank(view: TxView): string {
  const own = view.direction === "in" ? "creditor" : "debtor";
  return `${view.tx.books === own ? 0 : view.tx.books === "both" ? 1 : 2}${view.tx.id}`;
}

/** Later than L: base and working state both count it, nothing is judged again. */
function applyLate(core: Core, entity: Entity, view: TxView): Verdict {
  const base = baseState(core, entity, entity.base);
  const counted = core.folder.foldLate(base, view);
  entity.base = encodeStateBytes(base, core.pack, entity.kind);
  core.folder.foldLate(entity.work, view);
  return counted ? "counted" : "reversed";
}

/** A hit or mark of another entity: its telling may be repeated, changed or taken back. */
function applyDerived(core: Core, entity: Entity, view: HitView | MarkView, out: Output[]): Verdict {
  const at = entity.tail.findIndex((known) => known.kind === view.kind && known.id === view.id);
  const known = entity.tail[at];
  if (view.off) {
    if (known === undefined) return "ignored";
    refold(
      core,
      entity,
      entity.tail.filter((_, i) => i !== at),
      "late_event",
      out,
    );
    return "refolded";
  }
  if (known !== undefined) {
    if (viewHash(known as HitView | MarkView) === viewHash(view)) return "duplicate";
    const tail = entity.tail.filter((_, i) => i !== at);
    place(tail, view);
    refold(core, entity, tail, "late_event", out);
    return "refolded";
  }
  const { clock } = entity.work;
  const late = view.time < clock - LATENESS_JUDGED_MS;
  insert(core, entity, late ? { ...view, time: clock } : view, out);
  return late ? "counted" : "judged";
}

/** Puts a view in its place: at the end it is folded at once, before the end the tail is folded again. */
function insert(core: Core, entity: Entity, view: View, out: Output[]): Verdict {
  const last = entity.tail[entity.tail.length - 1];
  const inOrder = last === undefined || compareViews(last, view) < 0;
  if (inOrder && !reversesTail(entity, view)) {
    settle(core, entity, view.time);
    entity.tail.push(view);
    const reversed = reversedIn(entity.tail).has(view);
    core.folder.fold(entity.work, view, reversed, liveSink(core, entity, view, out));
    return reversed ? "reversed" : "judged";
  }
  const tail = entity.tail.slice();
  place(tail, view);
  const reversal = view.kind === "tx" && view.tx.relation?.kind === "reversal";
  refold(core, entity, tail, reversal ? "correction" : view.kind === "profile" ? "profile" : "late_event", out);
  if (entity.tail.length > TAIL_EVENTS_MAX) settle(core, entity, entity.work.clock);
  return reversal ? "reversed" : "refolded";
}

function place(tail: View[], view: View): void {
  let at = tail.length;
  while (at > 0 && compareViews(tail[at - 1] as View, view) > 0) at--;
  tail.splice(at, 0, view);
}

/** Whether a reversal's original is in the tail and close enough to be taken out as if it had never been. */
function reversesTail(entity: Entity, view: View): boolean {
  return view.kind === "tx" && originalIn(entity.tail, view) !== undefined;
}

/**
 * A customer's own reversal takes nothing back: else a launderer could cancel his alert. It is folded
 * where it stands and subtracts.
 */
function originalIn(tail: readonly View[], view: TxView): TxView | undefined {
  const { relation, initiator } = view.tx;
  if (relation?.kind !== "reversal" || initiator === "debtor" || initiator === "creditor") return undefined;
  for (const known of tail) {
    if (known.kind !== "tx" || known.tx.id !== relation.of || known.direction !== view.direction) continue;
    if (known === view || view.time - known.time > LATENESS_JUDGED_MS) continue;
    return known;
  }
  return undefined;
}

/** Views of a tail that a reversal in it takes out. */
function reversedIn(tail: readonly View[]): ReadonlySet<View> {
  const found = new Set<View>();
  for (const view of tail) {
    const original = view.kind === "tx" ? originalIn(tail, view) : undefined;
    if (original !== undefined) found.add(original);
  }
  return found;
}

/** Moves the base up over what no view can change any more. */
function settle(core: Core, entity: Entity, now: number): void {
  const { tail } = entity;
  if (tail.length < core.options.tailKeep) return;
  const settled = Math.max(entity.work.clock, now) - TAIL_MS;
  const newest = tail[tail.length - 1] as View;
  if (newest.time < settled) {
    entity.base = encodeStateBytes(entity.work, core.pack, entity.kind);
    entity.tail = [];
    return;
  }
  // Moving the base by a part of the tail folds that part twice: worth it only for many views at once.
  if (tail.length < Math.max(PARTIAL_SETTLE_MIN, core.options.tailKeep)) return;
  let part = 0;
  while (part < tail.length && (tail[part] as View).time < settled) part++;
  if (tail.length >= TAIL_EVENTS_MAX) part = Math.max(part, TAIL_EVENTS_MAX / 4);
  if (part < PARTIAL_SETTLE_MIN / 2) return;
  const state = foldTail(core, entity, entity.base, tail.slice(0, part), SILENT, reversedIn(tail));
  entity.base = encodeStateBytes(state, core.pack, entity.kind);
  entity.tail = tail.slice(part);
}

const PARTIAL_SETTLE_MIN = 64;

function baseState(core: Core, entity: Entity, base: Uint8Array | undefined): EntityState {
  if (base === undefined) return emptyState(core, entity.kind);
  return decodeStateBytes(base, core.pack, entity.kind);
}

function emptyState(core: Core, kind: EntityKind): EntityState {
  const state = newState(core.pack.subjects[kind]);
  if (core.options.warm) state.since = Number.NEGATIVE_INFINITY;
  return state;
}

function foldTail(
  core: Core,
  entity: Entity,
  base: Uint8Array | undefined,
  tail: readonly View[],
  sink: FoldSink,
  reversed: ReadonlySet<View> = reversedIn(tail),
): EntityState {
  const state = baseState(core, entity, base);
  for (const view of tail) core.folder.fold(state, view, reversed.has(view), sink);
  return state;
}

/** What a fold of a whole tail gives: the last content of each alert and every derived view, by id. */
interface Collected extends FoldSink {
  readonly alerts: Map<string, { readonly content: AlertContent; readonly hash: number }>;
  readonly views: Map<string, HitView | MarkView>;
  readonly hits: Map<string, HitRecord>;
}

function collector(): Collected {
  const alerts: Collected["alerts"] = new Map();
  const views = new Map<string, HitView | MarkView>();
  const hits = new Map<string, HitRecord>();
  return {
    alerts,
    views,
    hits,
    alert: (content, hash) => alerts.set(content.alertId, { content, hash }),
    view: (view) => views.set(`${view.kind}|${view.entity}|${view.id}`, view),
    hit: (hit) => hits.set(`${hit.ruleId}|${hit.event}|${hit.start}`, hit),
    unknown: () => {},
    unknownFilter: () => {},
  };
}

/** Folds the new tail beside the old one and sends the difference. */
function refold(
  core: Core,
  entity: Entity,
  tail: View[],
  cause: "late_event" | "correction" | "profile",
  out: Output[],
): void {
  const before = collector();
  foldTail(core, entity, entity.base, entity.tail, before);
  const after = collector();
  entity.work = foldTail(core, entity, entity.base, tail, after);
  entity.tail = tail;
  for (const [id, view] of before.views) {
    if (!after.views.has(id)) out.push({ kind: "view", view: { ...view, off: true } });
  }
  for (const [id, view] of after.views) {
    const known = before.views.get(id);
    if (known === undefined || viewHash(known) !== viewHash(view)) out.push({ kind: "view", view });
  }
  for (const [id, hit] of after.hits) if (!before.hits.has(id)) out.push({ kind: "hit", hit });
  for (const { content, hash } of after.alerts.values()) sendAlert(entity, content, hash, cause, out);
  for (const [id, { content }] of before.alerts) {
    if (!after.alerts.has(id)) takeBack(core, entity, content, cause, out);
  }
}

/** An alert that the new tail no longer gives: back to what the base says of it, or withdrawn. */
function takeBack(
  core: Core,
  entity: Entity,
  content: AlertContent,
  cause: "late_event" | "correction" | "profile",
  out: Output[],
): void {
  const settled = baseState(core, entity, entity.base).alerts.find((alert) => alert?.alertId === content.alertId);
  if (settled === undefined) {
    sendWithdrawal(entity, content, cause, out);
    return;
  }
  const last = lastSaid(settled);
  if (last !== undefined) sendAlert(entity, last.content, last.hash, cause, out);
}

function liveSink(core: Core, entity: Entity, view: View, out: Output[]): FoldSink {
  const cause = view.kind === "profile" ? "profile" : "evidence";
  return {
    alert: (content, hash) => sendAlert(entity, content, hash, cause, out),
    view: (derived) => out.push({ kind: "view", view: derived }),
    hit: (hit) => out.push({ kind: "hit", hit }),
    unknown: ({ slot }) => countUnknown(core, slot),
    unknownFilter: ({ slot }) => {
      for (const rule of core.readers[slot] ?? []) countUnknown(core, rule);
    },
  };
}

function viewHash(view: HitView | MarkView): number {
  return fnv1a32(JSON.stringify(view));
}
