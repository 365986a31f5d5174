import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFindings } from "../../src/rules/diagnostics.ts";
import { boundsOf, type Comparing, decided } from "../../src/rules/expression/intervals.ts";
import { lintRules } from "../../src/rules/lint.ts";
import { expressionOf } from "../../src/rules/lint-bounds.ts";
import { indicator, load, typology } from "./build.ts";

const HEAD = [
  "params: { few: { value: 3, range: [2, 8] }, p: { value: 20%, range: [5%, 90%] } }",
  "aggregates:",
  "  n: { count: events, last: 7d }",
  "  people: { distinct: tx.conductor, last: 7d, cap: 8 }",
  "  total: { sum: tx.amount, last: 7d }",
  "  part: { ratio: { of: agg.total, over: agg.total } }",
].join("\n");

function lint(files: Parameters<typeof load>[0]): string[] {
  const { rules, diagnostics } = load(files);
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  const findings = createFindings();
  lintRules(rules, findings);
  return findings.list().map((d) => `${d.code} ${d.line}:${d.column} ${d.message}`);
}

/** Findings about clauses that must hold at once. */
function all(...clauses: string[]): string[] {
  const leaves = clauses.map((clause, index) => `{ c${index}: "${clause}" }`);
  const found = lint([indicator("HT-X-01", `${HEAD}\nwhen: { all: [ ${leaves.join(", ")} ] }\n`)]);
  return found.map((line) => line.replace(/ \d+:\d+/, ""));
}

describe("a clause", () => {
  it.each([
    ["agg.people >= 9", "E051 this can never hold: `agg.people` is between 0 and 8"],
    ["agg.people > 8", "E051 this can never hold: `agg.people` is between 0 and 8"],
    ["agg.n < 0", "E051 this can never hold: `agg.n` is at least 0"],
    ["-agg.n > 0", "E051 this can never hold: `-agg.n` is between -Infinity and 0"],
    ["agg.total + agg.total < 0 EUR", "E051 this can never hold: `agg.total + agg.total` is at least 0"],
    ["agg.n >= 0", "W107 this always holds: `agg.n` is at least 0"],
    ["agg.people <= 8", "W107 this always holds: `agg.people` is between 0 and 8"],
    ["params.few >= 3", "W107 this always holds: `params.few` is 3"],
    ["params.few > 3", "E051 this can never hold: `params.few` is 3"],
  ])("%s is told", (clause, finding) => {
    expect(all(clause)).toContain(finding);
  });

  it.each(["agg.n >= 5", "agg.people >= 8", "agg.total > 0 EUR", "agg.part >= params.p", "agg.n - agg.people > 0"])(
    "%s is fine",
    (clause) => {
      expect(all(clause)).toEqual([]);
    },
  );

  it("that dies at an end of a parameter's range is told there", () => {
    const body = `${HEAD.replace("range: [2, 8]", "range: [2, 9]")}\nwhen: { all: [ { many: agg.people >= params.few } ] }\n`;
    expect(lint([indicator("HT-X-01", body)])).toEqual(["W108 10:39 with `few` at 9 the clause `many` never holds"]);
  });

  it("under `any` and `not` is looked at alone", () => {
    const body = `${HEAD}\nwhen: { any: [ { a: agg.n >= 5 }, { b: agg.n < 5 }, { c: agg.people > 8 } ] }\n`;
    expect(lint([indicator("HT-X-01", body)]).map((line) => line.slice(0, 4))).toEqual(["E051"]);
  });
});

describe("clauses that must hold together", () => {
  it.each([
    [["agg.n >= 5", "agg.n < 5"], "E051 `c0` and `c1` can never hold together"],
    [["agg.n < 3", "agg.n >= 5"], "E051 `c0` and `c1` can never hold together"],
    [["agg.n > 5", "5 > agg.n"], "E051 `c0` and `c1` can never hold together"],
    [["tx.rail == 'cash'", "tx.rail == 'card'"], "E051 this can never hold together with `c0`"],
    [["tx.rail in ['cash', 'card']", "tx.rail == 'p2p'"], "E051 this can never hold together with `c0`"],
    [["agg.n >= 5", "agg.n >= 3"], "W107 this always holds where `c0` does"],
    [["agg.n > 5", "agg.n >= 5"], "W107 this always holds where `c0` does"],
    [["agg.n >= 2", "agg.n >= params.few + 1"], "W107 this always holds where `c1` does"],
    [
      ["agg.n >= params.few", "agg.n < 7"],
      "W108 `c0` and `c1` exclude each other for some values within the ranges of their parameters",
    ],
    [["agg.n == 5", "agg.n==5"], "W109 `c0` says the same"],
  ])("%j are told", (clauses, finding) => {
    expect(all(...clauses)).toContain(finding);
  });

  it.each([
    [["agg.n >= 5", "agg.n <= 5"]],
    [["agg.n >= 5", "agg.people < 5"]],
    [["tx.rail in ['cash', 'card']", "tx.rail == 'card'"]],
    [["agg.n >= 4", "agg.n >= params.few"]],
  ])("%j are fine", (clauses) => {
    expect(all(...clauses)).toEqual([]);
  });

  it("are looked at in filters too, and against the rule's scope", () => {
    const filter = `filters: { f: "tx.amount > 5 EUR && tx.amount < 3 EUR" }\naggregates: { n: { count: events, where: f, last: 7d } }\nwhen: { all: [ { a: agg.n >= 2 } ] }\n`;
    expect(lint([indicator("HT-X-01", filter)])).toEqual(["E051 10:37 two conditions of `f` can never hold together"]);
    const scope =
      "scope: { rail: [cash] }\naggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { a: tx.rail == 'card' }, { b: agg.n >= 2 } ] }\n";
    expect(lint([indicator("HT-X-01", scope)])).toEqual([
      "E051 12:21 this can never hold together with the rule's scope",
    ]);
  });
});

