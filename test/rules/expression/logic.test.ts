import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateClause } from "../../../src/rules/logic.ts";
import type { Clause, Context, Tri } from "../../../src/rules/plan.ts";
import { context, leafOf, TX } from "../build.ts";

/** Independent inputs that can each be true, false or unknown. */
const INPUTS = [
  { expression: "tx.act.white_label_atm", set: (v: Tri) => ({ whiteLabelAtm: v }) },
  { expression: "tx.conductor == 'c'", set: (v: Tri) => ({ conductor: text(v, "c") }) },
  { expression: "tx.device == 'd'", set: (v: Tri) => ({ device: text(v, "d") }) },
  { expression: "tx.act.site == 's'", set: (v: Tri) => ({ actSite: text(v, "s") }) },
] as const;

function text(value: Tri, yes: string): string | undefined {
  return value === undefined ? undefined : value ? yes : "other";
}

interface Formula {
  readonly text: string;
  /** Value by the truth tables of Kleene. */
  readonly oracle: (values: readonly Tri[]) => Tri;
}

const RANK = (v: Tri): number => (v === undefined ? 1 : v ? 2 : 0);
const TRI: readonly Tri[] = [false, undefined, true];

const formula: fc.Arbitrary<Formula> = fc.letrec<{ node: Formula }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.nat(INPUTS.length - 1).map((i) => ({ text: `(${INPUTS[i]?.expression})`, oracle: (v: readonly Tri[]) => v[i] })),
    tie("node").map((a) => ({ text: `!${a.text}`, oracle: (v: readonly Tri[]) => TRI[2 - RANK(a.oracle(v))] })),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => ({
      text: `(${a.text} && ${b.text})`,
      oracle: (v: readonly Tri[]) => TRI[Math.min(RANK(a.oracle(v)), RANK(b.oracle(v)))],
    })),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => ({
      text: `(${a.text} || ${b.text})`,
      oracle: (v: readonly Tri[]) => TRI[Math.max(RANK(a.oracle(v)), RANK(b.oracle(v)))],
    })),
  ),
})).node;

const tri: fc.Arbitrary<Tri> = fc.constantFrom(true, false, undefined);

function withInputs(values: readonly Tri[]): Context {
  return context({ tx: Object.assign({}, TX, ...INPUTS.map((input, i) => input.set(values[i]))) });
}

describe("three-valued logic", () => {
  it("of expressions follows the truth tables", () => {
    fc.assert(
      fc.property(formula, fc.array(fc.array(tri, { minLength: 4, maxLength: 4 }), { maxLength: 8 }), (made, cases) => {
        fc.pre(made.text.length < 1_500);
        const leaf = leafOf("f", `filters: { f: ${JSON.stringify(made.text)} }\n`);
        for (const values of cases) expect(leaf.test(withInputs(values))).toBe(made.oracle(values));
      }),
      { numRuns: 60 },
    );
  });

  it("of clause trees follows the truth tables", () => {
    const leaf = (value: Tri): Clause => ({
      kind: "leaf",
      name: "x",
      text: "x",
      test: () => value,
      comparison: undefined,
      geography: false,
    });
    fc.assert(
      fc.property(fc.array(tri, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 5 }), (values, n) => {
        const children = values.map(leaf);
        const c = context();
        const ranks = values.map(RANK);
        expect(evaluateClause({ kind: "all", n: 0, children }, c)).toBe(TRI[Math.min(...ranks)]);
        expect(evaluateClause({ kind: "any", n: 0, children }, c)).toBe(TRI[Math.max(...ranks)]);
        expect(evaluateClause({ kind: "not", n: 0, children: [children[0]!] }, c)).toBe(TRI[2 - (ranks[0] ?? 1)]);
        // At least n: the n-th best value decides, which is false when there are fewer.
        const best = [...ranks].sort((a, b) => b - a)[n - 1] ?? 0;
        expect(evaluateClause({ kind: "at_least", n, children }, c)).toBe(TRI[best]);
      }),
    );
  });

  it("keeps what is missing unknown, through every kind of expression", () => {
    const more = "aggregates: { n: { count: events, last: 7d }, s: { sum: tx.amount, last: 7d } }\n";
    for (const expression of [
      "agg.n >= 3",
      "agg.n + 1 >= 3",
      "3 EUR * agg.n < agg.s",
      "tx.amount > 3 EUR",
      "tx.conductor != self.party",
      "tx.device in ['a']",
      "tx.act.country in lists.countries",
      "in_corridor(lists.corridors)",
      "local_hour_in(22:00, 06:00)",
      "km(tx.act.cell, profile.home_cell) > 3 km",
      "known_for(other.id) < 3d",
      "matches_any(lists.listed)",
      "has_class(lists.pleas)",
      "multiple_of(tx.amount, 3 EUR)",
      "profile.age < 3d",
      "ref(employee) == 'x'",
    ]) {
      expect([expression, leafOf(expression, more).test(context())]).toEqual([expression, undefined]);
      const negated = leafOf(`!(${expression})`, more);
      expect([expression, negated.test(context())]).toEqual([expression, undefined]);
    }
    expect(leafOf("known(tx.conductor)").test(context())).toBe(false);
  });

  it("divides by zero into unknown", () => {
    const more =
      "aggregates: { a: { count: events, last: 7d }, b: { count: events, last: 14d }, r: { ratio: { of: agg.a, over: agg.b } } }\n";
    const leaf = leafOf("agg.r >= 50%", more);
    const reading = (a: number, b: number) => leaf.test(context({ agg: (slot) => (slot === 0 ? a : b) }));
    expect([reading(1, 0), reading(1, 2), reading(1, 3)]).toEqual([undefined, true, false]);
  });
});
