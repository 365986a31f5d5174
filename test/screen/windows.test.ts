import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUCKETS_PER_WINDOW, DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import type { Bucket } from "../../src/screen/state.ts";
import {
  addToBuckets,
  BUCKETS_MERGED_FROM,
  dropBuckets,
  firstBucketAbove,
  grainMs,
  mergeBuckets,
  subtractFromBuckets,
} from "../../src/screen/windows.ts";

const bucket = (first: number, last: number, count = 1, sum = 0): Bucket => ({
  first,
  last,
  count,
  sum,
  min: 0,
  max: 0,
});

describe("grainMs", () => {
  it("is the greatest power of two minutes within 1/48 of the window", () => {
    expect(grainMs(48 * MINUTE_MS, 0)).toBe(MINUTE_MS);
    expect(grainMs(96 * MINUTE_MS - 1, 0)).toBe(MINUTE_MS);
    expect(grainMs(96 * MINUTE_MS, 0)).toBe(2 * MINUTE_MS);
    expect(grainMs(DAY_MS, 0)).toBe(16 * MINUTE_MS);
    expect(grainMs(HOUR_MS, 0)).toBe(MINUTE_MS);
    expect(grainMs(10 * MINUTE_MS, 0)).toBe(MINUTE_MS / 8);
  });

  it("grows with age, and has no bound for a window without start", () => {
    expect(grainMs(HOUR_MS, 2 * DAY_MS)).toBe(32 * MINUTE_MS);
    expect(grainMs(Number.POSITIVE_INFINITY, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it("never exceeds the bound and is always more than half of it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 180 * DAY_MS }), fc.nat(180 * DAY_MS), (windowMinMs, ageMs) => {
        const limit = Math.max(windowMinMs, ageMs) / BUCKETS_PER_WINDOW;
        const grain = grainMs(windowMinMs, ageMs);
        expect(grain).toBeLessThanOrEqual(limit);
        expect(grain * 2).toBeGreaterThan(limit);
      }),
      { seed: 1 },
    );
  });
});

describe("searches", () => {
  it("find the first bucket above a bound, as a scan does", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 40 }), fc.nat(22), (numbers, bound) => {
        const sorted = numbers.sort((a, b) => a - b);
        const scan = sorted.findIndex((n) => n > bound);
        const expected = scan < 0 ? sorted.length : scan;
        expect(
          firstBucketAbove(
            sorted.map((n) => bucket(n, n)),
            bound,
          ),
        ).toBe(expected);
      }),
      { seed: 2 },
    );
  });
});

describe("buckets", () => {
  it("stay sorted and disjoint, keep every total, and stay within the grain of their age", () => {
    const times = fc.array(fc.nat(40 * DAY_MS), { maxLength: 600 });
    fc.assert(
      fc.property(times, fc.constantFrom(HOUR_MS, DAY_MS, 7 * DAY_MS), (all, windowMinMs) => {
        const buckets: Bucket[] = [];
        const now = 40 * DAY_MS;
        for (const [i, time] of all.entries()) addToBuckets(buckets, windowMinMs, time, i, now);
        mergeBuckets(buckets, windowMinMs, now);
        expect(buckets.reduce((total, b) => total + b.count, 0)).toBe(all.length);
        expect(buckets.reduce((total, b) => total + b.sum, 0)).toBe(all.reduce((total, _, i) => total + i, 0));
        for (const [i, b] of buckets.entries()) {
          const inside = all
            .map((time, value) => ({ time, value }))
            .filter((c) => c.time >= b.first && c.time <= b.last);
          expect(inside.length).toBe(b.count);
          expect(Math.min(...inside.map((c) => c.value))).toBe(b.min);
          expect(Math.max(...inside.map((c) => c.value))).toBe(b.max);
          expect(b.last - b.first).toBeLessThanOrEqual(Math.max(windowMinMs, now - b.last) / BUCKETS_PER_WINDOW);
          if (i > 0) expect((buckets[i - 1] as Bucket).last).toBeLessThan(b.first);
        }
      }),
      { seed: 3, numRuns: 40 },
    );
  });

  it("are bounded in number for a month of dense contributions", () => {
    const buckets: Bucket[] = [];
    const every = 5 * MINUTE_MS;
    for (let time = 0; time < 30 * DAY_MS; time += every) addToBuckets(buckets, DAY_MS, time, 1, time);
    // 48 to 96 for the shortest window and for each doubling up to 30 days, and what waits to be merged.
    expect(buckets.length).toBeLessThan(96 * 6 + BUCKETS_MERGED_FROM);
    expect(buckets.length).toBeGreaterThan(48);
  });

  it("give one contribution back, and vanish with the last", () => {
    const buckets = [bucket(10, 20, 2, 30), bucket(40, 40, 1, 7)];
    expect(subtractFromBuckets(buckets, 15, 12)).toBe(true);
    expect(buckets[0]).toMatchObject({ count: 1, sum: 18 });
    expect(subtractFromBuckets(buckets, 30, 1)).toBe(false);
    expect(subtractFromBuckets(buckets, 5, 1)).toBe(false);
    expect(subtractFromBuckets(buckets, 40, 7)).toBe(true);
    expect(buckets).toHaveLength(1);
  });

  it("leave when their newest contribution has left the window", () => {
    const buckets = [bucket(10, 20), bucket(30, 40), bucket(50, 60)];
    dropBuckets(buckets, 39);
    expect(buckets).toHaveLength(2);
    dropBuckets(buckets, 40);
    expect(buckets).toEqual([bucket(50, 60)]);
  });
});
