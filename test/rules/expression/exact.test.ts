import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combine, compareConstants, fromNumber, holds } from "../../../src/rules/expression/exact.ts";
import type { Comparer } from "../../../src/rules/expression/types.ts";
import { context, leafOf } from "../build.ts";

const MORE = "aggregates: { a: { sum: tx.amount, last: 7d }, b: { sum: tx.amount, last: 14d } }\n";
const OPERATORS: readonly Comparer[] = ["==", "!=", "<", "<=", ">", ">="];

/** Amounts up to the largest that intake lets through. */
const amount = fc.oneof(fc.nat(1_000), fc.integer({ min: 0, max: 1_000_000_000_000_000 }));

function reading(a: number, b: number) {
  return context({ agg: (slot) => (slot === 0 ? a : b) });
}

describe("comparisons", () => {
  it("of a share of an amount are exact, on and beside the edge", () => {
    const percent = fc.integer({ min: 1, max: 999 });
    fc.assert(
      fc.property(
        amount,
        percent,
        fc.integer({ min: -1, max: 1 }),
        fc.constantFrom(...OPERATORS),
        (b, tenths, off, operator) => {
          // The left side is put where it decides: at the quotient, one minor unit below or above.
          const edge = Number((BigInt(b) * BigInt(tenths)) / 1000n);
          const a = Math.max(0, edge + off);
          const leaf = leafOf(`agg.a ${operator} ${tenths / 10}% * agg.b`, MORE);
          const left = BigInt(a) * 1000n;
          const right = BigInt(b) * BigInt(tenths);
          const sign = left < right ? -1 : left > right ? 1 : 0;
          expect(leaf.test(reading(a, b))).toBe(holds(operator, sign));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("of quotients are exact", () => {
    fc.assert(
      fc.property(
        amount,
        fc.integer({ min: 1, max: 1_000_000_000_000_000 }),
        fc.integer({ min: 1, max: 400 }),
        (a, b, percent) => {
          const leaf = leafOf(`agg.a / agg.b >= ${percent}%`, MORE);
          expect(leaf.test(reading(a, b))).toBe(BigInt(a) * 100n >= BigInt(b) * BigInt(percent));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("of a share that an aggregate gives are exact on the edge, though it comes as a double", () => {
    const more = "aggregates: { top: { top_share: events, by: other.id, last: 7d, cap: 8 } }\n";
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 100 }), (all, percent) => {
        for (const part of [Math.ceil((all * percent) / 100), Math.ceil((all * percent) / 100) - 1]) {
          const leaf = leafOf(`agg.top >= ${percent}%`, more);
          expect(leaf.test(reading(part / all, 0)), `${part} of ${all}`).toBe(part * 100 >= all * percent);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("of sums and differences are exact where doubles are not", () => {
    const leaf = leafOf("agg.a * 0.1 + agg.b * 0.2 == agg.b * 0.3", MORE);
    expect(leaf.test(reading(10, 10))).toBe(true);
    expect(leaf.test(reading(11, 10))).toBe(false);
  });

  it("agree with fractions for any nesting", () => {
    const leaf = leafOf("(agg.a + agg.b) / 3 > (agg.a - agg.b) * 7 / 2 - 1 EUR", MORE);
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (a, b) => {
        const left = { numerator: BigInt(a + b), denominator: 3n };
        const right = { numerator: BigInt(a - b) * 7n - 200n, denominator: 2n };
        expect(leaf.test(reading(a, b))).toBe(compareConstants(left, right) > 0);
      }),
    );
  });
});

describe("fractions", () => {
  it("give doubles back as they are", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), (value) => {
        const exact = fromNumber(value);
        expect(Number(exact?.numerator) / Number(exact?.denominator)).toBeCloseTo(value, 9);
        if (Number.isInteger(value)) expect(exact).toEqual({ numerator: BigInt(value), denominator: 1n });
      }),
    );
    expect(fromNumber(Number.NaN)).toBeUndefined();
    expect(fromNumber(Number.POSITIVE_INFINITY)).toBeUndefined();
  });

  it("keep their denominators positive", () => {
    const third = { numerator: -1n, denominator: 3n };
    expect(combine("/", { numerator: 1n, denominator: 1n }, third)).toEqual({ numerator: -3n, denominator: 1n });
    expect(combine("/", third, { numerator: 0n, denominator: 1n })).toBeUndefined();
  });
});
