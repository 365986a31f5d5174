/**
 * Buckets: what remains of contributions that left the recent events, and the searches that windows
 * need. A bucket is a sum over a short span of event time; its span is bounded so that a window that
 * cuts through one counts at most 1/48 of its own length too much, and never too little.
 */
import { BUCKETS_PER_WINDOW, MINUTE_MS } from "../base/limits.ts";
import type { Bucket } from "./state.ts";

/** From this many buckets on, a measure merges neighbours that their age allows to be merged. */
export const BUCKETS_MERGED_FROM = 160;
/** Between two attempts to merge the list grows by this, so that a merge costs little per contribution. */
const MERGE_EVERY = 32;

/**
 * Greatest span of a bucket whose newest contribution is `ageMs` old, in ms: a power of two minutes (or
 * a binary fraction of one), at most 1/48 of every window that can cut through the bucket. Such a window
 * is longer than the age and at least `windowMinMs`. Grains nest: each is half of the next.
 */
export function grainMs(windowMinMs: number, ageMs: number): number {
  const limit = Math.max(windowMinMs, ageMs) / BUCKETS_PER_WINDOW;
  if (limit === Number.POSITIVE_INFINITY) return limit;
  let grain = MINUTE_MS * 2 ** Math.floor(Math.log2(limit / MINUTE_MS));
  // The logarithm may round across a power of two.
  if (grain > limit) grain /= 2;
  else if (grain * 2 <= limit) grain *= 2;
  return grain;
}

/** Index of the first bucket whose newest contribution is later than `bound`. */
export function firstBucketAbove(buckets: readonly Bucket[], bound: number): number {
  let low = 0;
  let high = buckets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // The index is within the array: low <= middle < high <= length.
    if ((buckets[middle] as Bucket).last > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Adds one contribution: to the bucket that covers `time`, else to a neighbour within the same grain,
 * else to a new one. `now` is at most the present event time; an older one only merges less.
 */
export function addToBuckets(buckets: Bucket[], windowMinMs: number, time: number, value: number, now: number): void {
  let at = buckets.length;
  while (at > 0 && (buckets[at - 1] as Bucket).first > time) at -= 1;
  const before = at > 0 ? buckets[at - 1] : undefined;
  if (before !== undefined && (time <= before.last || sameCell(before.first, time, windowMinMs, 0))) {
    addToBucket(before, time, value);
    return;
  }
  const after = buckets[at];
  if (after !== undefined && sameCell(time, after.last, windowMinMs, 0)) {
    addToBucket(after, time, value);
    return;
  }
  const bucket = { first: time, last: time, count: 1, sum: value, min: value, max: value };
  if (at === buckets.length) buckets.push(bucket);
  else buckets.splice(at, 0, bucket);
  if (buckets.length >= BUCKETS_MERGED_FROM && buckets.length % MERGE_EVERY === 0) {
    mergeBuckets(buckets, windowMinMs, now);
  }
}

/** Merges neighbours that lie within one grain of their age. `now` is at most the present event time. */
export function mergeBuckets(buckets: Bucket[], windowMinMs: number, now: number): void {
  let kept = 0;
  for (let i = 1; i < buckets.length; i += 1) {
    // Both indexes are within the array: kept < i < length.
    const left = buckets[kept] as Bucket;
    const right = buckets[i] as Bucket;
    if (sameCell(left.first, right.last, windowMinMs, Math.max(0, now - right.last))) {
      left.last = right.last;
      left.count += right.count;
      left.sum += right.sum;
      if (right.min < left.min) left.min = right.min;
      if (right.max > left.max) left.max = right.max;
    } else {
      kept += 1;
      buckets[kept] = right;
    }
  }
  if (buckets.length > 0) buckets.length = kept + 1;
}

/** Two lists of buckets as one, oldest first; buckets that overlap become one. Neither list is changed. */
export function joinBuckets(a: readonly Bucket[], b: readonly Bucket[]): Bucket[] {
  const sorted = [...a, ...b].sort((x, y) => x.first - y.first || x.last - y.last);
  const joined: Bucket[] = [];
  for (const next of sorted) {
    const open = joined[joined.length - 1];
    if (open === undefined || next.first > open.last) {
      joined.push({ ...next });
      continue;
    }
    open.last = Math.max(open.last, next.last);
    open.count += next.count;
    open.sum += next.sum;
    open.min = Math.min(open.min, next.min);
    open.max = Math.max(open.max, next.max);
  }
  return joined;
}

/**
 * Takes one contribution out of the bucket that covers `time`: out of count and sum; its least, its
 * greatest and its span stay. Returns whether a bucket covered it.
 */
export function subtractFromBuckets(buckets: Bucket[], time: number, value: number): boolean {
  for (let i = buckets.length - 1; i >= 0; i -= 1) {
    const bucket = buckets[i] as Bucket; // i is within the array.
    if (bucket.last < time) return false;
    if (bucket.first > time) continue;
    bucket.count -= 1;
    bucket.sum -= value;
    if (bucket.count <= 0) buckets.splice(i, 1);
    return true;
  }
  return false;
}

/** Drops buckets whose newest contribution is at or before `from`. */
export function dropBuckets(buckets: Bucket[], from: number): void {
  let gone = 0;
  while (gone < buckets.length && (buckets[gone] as Bucket).last <= from) gone += 1;
  if (gone > 0) buckets.splice(0, gone);
}

/** Whether two times lie in one cell of the grain for an age. */
function sameCell(first: number, last: number, windowMinMs: number, ageMs: number): boolean {
  // Most neighbours are too far apart for any grain; the check spares the logarithm.
  if ((last - first) * BUCKETS_PER_WINDOW > Math.max(windowMinMs, ageMs)) return false;
  const grain = grainMs(windowMinMs, ageMs);
  return first === last || Math.floor(first / grain) === Math.floor(last / grain);
}

function addToBucket(bucket: Bucket, time: number, value: number): void {
  if (time < bucket.first) bucket.first = time;
  if (time > bucket.last) bucket.last = time;
  bucket.count += 1;
  bucket.sum += value;
  if (value < bucket.min) bucket.min = value;
  if (value > bucket.max) bucket.max = value;
}
