import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LoadOptions, SourceFile } from "../../src/rules/load.ts";
import { evaluateClause } from "../../src/rules/logic.ts";
import { context, indicator, load, PROFILE, packOf, ruleOf, SIDE, TX } from "./build.ts";

const BODY = [
  "params:",
  "  few: { value: 5, range: [2, 9] }",
  "  much: { value: 0.3, range: [0.1, 0.9] }",
  "  window: { value: 7d, range: [1d, 30d] }",
  "aggregates:",
  "  n: { count: events, last: params.window }",
  "  part: { share: { of: agg.n, over: agg.n } }",
  "when:",
  "  all: [ { many: agg.n >= params.few }, { most: agg.part >= params.much } ]",
  "exceptions:",
  "  known: { fields: [other.id] }",
  "  pair: { fields: [other.id, tx.purpose] }",
  "",
].join("\n");
const RULE = indicator("HT-X-01", BODY);
const GOVERNED = "reason: r, owner: o, approver: a, expires: 2026-06-30";

function tuning(...entries: string[]): SourceFile {
  const lines = entries.map((entry) => `  - { ${entry}, ${GOVERNED} }`);
  return { path: "rules/tuning.yaml", text: `schema: tuning/v1\noverrides:\n${lines.join("\n")}\n` };
}

function codes(file: SourceFile, options: LoadOptions = {}): string[] {
  const { diagnostics } = load([RULE, file], options);
  return diagnostics.filter((d) => d.file === file.path).map((d) => `${d.code} ${d.line}:${d.column} ${d.message}`);
}

/** Whether the rule holds with a count of `n`, for a customer of that segment and a movement from `other`. */
function holds(file: SourceFile | undefined, n: number, given: { segment?: string; other?: string } = {}) {
  const pack = packOf(file === undefined ? [RULE] : [RULE, file]);
  const { when } = ruleOf(pack, "HT-X-01");
  return evaluateClause(
    when!,
    context({
      tx: TX,
      agg: () => n,
      profile: given.segment === undefined ? undefined : { ...PROFILE, segment: given.segment },
      other: { ...SIDE, account: given.other },
    }),
  );
}

describe("tuning", () => {
  it("sets a parameter for everybody", () => {
    expect(holds(undefined, 5)).toBe(true);
    expect(holds(tuning("rule: HT-X-01, param: few, value: 6"), 5)).toBe(false);
    expect(holds(tuning("rule: HT-X-01, param: few, value: 6"), 6)).toBe(true);
  });

  it("sets a parameter for one segment, and leaves the others and the unknown as they are", () => {
    const file = tuning("rule: HT-X-01, param: few, value: 8, segment: trader");
    expect(holds(file, 7, { segment: "trader" })).toBe(false);
    expect(holds(file, 8, { segment: "trader" })).toBe(true);
    expect(holds(file, 5, { segment: "student" })).toBe(true);
    expect(holds(file, 5)).toBe(true);
    const both = tuning("rule: HT-X-01, param: few, value: 3", "rule: HT-X-01, param: few, value: 8, segment: trader");
    expect(holds(both, 3, { segment: "student" })).toBe(true);
    expect(holds(both, 7, { segment: "trader" })).toBe(false);
  });

  it("compares a value of a segment as exactly as any other", () => {
    const file = tuning(
      "rule: HT-X-01, param: few, value: 2",
      "rule: HT-X-01, param: much, value: 0.7, segment: trader",
    );
    expect(holds(file, 3, { segment: "trader" })).toBe(true);
    const least = indicator(
      "HT-X-01",
      "params: { p: { value: 0.1, range: [0.1, 0.9] } }\naggregates: { a: { count: events, last: 7d } }\nwhen: { all: [ { c: agg.a * params.p >= 2.1 }, { d: agg.a >= 2 } ] }\n",
    );
    const pack = packOf([least, tuning("rule: HT-X-01, param: p, value: 0.7, segment: trader")]);
    const { when } = ruleOf(pack, "HT-X-01");
    // 3 * 0.7 is 2.0999999999999996 in doubles.
    const trader = { ...PROFILE, segment: "trader" };
    expect(evaluateClause(when!, context({ agg: () => 3, profile: trader }))).toBe(true);
    expect(evaluateClause(when!, context({ agg: () => 3 }))).toBe(false);
  });

  it("is overruled by the command line", () => {
    const file = tuning("rule: HT-X-01, param: few, value: 6", "rule: HT-X-01, param: few, value: 8, segment: trader");
    const pack = packOf([RULE, file], { set: { "HT-X-01.few": "4" } });
    const { when } = ruleOf(pack, "HT-X-01");
    const trader = { ...PROFILE, segment: "trader" };
    expect(evaluateClause(when!, context({ tx: TX, agg: () => 4, profile: trader, other: SIDE }))).toBe(true);
  });

  it("sets a status", () => {
    const { pack } = load([RULE, tuning("rule: HT-X-01, status: shadow")]);
    expect(pack?.rules.map(({ status }) => status)).toEqual(["shadow"]);
    expect(packOf([RULE, tuning("rule: HT-X-01, status: draft")]).rules).toEqual([]);
  });

  it("fills exceptions: the rule does not fire on a movement that carries the values", () => {
    const one = tuning("rule: HT-X-01, exception: known, values: [x, y]");
    expect(holds(one, 9, { other: "x" })).toBe(false);
    expect(holds(one, 9, { other: "z" })).toBe(true);
    // A value that is missing meets no exception.
    expect(holds(one, 9)).toBe(true);
    const two = tuning("rule: HT-X-01, exception: pair, values: [[x, wage]]");
    expect(holds(two, 9, { other: "x" })).toBe(true);
  });

  it("is part of the pack's identity, its words and days are not", () => {
    const plain = packOf([RULE]).hash;
    const tuned = packOf([RULE, tuning("rule: HT-X-01, param: few, value: 6")]).hash;
    expect(tuned).not.toBe(plain);
    const file = tuning("rule: HT-X-01, param: few, value: 6");
    const reworded = { ...file, text: file.text.replace("reason: r", "reason: because") };
    expect(packOf([RULE, reworded]).hash).toBe(tuned);
  });

  it("holds through its last day; then it is an error for the check and a warning for a run", () => {
    const file = tuning("rule: HT-X-01, param: few, value: 6");
    const last = Date.UTC(2026, 5, 30, 23, 59, 59, 999);
    expect(codes(file, { asOf: last })).toEqual([]);
    expect(codes(file, { asOf: last + 1 })).toEqual(["E092 3:87 this override has expired"]);
    const late = load([RULE, file], { now: last + 1 });
    expect(late.diagnostics.map(({ code }) => code)).toContain("W106");
    expect(late.pack?.hash).toBe(packOf([RULE]).hash);
    expect(load([RULE, file], { now: last }).pack?.hash).not.toBe(late.pack?.hash);
  });
});

