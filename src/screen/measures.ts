/**
 * Base measures of one entity: contributions of recent events one by one, older ones in buckets, keys
 * of distinct sets in a bounded map. Everything here changes the given state and nothing else.
 * `readings.ts` reads windows out of it, `reading-detail.ts` says what a number rests on.
 */
import { DISTINCT_CAP_MAX } from "../base/limits.ts";
import type { Measure } from "../rules/plan.ts";
import { CELLS, firstSeqAbove, firstTimeAbove, newestIn, seqAt, takeOutAt, timeAt, valueAt } from "./contributions.ts";
import { KeySet } from "./key-set.ts";
import { addToGroup, expireGroups } from "./split.ts";
import type { EntityState, KeyEntry, MeasureState } from "./state.ts";
import { addToBuckets, dropBuckets, subtractFromBuckets } from "./windows.ts";

export { type LedgerRow, type ReadingDetail, readingDetail } from "./reading-detail.ts";
export { hasKey, keyEntry, knownForKey, reading } from "./readings.ts";

/** State of a measure to which nothing has contributed yet. */
export function newMeasureState(measure: Measure): MeasureState {
  return {
    recent: [],
    labels: measure.kind === "split" ? [] : undefined,
    buckets: [],
    groups: measure.kind === "split" ? new Map() : undefined,
    keys: measure.kind === "distinct" || measure.kind === "first_seen" ? new KeySet() : undefined,
    newest: Number.NEGATIVE_INFINITY,
    overflowed: false,
  };
}

/** The state of a measure, made when first needed. */
export function measureState(state: EntityState, measure: Measure): MeasureState {
  let kept = state.measures.get(measure.index);
  if (kept === undefined) {
    kept = newMeasureState(measure);
    state.measures = state.measures.set(measure.index, kept);
  }
  return kept;
}

/**
 * A contribution in order: neither `seq` nor `time` of its event are below those of earlier ones. Kind number
 * takes `value` (NaN is not counted), the keyed kinds take `key` (undefined is not counted), a split both.
 * One that is older than the newest all the same (its tail had overflowed) is counted as a late one. What
 * no window can count any more is dropped on the way.
 */
export function contribute(
  state: MeasureState,
  measure: Measure,
  { seq, time }: { readonly seq: number; readonly time: number },
  value: number,
  key: string | undefined,
): void {
  if (time < state.newest) {
    contributeLate(state, measure, time, seq, value, key);
    return;
  }
  expire(state, measure, time);
  if (state.keys !== undefined) {
    if (key !== undefined) showKey(state, state.keys, capOf(measure), key, time, seq);
    return;
  }
  if (Number.isNaN(value)) return;
  if (state.labels !== undefined) {
    if (key === undefined) return;
    state.labels.push(key);
  }
  // A list that begins with its first contribution is no longer than that; one that grows keeps room for more.
  if (state.recent.length === 0) state.recent = [seq, time, value];
  else state.recent.push(seq, time, value);
  state.newest = time;
}

/**
 * A contribution older than others, counted and not judged: it joins the bucket of its time, or widens
 * the times of its key. Windows since a flow step count neither. `seq` is not kept: an event that came
 * late is no evidence of its own.
 */
export function contributeLate(
  state: MeasureState,
  measure: Measure,
  time: number,
  _seq: number,
  value: number,
  key: string | undefined,
): void {
  if (state.keys !== undefined) {
    if (key !== undefined) showKeyLate(state, state.keys, capOf(measure), key, time);
    return;
  }
  if (Number.isNaN(value)) return;
  if (state.groups === undefined) addToBuckets(state.buckets, measure.windowMinMs, time, value, presentOf(state, time));
  else if (key !== undefined) addToGroup(state, state.groups, measure, key, time, value);
}

/**
 * The event `seq` leaves the recent events: its contribution, if there is one, moves into a bucket.
 * Events leave oldest first.
 */
export function evict(state: MeasureState, measure: Measure, seq: number): void {
  const { recent } = state;
  if (recent.length === 0 || seqAt(recent, 0) !== seq) return;
  const time = timeAt(recent, 0);
  const value = valueAt(recent, 0);
  const label = state.labels?.[0];
  if (state.groups === undefined) addToBuckets(state.buckets, measure.windowMinMs, time, value, presentOf(state, time));
  else if (label !== undefined) addToGroup(state, state.groups, measure, label, time, value);
  takeRecent(state, 0, 1);
}

