import { describe, expect, it } from "vitest";
import { createFindings } from "../../src/rules/diagnostics.ts";
import { type MapNode, RULE_LIMITS, readSource } from "../../src/rules/source.ts";
import { mutantsOf } from "../../src/workshop/mutants.ts";
import { mutateRules } from "../../src/workshop/mutation.ts";
import { readRuleTests } from "../../src/workshop/test-spec.ts";

const RULE = `schema: rule/v1
kind: indicator
id: T-CASH-01
version: 1
title: Several cash deposits
crime: human_trafficking
status: active
sources: [ { doc: FINTRAC-2016-OA003, point: cash } ]
scope: { direction: [in] }
params:
  least: { value: 3, range: [2, 8], step: 1 }
  window: { value: 7d, range: [7d, 8d], step: 1d }
filters: { small: "tx.amount < 500 EUR && tx.amount > 1 EUR" }
aggregates: { deposits: { count: events, where: small, last: params.window } }
when: { all: [ { enough: agg.deposits >= params.least } ] }
explain: "several deposits"
cautions: [a shop banks its takings]
tests:
`;
const FIRES = `  - name: fires
    kind: fires
    events: [ { at: 0h, every: 1d, times: 3, amount: 200 EUR } ]
    expect: { hits: 1 }
`;
const QUIET = `  - name: quiet
    kind: near_miss
    events: [ { at: 0h, every: 1d, times: 2, amount: 200 EUR } ]
    expect: { hits: 0 }
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
tests:
  - name: alerts
    kind: fires
    given: { hits: [ { rule: T-CASH-01, at: 0h } ] }
    expect: { alerts: 1 }
`;

function mutate(tests: string, search = false) {
  const run = mutateRules([{ path: "rules/t/T-CASH-01.yaml", text: RULE + tests }], { search });
  const [rule] = run.rules;
  if (rule === undefined) throw new Error("no rule was mutated");
  return { ...run, rule, changes: rule.survivors.map(({ change }) => change) };
}

