import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../src/base/limits.ts";
import {
  contribute,
  contributeLate,
  expire,
  hasKey,
  keyEntry,
  knownForKey,
  newMeasureState,
  reading,
  readingDetail,
  removeContribution,
} from "../../src/screen/measures.ts";
import { newRun, play, scan, testMeasure } from "./measure-oracle.ts";
import { inOrder, WINDOW_MIN_MS, WINDOW_MS, WINDOWS, withLate } from "./measure-steps.ts";

describe("keys", () => {
  it("distinct counts are those of a scan; with overflow at least the cap, exact where it says so", () => {
    fc.assert(
      fc.property(inOrder, fc.constantFrom(1, 3, 64), (all, cap) => {
        const run = newRun(testMeasure("distinct", WINDOW_MIN_MS, WINDOW_MS, cap));
        for (const step of all) {
          play(run, step, 4);
          for (const windowMs of WINDOWS) {
            const inside = new Set(scan(run, run.now - windowMs, run.now).map((c) => c.key));
            const detail = readingDetail(run.state, run.measure, "distinct", run.now, windowMs, -1);
            expect(detail.value).toBe(Math.min(inside.size, cap));
            expect(reading(run.state, run.measure, "distinct", run.now, windowMs, -1)).toBe(detail.value);
            if (detail.exact) expect(detail.value).toBe(inside.size);
            else expect(detail.value).toBe(cap);
            if (cap === 64) {
              expect(detail.exact).toBe(true);
              for (const one of "abcdefgh") {
                expect(hasKey(run.state, one, run.now, windowMs, -1)).toBe(inside.has(one));
              }
            }
            expect(detail.ledger.reduce((n, row) => n + row.count, 0)).toBe(detail.value);
          }
        }
      }),
      { seed: 21, numRuns: 25 },
    );
  });

  it("after a flow step only keys shown since count", () => {
    fc.assert(
      fc.property(inOrder, fc.nat(250), (all, armedAt) => {
        const run = newRun(testMeasure("distinct", WINDOW_MIN_MS, WINDOW_MS));
        for (const step of all) play(run, step, 4);
        const afterSeq = armedAt % Math.max(1, run.all.length);
        const inside = scan(run, run.now - DAY_MS, run.now, afterSeq);
        const expected = new Set(inside.map((c) => c.key)).size;
        expect(reading(run.state, run.measure, "distinct", run.now, DAY_MS, afterSeq)).toBe(expected);
        const detail = readingDetail(run.state, run.measure, "distinct", run.now, DAY_MS, afterSeq);
        expect(detail.seqs.length).toBe(expected);
        expect(detail.seqs.every((seq) => inside.some((c) => c.seq === seq))).toBe(true);
      }),
      { seed: 22, numRuns: 60 },
    );
  });

  it("late ones widen first and last, and count in windows", () => {
    fc.assert(
      fc.property(withLate, (all) => {
        const run = newRun(testMeasure("first_seen", WINDOW_MIN_MS, Number.POSITIVE_INFINITY));
        for (const step of all) play(run, step, 4);
        for (const one of new Set(run.all.map((c) => c.key))) {
          const times = run.all.filter((c) => c.key === one).map((c) => c.time);
          expect(keyEntry(run.state, one)).toMatchObject({
            firstTime: Math.min(...times),
            lastTime: Math.max(...times),
          });
          expect(knownForKey(run.state, one, run.now)).toBe(run.now - Math.min(...times));
        }
        for (const windowMs of WINDOWS) {
          const inside = new Set(scan(run, run.now - windowMs, run.now).map((c) => c.key));
          expect(reading(run.state, run.measure, "distinct", run.now, windowMs, -1)).toBe(inside.size);
        }
      }),
      { seed: 23, numRuns: 60 },
    );
  });

  it("a first-seen key that may have been dropped is unknown, one that never was there is new", () => {
    const measure = testMeasure("first_seen", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    const state = newMeasureState(measure);
    expect(knownForKey(state, "k0", 0)).toBe(0);
    for (let seq = 0; seq < 256; seq += 1) contribute(state, measure, { seq, time: seq }, 1, `k${seq}`);
    expect(knownForKey(state, "k0", 300)).toBe(300);
    expect(knownForKey(state, "other", 300)).toBe(0);
    contribute(state, measure, { seq: 256, time: 256 }, 1, "k256");
    expect(keyEntry(state, "k0")).toBeUndefined();
    expect(knownForKey(state, "k0", 300)).toBeUndefined();
    contribute(state, measure, { seq: 257, time: 300 }, 1, "k0");
    expect(knownForKey(state, "k0", 400)).toBeUndefined();
    expect(knownForKey(state, "k256", 400)).toBe(144);
    expect(hasKey(state, "k0", 400, DAY_MS, -1)).toBe(true);
  });

  it("a key shown out of order keeps the map in order of time", () => {
    const measure = testMeasure("distinct", HOUR_MS, DAY_MS, 3);
    const state = newMeasureState(measure);
    contribute(state, measure, { seq: 0, time: 10 }, 1, "a");
    contribute(state, measure, { seq: 1, time: 30 }, 1, "b");
    contribute(state, measure, { seq: 2, time: 20 }, 1, "c");
    contribute(state, measure, { seq: 3, time: 15 }, 1, "a");
    expect([...(state.keys ?? [])].map(({ key, lastTime }) => [key, lastTime])).toEqual([
      ["a", 15],
      ["c", 20],
      ["b", 30],
    ]);
    expect(reading(state, measure, "distinct", 20, HOUR_MS, -1)).toBe(2);
    expect(reading(state, measure, "distinct", 30, HOUR_MS, -1)).toBe(3);
  });

  it("expiry forgets keys at the window's start, and the overflow with them", () => {
    const measure = testMeasure("distinct", HOUR_MS, DAY_MS, 2);
    const state = newMeasureState(measure);
    for (const [seq, name] of ["a", "b", "c"].entries()) contribute(state, measure, { seq, time: seq }, 1, name);
    expect(state.overflowed).toBe(true);
    expect(keyEntry(state, "a")).toBeUndefined();
    expire(state, measure, DAY_MS);
    expect(state.overflowed).toBe(true);
    expire(state, measure, DAY_MS + 1);
    expect(state.overflowed).toBe(false);
    expect([...(state.keys ?? [])].map(({ key }) => key)).toEqual(["c"]);
  });

  it("a missing key is not counted", () => {
    const measure = testMeasure("distinct", HOUR_MS, DAY_MS);
    const state = newMeasureState(measure);
    contribute(state, measure, { seq: 0, time: 0 }, 1, undefined);
    contributeLate(state, measure, 0, 1, 1, undefined);
    expect(reading(state, measure, "distinct", 0, HOUR_MS, -1)).toBe(0);
    expect(removeContribution(state, measure, 0, 0, 1)).toBe(false);
  });
});
