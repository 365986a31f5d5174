import fc from "fast-check";
import { coefficientOfVariation } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import { createZones } from "../../src/domain/time.ts";
import type { Aggregate, AggregateFunction, AggregateRefinement } from "../../src/rules/plan.ts";
import { startOfPeriod } from "../../src/rules/window.ts";
import type { JudgeContext } from "../../src/screen/context.ts";
import { refinedDetail, refinedReading } from "../../src/screen/refined-readings.ts";
import { type Contribution, newRun, play, type Run, testMeasure } from "./measure-oracle.ts";
import { capacity, inOrder, WINDOW_MIN_MS, WINDOW_MS } from "./measure-steps.ts";

const LAST = { kind: "last" } as const;

function aggregateOf(fn: AggregateFunction, refined: Partial<AggregateRefinement>, windowMs = WINDOW_MS): Aggregate {
  const plain = { window: LAST, current: true, part: undefined };
  const refinement = { ...plain, ...refined };
  const none = { past: undefined, completed: undefined, flow: undefined };
  return { slot: 0, measure: 0, function: fn, windowMs, refined: refinement, unit: "count", ...none };
}

/** Reads an aggregate of a run at its newest event, both ways, and checks that they agree. */
function read(run: Run, aggregate: Aggregate): { value: number | undefined; exact: boolean } {
  const context = { now: run.now, currentSeq: run.seq - 1 } as JudgeContext;
  const value = refinedReading(context, run.state, run.measure, aggregate);
  const detail = refinedDetail(context, run.state, run.measure, aggregate);
  expect(detail.value).toBe(value);
  return { value, exact: detail.exact };
}

function inWindow(run: Run, windowMs: number): Contribution[] {
  return run.all.filter((c) => c.time > run.now - windowMs && c.time <= run.now);
}

const sum = (all: readonly Contribution[]): number => all.reduce((total, c) => total + c.value, 0);

/** Runs a split measure; `check` sees it now and then. */
function eachRun(seed: number, keeps: fc.Arbitrary<number>, check: (run: Run, keep: number) => void, cap = 64): void {
  fc.assert(
    fc.property(inOrder, keeps, (all, keep) => {
      const run = newRun(testMeasure("split", WINDOW_MIN_MS, WINDOW_MS, cap));
      for (const [i, step] of all.entries()) {
        play(run, step, keep);
        if (i % 17 === 0 || i === all.length - 1) check(run, keep);
      }
    }),
    { seed, numRuns: 40 },
  );
}

describe("parts of a split, against a scan of everything", () => {
  it("count and sum of one part: exact where it says so, never too few", () => {
    eachRun(31, capacity, (run, keep) => {
      for (const key of ["a", "d", "h", "never"]) {
        const part = () => key;
        for (const windowMs of [HOUR_MS, 10 * HOUR_MS + 1, WINDOW_MS]) {
          const inside = inWindow(run, windowMs).filter((c) => c.key === key);
          const count = read(run, aggregateOf("count", { part }, windowMs));
          expect(count.value).toBeGreaterThanOrEqual(inside.length);
          if (count.exact) expect(count.value).toBe(inside.length);
          const total = read(run, aggregateOf("sum", { part }, windowMs));
          if (total.exact) expect(total.value).toBe(sum(inside));
          if (keep === 256) expect([count.exact, total.exact]).toEqual([true, true]);
        }
      }
    });
  });

  it("a movement that names no part asks of none", () => {
    const run = newRun(testMeasure("split", WINDOW_MIN_MS, WINDOW_MS));
    play(run, { kind: "add", gapMs: 0, value: 3, key: "a" }, 4);
    expect(read(run, aggregateOf("count", { part: () => undefined }))).toEqual({ value: undefined, exact: false });
  });

  it("largest part and its share are those of the parts' sums", () => {
    eachRun(32, fc.constant(256), (run) => {
      const sums = new Map<string, number>();
      for (const c of inWindow(run, WINDOW_MS)) sums.set(c.key, (sums.get(c.key) ?? 0) + c.value);
      const all = [...sums.values()];
      const total = all.reduce((a, b) => a + b, 0);
      expect(read(run, aggregateOf("max_of", {})).value).toBe(all.length === 0 ? undefined : Math.max(...all));
      const share = read(run, aggregateOf("top_share", {})).value;
      if (total > 0) expect(share).toBe(Math.max(...all) / total);
      else expect(share).toBeUndefined();
    });
  });

  it("beyond the cap the rest counts in totals, and no number of a part says that it is exact", () => {
    eachRun(
      33,
      fc.constant(0),
      (run) => {
        const detail = read(run, aggregateOf("count", {}));
        expect(detail.value).toBeGreaterThanOrEqual(inWindow(run, WINDOW_MS).length);
        if (!run.state.overflowed) return;
        expect(read(run, aggregateOf("count", { part: () => "a" })).exact).toBe(false);
        expect(read(run, aggregateOf("max_of", {})).exact).toBe(false);
        expect(run.state.groups?.size).toBeLessThanOrEqual(2);
      },
      2,
    );
  });
});

