import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mutateRules } from "../../src/workshop/mutation.ts";
import { runInlineTests } from "../../src/workshop/test-runner.ts";
import { GIVEN_KEYS } from "../../src/workshop/test-spec.ts";

const RULE = `schema: rule/v1
kind: indicator
id: T-PEER-01
version: 1
title: More cash than peers
crime: human_trafficking
status: shadow
sources: [ { doc: FIN-2023-Alert001, point: deposits above the peer group } ]
scope: { rail: [cash], direction: [in] }
aggregates: { total: { sum: tx.amount, last: 7d }, deposits: { count: events, last: 7d } }
peer:
  usual: { of: agg.total, group: segment, percentile: 95 }
  often: { of: agg.deposits, group: segment, percentile: 90 }
when: { all: [ { above: agg.total > peer.usual }, { many: agg.deposits > peer.often } ] }
explain: "{agg.total}, peers {peer.usual}"
cautions: [one-off sales]
tests:
`;
const VOCABULARY = `schema: vocabulary/v1
version: 1
segment:
  retail: { meaning: private customer, owner: o, approved: a }
  student: { meaning: in education, owner: o, approved: a }
`;
/** Measured numbers that no test of this rule would fire on. */
const MEASURED = `schema: baseline/v1
id: peers
group: segment
asOf: 2026-01-31
currency: EUR
numbers:
  - { rule: T-PEER-01, name: usual, unit: money, definition: "00000000", groups: [] }
`;

function run(tests: string) {
  return runInlineTests(files(tests));
}

function files(tests: string) {
  return [
    { path: "rules/t/T-PEER-01.yaml", text: `${RULE}${tests}` },
    { path: "rules/vocabulary.yaml", text: VOCABULARY },
    { path: "rules/lists/peers.yaml", text: MEASURED },
  ];
}

function testOf(peers: string, amount: string, hits: string, segment = "retail"): string {
  return `  - name: of ${peers.replaceAll(/[^a-z0-9 ]/gi, "")}
    kind: fires
    given: { profile: { segment: ${segment} }, peers: ${peers} }
    events: [ { at: 0h, every: 1h, times: 2, amount: ${amount} } ]
    expect: { hits: ${hits} }
`;
}

const BOTH = "{ usual: { retail: 300 EUR, student: 100.50 EUR }, often: { retail: 1, student: 1 } }";
const problemsOf = (tests: string) => run(tests).results.map(({ problems }) => problems.join("; "));

describe("given.peers", () => {
  it("takes the place of measured numbers, by group, to the cent", () => {
    const problems = problemsOf(
      testOf(BOTH, "150.01 EUR", '[ { at_event: 2, explain: "300.02 EUR, peers 300.00 EUR" } ]') +
        testOf(BOTH, "150 EUR", "0") +
        testOf(BOTH, "50.26 EUR", '[ { explain: "peers 100.50 EUR" } ]', "student") +
        testOf(BOTH, "50.25 EUR", "0", "student"),
    );
    expect(problems).toEqual(["", "", "", ""]);
  });

  it("leaves other names and groups unknown", () => {
    const problems = problemsOf(
      testOf("{ usual: { retail: 1 EUR } }", "500 EUR", "0") +
        testOf(BOTH.replaceAll("student", "other"), "500 EUR", "0", "student"),
    );
    expect(problems).toEqual(["", ""]);
  });

  it.each([
    ["a name that the rule does not have", "{ usaul: { retail: 300 EUR } }", 'no peer value "usaul"'],
    ["a number without its unit", "{ usual: { retail: 300 } }", '"300" of retail is no money'],
    ["another currency", "{ usual: { retail: 300 USD } }", "such as 800 EUR"],
    ["money for a count", "{ often: { retail: 3 EUR } }", '"3 EUR" of retail is no count'],
    ["no group", "{ usual: {} }", "needs a group"],
    ["a value in place of groups", "{ usual: 300 EUR }", "must be a mapping"],
    ["a list in place of a value", "{ usual: { retail: [ 300 EUR ] } }", '"" of retail is no money'],
    ["a list in place of names", "[ usual ]", "peers must be a mapping"],
    ["a name of the language's own", "{ __proto__: { retail: 300 EUR } }", 'no peer value "__proto__"'],
    ["a number of no end", `{ usual: { retail: ${"9".repeat(400)} EUR } }`, "is no money"],
  ])("is refused with %s", (_, peers, message) => {
    expect(problemsOf(testOf(peers, "150 EUR", "0")).join("; ")).toContain(message);
  });

  it("gives nothing when it is empty", () => {
    expect(problemsOf(testOf("{}", "500 EUR", "0"))).toEqual([""]);
  });

  it("holds for mutants of the number too, which no file has measured", () => {
    const three = (amount: string, hits: string) => testOf(BOTH, amount, hits).replace("times: 2", "times: 3");
    const tests = three("100.01 EUR", "1") + three("100 EUR", "0").replace("kind: fires", "kind: near_miss");
    const { rules } = mutateRules(files(tests), { search: true });
    // A longer window changes what the number means; if its peers were unknown then, the mutant would look noticed.
    const longer = rules[0]?.survivors.find(({ change }) => change === "last: 7d -> 14d");
    expect(longer?.missingTest).toContain("peers: { usual: { retail: 300 EUR, student: 100.50 EUR }, often: {");
  });

  it("is in the JSON Schema of rules, as is all that can be given", () => {
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../schema/rule-v1.json"), "utf8"));
    for (const kind of [schema.then, schema.else]) {
      const { given } = kind.properties.tests.items.properties;
      expect(Object.keys(given.properties)).toEqual([...GIVEN_KEYS]);
    }
  });
});