describe("a tuning file", () => {
  it.each([
    ["rule: HT-Y-01, status: draft", "E090 3:13 there is no rule `HT-Y-01`"],
    ["rule: HT-X-01, param: fw, value: 3", "E090 3:29 there is no parameter `fw`"],
    ["rule: HT-X-01, param: few, value: 12", "E090 3:41 `HT-X-01.few`: 12 is outside the range of the parameter"],
    [
      "rule: HT-X-01, param: few, value: 3 km",
      "E090 3:41 `HT-X-01.few`: the parameter is a plain number, not a distance",
    ],
    ["rule: HT-X-01, exception: knwn, values: [x]", "E090 3:33 there is no exception `knwn`"],
    [
      "rule: HT-X-01, exception: pair, values: [x]",
      "E090 3:33 each entry of `values` gives a value for other.id, tx.purpose",
    ],
    ["rule: HT-X-01, status: off", "E013 3:30 `status` cannot be `off`"],
    ["rule: HT-X-01, status: draft, param: few", "E011 3:5 an override of a parameter needs `value`"],
    ["rule: HT-X-01", "E011 3:5 an override changes something"],
  ])("with { %s } is refused", (entry, message) => {
    expect(codes(tuning(entry))).toContain(message);
  });

  it("refuses a window that differs by segment", () => {
    const { diagnostics } = load([RULE, tuning("rule: HT-X-01, param: window, value: 9d, segment: trader")]);
    expect(diagnostics.filter((d) => d.severity === "error").map((d) => d.code)).toEqual(["E090"]);
  });

  it("refuses two overrides of one thing, and an owner who approves", () => {
    const twice = tuning("rule: HT-X-01, param: few, value: 6", "rule: HT-X-01, param: few, value: 7");
    expect(codes(twice)).toEqual(["E090 4:5 two overrides change the same thing"]);
    const own = tuning("rule: HT-X-01, status: draft");
    expect(codes({ ...own, text: own.text.replace("approver: a", "approver: O") })).toEqual([
      "E091 3:68 `O` cannot approve an override of his or her own",
    ]);
    expect(codes({ ...own, text: own.text.replace("reason: r, ", "") })).toEqual([
      "E011 3:5 an override of the status needs `reason`",
    ]);
  });

  it("stands once in a pack", () => {
    const file = tuning("rule: HT-X-01, status: draft");
    const second = { ...file, path: "rules/z/tuning.yaml" };
    const { diagnostics } = load([RULE, file, second]);
    expect(diagnostics.map(({ code }) => code)).toContain("E041");
  });

  it.each([
    "",
    "[]",
    "schema: tuning/v1",
    "schema: tuning/v1\noverrides: 3",
    "schema: tuning/v1\noverrides: [3, [], {}]",
  ])("%j gives findings, never an exception", (text) => {
    expect(load([RULE, { path: "rules/tuning.yaml", text }]).pack).toBeUndefined();
  });

  it("of more overrides than anyone can oversee is refused", () => {
    const many = Array.from({ length: 1_001 }, () => "rule: HT-X-01, status: draft");
    expect(codes(tuning(...many)).map((line) => line.slice(0, 4))).toEqual(["E004"]);
  });

  it("is read or refused, whatever an entry holds", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("rule", "param", "value", "status", "expires"), fc.json()), (entry) => {
        const text = `schema: tuning/v1\noverrides: [${JSON.stringify(entry)}]\n`;
        load([RULE, { path: "rules/tuning.yaml", text }]);
      }),
      { numRuns: 100 },
    );
  });
});
