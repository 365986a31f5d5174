/**
 * Expressions against an independent implementation of CEL: leaves of the language are CEL once units are numbers and
 * dots are names. What CEL reports as an error is unknown here; both absorb it in && and ||.
 */
import { isCelError, run } from "@bufbuild/cel";
import { getConformanceSuite, type IncrementalTestSuite } from "@bufbuild/cel-spec/testdata/tests.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkExpression, type Environment } from "../../../src/rules/expression/check.ts";
import { compileNumber, compileTest, compileText } from "../../../src/rules/expression/compile.ts";
import { parse } from "../../../src/rules/expression/parser.ts";
import { errorAt } from "../../../src/rules/expression/types.ts";
import { context, leafOf, load, SIDE, TX } from "../build.ts";

/** A text of ours with the CEL text that says the same. */
interface Pair {
  readonly ours: string;
  readonly cel: string;
}

/** Inputs of both sides; undefined is missing. Amounts are multiples of 64 minor units, so that halves stay exact. */
interface Inputs {
  readonly amount: number | undefined;
  readonly balance: number | undefined;
  readonly nights: number | undefined;
  readonly rail: "card" | "cash" | "p2p";
  readonly place: string | undefined;
  readonly white: boolean | undefined;
}

const inputs: fc.Arbitrary<Inputs> = fc.record({
  amount: fc.option(
    fc.integer({ min: 0, max: 500 }).map((n) => n * 64),
    { nil: undefined },
  ),
  balance: fc.option(
    fc.integer({ min: -500, max: 500 }).map((n) => n * 64),
    { nil: undefined },
  ),
  nights: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  rail: fc.constantFrom("card" as const, "cash" as const, "p2p" as const),
  place: fc.option(fc.constantFrom("Aach", "Zell", "it's"), { nil: undefined }),
  white: fc.option(fc.boolean(), { nil: undefined }),
});

/** Factors that doubles take exactly: CEL has no fractions. */
const SCALES: readonly Pair[] = [
  { ours: "* 2", cel: "* 2.0" },
  { ours: "* 0.5", cel: "* 0.5" },
  { ours: "/ 4", cel: "/ 4.0" },
  { ours: "* 50%", cel: "* 0.5" },
];

const money: fc.Arbitrary<Pair> = fc.letrec<{ node: Pair }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom({ ours: "tx.amount", cel: "amount" }, { ours: "self.balance_after", cel: "balance" }),
    fc.integer({ min: 0, max: 500 }).map((n) => ({ ours: `${(n * 64) / 100} EUR`, cel: `${n * 64}.0` })),
    fc
      .tuple(tie("node"), fc.constantFrom("+", "-"), tie("node"))
      .map(([a, op, b]) => ({ ours: `(${a.ours} ${op} ${b.ours})`, cel: `(${a.cel} ${op} ${b.cel})` })),
    fc
      .tuple(tie("node"), fc.constantFrom(...SCALES))
      .map(([a, by]) => ({ ours: `(${a.ours} ${by.ours})`, cel: `(${a.cel} ${by.cel})` })),
    tie("node").map((a) => ({ ours: `(-${a.ours})`, cel: `(-${a.cel})` })),
  ),
})).node;

const count: fc.Arbitrary<Pair> = fc.oneof(
  fc.constant({ ours: "tx.travel.nights", cel: "nights" }),
  fc.nat(9).map((n) => ({ ours: String(n), cel: `${n}.0` })),
  fc.nat(9).map((n) => ({ ours: `(tx.travel.nights * 2 + ${n})`, cel: `(nights * 2.0 + ${n}.0)` })),
);

const compare = (of: fc.Arbitrary<Pair>): fc.Arbitrary<Pair> =>
  fc
    .tuple(of, fc.constantFrom("==", "!=", "<", "<=", ">", ">="), of)
    .map(([a, op, b]) => ({ ours: `${a.ours} ${op} ${b.ours}`, cel: `${a.cel} ${op} ${b.cel}` }));

const same = (text: string): Pair => ({
  ours: text,
  cel: text.replaceAll("tx.act.place", "place").replaceAll("tx.rail", "rail"),
});
const question: fc.Arbitrary<Pair> = fc.oneof(
  fc.constantFrom(
    same("tx.rail == 'card'"),
    same("tx.rail != 'cash'"),
    same("tx.rail in ['card', 'p2p']"),
    same("tx.act.place == 'Aach'"),
    same("tx.act.place in ['Zell', 'Aach']"),
    { ours: "tx.act.white_label_atm", cel: "white" },
    { ours: "true", cel: "true" },
  ),
);

const leaf = fc.oneof(compare(money), compare(count), question);

