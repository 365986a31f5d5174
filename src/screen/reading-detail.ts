/**
 * What a number rests on, for the evidence of an alert: whether it is exact, the interval really
 * covered, the recent events behind it and subtotals by UTC day. The slow path.
 */
import { DAY_MS } from "../base/limits.ts";
import type { AggregateFunction, Measure } from "../rules/plan.ts";
import { seqAt, seqsOf, timesOf, valuesOf } from "./contributions.ts";
import { bucketsFrom, bucketsTo, isOneByOne, keyCounts, reading, recentFrom, recentTo } from "./readings.ts";
import type { Bucket, MeasureState } from "./state.ts";

/** A subtotal: everything counted with event time from `from` to `to`, both included. */
export interface LedgerRow {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly sum: number;
}

export interface ReadingDetail {
  readonly value: number | undefined;
  /** False when a bucket was cut through, a median left buckets out, or a distinct set overflowed. */
  readonly exact: boolean;
  /** Interval really covered, half open: `(from, to]`, epoch ms. */
  readonly from: number;
  readonly to: number;
  /** Contributions behind the value; keys of the keyed kinds. */
  readonly count: number;
  /** Sum of the contributions; 0 for the keyed kinds. */
  readonly sum: number;
  /** Sequence numbers of the recent events behind it, ascending; of a key, the event that showed it last. */
  readonly seqs: readonly number[];
  /** By UTC day, oldest first; a bucket over midnight joins its days in one row. Totals are `count` and `sum`. */
  readonly ledger: readonly LedgerRow[];
}

/** The same number as `reading`, with what it rests on. */
export function readingDetail(
  state: MeasureState,
  measure: Measure,
  fn: AggregateFunction,
  now: number,
  windowMs: number,
  afterSeq: number,
  afterTime: number = Number.POSITIVE_INFINITY,
): ReadingDetail {
  const value = reading(state, measure, fn, now, windowMs, afterSeq, afterTime);
  if (state.keys !== undefined) return keyedDetail(state, value, now, windowMs, afterSeq);
  const from = now - windowMs;
  const low = recentFrom(state, from, afterSeq);
  const high = recentTo(state, now);
  const bucketLow = bucketsFrom(state, from, afterSeq, afterTime);
  const bucketHigh = bucketsTo(state, now, bucketLow);
  const values = valuesOf(state.recent, low, high);
  const recent = timesOf(state.recent, low, high).map((time, i) => row(time, time, 1, values[i] as number));
  const summed = state.buckets.slice(bucketLow, bucketHigh);
  const buckets = isOneByOne(fn) ? [] : summed.map((b) => row(b.first, b.last, b.count, b.sum));
  const rows = [...buckets, ...recent].sort((a, b) => a.from - b.from);
  return {
    value,
    exact: isExact(state, fn, summed, from, afterSeq),
    from: coveredFrom(from, rows, now),
    to: now,
    count: rows.reduce((total, r) => total + r.count, 0),
    sum: rows.reduce((total, r) => total + r.sum, 0),
    seqs: seqsOf(state.recent, low, high),
    ledger: byDay(rows),
  };
}

/**
 * Exact without a flow bound: no bucket reaches back over the window's start. With one: no contribution
 * can be in a bucket, or there are no buckets within the window.
 */
function isExact(
  state: MeasureState,
  fn: AggregateFunction,
  summed: readonly Bucket[],
  from: number,
  afterSeq: number,
): boolean {
  if (isOneByOne(fn)) return afterSeq < 0 ? summed.length === 0 : noneMayHaveLeft(state, from, afterSeq);
  if (afterSeq >= 0) return noneMayHaveLeft(state, from, afterSeq);
  const oldest = summed[0];
  return oldest === undefined || oldest.first > from;
}

function noneMayHaveLeft(state: MeasureState, from: number, afterSeq: number): boolean {
  if (state.recent.length > 0 && seqAt(state.recent, 0) <= afterSeq) return true;
  const newest = state.buckets[state.buckets.length - 1];
  return newest === undefined || newest.last <= from;
}

function keyedDetail(
  state: MeasureState,
  value: number | undefined,
  now: number,
  windowMs: number,
  afterSeq: number,
): ReadingDetail {
  const from = now - windowMs;
  const entries = state.keys?.entries ?? [];
  const counted = entries.filter((entry) => keyCounts(entry, from, now, afterSeq));
  const rows = counted.map((entry) => row(entry.lastTime, entry.lastTime, 1, 0));
  // Every dropped key is at most as new as the oldest that stayed: outside, when that one is.
  const oldest = entries[0];
  const allInside = oldest === undefined || oldest.lastTime > from;
  return {
    value,
    exact: !(state.overflowed && allInside),
    from: coveredFrom(from, rows, now),
    to: now,
    count: counted.length,
    sum: 0,
    seqs: counted
      .map((entry) => entry.lastSeq)
      .filter((seq) => seq >= 0)
      .sort((a, b) => a - b),
    ledger: byDay(rows),
  };
}

function row(from: number, to: number, count: number, sum: number): LedgerRow {
  return { from, to, count, sum };
}

/** A bucket over the window's start widens the interval; one without start begins at its first contribution. */
function coveredFrom(from: number, rows: readonly LedgerRow[], now: number): number {
  const first = rows[0]?.from;
  if (from === Number.NEGATIVE_INFINITY) return first === undefined ? now : first - 1;
  return first === undefined ? from : Math.min(from, first - 1);
}

/** Joins rows, sorted by `from`, that share a UTC day. */
function byDay(rows: readonly LedgerRow[]): LedgerRow[] {
  const ledger: LedgerRow[] = [];
  for (const next of rows) {
    const open = ledger[ledger.length - 1];
    if (open !== undefined && Math.floor(next.from / DAY_MS) <= Math.floor(open.to / DAY_MS)) {
      ledger[ledger.length - 1] = row(
        open.from,
        Math.max(open.to, next.to),
        open.count + next.count,
        open.sum + next.sum,
      );
    } else {
      ledger.push(next);
    }
  }
  return ledger;
}
