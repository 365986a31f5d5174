/**
 * Distinct sets without sets: of each key the last event that showed it is counted, by the bit of the measure, so that
 * as many keys lie in a window as events that count. A newer event that shows the key takes the bit over. Only keys
 * whose last event is recent no longer, or that came too late to be judged, stand in a set of their own.
 */
import type { Measure } from "../rules/plan.ts";
import {
  bitOf,
  clearCounted,
  countsNone,
  isCounted,
  keyAt,
  newestCounted,
  setCounted,
  setKey,
  wordOf,
} from "./counted.ts";
import { KeySet } from "./key-set.ts";
import { addKeptKey, contributeLate, expire, measureState, newMeasureState } from "./measures.ts";
import { keyCounts } from "./readings.ts";
import type { EntityState, KeyEntry, MeasureState } from "./state.ts";

/** Plain sets of one subject, by the key that they count (`Measure.keySlot`). */
export type SetsByKey = readonly (readonly Measure[])[];

/** The newest event shows `key` to a set: what showed it there before does so no longer. */
export function show(state: EntityState, measure: Measure, key: string, byKey: SetsByKey): void {
  const { recent } = state;
  const newest = recent.length - 1;
  const older = lastWith(state, measure, key, newest - 1);
  if (older >= 0) hide(state, measure, older, byKey);
  else state.measures.get(measure.index)?.keys?.remove(key);
  setKey(recent, measure.keySlot, newest, key);
  setCounted(recent, measure.index, newest);
}

function hide({ recent }: EntityState, measure: Measure, i: number, byKey: SetsByKey): void {
  const { keySlot, index } = measure;
  clearCounted(recent, index, i);
  // Only keys that count are kept: they alone are stored.
  const alike = byKey[keySlot] ?? [];
  if (!alike.some((one) => isCounted(recent, one.index, i))) setKey(recent, keySlot, i, undefined);
}

/** A key that came later than is judged: it counts at its own time, if nothing newer has shown it. */
export function showLate(state: EntityState, measure: Measure, key: string, time: number, byKey: SetsByKey): void {
  const { recent } = state;
  const i = lastWith(state, measure, key, recent.length - 1);
  if (i >= 0 && recent.timeAt(i) >= time) return;
  const kept = measureState(state, measure);
  if (i < 0) {
    contributeLate(kept, measure, time, -1, 1, key);
    return;
  }
  hide(state, measure, i, byKey);
  addKeptKey(kept, measure, { key, firstTime: Number.NaN, lastTime: time, lastSeq: recent.seqAt(i) });
}

/** Event `i` leaves the recent ones: the key that it showed last stands in a set from now on. */
export function keepKey(state: EntityState, measure: Measure, i: number, now: number): void {
  const { recent } = state;
  const time = recent.timeAt(i);
  if (time <= now - measure.windowMs) return;
  const kept = measureState(state, measure);
  expire(kept, measure, now);
  const key = keyAt(recent, measure.keySlot, i) as string; // It counts there.
  addKeptKey(kept, measure, { key, firstTime: Number.NaN, lastTime: time, lastSeq: recent.seqAt(i) });
}

/** When and by which event the key was shown last; undefined where nothing is known of it. */
export function lastShown(
  state: EntityState,
  measure: Measure,
  key: string,
): Pick<KeyEntry, "lastTime" | "lastSeq"> | undefined {
  const { recent } = state;
  const i = lastWith(state, measure, key, recent.length - 1);
  if (i >= 0) return { lastTime: recent.timeAt(i), lastSeq: recent.seqAt(i) };
  return state.measures.get(measure.index)?.keys?.get(key);
}

/** How many of the keys that no recent event shows last count in `(from, now]`, after `afterSeq`. */
export function keptKeys({ keys }: MeasureState, from: number, now: number, afterSeq: number): number {
  let count = 0;
  for (const entry of keys?.entries ?? []) if (keyCounts(entry, from, now, afterSeq)) count += 1;
  return count;
}

/** The measure in the form with a set: at most as many keys as its cap, the newest. */
export function setOf(state: EntityState, measure: Measure): MeasureState | undefined {
  const { recent } = state;
  const kept = state.measures.get(measure.index);
  const entries: KeyEntry[] = [...(kept?.keys?.entries ?? [])];
  for (let i = 0; i < recent.length; i += 1) {
    if (!isCounted(recent, measure.index, i)) continue;
    const key = keyAt(recent, measure.keySlot, i) as string; // It counts there.
    entries.push({ key, firstTime: Number.NaN, lastTime: recent.timeAt(i), lastSeq: recent.seqAt(i) });
  }
  if (entries.length === 0) return undefined;
  entries.sort((a, b) => a.lastTime - b.lastTime);
  const newest = (entries[entries.length - 1] as KeyEntry).lastTime; // There is one.
  // A set drops what no window reaches when it grows.
  const inReach = entries.filter((entry) => entry.lastTime > newest - measure.windowMs);
  const shown = inReach.slice(-measure.cap);
  const overflowed = (kept?.overflowed ?? false) || shown.length < inReach.length;
  return { ...newMeasureState(measure), keys: KeySet.of(shown), newest, overflowed };
}

/** Whether an event of this time would stand behind one that the plain measure counts already. */
export function isBehind({ clock, recent }: EntityState, measure: Measure, time: number): boolean {
  // Only a tail that overflowed lets an event come behind newer ones.
  if (time >= clock) return false;
  const i = newestCounted(recent, measure.index);
  return i >= 0 && time < recent.timeAt(i);
}

/** Index of the event up to `from` that shows the key to the measure; -1 when none does. */
function lastWith({ recent }: EntityState, { keySlot, index }: Measure, key: string, from: number): number {
  const keys = recent.keys[keySlot];
  if (keys === undefined || countsNone(recent, index)) return -1;
  const { cells, stride } = recent;
  const word = wordOf(index);
  const bit = bitOf(index);
  for (let i = from; i >= 0; i -= 1) {
    if (((cells[i * stride + word] as number) & bit) !== 0 && keys[i] === key) return i;
  }
  return -1;
}