describe("mutateRules", () => {
  it("kills what a test notices and lets live what none does", () => {
    const alone = mutate(FIRES);
    expect(alone.changes).toContain("least: 3 -> 2");
    expect(alone.changes).not.toContain("least: 3 -> 4");
    const both = mutate(FIRES + QUIET);
    expect(both.changes).not.toContain("least: 3 -> 2");
    expect(both.changes).not.toContain("least: 3 -> 4");
    expect(both.rule.killed).toBeGreaterThan(alone.rule.killed - 1);
    expect(both.rule.killed + both.rule.survivors.length).toBe(both.rule.total);
    expect(both.score).toBeCloseTo((100 * both.rule.killed) / both.rule.total, 10);
  });

  it("adds amounts up where a mutant has a sum for a count: two of 200 EUR are more than three", () => {
    expect(mutate(FIRES).changes).toContain("agg.deposits: count -> sum");
    expect(mutate(FIRES + QUIET).changes).not.toContain("agg.deposits: count -> sum");
  });

  it("makes the mutants of every kind that an indicator has", () => {
    const root = readSource({ path: "t.yaml", text: RULE + FIRES }, RULE_LIMITS, createFindings());
    const made = mutantsOf(root as MapNode).map(({ operator, change }) => `${operator}: ${change}`);
    expect(made).toEqual([
      "dropped filter: scope direction: [in] dropped",
      "boundary: least: 3 -> 4",
      "boundary: least: 3 -> 2",
      "boundary: window: 7d -> 8d",
      "window: window: 7d -> 3d12h",
      "window: window: 7d -> 14d",
      "all/any: tx.amount < 500 EUR && tx.amount > 1 EUR -> tx.amount < 500 EUR || tx.amount > 1 EUR",
      "dropped part: tx.amount < 500 EUR && tx.amount > 1 EUR -> tx.amount < 500 EUR",
      "dropped part: tx.amount < 500 EUR && tx.amount > 1 EUR -> tx.amount > 1 EUR",
      "operator: tx.amount < 500 EUR && tx.amount > 1 EUR -> tx.amount <= 500 EUR && tx.amount > 1 EUR",
      "operator: tx.amount < 500 EUR && tx.amount > 1 EUR -> tx.amount < 500 EUR && tx.amount >= 1 EUR",
      "dropped filter: where: small dropped",
      "aggregate: agg.deposits: count -> sum",
      "negation: enough: not agg.deposits >= params.least",
      "operator: agg.deposits >= params.least -> agg.deposits > params.least",
    ]);
  });

  it("swaps clauses and steps, and drops each", () => {
    const branches = `schema: rule/v1
when: { any: [ { a: tx.amount > 1 EUR }, { at_least: { n: 2, of: [ { b: 1 < 2 }, { c: "!known(other.id)" } ] } } ] }
flow:
  within: 2d
  remote: counts
  steps:
    - first: { scope: { direction: [in] }, until: { all: [ { e: 1 < 2 } ] } }
    - then: { scope: { direction: [out] }, starts_within: 4h, until: { all: [ { f: 1 < 2 } ] } }
  cancel_on: { scope: { purpose: [wage] } }
`;
    const root = readSource({ path: "t.yaml", text: branches }, RULE_LIMITS, createFindings());
    const made = mutantsOf(root as MapNode).map(({ change }) => change);
    for (const change of [
      "any -> all",
      "{ a: tx.amount > 1 EUR } dropped",
      "at_least 2 -> 1",
      "!known(other.id) -> known(other.id)",
      "within: 2d -> 1d",
      "starts_within: 4h -> 8h",
      "events of first and then swapped",
      "cancel_on dropped",
      "remote dropped",
      "e: not 1 < 2",
    ]) {
      expect(made).toContain(change);
    }
    expect(made).not.toContain("at_least 2 -> 3");
  });

  it("keeps a parameter within its range, but halves and doubles a window beyond it", () => {
    const { changes } = mutate(FIRES);
    expect(changes).toContain("window: 7d -> 8d");
    expect(changes).not.toContain("window: 7d -> 6d");
    expect(changes).toContain("window: 7d -> 14d");
  });

  it("prints a test in the rule's own syntax that would have noticed a survivor", () => {
    const { rule } = mutate(FIRES, true);
    const survivor = rule.survivors.find(({ change }) => change === "least: 3 -> 2");
    const text = RULE + FIRES + (survivor?.missingTest ?? "");
    expect(survivor?.missingTest).toMatch(/^ {2}- name: /);
    expect(readRuleTests({ path: "rules/t/T-CASH-01.yaml", text })?.faults).toEqual([]);
    const after = mutate(FIRES + survivor?.missingTest);
    expect(after.rule.failing).toEqual([]);
    expect(after.changes).not.toContain("least: 3 -> 2");
  });

  it("sets weights to zero and leaves red flags out, over given hits of another rule", () => {
    const files = [
      { path: "rules/t/T-CASH-01.yaml", text: RULE + FIRES + QUIET },
      { path: "rules/t/T-ALL.yaml", text: TYPOLOGY },
    ];
    const survivors = (text: string) => {
      const run = mutateRules([files[0] as (typeof files)[0], { path: "rules/t/T-ALL.yaml", text }], { only: "T-ALL" });
      return run.rules[0]?.survivors.map(({ change }) => change);
    };
    expect(survivors(TYPOLOGY)).toContain("points of cash -> 0");
    expect(survivors(TYPOLOGY)).not.toContain("cash never scores");
    expect(survivors(TYPOLOGY.replace("alerts: 1", "alerts: [ { score: 50 } ]"))).not.toContain("points of cash -> 0");
  });

  it("mutates nothing of a rule whose tests fail already, and says which", () => {
    const { rule } = mutate(FIRES.replace("hits: 1", "hits: 2"));
    expect(rule).toMatchObject({ failing: ["fires"], total: 0, score: 0 });
  });

  it("counts a mutant that the checker refuses as none", () => {
    const alone = `${TYPOLOGY.replace('alone: { because: "FINTRAC-2016-OA003 says so for this test" }\n', "")}`
      .replace(
        "family: cash, points: 50, when: hits.cash >= 1 } }",
        "$&, { more: { family: more, points: 50, when: hits.more >= 1 } }",
      )
      .replace("count: episodes }", "$&, more: { of: T-CASH-01, from: accounts, last: 9d, count: sources }")
      .replace("cash: hits.cash >= 1 } ]", "cash: families.count >= 2 } ]");
    const files = [
      { path: "rules/t/T-CASH-01.yaml", text: RULE + FIRES },
      { path: "rules/t/T-ALL.yaml", text: alone },
    ];
    const { rules, diagnostics } = mutateRules(files, { only: "T-ALL" });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    // `families.count >= 1` would let one red flag alert alone: no such pack can be loaded.
    expect(rules[0]?.refused).toBeGreaterThan(0);
    expect(rules[0]?.survivors.map(({ change }) => change)).not.toContain("families.count >= 2 -> families.count >= 1");
  });

  it("runs nothing when the rules are at fault", () => {
    const bad = mutateRules([{ path: "rules/t/T-CASH-01.yaml", text: RULE.replace("events", "event") + FIRES }]);
    expect(bad.rules).toEqual([]);
    expect(bad.diagnostics.some(({ severity }) => severity === "error")).toBe(true);
  });
});
