import { describe, expect, it } from "vitest";
import { createFindings } from "../../src/rules/diagnostics.ts";
import { checkGovernance, sameName } from "../../src/rules/governance.ts";
import { indicator, load } from "./build.ts";

const COUNT = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";
const TESTS = "tests: [ { kind: fires }, { kind: near_miss }, { kind: look_alike } ]\n";
const APPROVED = { author: "analyst", approvedBy: "officer", effectiveFrom: "2026-03-01" };

function judge(head: Record<string, string>, body = COUNT + TESTS, asOf = Date.UTC(2026, 3, 1)): string[] {
  const { rules, diagnostics } = load([indicator("HT-X-01", body, head)]);
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  const findings = createFindings();
  checkGovernance(rules, asOf, findings);
  return findings.list().map((d) => `${d.code} ${d.line}:${d.column} ${d.message}`);
}

describe("an active rule", () => {
  it("is fine with two people, a day that has come and tests of all kinds", () => {
    expect(judge(APPROVED)).toEqual([]);
  });

  it("names author, approver and day", () => {
    expect(judge({})).toEqual(["E080 3:5 an active rule needs `author`, `approvedBy`, `effectiveFrom`"]);
    expect(judge({ ...APPROVED, approvedBy: '""' })).toEqual([
      "E080 11:14 an active rule names who wrote and who approved it",
    ]);
  });

  it("is not approved by who wrote it, however the name is written", () => {
    expect(judge({ ...APPROVED, approvedBy: "Analyst " })).toEqual([
      "E080 11:13 `Analyst` cannot approve what he or she wrote",
    ]);
    expect(sameName("Jo.Smith", "jo smith")).toBe(true);
    expect(sameName("Jo Smith", "Jo Smit")).toBe(false);
  });

  it("does not act before its day", () => {
    expect(judge(APPROVED, COUNT + TESTS, Date.UTC(2026, 1, 28))).toEqual([
      "E080 12:16 the approval holds from 2026-03-01 on, which is still to come",
    ]);
  });

  it("has tests of three kinds", () => {
    expect(judge(APPROVED, `${COUNT}tests: [ { kind: fires } ]\n`)).toEqual([
      "E082 3:5 no inline test of kind near_miss, look_alike",
    ]);
  });
});

describe("other states", () => {
  it("need no approval: drafts and shadow rules", () => {
    expect(judge({ status: "draft" }, COUNT)).toEqual([]);
    expect(judge({ status: "shadow" }, COUNT)).toEqual([]);
  });

  it("a retired rule says why, and only a retired one does", () => {
    expect(judge({ status: "retired" })).toEqual(["E081 3:5 a retired rule says why"]);
    expect(judge({ status: "retired", retired: "{ because: replaced by HT-Y-01 }" })).toEqual([]);
    expect(judge({ status: "shadow", retired: "{ because: no reason }" })).toEqual([
      "E081 10:21 this rule is shadow, not retired",
    ]);
  });
});