describe("windows, against a scan of everything", () => {
  it("before the judged movement", () => {
    eachRun(34, fc.constant(256), (run) => {
      const earlier = inWindow(run, WINDOW_MS).filter((c) => c.seq < run.seq - 1);
      expect(read(run, aggregateOf("count", { current: false }))).toEqual({ value: earlier.length, exact: true });
      expect(read(run, aggregateOf("sum", { current: false })).value).toBe(sum(earlier));
      const keys = new Set(earlier.map((c) => c.key));
      expect(read(run, aggregateOf("distinct", { current: false })).value).toBe(keys.size);
    });
  });

  it("of the newest events, the one that is judged among them", () => {
    eachRun(35, capacity, (run, keep) => {
      for (const count of [1, 3, 20]) {
        const inside = inWindow(run, WINDOW_MS).slice(-count);
        const window = { kind: "events", count } as const;
        const counted = read(run, aggregateOf("count", { window }));
        expect(counted.value).toBeGreaterThanOrEqual(inside.length);
        if (keep === 256) {
          expect(counted).toEqual({ value: inside.length, exact: true });
          expect(read(run, aggregateOf("sum", { window })).value).toBe(sum(inside));
          const most = inside.length === 0 ? undefined : Math.max(...inside.map((c) => c.value));
          expect(read(run, aggregateOf("max", { window })).value).toBe(most);
          const keys = new Set(inside.map((c) => c.key));
          expect(read(run, aggregateOf("distinct", { window })).value).toBe(keys.size);
        }
        const earlier = run.all.filter((c) => c.seq < run.seq - 1 && c.time > run.now - WINDOW_MS).slice(-count);
        const former = read(run, aggregateOf("count", { window, current: false }));
        // The judged movement itself is among the recent events, always.
        if (former.exact && keep > 0) expect(former.value).toBe(earlier.length);
      }
    });
  });

  it("of a burst: back while no gap is longer, the gap's own length included", () => {
    eachRun(36, capacity, (run, keep) => {
      for (const gapMs of [0, 3, MINUTE_MS, HOUR_MS / 4]) {
        const inside: Contribution[] = [];
        let reached = run.now;
        for (const c of [...run.all].reverse()) {
          if (reached - c.time > gapMs || run.now - c.time >= WINDOW_MS) break;
          reached = c.time;
          inside.push(c);
        }
        const window = { kind: "burst", gapMs } as const;
        const counted = read(run, aggregateOf("count", { window }));
        expect(counted.value).toBeGreaterThanOrEqual(inside.length);
        if (counted.exact) expect(counted.value).toBe(inside.length);
        if (keep === 256) expect(counted).toEqual({ value: inside.length, exact: true });
        if (keep === 256) expect(read(run, aggregateOf("sum", { window })).value).toBe(sum(inside));
      }
    });
  });

  it("of a calendar period: its first millisecond included", () => {
    eachRun(37, fc.constant(256), (run) => {
      const startOf = (now: number) => Math.floor(now / DAY_MS) * DAY_MS;
      const inside = run.all.filter((c) => c.time >= startOf(run.now));
      const window = { kind: "calendar", startOf } as const;
      expect(read(run, aggregateOf("count", { window }))).toEqual({ value: inside.length, exact: true });
    });
  });
});

