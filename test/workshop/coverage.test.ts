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
scope: { rail: [cash], direction: [in] }
filters: { small: "tx.amount < 500 EUR" }
aggregates: { deposits: { count: events, where: small, last: 7d }, total: { sum: tx.amount, last: 7d } }
when:
  all:
    - enough: agg.deposits >= 3
    - much: agg.total >= 600 EUR
explain: "{agg.deposits} deposits of {agg.total}"
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
scoring:
  indicators: [ { cash: { family: cash, points: 50, when: hits.cash >= 1 } } ]
  reduce: [ { student: { points: -5, when: profile.segment == "student" } } ]
alert_when: { all: [ { cash: hits.cash >= 1 } ] }
alone: { because: "FINTRAC-2016-OA003 says so for this test" }
severity: { medium: 40, critical: 80 }
explain: "{score.total} points"
cautions: [a shop banks its takings]
tests:
  - name: alerts
    kind: fires
    given: { hits: [ { rule: T-CASH-01, at: 0h } ] }
    expect: { alerts: 1 }
`;

function coverageOf(indicatorTests: string) {
  const files = [
    { path: "rules/t/T-CASH-01.yaml", text: `${RULE}tests:\n${indicatorTests}` },
    { path: "rules/t/T-ALL.yaml", text: TYPOLOGY },
  ];
  const { coverage, results } = runInlineTests(files, { coverage: true });
  expect(results.flatMap((result) => result.problems)).toEqual([]);
  return coverage;
}

function missing(coverage: ReturnType<typeof coverageOf>, ruleId: string) {
  const rule = coverage?.rules.find((candidate) => candidate.ruleId === ruleId);
  return rule?.points.filter((point) => point.missing.length > 0);
}

const FIRES = `  - name: fires
    kind: fires
    events: [ { at: 0h, every: 1d, times: 3, amount: 200 EUR } ]
    expect: { hits: 1 }
`;
const LITTLE = `  - name: little
    kind: near_miss
    events: [ { at: 0h, every: 1d, times: 3, amount: 10 EUR } ]
    expect: { hits: 0 }
`;
const LARGE = `  - name: large
    kind: near_miss
    events: [ { at: 0h, every: 1d, times: 3, amount: 900 EUR } ]
    expect: { hits: 0 }
`;

describe("clause coverage", () => {
  it("counts a clause that was seen true and false, and tells the place of one that was not", () => {
    const coverage = coverageOf(FIRES);
    expect(missing(coverage, "T-CASH-01")).toEqual([
      { kind: "clause", name: "when.much", text: "agg.total >= 600 EUR", line: 15, missing: ["false"] },
      { kind: "filter", name: "agg.deposits", text: "tx.amount < 500 EUR", line: 10, missing: ["false"] },
    ]);
    const rule = coverage?.rules.find(({ ruleId }) => ruleId === "T-CASH-01");
    expect([rule?.covered, rule?.total]).toEqual([1, 3]);
  });

  it("reaches all of a rule when tests decide every part", () => {
    expect(missing(coverageOf(FIRES + LITTLE + LARGE), "T-CASH-01")).toEqual([]);
  });

  it("watches scored indicators, reductions, conditions and severities of a typology", () => {
    const found = missing(coverageOf(FIRES), "T-ALL");
    expect(found?.map(({ kind, name, missing: what }) => [kind, name, ...what])).toEqual([
      ["severity", "critical", "reached"],
      ["indicator", "cash", "false"],
      ["reduction", "student", "true", "false"],
      ["clause", "alert_when.cash", "false"],
    ]);
  });

  it("counts only what tests of the rule itself decide", () => {
    const silent = FIRES.replace("times: 3", "times: 2").replace("hits: 1", "hits: 0");
    const coverage = coverageOf(silent);
    expect(missing(coverage, "T-CASH-01")?.map(({ name }) => name)).toContain("when.enough");
  });

  it("gives percent over the rules whose tests were run", () => {
    const coverage = coverageOf(FIRES + LITTLE + LARGE);
    const total = coverage?.rules.reduce((sum, rule) => sum + rule.total, 0) ?? 0;
    const covered = coverage?.rules.reduce((sum, rule) => sum + rule.covered, 0) ?? 0;
    expect(coverage?.percent).toBeCloseTo((100 * covered) / total, 10);
    expect(total).toBe(8);
  });
});
