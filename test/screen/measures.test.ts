import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../src/base/limits.ts";
import { contributionsIn, timesOf } from "../../src/screen/contributions.ts";
import {
  adjustContribution,
  contribute,
  contributeLate,
  evict,
  expire,
  newMeasureState,
  reading,
  readingDetail,
  removeContribution,
} from "../../src/screen/measures.ts";
import { newRun, play, type Run, scan, testMeasure } from "./measure-oracle.ts";
import { capacity, inOrder, WINDOW_MIN_MS, WINDOW_MS, WINDOWS, withLate, withRemovals } from "./measure-steps.ts";

function total(values: readonly { readonly value: number }[]): number {
  return values.reduce((sum, c) => sum + c.value, 0);
}

/** Each window: never too little, at most what lies in 1/48 of the window before it too much; exact where it says so. */
function checkWindows(run: Run): void {
  for (const windowMs of WINDOWS) {
    const inside = scan(run, run.now - windowMs, run.now);
    const wider = scan(run, run.now - windowMs - windowMs / 48, run.now);
    const count = readingDetail(run.state, run.measure, "count", run.now, windowMs, -1);
    const sum = readingDetail(run.state, run.measure, "sum", run.now, windowMs, -1);
    expect(count.value).toBe(reading(run.state, run.measure, "count", run.now, windowMs, -1));
    expect(count.value).toBeGreaterThanOrEqual(inside.length);
    expect(count.value).toBeLessThanOrEqual(wider.length);
    if (count.exact) {
      expect(count.value).toBe(inside.length);
      expect(sum.value).toBe(total(inside));
    }
    expect(count.from).toBeGreaterThanOrEqual(run.now - windowMs - windowMs / 48 - 1);
    expect(count.ledger.reduce((n, row) => n + row.count, 0)).toBe(count.count);
    expect(sum.ledger.reduce((n, row) => n + row.sum, 0)).toBe(sum.value);
    expect(count.count).toBe(count.value);
    for (const [i, row] of sum.ledger.entries()) {
      const before = sum.ledger[i - 1];
      if (before !== undefined) {
        expect(Math.floor(row.from / DAY_MS)).toBeGreaterThan(Math.floor(before.to / DAY_MS));
      }
    }
  }
}

