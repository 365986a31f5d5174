/**
 * Numbers over windows `(now - windowMs, now]` of one measure: the hot path, without allocation except
 * for medians. What contributions are still known one by one is counted exactly; a bucket that the
 * window's start cuts through counts whole.
 */
import type { AggregateFunction, Measure } from "../rules/plan.ts";
import {
  contributionsIn,
  firstSeqAbove,
  firstTimeAbove,
  newestIn,
  seqAt,
  sliceOf,
  timeAt,
  timesOf,
  valueAt,
  valuesOf,
} from "./contributions.ts";
import type { KeySet } from "./key-set.ts";
import { equalShare, gapVariation, sameDayShare } from "./regularity.ts";
import type { Bucket, KeyEntry, MeasureState } from "./state.ts";
import { firstBucketAbove } from "./windows.ts";

/**
 * The value of `fn` over the contributions with time in `(now - windowMs, now]` and sequence number
 * above `afterSeq` (-1: all). Of nothing, count, sum and distinct are 0 and the rest is undefined.
 * first_seen and last_seen give event times (ms). Medians and regularity rest on recent contributions only. An
 * overflowed distinct set whose keys all lie in the window gives its cap: at least that many.
 *
 * Buckets know no sequence numbers. With `afterSeq` >= 0 they are looked at only when every recent
 * contribution is later than it, so that some may have left; then those with a contribution at or after
 * `afterTime` (event time of `afterSeq`) count, and without `afterTime` none does.
 */
export function reading(
  state: MeasureState,
  _measure: Measure,
  fn: AggregateFunction,
  now: number,
  windowMs: number,
  afterSeq: number,
  afterTime: number = Number.POSITIVE_INFINITY,
): number | undefined {
  const from = now - windowMs;
  if (state.keys !== undefined) return readKeys(state, state.keys, fn, from, now, afterSeq);
  const low = recentFrom(state, from, afterSeq);
  const high = recentTo(state, now);
  const bucketLow = bucketsFrom(state, from, afterSeq, afterTime);
  const bucketHigh = bucketsTo(state, now, bucketLow);
  switch (fn) {
    case "count":
      return countOf(state, low, high, bucketLow, bucketHigh);
    case "sum":
      return sumOf(state, low, high, bucketLow, bucketHigh);
    case "avg": {
      const count = countOf(state, low, high, bucketLow, bucketHigh);
      return count === 0 ? undefined : sumOf(state, low, high, bucketLow, bucketHigh) / count;
    }
    case "min":
      return leastOf(state, low, high, bucketLow, bucketHigh);
    case "max":
      return greatestOf(state, low, high, bucketLow, bucketHigh);
    case "median":
      return low < high ? medianOf(valuesOf(state.recent, low, high)) : undefined;
    case "first_seen":
      return firstOf(state, low, high, bucketLow, bucketHigh);
    case "last_seen":
      return lastOf(state, low, high, bucketLow, bucketHigh);
    case "gap_cv":
      return gapVariation(timesOf(state.recent, low, high));
    case "same_day_of_month":
      return sameDayShare(timesOf(state.recent, low, high));
    case "equal_amount_share":
      return equalShare(valuesOf(state.recent, low, high));
    default:
      return undefined;
  }
}

/** Whether a function looks at contributions one by one, so that what left the recent events is not in its value. */
export function isOneByOne(fn: AggregateFunction): boolean {
  return fn === "median" || fn === "gap_cv" || fn === "same_day_of_month" || fn === "equal_amount_share";
}

/** Whether `key` was shown in `(now - windowMs, now]` by an event after `afterSeq` (-1: by any). */
export function hasKey(state: MeasureState, key: string, now: number, windowMs: number, afterSeq: number): boolean {
  const entry = state.keys?.get(key);
  return entry !== undefined && keyCounts(entry, now - windowMs, now, afterSeq);
}

/** What is kept of a key; its first time is NaN when it may have been dropped and come back. */
export function keyEntry(state: MeasureState, key: string): KeyEntry | undefined {
  return state.keys?.get(key);
}

/**
 * How long `key` has been known at `now`, ms: 0 for one that was never there, undefined when it may have
 * been there and was dropped by the cap.
 */
export function knownForKey(state: MeasureState, key: string, now: number): number | undefined {
  const entry = state.keys?.get(key);
  if (entry === undefined) return state.overflowed ? undefined : 0;
  return Number.isNaN(entry.firstTime) ? undefined : now - entry.firstTime;
}

/** Index of the first recent contribution after `from` and `afterSeq`. */
export function recentFrom(state: MeasureState, from: number, afterSeq: number): number {
  const { recent } = state;
  const low = recent.length === 0 || timeAt(recent, 0) > from ? 0 : firstTimeAbove(recent, from);
  return afterSeq < 0 ? low : Math.max(low, firstSeqAbove(recent, afterSeq));
}

/** Index behind the last recent contribution at or before `now`. */
export function recentTo(state: MeasureState, now: number): number {
  const { recent } = state;
  return newestIn(recent) <= now ? contributionsIn(recent) : firstTimeAbove(recent, now);
}

/** Index of the first bucket that counts; `buckets.length` when none does. */
export function bucketsFrom(state: MeasureState, from: number, afterSeq: number, afterTime: number): number {
  const buckets = state.buckets;
  if (buckets.length === 0) return 0;
  if (afterSeq < 0) return firstBucketAbove(buckets, from);
  if (state.recent.length > 0 && seqAt(state.recent, 0) <= afterSeq) return buckets.length;
  // Event times are whole milliseconds: later than `afterTime - 1` is at or after `afterTime`.
  return firstBucketAbove(buckets, Math.max(from, afterTime - 1));
}

