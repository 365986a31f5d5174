import { describe, expect, it } from "vitest";
import { runInlineTests } from "../../src/workshop/test-runner.ts";

const RULE = `schema: rule/v1
kind: indicator
id: T-CASH-01
version: 1
title: Several cash deposits
crime: human_trafficking
status: active
sources: [ { doc: FINTRAC-2016-OA003, point: cash } ]
subject: account
scope: { rail: [cash], direction: [in] }
params: { least: { value: 3, range: [2, 5], step: 1 } }
filters: { elsewhere: "in_corridor(lists.corridors)" }
aggregates: { deposits: { count: events, last: 7d }, far: { count: events, where: elsewhere, last: 7d } }
when:
  all:
    - enough: agg.deposits >= params.least
    - near: agg.far <= 100
explain: "{agg.deposits} deposits, {agg.far} elsewhere"
cautions: [a shop banks its takings]
`;
const TYPOLOGY = `schema: rule/v1
kind: typology
id: T-ALL
version: 1
title: Cash pattern
crime: human_trafficking
status: active
sources: [ { doc: FINTRAC-2016-OA003, point: cash } ]
hits: { cash: { of: T-CASH-01, from: accounts, last: 30d, count: episodes } }
scoring: { indicators: [ { cash: { family: cash, points: 50, when: hits.cash >= 1 } } ] }
alert_when: { all: [ { cash: hits.cash >= 1 } ] }
alone: { because: "FINTRAC-2016-OA003 says so for this test" }
severity: { medium: 40, high: 60, critical: 80 }
explain: "{score.total} points"
cautions: [a shop banks its takings]
`;
const LIST = `schema: list/v1
id: corridors
type: corridor
title: a corridor
version: 1
entries: [ { to: XA } ]
`;

function run(tests: string, only?: string, typologyTests = "") {
  const files = [
    { path: "rules/t/T-CASH-01.yaml", text: `${RULE}${tests}` },
    { path: "rules/t/T-ALL.yaml", text: `${TYPOLOGY}${typologyTests}` },
    { path: "rules/lists/corridors.yaml", text: LIST },
  ];
  return runInlineTests(files, { only });
}

const THREE = "events: [ { at: 0h, every: 1d, times: 3, amount: 100 EUR } ]";

describe("runInlineTests", () => {
  it("passes a test whose expectation holds, by count and item by item", () => {
    const { results, diagnostics } = run(`tests:
  - { name: count, kind: fires, ${THREE}, expect: { hits: 1 } }
  - { name: item, kind: fires, ${THREE}, expect: { hits: [ { at_event: 3, at: 2d, explain: "3 deposits" } ] } }
`);
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(results.map(({ name, problems }) => [name, problems])).toEqual([
      ["count", []],
      ["item", []],
    ]);
    expect(results[0]).toMatchObject({ ruleId: "T-CASH-01", file: "rules/t/T-CASH-01.yaml", line: 21, kind: "fires" });
  });

  it("fails a test whose expectation does not hold, and says what came", () => {
    const { results } = run(`tests:
  - { name: none, kind: near_miss, ${THREE}, expect: { hits: 0 } }
  - { name: late, kind: fires, ${THREE}, expect: { hits: [ { at_event: 2 } ] } }
`);
    expect(results.map(({ problems }) => problems.join(" | "))).toEqual([
      "expected no hit, came 1 |   came: opened at event 3 (+2d): 3 deposits, 0 elsewhere",
      "hit 1: expected at event 2, came 3",
    ]);
  });

  it("puts given entries in place of a list's own, for that test alone", () => {
    const { results } = run(`tests:
  - { name: own, kind: fires, ${THREE.replace("100 EUR", "100 EUR, self_country: XB")}, expect: { hits: [ { explain: "0 elsewhere" } ] } }
  - { name: given, kind: fires, given: { lists: { corridors: [ { to: XB } ] } }, ${THREE.replace("100 EUR", "100 EUR, self_country: XB")}, expect: { hits: [ { explain: "3 elsewhere" } ] } }
`);
    expect(results.map(({ problems }) => problems)).toEqual([[], []]);
  });

  it("says so when a given list does not exist", () => {
    const { results } = run(
      `tests:\n  - { name: a, kind: fires, given: { lists: { corridor: [] } }, ${THREE}, expect: { hits: 1 } }\n`,
    );
    expect(results[0]?.problems.join()).toContain('no list "corridor"');
  });

  it("alerts of a typology come from given hits and from movements", () => {
    const { results } = run(
      "",
      undefined,
      `tests:
  - { name: given, kind: fires, given: { hits: [ { rule: T-CASH-01, at: 1h } ] }, expect: { alerts: [ { at: 1h, severity: medium, score: 50, explain: 50 points } ] } }
  - { name: movements, kind: fires, events: [ { at: 0h, every: 1d, times: 3, rail: cash, direction: in } ], expect: { alerts: [ { at_event: 3 } ] } }
  - { name: unknown rule, kind: near_miss, given: { hits: [ { rule: T-NONE, at: 1h } ] }, expect: { alerts: 0 } }
`,
    );
    expect(results.map(({ problems }) => problems)).toEqual([[], [], ["line 19: no rule has the id T-NONE"]]);
  });

  it("reports an event that intake refuses", () => {
    const { results } = run(
      "tests:\n  - { name: a, kind: near_miss, events: [ { at: 0h, amount: 1.005 EUR } ], expect: { hits: 0 } }\n",
    );
    expect(results[0]?.problems.join()).toContain("event 1 was rejected (BAD_AMOUNT)");
  });

  it("fails a test with a misspelt key, and one that expects nothing", () => {
    const { results } = run(
      "tests:\n  - { name: a, kind: fires, events: [ { at: 0h, amont: 1 EUR } ], expect: { hits: 0 } }\n  - { name: b, kind: fires }\n",
    );
    expect(results.map(({ problems }) => problems.join())).toEqual([
      expect.stringContaining('no key "amont"'),
      expect.stringContaining("expects nothing"),
    ]);
  });

  it("runs a part by rule id or by words of the name, and knows rules without tests", () => {
    const tests = `tests:\n  - { name: three days, kind: fires, ${THREE}, expect: { hits: 1 } }\n  - { name: other, kind: fires, ${THREE}, expect: { hits: 1 } }\n`;
    expect(run(tests, "T-CASH-01").results).toHaveLength(2);
    expect(run(tests, "THREE").results.map(({ name }) => name)).toEqual(["three days"]);
    expect(run(tests, "nothing").results).toEqual([]);
    expect(run(tests).untested).toEqual(["T-ALL"]);
  });

  it("runs nothing when the rules are at fault", () => {
    const { results, diagnostics } = run("wrong: 1\n");
    expect(results).toEqual([]);
    expect(diagnostics.some(({ severity }) => severity === "error")).toBe(true);
  });

  it("judges a young entity by the history that is given", () => {
    const young = (history: string) =>
      `tests:\n  - { name: a, kind: fires, given: { history: ${history} }, ${THREE}, expect: { hits: 1 } }\nsafeguards: { min_history: 7d }\n`;
    expect(run(young("6d")).results[0]?.problems).toEqual([]);
    expect(run(young("1d")).results[0]?.problems.join()).toContain("expected 1 hit, came 0");
  });
});