const filter: fc.Arbitrary<Pair> = fc.letrec<{ node: Pair }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf.map((a) => ({ ours: `(${a.ours})`, cel: `(${a.cel})` })),
    tie("node").map((a) => ({ ours: `!${a.ours}`, cel: `!${a.cel}` })),
    fc
      .tuple(tie("node"), fc.constantFrom("&&", "||"), tie("node"))
      .map(([a, op, b]) => ({ ours: `(${a.ours} ${op} ${b.ours})`, cel: `(${a.cel} ${op} ${b.cel})` })),
  ),
})).node;

function ourContext(given: Inputs) {
  const { amount, balance, nights, rail, place, white } = given;
  const tx = { ...TX, amount, rail, actPlace: place, travelNights: nights, whiteLabelAtm: white };
  return context({ tx, self: { ...SIDE, balanceAfter: balance }, other: SIDE });
}

function celBindings(given: Inputs): Record<string, number | string | boolean> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<string, never>;
}

function expectSame(pair: Pair, test: ReturnType<typeof leafOf>["test"], given: Inputs): void {
  const cel = run(pair.cel, celBindings(given));
  const expected = isCelError(cel) ? undefined : cel;
  expect([pair.cel, test(ourContext(given))]).toEqual([pair.cel, expected]);
}

describe("expressions and CEL", () => {
  it("give one value for every leaf, unknown where CEL has an error", () => {
    fc.assert(
      fc.property(leaf, fc.array(inputs, { minLength: 1, maxLength: 6 }), (pair, cases) => {
        fc.pre(pair.ours.length < 400);
        const { test } = leafOf("f", `filters: { f: ${JSON.stringify(pair.ours)} }\n`);
        for (const given of cases) expectSame(pair, test, given);
      }),
      { seed: 91, numRuns: 250 },
    );
  });

  it("give one value for filters of several leaves", () => {
    fc.assert(
      fc.property(filter, fc.array(inputs, { minLength: 1, maxLength: 6 }), (pair, cases) => {
        fc.pre(pair.ours.length < 1_200);
        const { test } = leafOf("f", `filters: { f: ${JSON.stringify(pair.ours)} }\n`);
        for (const given of cases) expectSame(pair, test, given);
      }),
      { seed: 92, numRuns: 150 },
    );
  });
});

/** Where the language differs from CEL, and why. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ["cel/fp_math/fp_math/negative_zero", "numbers are fractions: there is one zero"],
]);

interface Case {
  readonly name: string;
  readonly expr: string;
  readonly expected: bigint | number | boolean | string;
}

/** Cases of the standard's own suite that bind nothing and expect a plain value. */
function casesOf(suite: IncrementalTestSuite, path: string): Case[] {
  const own = suite.tests.flatMap(({ name, original }): Case[] => {
    const { resultMatcher: matcher, expr, bindings } = original;
    if (matcher.case !== "value" || Object.keys(bindings).length > 0) return [];
    const { kind } = matcher.value;
    const plain = ["int64Value", "doubleValue", "boolValue", "stringValue"].includes(kind.case ?? "");
    return plain ? [{ name: `${path}/${name}`, expr, expected: kind.value as Case["expected"] }] : [];
  });
  return [...own, ...suite.suites.flatMap((child) => casesOf(child, `${path}/${child.name}`))];
}

const NOTHING: Environment = {
  lists: load([]).lists,
  currency: { code: "EUR", decimals: 2 },
  resolve: (_path, tell) => {
    tell("E021", 0, "nothing is named");
    return errorAt(0, 0);
  },
  call: (call, tell) => {
    tell("E025", call.start, "nothing is called");
    return errorAt(0, 0);
  },
};

/** The value of an expression; undefined when it is none of the language. */
function ourValue(expr: string): number | boolean | string | undefined {
  const parsed = parse(expr);
  if (!parsed.ok) return undefined;
  const tree = checkExpression(parsed.ast, NOTHING, () => {});
  const c = context();
  if (tree.type.name === "bool") return compileTest(tree)(c);
  if (tree.type.name === "number") return compileNumber(tree)(c);
  return tree.type.name === "text" ? compileText(tree)(c) : undefined;
}

describe("the conformance suite of CEL", () => {
  const all = casesOf(getConformanceSuite(), "cel");
  const applicable = all.flatMap((one) => {
    const value = ourValue(one.expr);
    return value === undefined ? [] : [{ ...one, value }];
  });

  it("has enough cases in which the language takes part", () => {
    expect(applicable.length).toBeGreaterThan(100);
  });

  it.each(applicable.filter(({ name }) => !DIFFERENT.has(name)))("$name: $expr", ({ expected, value }) => {
    expect(value).toBe(typeof expected === "bigint" ? Number(expected) : expected);
  });
});
