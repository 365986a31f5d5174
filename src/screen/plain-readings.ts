/**
 * Numbers over measures that recent events tell by themselves (`counted.ts`): the events in the window that count,
 * with the buckets and keys of those that are recent no longer.
 */
import type { Aggregate, AggregateFunction, Measure } from "../rules/plan.ts";
import { newestIn } from "./contributions.ts";
import { addedBy, bitOf, countsNone, isCounted, isPlain, newestCounted, wordOf } from "./counted.ts";
import { newMeasureState } from "./measures.ts";
import { before, bucketsFrom, bucketsTo, isOneByOne, reading } from "./readings.ts";
import { keptKeys, setOf } from "./shown-keys.ts";
import type { Bucket, EntityState, MeasureState } from "./state.ts";

/** What an entity keeps of a measure, in the form with a list; undefined where it has nothing of it. */
export function measureOf(state: EntityState, measure: Measure): MeasureState | undefined {
  const kept = state.measures.get(measure.index);
  if (!isPlain(measure)) return kept;
  if (measure.adds === "key") return setOf(state, measure);
  const list: number[] = [];
  const { recent } = state;
  // A list drops what no window reaches when it grows.
  const newest = newestCounted(recent, measure.index);
  const oldest = newest < 0 ? 0 : recent.timeAt(newest) - measure.windowMs;
  for (let i = 0; i < recent.length; i += 1) {
    const time = recent.timeAt(i);
    if (time <= oldest || !isCounted(recent, measure.index, i)) continue;
    list.push(recent.seqAt(i), time, addedBy(recent, measure, i));
  }
  if (kept === undefined && list.length === 0) return undefined;
  return { ...(kept ?? newMeasureState(measure)), recent: list, newest: newestIn(list) };
}

/**
 * Whether `plainReading` can read an aggregate over a plain measure: its window is a span of time that is told without
 * looking at what lies in it, or a burst of recent events.
 */
export function isReadPlainly(state: EntityState, measure: Measure, { refined, flow }: Aggregate): boolean {
  if (refined === undefined || refined.window.kind === "last" || refined.window.kind === "calendar") return true;
  const kept = state.measures.get(measure.index);
  return refined.window.kind === "burst" && flow === undefined && (kept === undefined || kept.buckets.length === 0);
}

/**
 * The value of an aggregate that is read plainly: the same as `reading` or `refinedReading` over `measureOf`, without
 * making that list. `currentSeq`: of the movement that is judged, -1 for none.
 */
export function plainReading(
  state: EntityState,
  measure: Measure,
  aggregate: Aggregate,
  now: number,
  currentSeq: number,
  afterSeq: number,
  afterTime: number,
): number | undefined {
  const { function: fn, refined } = aggregate;
  const kept = state.measures.get(measure.index);
  const isKeyed = measure.adds === "key";
  const leftOut = refined?.current === false ? currentSeq : -1;
  const windowMs = windowOf(state, measure, aggregate, now, leftOut);
  if (isOneByOne(fn) || (kept !== undefined && afterSeq >= 0 && !isKeyed)) {
    const list = measureOf(state, measure) ?? newMeasureState(measure);
    const shown = leftOut < 0 ? list : before(list, leftOut);
    return reading(shown, measure, fn, now, windowMs, afterSeq, afterTime);
  }
  const from = now - windowMs;
  clear(total);
  addEvents(state, measure, from, now, afterSeq, leftOut);
  if (kept !== undefined) {
    if (isKeyed) total.count += keptKeys(kept, from, now, afterSeq);
    else if (kept.buckets.length > 0) addBuckets(kept, from, now, afterTime);
  }
  return isKeyed ? Math.min(total.count, measure.cap) : resultOf(total, fn);
}

function windowOf(
  state: EntityState,
  measure: Measure,
  { refined, windowMs }: Aggregate,
  now: number,
  leftOut: number,
): number {
  const window = refined?.window;
  if (window?.kind === "calendar") return now - window.startOf(now) + 1;
  return window?.kind === "burst" ? burstMs(state, measure, now, window.gapMs, windowMs, leftOut) : windowMs;
}

/** How far back no two neighbours are further apart than the gap, at most `mostMs`. */
function burstMs(
  { recent }: EntityState,
  { index }: Measure,
  now: number,
  gapMs: number,
  mostMs: number,
  leftOut: number,
): number {
  let reached = now;
  const end = leftOut < 0 ? recent.length : recent.placeOf(leftOut);
  for (let i = countsNone(recent, index) ? -1 : end - 1; i >= 0; i -= 1) {
    if (!isCounted(recent, index, i)) continue;
    const time = recent.timeAt(i);
    if (time > now) continue;
    if (reached - time > gapMs) break;
    reached = time;
  }
  // Without any contribution within the gap nothing counts: a window of one millisecond holds only those of now.
  return Math.min(mostMs, now - reached + 1);
}

function addEvents(
  { recent }: EntityState,
  measure: Measure,
  from: number,
  now: number,
  afterSeq: number,
  leftOut: number,
): void {
  if (countsNone(recent, measure.index)) return;
  const { cells, stride } = recent;
  const word = wordOf(measure.index);
  const bit = bitOf(measure.index);
  const low = Math.max(0, recent.placeOf(afterSeq + 1));
  const high = leftOut < 0 ? recent.length : recent.placeOf(leftOut);
  for (let i = high - 1; i >= low; i -= 1) {
    // The indexes are within the list.
    if (((cells[i * stride + word] as number) & bit) === 0) continue;
    const time = recent.timeAt(i);
    // What one measure counts stands in order of time.
    if (time <= from) break;
    if (time > now) continue;
    const value = addedBy(recent, measure, i);
    add(total, time, time, 1, value, value, value);
  }
}

function addBuckets(kept: MeasureState, from: number, now: number, afterTime: number): void {
  const low = bucketsFrom(kept, from, -1, afterTime);
  const high = bucketsTo(kept, now, low);
  for (let i = low; i < high; i += 1) {
    const { first, last, count, sum, min, max } = kept.buckets[i] as Bucket; // i is within the array.
    add(total, first, last, count, sum, min, max);
  }
}

/** Everything that a function over a window may ask for. One object, used for one reading after the other. */
const total = { count: 0, sum: 0, least: 0, greatest: 0, first: 0, last: 0 };

function clear(of: typeof total): void {
  of.count = 0;
  of.sum = 0;
  of.least = Number.POSITIVE_INFINITY;
  of.greatest = Number.NEGATIVE_INFINITY;
  of.first = Number.POSITIVE_INFINITY;
  of.last = Number.NEGATIVE_INFINITY;
}

/** One event is a span of one time with one value. */
function add(
  to: typeof total,
  first: number,
  last: number,
  count: number,
  sum: number,
  least: number,
  greatest: number,
): void {
  to.count += count;
  to.sum += sum;
  if (least < to.least) to.least = least;
  if (greatest > to.greatest) to.greatest = greatest;
  if (first < to.first) to.first = first;
  if (last > to.last) to.last = last;
}

function resultOf(of: typeof total, fn: AggregateFunction): number | undefined {
  switch (fn) {
    case "count":
      return of.count;
    case "sum":
      return of.sum;
    case "avg":
      return of.count === 0 ? undefined : of.sum / of.count;
    case "min":
      return Number.isFinite(of.least) ? of.least : undefined;
    case "max":
      return Number.isFinite(of.greatest) ? of.greatest : undefined;
    case "first_seen":
      return Number.isFinite(of.first) ? of.first : undefined;
    case "last_seen":
      return Number.isFinite(of.last) ? of.last : undefined;
    default:
      return undefined;
  }
}
