/**
 * Parts of a split measure: what has left the recent events, in buckets of its own for each key. The number of parts
 * is capped; the part that has been quiet longest joins the rest, which counts in totals and in no part.
 */
import type { Measure } from "../rules/plan.ts";
import { seqAt, timeAt, valueAt } from "./contributions.ts";
import type { Bucket, MeasureState } from "./state.ts";
import {
  addToBuckets,
  BUCKETS_MERGED_FROM,
  dropBuckets,
  firstBucketAbove,
  joinBuckets,
  mergeBuckets,
} from "./windows.ts";

/** Adds a contribution that is no longer recent to the part of its key. */
export function addToGroup(
  state: MeasureState,
  groups: Map<string, Bucket[]>,
  measure: Measure,
  key: string,
  time: number,
  value: number,
): void {
  const part = groups.get(key) ?? [];
  groups.delete(key);
  groups.set(key, part);
  const now = Math.max(state.newest, time);
  addToBuckets(part, measure.windowMinMs, time, value, now);
  if (groups.size <= measure.cap) return;
  for (const [quiet, buckets] of groups) {
    groups.delete(quiet);
    state.buckets.splice(0, state.buckets.length, ...joinBuckets(state.buckets, buckets));
    if (state.buckets.length >= BUCKETS_MERGED_FROM) mergeBuckets(state.buckets, measure.windowMinMs, now);
    state.overflowed = true;
    return;
  }
}

/** Drops what no window can count: everything at or before `from`. */
export function expireGroups(state: MeasureState, groups: Map<string, Bucket[]>, from: number): void {
  for (const [key, buckets] of groups) {
    dropBuckets(buckets, from);
    if (buckets.length === 0) groups.delete(key);
  }
  if (state.buckets.length === 0) state.overflowed = false;
}

/** Count and sum of one part. */
export interface PartTotal {
  readonly key: string;
  count: number;
  sum: number;
}

/** Totals of the parts with contributions in `(from, now]`, by key; in order of first contribution. */
export function partTotals(state: MeasureState, from: number, now: number): Map<string, PartTotal> {
  const totals = new Map<string, PartTotal>();
  const add = (key: string, count: number, sum: number): void => {
    const known = totals.get(key);
    if (known === undefined) totals.set(key, { key, count, sum });
    else {
      known.count += count;
      known.sum += sum;
    }
  };
  for (const [key, buckets] of state.groups ?? []) {
    for (let i = firstBucketAbove(buckets, from); i < buckets.length; i += 1) {
      const bucket = buckets[i] as Bucket; // i is within the array.
      if (bucket.first <= now) add(key, bucket.count, bucket.sum);
    }
  }
  state.labels?.forEach((label, i) => {
    const time = timeAt(state.recent, i);
    if (time > from && time <= now) add(label, 1, valueAt(state.recent, i));
  });
  return totals;
}

/** The part of one key as a measure of its own: exactly its contributions. */
export function partOf(state: MeasureState, key: string): MeasureState {
  const recent: number[] = [];
  state.labels?.forEach((label, i) => {
    if (label === key) recent.push(seqAt(state.recent, i), timeAt(state.recent, i), valueAt(state.recent, i));
  });
  const buckets = state.groups?.get(key) ?? [];
  return { ...state, recent, labels: undefined, buckets, groups: undefined };
}

/** All parts and the rest as one measure. */
export function wholeOf(state: MeasureState): MeasureState {
  let { buckets } = state;
  for (const part of state.groups?.values() ?? []) buckets = joinBuckets(buckets, part);
  return { ...state, buckets, labels: undefined, groups: undefined };
}