/** Index behind the last bucket that counts, from `low` on. */
export function bucketsTo(state: MeasureState, now: number, low: number): number {
  let high = state.buckets.length;
  while (high > low && (state.buckets[high - 1] as Bucket).first > now) high -= 1;
  return high;
}

/** Only contributions of events before `seq`. */
export function before(state: MeasureState, seq: number): MeasureState {
  const end = firstSeqAbove(state.recent, seq - 1);
  return end === contributionsIn(state.recent) ? state : slice(state, 0, end);
}

/** Contributions from index `low` up to `high` only; buckets as they are. */
export function slice(state: MeasureState, low: number, high: number): MeasureState {
  return {
    ...state,
    recent: sliceOf(state.recent, low, high),
    labels: state.labels?.slice(low, high),
  };
}

/** Whether a key counts in `(from, now]` after `afterSeq`. */
export function keyCounts(
  entry: Pick<KeyEntry, "lastTime" | "lastSeq">,
  from: number,
  now: number,
  afterSeq: number,
): boolean {
  return entry.lastTime > from && entry.lastTime <= now && (afterSeq < 0 || entry.lastSeq > afterSeq);
}

/** Middle value, or the mean of the two middle ones; sorts `values` in place. */
export function medianOf(values: number[]): number {
  values.sort((a, b) => a - b);
  const half = values.length >>> 1;
  // The caller passes at least one value.
  const upper = values[half] as number;
  return values.length % 2 === 1 ? upper : ((values[half - 1] as number) + upper) / 2;
}

function readKeys(
  state: MeasureState,
  keys: KeySet,
  fn: AggregateFunction,
  from: number,
  now: number,
  afterSeq: number,
): number | undefined {
  if (fn === "distinct" || fn === "count") return countKeys(state, keys, from, now, afterSeq);
  if (fn !== "first_seen" && fn !== "last_seen") return undefined;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const entry of keys.entries) {
    if (!keyCounts(entry, from, now, afterSeq)) continue;
    // NaN, an unknown first time, makes the least one unknown.
    first = Math.min(first, entry.firstTime);
    last = Math.max(last, entry.lastTime);
  }
  const time = fn === "first_seen" ? first : last;
  return Number.isFinite(time) ? time : undefined;
}

function countKeys(state: MeasureState, keys: KeySet, from: number, now: number, afterSeq: number): number {
  if (afterSeq >= 0 || state.newest > now) {
    let count = 0;
    for (const entry of keys.entries) if (keyCounts(entry, from, now, afterSeq)) count += 1;
    return count;
  }
  // In order of last time those outside the window stand first.
  let outside = 0;
  for (const entry of keys.entries) {
    if (entry.lastTime > from) break;
    outside += 1;
  }
  return keys.size - outside;
}

function countOf(state: MeasureState, low: number, high: number, bucketLow: number, bucketHigh: number): number {
  let count = high > low ? high - low : 0;
  for (let i = bucketLow; i < bucketHigh; i += 1) count += (state.buckets[i] as Bucket).count;
  return count;
}

function sumOf(state: MeasureState, low: number, high: number, bucketLow: number, bucketHigh: number): number {
  let sum = 0;
  for (let i = bucketLow; i < bucketHigh; i += 1) sum += (state.buckets[i] as Bucket).sum;
  for (let i = low; i < high; i += 1) sum += valueAt(state.recent, i);
  return sum;
}

function leastOf(
  state: MeasureState,
  low: number,
  high: number,
  bucketLow: number,
  bucketHigh: number,
): number | undefined {
  let least = Number.POSITIVE_INFINITY;
  for (let i = bucketLow; i < bucketHigh; i += 1) least = Math.min(least, (state.buckets[i] as Bucket).min);
  for (let i = low; i < high; i += 1) least = Math.min(least, valueAt(state.recent, i));
  return least === Number.POSITIVE_INFINITY ? undefined : least;
}

function greatestOf(
  state: MeasureState,
  low: number,
  high: number,
  bucketLow: number,
  bucketHigh: number,
): number | undefined {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = bucketLow; i < bucketHigh; i += 1) greatest = Math.max(greatest, (state.buckets[i] as Bucket).max);
  for (let i = low; i < high; i += 1) greatest = Math.max(greatest, valueAt(state.recent, i));
  return greatest === Number.NEGATIVE_INFINITY ? undefined : greatest;
}

function firstOf(
  state: MeasureState,
  low: number,
  high: number,
  bucketLow: number,
  bucketHigh: number,
): number | undefined {
  const inBuckets = bucketLow < bucketHigh ? (state.buckets[bucketLow] as Bucket).first : Number.POSITIVE_INFINITY;
  const inRecent = low < high ? timeAt(state.recent, low) : Number.POSITIVE_INFINITY;
  const first = Math.min(inBuckets, inRecent);
  return first === Number.POSITIVE_INFINITY ? undefined : first;
}

function lastOf(
  state: MeasureState,
  low: number,
  high: number,
  bucketLow: number,
  bucketHigh: number,
): number | undefined {
  const inBuckets = bucketLow < bucketHigh ? (state.buckets[bucketHigh - 1] as Bucket).last : Number.NEGATIVE_INFINITY;
  const inRecent = low < high ? timeAt(state.recent, high - 1) : Number.NEGATIVE_INFINITY;
  const last = Math.max(inBuckets, inRecent);
  return last === Number.NEGATIVE_INFINITY ? undefined : last;
}