describe("numbers over windows, against a scan of everything", () => {
  it("in order: counts and sums are those of the covered interval, to the millisecond", () => {
    fc.assert(
      fc.property(inOrder, capacity, (all, keep) => {
        const run = newRun(testMeasure("number", WINDOW_MIN_MS, WINDOW_MS));
        for (const [i, step] of all.entries()) {
          play(run, step, keep);
          if (i % 9 !== 0 && i !== all.length - 1) continue;
          checkWindows(run);
          for (const windowMs of WINDOWS) {
            const detail = readingDetail(run.state, run.measure, "sum", run.now, windowMs, -1);
            const covered = scan(run, detail.from, detail.to);
            expect(detail.value).toBe(total(covered));
            expect(detail.count).toBe(covered.length);
          }
        }
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it("in order: min, max, avg and median are those of the window while all is recent", () => {
    fc.assert(
      fc.property(inOrder, fc.constantFrom(4, 256), (all, keep) => {
        const run = newRun(testMeasure("number", WINDOW_MIN_MS, WINDOW_MS));
        for (const step of all) play(run, step, keep);
        for (const windowMs of WINDOWS) {
          const values = scan(run, run.now - windowMs, run.now)
            .map((c) => c.value)
            .sort((a, b) => a - b);
          const read = (fn: "min" | "max" | "avg" | "median") =>
            readingDetail(run.state, run.measure, fn, run.now, windowMs, -1);
          if (read("min").exact) {
            expect(read("min").value).toBe(values[0]);
            expect(read("max").value).toBe(values[values.length - 1]);
            expect(read("avg").value).toBe(values.length === 0 ? undefined : sumOf(values) / values.length);
          } else {
            expect(read("min").value).toBeLessThanOrEqual(values[0] ?? Number.POSITIVE_INFINITY);
            expect(read("max").value).toBeGreaterThanOrEqual(values[values.length - 1] ?? Number.NEGATIVE_INFINITY);
          }
          if (read("median").exact) expect(read("median").value).toBe(naiveMedian(values));
        }
        if (keep === 256) expect(readingDetail(run.state, run.measure, "median", run.now, DAY_MS, -1).exact).toBe(true);
      }),
      { seed: 12, numRuns: 60 },
    );
  });

  it("late contributions are counted, never too few", () => {
    fc.assert(
      fc.property(withLate, capacity, (all, keep) => {
        const run = newRun(testMeasure("number", WINDOW_MIN_MS, WINDOW_MS));
        for (const [i, step] of all.entries()) {
          play(run, step, keep);
          if (i % 9 === 0 || i === all.length - 1) checkWindows(run);
        }
      }),
      { seed: 13, numRuns: 60 },
    );
  });

  it("removals leave counts and sums as if the contribution had never been", () => {
    fc.assert(
      fc.property(withRemovals, capacity, (all, keep) => {
        const run = newRun(testMeasure("number", WINDOW_MIN_MS, WINDOW_MS));
        for (const [i, step] of all.entries()) {
          play(run, step, keep);
          if (i % 9 === 0 || i === all.length - 1) checkWindows(run);
        }
      }),
      { seed: 14, numRuns: 60 },
    );
  });

  it("after a flow step: exact while nothing that may count has left, and never too few with a time", () => {
    fc.assert(
      fc.property(inOrder, capacity, fc.nat(250), (all, keep, armedAt) => {
        const run = newRun(testMeasure("number", WINDOW_MIN_MS, WINDOW_MS));
        for (const step of all) play(run, step, keep);
        const armed = run.all[armedAt % Math.max(1, run.all.length)];
        if (armed === undefined) return;
        for (const windowMs of WINDOWS) {
          const inside = scan(run, run.now - windowMs, run.now, armed.seq).length;
          const bare = readingDetail(run.state, run.measure, "count", run.now, windowMs, armed.seq);
          const timed = readingDetail(run.state, run.measure, "count", run.now, windowMs, armed.seq, armed.time);
          expect(bare.value).toBeLessThanOrEqual(inside);
          expect(timed.value).toBeGreaterThanOrEqual(inside);
          if (bare.exact) expect(bare.value).toBe(inside);
          if (timed.exact) expect(timed.value).toBe(inside);
          if (keep === 256) expect(bare.exact).toBe(true);
        }
      }),
      { seed: 15, numRuns: 100 },
    );
  });

  it("a window without start counts everything for ever", () => {
    const measure = testMeasure("number", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    const state = newMeasureState(measure);
    for (let seq = 0; seq < 1_000; seq += 1) {
      contribute(state, measure, { seq, time: seq * DAY_MS }, 2, undefined);
      if (seq >= 10) evict(state, measure, seq - 10);
      expire(state, measure, seq * DAY_MS);
    }
    expect(state.buckets).toHaveLength(1);
    const detail = readingDetail(state, measure, "sum", 999 * DAY_MS, Number.POSITIVE_INFINITY, -1);
    expect(detail).toMatchObject({ value: 2_000, exact: true, count: 1_000, from: -1 });
  });
});

describe("window edges", () => {
  const measure = testMeasure("number", HOUR_MS, DAY_MS);

  it("include the end and leave the start out", () => {
    const state = newMeasureState(measure);
    for (const [seq, time] of [0, 1, HOUR_MS, HOUR_MS].entries()) {
      contribute(state, measure, { seq, time }, 10, undefined);
    }
    expect(reading(state, measure, "count", HOUR_MS, HOUR_MS, -1)).toBe(3);
    expect(reading(state, measure, "count", HOUR_MS - 1, HOUR_MS, -1)).toBe(2);
    expect(reading(state, measure, "count", HOUR_MS + 1, HOUR_MS, -1)).toBe(2);
    expect(reading(state, measure, "first_seen", HOUR_MS, HOUR_MS, -1)).toBe(1);
    expect(reading(state, measure, "last_seen", HOUR_MS, HOUR_MS, -1)).toBe(HOUR_MS);
  });

  it("of nothing: 0 for count and sum, unknown for the rest", () => {
    const state = newMeasureState(measure);
    expect(reading(state, measure, "count", 0, HOUR_MS, -1)).toBe(0);
    expect(reading(state, measure, "sum", 0, HOUR_MS, -1)).toBe(0);
    for (const fn of ["min", "max", "avg", "median", "first_seen", "last_seen"] as const) {
      expect(reading(state, measure, fn, 0, HOUR_MS, -1)).toBeUndefined();
    }
    expect(readingDetail(state, measure, "sum", 5, HOUR_MS, -1)).toMatchObject({ exact: true, count: 0, ledger: [] });
  });

  it("a value that is not a number is not counted", () => {
    const state = newMeasureState(measure);
    contribute(state, measure, { seq: 0, time: 1 }, Number.NaN, undefined);
    contributeLate(state, measure, 0, 1, Number.NaN, undefined);
    expect(reading(state, measure, "count", 1, HOUR_MS, -1)).toBe(0);
  });

  it("a contribution out of order is counted as a late one", () => {
    const state = newMeasureState(measure);
    contribute(state, measure, { seq: 0, time: 5 }, 1, undefined);
    contribute(state, measure, { seq: 1, time: 4 }, 1, undefined);
    expect(timesOf(state.recent, 0, contributionsIn(state.recent))).toEqual([5]);
    expect(reading(state, measure, "count", 5, HOUR_MS, -1)).toBe(2);
    evict(state, measure, 0);
    evict(state, measure, 1);
    expect(reading(state, measure, "count", 5, HOUR_MS, -1)).toBe(2);
    expect(reading(state, measure, "count", 4, HOUR_MS, -1)).toBeGreaterThanOrEqual(1);
  });

  it("a contribution drops what no window can count any more", () => {
    const state = newMeasureState(measure);
    for (const [seq, time] of [0, 1, DAY_MS, DAY_MS + 1].entries()) {
      contribute(state, measure, { seq, time }, 1, undefined);
      if (seq === 0) evict(state, measure, 0);
    }
    expect(state.buckets).toEqual([]);
    expect(timesOf(state.recent, 0, contributionsIn(state.recent))).toEqual([DAY_MS, DAY_MS + 1]);
  });
});

describe("corrections", () => {
  const measure = testMeasure("number", HOUR_MS, DAY_MS);

  it("a settled authorisation takes the amount of its booking", () => {
    const state = newMeasureState(measure);
    contribute(state, measure, { seq: 4, time: 1 }, 100, undefined);
    contribute(state, measure, { seq: 9, time: 2 }, 50, undefined);
    expect(adjustContribution(state, 4, 90)).toBe(true);
    expect(adjustContribution(state, 5, 1)).toBe(false);
    expect(reading(state, measure, "sum", 2, HOUR_MS, -1)).toBe(140);
  });

  it("a recent event that had not counted takes nothing out of a bucket of its time", () => {
    const state = newMeasureState(measure);
    contributeLate(state, measure, 5, 1, 70, undefined);
    expect(removeContribution(state, measure, 3, 5, 70)).toBe(false);
    expect(reading(state, measure, "sum", 5, HOUR_MS, -1)).toBe(70);
    expect(removeContribution(state, measure, -1, 5, 70)).toBe(true);
    expect(reading(state, measure, "count", 5, HOUR_MS, -1)).toBe(0);
  });

  it("removing what is nowhere changes nothing", () => {
    const state = newMeasureState(measure);
    contribute(state, measure, { seq: 4, time: 1 }, 100, undefined);
    expect(removeContribution(state, measure, 5, 1, 100)).toBe(false);
    expect(reading(state, measure, "sum", 2, HOUR_MS, -1)).toBe(100);
  });
});

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0);
}

function naiveMedian(sorted: readonly number[]): number | undefined {
  const half = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[half];
  return sorted.length === 0 ? undefined : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}