describe("calendar periods", () => {
  const zones = createZones();
  const local = (zone: string, time: number): Intl.DateTimeFormatPart[] =>
    new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).formatToParts(time);
  const dayOf = (zone: string, time: number): string =>
    local(zone, time)
      .filter((part) => ["year", "month", "day"].includes(part.type))
      .map((part) => part.value)
      .join("-");

  it.each(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Beirut", "America/Asuncion"])(
    "of %s begin with the first local millisecond",
    (zone) => {
      fc.assert(
        fc.property(fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2027, 0, 1) }), (time) => {
          const day = startOfPeriod("day", zones, zone, time);
          expect(day).toBeLessThanOrEqual(time);
          expect(dayOf(zone, day)).toBe(dayOf(zone, time));
          expect(dayOf(zone, day - 1)).not.toBe(dayOf(zone, time));
          const week = startOfPeriod("week", zones, zone, time);
          const name = new Intl.DateTimeFormat("en", { timeZone: zone, weekday: "short" });
          expect(name.format(week)).toBe("Mon");
          expect(name.format(week - 1)).toBe("Sun");
          expect(time - week).toBeLessThan(7 * DAY_MS + 2 * HOUR_MS);
          const month = startOfPeriod("month", zones, zone, time);
          expect(dayOf(zone, month)).toBe(`${dayOf(zone, time).slice(0, 8)}01`);
          expect(dayOf(zone, month - 1).slice(0, 7)).not.toBe(dayOf(zone, time).slice(0, 7));
        }),
        { seed: 51, numRuns: 150 },
      );
    },
  );
});

describe("regularity", () => {
  const over = (times: readonly number[], values: readonly number[], fn: AggregateFunction): number | undefined => {
    const run = newRun(testMeasure("number", WINDOW_MIN_MS, 400 * DAY_MS));
    times.forEach((time, i) => {
      play(run, { kind: "add", gapMs: time - run.now, value: values[i] ?? 1, key: "a" }, 256);
    });
    return read(run, aggregateOf(fn, { current: true, window: { kind: "events", count: 256 } }, 400 * DAY_MS)).value;
  };

  it("spread of gaps is the coefficient of variation of simple-statistics", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: DAY_MS }), { minLength: 2, maxLength: 40 }), (gaps) => {
        let time = DAY_MS;
        const times = [time, ...gaps.map((gap) => (time += gap))];
        // Its coefficient is of a sample; ours is of all gaps.
        const n = gaps.length;
        const expected = coefficientOfVariation(gaps) * Math.sqrt((n - 1) / n);
        expect(over(times, [], "gap_cv")).toBeCloseTo(expected, 9);
      }),
      { seed: 61, numRuns: 60 },
    );
    expect(over([1, 2], [], "gap_cv")).toBeUndefined();
    expect(over([5, 5, 5], [], "gap_cv")).toBeUndefined();
    expect(over([0, DAY_MS, 2 * DAY_MS, 3 * DAY_MS], [], "gap_cv")).toBe(0);
  });

  it("one day of the month is within two days, over the end of the month too", () => {
    const days = [Date.UTC(2026, 0, 31), Date.UTC(2026, 2, 1), Date.UTC(2026, 3, 2), Date.UTC(2026, 4, 15)];
    expect(over(days, [], "same_day_of_month")).toBe(3 / 4);
    expect(over([Date.UTC(2026, 0, 10), Date.UTC(2026, 1, 15)], [], "same_day_of_month")).toBe(1 / 2);
  });

  it("equal amounts are the most frequent value's share", () => {
    expect(over([1, 2, 3, 4], [500, 700, 500, 500], "equal_amount_share")).toBe(3 / 4);
  });
});