/** Drops what no window that ends at `now` or later can count: all at or before `now - windowMs`. */
export function expire(state: MeasureState, measure: Measure, now: number): void {
  const from = now - measure.windowMs;
  if (state.keys !== undefined) {
    expireKeys(state, state.keys, from);
    return;
  }
  if (state.buckets.length > 0) dropBuckets(state.buckets, from);
  if (state.groups !== undefined && state.groups.size > 0) expireGroups(state, state.groups, from);
  if (state.recent.length > 0 && timeAt(state.recent, 0) <= from) {
    takeRecent(state, 0, firstTimeAbove(state.recent, from));
  }
}

/**
 * Takes a contribution out again: a settled reversal, an authorisation that expired. `seq` of a recent
 * event finds it there or nowhere (the event had not counted). `seq` -1, of an event that is recent no
 * longer, takes `value` out of the bucket that covers `time` (in a split: of the part `key`): count and sum
 * shrink, least and greatest stay, and the caller knows that the event had contributed. Keys of distinct
 * sets stay. Returns whether it was found.
 */
export function removeContribution(
  state: MeasureState,
  _measure: Measure,
  seq: number,
  time: number,
  value: number,
  key?: string,
): boolean {
  if (state.keys !== undefined) return false;
  if (seq < 0) {
    const part = state.groups === undefined || key === undefined ? undefined : state.groups.get(key);
    return subtractFromBuckets(part ?? state.buckets, time, value);
  }
  const at = indexOfSeq(state, seq);
  if (at < 0) return false;
  takeRecent(state, at, 1);
  return true;
}

/**
 * Gives the contribution of the recent event `seq` another value: a booking settles an authorisation.
 * Returns whether it was there; one that is in a bucket has to be removed and contributed late.
 */
export function adjustContribution(state: MeasureState, seq: number, newValue: number): boolean {
  const at = indexOfSeq(state, seq);
  if (at < 0) return false;
  state.recent[at * CELLS + 2] = newValue;
  return true;
}

function capOf(measure: Measure): number {
  return measure.kind === "first_seen" ? DISTINCT_CAP_MAX : measure.cap;
}

function indexOfSeq(state: MeasureState, seq: number): number {
  const at = firstSeqAbove(state.recent, seq) - 1;
  return at >= 0 && seqAt(state.recent, at) === seq ? at : -1;
}

function takeRecent(state: MeasureState, at: number, count: number): void {
  takeOutAt(state.recent, at, count);
  state.labels?.splice(at, count);
  state.newest = newestIn(state.recent);
}

/** A lower bound of the present event time, for the age of buckets. */
function presentOf(state: MeasureState, time: number): number {
  return Math.max(state.newest, time);
}

/** Where keys of one last time stand is a function of the entity's total order of views; no arrival changes it. */
function showKey(state: MeasureState, keys: KeySet, cap: number, key: string, time: number, seq: number): void {
  state.newest = time;
  const known = keys.get(key);
  if (known !== undefined) {
    known.lastTime = time;
    known.lastSeq = seq;
    keys.place(known);
    return;
  }
  keys.push({ key, firstTime: firstTimeOf(state, time), lastTime: time, lastSeq: seq });
  if (keys.size > cap) dropOldestKey(state, keys);
}

/** A key that was dropped may come back: when it was first seen is not known any more. */
function firstTimeOf(state: MeasureState, time: number): number {
  return state.overflowed ? Number.NaN : time;
}

function showKeyLate(state: MeasureState, keys: KeySet, cap: number, key: string, time: number): void {
  const known = keys.get(key);
  if (known !== undefined) {
    if (time > known.lastTime) {
      known.lastTime = time;
      keys.place(known);
    } else if (time < known.firstTime) known.firstTime = time; // NaN, an unknown first time, stays unknown.
  } else keys.insert({ key, firstTime: firstTimeOf(state, time), lastTime: time, lastSeq: -1 });
  if (time > state.newest) state.newest = time;
  if (keys.size > cap) dropOldestKey(state, keys);
}

/** Adds a key that is not there to the set of a measure, in the place of its last time. */
export function addKeptKey(state: MeasureState, measure: Measure, entry: KeyEntry): void {
  const { keys } = state;
  if (keys === undefined) return;
  keys.insert(entry);
  if (entry.lastTime > state.newest) state.newest = entry.lastTime;
  if (keys.size > capOf(measure)) dropOldestKey(state, keys);
}

function dropOldestKey(state: MeasureState, keys: KeySet): void {
  keys.drop(1);
  state.overflowed = true;
}

function expireKeys(state: MeasureState, keys: KeySet, from: number): void {
  const { entries } = keys;
  let gone = 0;
  while (gone < entries.length && (entries[gone] as KeyEntry).lastTime <= from) gone += 1;
  if (gone > 0) {
    keys.drop(gone);
    // A dropped key was at most as new as every key that stayed: it has left the window with these.
    state.overflowed = false;
  }
  if (entries.length === 0) state.newest = Number.NEGATIVE_INFINITY;
}
