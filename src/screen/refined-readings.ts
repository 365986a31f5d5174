/**
 * Aggregates with another window than `(now - windowMs, now]`, without the movement that is judged, or of one part of
 * a split: each is first cut down to a plain measure over a plain window, which is then read like any other.
 */
import type { Aggregate, AggregateRefinement, Measure } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { contributionsIn, firstSeqAbove, firstTimeAbove, timeAt } from "./contributions.ts";
import { type ReadingDetail, readingDetail } from "./reading-detail.ts";
import { before, reading, slice } from "./readings.ts";
import { partOf, partTotals, wholeOf } from "./split.ts";
import type { Bucket, MeasureState } from "./state.ts";

/** What is left to read: contributions in `(now - windowMs, now]`. */
interface Cut {
  readonly state: MeasureState;
  readonly windowMs: number;
  /** False when contributions that the window wants are known in sums only, or not at all. */
  readonly exact: boolean;
}

/** The value of a refined aggregate; undefined when it cannot be told. */
export function refinedReading(
  context: JudgeContext,
  state: MeasureState,
  measure: Measure,
  aggregate: Aggregate,
): number | undefined {
  const cut = cutDown(context, state, aggregate);
  if (cut === undefined) return undefined;
  const { now } = context;
  if (cut.state.labels === undefined) {
    return reading(cut.state, measure, aggregate.function, now, cut.windowMs, -1);
  }
  return ofParts(cut, now, aggregate)?.value;
}

/** The same number with what it rests on. */
export function refinedDetail(
  context: JudgeContext,
  state: MeasureState,
  measure: Measure,
  aggregate: Aggregate,
): ReadingDetail {
  const { now } = context;
  const cut = cutDown(context, state, aggregate);
  if (cut === undefined) {
    return { value: undefined, exact: false, from: now, to: now, count: 0, sum: 0, seqs: [], ledger: [] };
  }
  if (cut.state.labels === undefined) {
    const detail = readingDetail(cut.state, measure, aggregate.function, now, cut.windowMs, -1);
    return { ...detail, exact: detail.exact && cut.exact };
  }
  const parts = ofParts(cut, now, aggregate);
  // The largest part is the evidence; of distinct values all contributions are.
  const shown = parts?.largest === undefined ? wholeOf(cut.state) : partOf(cut.state, parts.largest);
  const detail = readingDetail(shown, measure, "sum", now, cut.windowMs, -1);
  return { ...detail, value: parts?.value, exact: detail.exact && cut.exact && !state.overflowed };
}

function ofParts(
  cut: Cut,
  now: number,
  aggregate: Aggregate,
): { readonly value: number; readonly largest: string | undefined } | undefined {
  const totals = partTotals(cut.state, now - cut.windowMs, now);
  if (aggregate.function === "distinct") return { value: totals.size, largest: undefined };
  let largest: { key: string; sum: number } | undefined;
  for (const total of totals.values()) if (largest === undefined || total.sum > largest.sum) largest = total;
  if (largest === undefined) return undefined;
  if (aggregate.function === "max_of") return { value: largest.sum, largest: largest.key };
  let sum = 0;
  for (const total of totals.values()) sum += total.sum;
  for (const bucket of cut.state.buckets) if (bucket.last > now - cut.windowMs) sum += bucket.sum;
  return sum <= 0 ? undefined : { value: largest.sum / sum, largest: largest.key };
}

function cutDown(context: JudgeContext, state: MeasureState, aggregate: Aggregate): Cut | undefined {
  const refined = aggregate.refined as AggregateRefinement;
  let cut = aggregate.flow === undefined ? state : since(state, context.flowBound(aggregate));
  let exact = true;
  if (refined.part !== undefined) {
    const key = refined.part(context);
    if (key === undefined) return undefined;
    cut = partOf(cut, key);
    exact = !state.overflowed;
  } else if (state.labels !== undefined && !isOfParts(aggregate)) {
    cut = wholeOf(cut);
  }
  if (!refined.current && context.currentSeq >= 0) cut = before(cut, context.currentSeq);
  const { window } = refined;
  const { now } = context;
  switch (window.kind) {
    case "last":
      return { state: cut, windowMs: aggregate.windowMs, exact };
    case "calendar":
      return { state: cut, windowMs: now - window.startOf(now) + 1, exact };
    case "burst": {
      const found = burst(cut, now, window.gapMs, aggregate.windowMs);
      return { ...found, exact: exact && found.exact };
    }
    case "events": {
      const found = newest(cut, window.count, now, aggregate.windowMs);
      return { ...found, exact: exact && found.exact };
    }
  }
}

function isOfParts(aggregate: Aggregate): boolean {
  return aggregate.function === "distinct" || aggregate.function === "top_share" || aggregate.function === "max_of";
}

/** What came after the step of a flow was armed, as `reading` takes it. */
function since(state: MeasureState, after: { readonly seq: number; readonly time: number }): MeasureState {
  if (after.seq < 0) return state;
  const low = firstSeqAbove(state.recent, after.seq);
  const all = contributionsIn(state.recent);
  // Buckets know no sequence numbers: they count when what came after may have left to them.
  const least = low === 0 ? after.time : Number.NaN;
  const later = (buckets: Bucket[]): Bucket[] => buckets.filter((bucket) => bucket.last >= least);
  const groups = state.groups && new Map([...state.groups].map(([key, buckets]) => [key, later(buckets)] as const));
  return { ...slice(state, low, all), buckets: later(state.buckets), groups };
}

/** The newest `count` contributions; older buckets, whole, when fewer are known one by one. */
function newest(state: MeasureState, count: number, now: number, windowMs: number): Cut {
  const high = firstTimeAbove(state.recent, now);
  const low = Math.max(0, high - count);
  const cut = slice(state, low, high);
  if (high - low === count) {
    return { state: { ...cut, buckets: [], groups: state.groups && new Map() }, windowMs, exact: true };
  }
  const older = wholeOf(state).buckets;
  let wanted = count - (high - low);
  let first = older.length;
  while (first > 0 && wanted > 0) {
    first -= 1;
    wanted -= (older[first] as Bucket).count; // first is within the array.
  }
  const oldest = older[first];
  // What stands in the chosen buckets reaches from the first of them; parts are cut at the same time.
  const reach = oldest === undefined ? windowMs : Math.min(windowMs, now - oldest.first + 1);
  return {
    state: cut,
    windowMs: first === older.length ? windowMs : reach,
    exact: wanted >= 0,
  };
}

/** Back from now while no two neighbours are further apart than the gap, at most `mostMs`. */
function burst(state: MeasureState, now: number, gapMs: number, mostMs: number): Cut {
  const { recent } = state;
  const { buckets } = wholeOf(state);
  let exact = true;
  let reached = now;
  let single = firstTimeAbove(recent, now) - 1;
  let summed = buckets.length - 1;
  while (summed >= 0 && (buckets[summed] as Bucket).first > now) summed -= 1;
  for (;;) {
    const bucket = buckets[summed];
    const time = single < 0 ? Number.NEGATIVE_INFINITY : timeAt(recent, single);
    const fromBucket = bucket !== undefined && bucket.last > time;
    const next = fromBucket ? bucket.last : time;
    if (reached - next > gapMs) break;
    if (fromBucket) {
      reached = Math.min(reached, bucket.first);
      exact &&= bucket.count === 1;
      summed -= 1;
    } else {
      reached = time;
      single -= 1;
    }
  }
  // Without any contribution within the gap nothing counts: a window of one millisecond holds only those of now.
  return { state, windowMs: Math.min(mostMs, now - reached + 1), exact };
}
