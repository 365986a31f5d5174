/**
 * Numbers over measures that recent events tell by themselves (`counted.ts`): the events in the window that count,
 * with the buckets of those that are recent no longer.
 */
import type { Aggregate, AggregateFunction, Measure } from "../rules/plan.ts";
import { newestIn } from "./contributions.ts";
import { addedBy, isCounted, isPlain, newestCounted } from "./counted.ts";
import { newMeasureState } from "./measures.ts";
import { before, bucketsFrom, bucketsTo, isOneByOne, reading } from "./readings.ts";
import type { Bucket, EntityState, MeasureState, RecentEvent } from "./state.ts";

/** What an entity keeps of a measure, in the form with a list; undefined where it has nothing of it. */
export function measureOf(state: EntityState, measure: Measure): MeasureState | undefined {
  const kept = state.measures[measure.index];
  if (!isPlain(measure)) return kept;
  const recent: number[] = [];
  // A list drops what no window reaches when it grows.
  const oldest = newestCounted(state.recent, measure.index) - measure.windowMs;
  for (const event of state.recent) {
    if (event.time <= oldest || !isCounted(event, measure.index)) continue;
    recent.push(event.seq, event.time, addedBy(event, measure));
  }
  if (kept === undefined && recent.length === 0) return undefined;
  return { ...(kept ?? newMeasureState(measure)), recent, newest: newestIn(recent) };
}

/** Whether the window of an aggregate is a span of time, told without looking at what lies in it. */
export function hasSpan({ refined }: Aggregate): boolean {
  return refined === undefined || refined.window.kind === "last" || refined.window.kind === "calendar";
}

/**
 * The value of an aggregate whose window has a span, over a plain measure: the same as `reading` or `refinedReading`
 * over `measureOf`, without making that list. `currentSeq`: of the movement that is judged, -1 for none.
 */
export function plainReading(
  state: EntityState,
  measure: Measure,
  { function: fn, windowMs: lastMs, refined }: Aggregate,
  now: number,
  currentSeq: number,
  afterSeq: number,
  afterTime: number,
): number | undefined {
  const kept = state.measures[measure.index];
  const windowMs = refined?.window.kind === "calendar" ? now - refined.window.startOf(now) + 1 : lastMs;
  const leftOut = refined?.current === false ? currentSeq : -1;
  if (isOneByOne(fn) || (kept !== undefined && afterSeq >= 0)) {
    const list = measureOf(state, measure) ?? newMeasureState(measure);
    const shown = leftOut < 0 ? list : before(list, leftOut);
    return reading(shown, measure, fn, now, windowMs, afterSeq, afterTime);
  }
  const from = now - windowMs;
  clear(total);
  for (let i = state.recent.length - 1; i >= 0; i -= 1) {
    const event = state.recent[i] as RecentEvent; // i is within the array.
    if (event.seq <= afterSeq) break;
    if (!isCounted(event, measure.index) || (leftOut >= 0 && event.seq >= leftOut)) continue;
    // What one measure counts stands in order of time.
    if (event.time <= from) break;
    if (event.time > now) continue;
    const value = addedBy(event, measure);
    add(total, event.time, event.time, 1, value, value, value);
  }
  if (kept !== undefined && kept.buckets.length > 0) {
    const low = bucketsFrom(kept, from, -1, afterTime);
    const high = bucketsTo(kept, now, low);
    for (let i = low; i < high; i += 1) {
      const { first, last, count, sum, min, max } = kept.buckets[i] as Bucket; // i is within the array.
      add(total, first, last, count, sum, min, max);
    }
  }
  return resultOf(total, fn);
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