describe("definitions", () => {
  it("that say the same under two names are told", () => {
    const body = [
      "filters: { a: tx.amount > 5 EUR, b: tx.amount>5 EUR }",
      "aggregates: { n: { count: events, where: a, last: 7d }, m: { last: 7d, count: events, where: a }, k: { count: events, where: b, last: 7d } }",
      "when: { all: [ { x: agg.n >= 2 }, { y: agg.m >= 3 }, { z: agg.k >= 4 } ] }",
      "",
    ].join("\n");
    expect(lint([indicator("HT-X-01", body)]).map((line) => line.replace(/ \d+:\d+/, ""))).toEqual([
      "W109 the filters `a` and `b` are the same",
      "W109 the aggregates `n` and `m` are the same",
    ]);
  });

  it("of severities beyond every score are told", () => {
    const count = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";
    const body = [
      "hits: { a: { of: HT-A-01, last: 7d }, b: { of: HT-B-01, last: 7d } }",
      "scoring:",
      "  indicators:",
      "    - one: { family: x, points: 20, when: hits.a >= 1 }",
      "    - two: { family: y, points: 30, when: hits.b >= 1 }",
      "alert_when: { all: [ { two: families.count >= 2 } ] }",
      "",
    ].join("\n");
    const of = (severity: string): string[] =>
      lint([indicator("HT-A-01", count), indicator("HT-B-01", count), typology("HT-T", body, { severity })]);
    expect(of("{ medium: 20, high: 50 }")).toEqual([]);
    expect(of("{ medium: 20, high: 51 }")).toEqual([
      "W110 10:31 no alert can be high: all indicators together give 50",
    ]);
  });
});

describe("bounds", () => {
  it("hold every value that the parts can have, and decide nothing that a value contradicts", () => {
    const number = fc.integer({ min: -20, max: 20 });
    const interval = fc.tuple(number, number).map(([a, b]) => ({ least: Math.min(a, b), most: Math.max(a, b) }));
    const inside = interval.chain((of) => fc.integer({ min: of.least, max: of.most }).map((value) => ({ of, value })));
    const text = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom("a.x", "b.x", "3", "0.5"),
        fc
          .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "/"), tie("expression"))
          .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
        tie("expression").map((operand) => `-(${operand})`),
      ),
    })).expression;
    const operators = fc.constantFrom<Comparing>("<", "<=", ">", ">=", "==", "!=");
    fc.assert(
      fc.property(text, text, operators, inside, inside, (left, right, operator, a, b) => {
        const leaf = (ast: { kind: string; segments?: readonly { name: string }[] }) =>
          ast.segments?.[0]?.name === "a" ? a.of : b.of;
        const value = (expression: string): number =>
          Number(numberOf(expressionOf(expression)!, (name) => (name === "a" ? a.value : b.value)));
        const x = value(left);
        const y = value(right);
        const p = boundsOf(expressionOf(left)!, leaf)!;
        const q = boundsOf(expressionOf(right)!, leaf)!;
        if (!Number.isFinite(x) || !Number.isFinite(y)) return;
        const slack = 1e-6 * Math.max(1, Math.abs(x));
        expect(x).toBeGreaterThanOrEqual(p.least - slack);
        expect(x).toBeLessThanOrEqual(p.most + slack);
        const outcome = decided(operator, p, q);
        const clear = Math.abs(x - y) > 1e-6;
        if (outcome === "never" && clear) expect(compare(operator, x, y)).toBe(false);
        if (outcome === "always" && clear) expect(compare(operator, x, y)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function numberOf(ast: NonNullable<ReturnType<typeof expressionOf>>, read: (name: string) => number): number {
  switch (ast.kind) {
    case "quantity":
      return Number(ast.quantity.numerator) / Number(ast.quantity.denominator);
    case "path":
      return read(ast.segments[0]!.name);
    case "unary":
      return -numberOf(ast.operand, read);
    case "binary": {
      const [x, y] = [numberOf(ast.left, read), numberOf(ast.right, read)];
      return { "+": x + y, "-": x - y, "*": x * y, "/": y === 0 ? Number.NaN : x / y }[ast.operator as "+"];
    }
    default:
      throw new Error(ast.kind);
  }
}

function compare(operator: Comparing, x: number, y: number): boolean {
  return { "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "==": x === y, "!=": x !== y }[operator];
}
