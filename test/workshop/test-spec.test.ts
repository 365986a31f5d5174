import { describe, expect, it } from "vitest";
import { readRuleTests } from "../../src/workshop/test-spec.ts";

const HEAD = "schema: rule/v1\nkind: indicator\nid: T-ONE-01\nscope: { rail: [cash], direction: [in] }\n";

function read(tests: string) {
  const found = readRuleTests({ path: "rules/t/T-ONE-01.yaml", text: `${HEAD}${tests}` });
  if (found === undefined) throw new Error("not read as a rule");
  return found;
}

describe("readRuleTests", () => {
  it("reads scope defaults, events with cycling values and expectations", () => {
    const rule = read(`tests:
  - name: one
    kind: fires
    given: { history: 3d, profile: { homeCell: "52.5,13.4" }, lists: { tf: [ { to: XA } ] } }
    events: [ { at: -2h, every: 1d12h, times: 3, amount: [10 EUR, 20 EUR], place: A } ]
    expect: { hits: [ { at_event: 3, explain: "3 people" } ], alerts: 0 }
`);
    expect(rule).toMatchObject({
      ruleId: "T-ONE-01",
      kind: "indicator",
      subject: "account",
    });
    expect(rule.faults).toEqual([]);
    const [test] = rule.tests;
    expect(test).toMatchObject({ name: "one", kind: "fires", line: 6 });
    expect(test?.given.historyMs).toBe(3 * 86_400_000);
    expect([...(test?.given.lists ?? [])]).toEqual([["tf", "[ { to: XA } ]"]]);
    expect(test?.events[0]).toMatchObject({ atMs: -7_200_000, everyMs: 129_600_000, times: 3 });
    expect(test?.events[0]?.values.get("amount")).toEqual(["10 EUR", "20 EUR"]);
    expect(test?.hits).toMatchObject({ count: 1, items: [{ atEvent: 3, explain: "3 people", severity: undefined }] });
    expect(test?.alerts).toEqual({ count: 0, items: undefined });
  });

  it("reads given hits and marks", () => {
    const rule = read(`tests:
  - name: one
    kind: near_miss
    given: { hits: [ { rule: A, at: 1h, from: "account:a" } ], marks: [ { rule: TF, at: 2d, about: -5d, flow: upstream, distance: 2 } ] }
    expect: { alerts: 0 }
`);
    expect(rule.tests[0]?.given.tellings).toMatchObject([
      { kind: "hit", rule: "A", atMs: 3_600_000, from: "account:a" },
      { kind: "mark", rule: "TF", atMs: 172_800_000, aboutMs: -432_000_000, flow: "upstream", distance: 2 },
    ]);
  });

  it.each([
    ["an unknown key of a test", "  - { name: a, kind: fires, expects: { hits: 0 } }", 'no key "expects"'],
    [
      "an unknown key of an event",
      "  - { name: a, kind: fires, events: [ { at: 0h, amuont: 3 EUR } ], expect: { hits: 0 } }",
      '"amuont"',
    ],
    [
      "an unknown key of an expectation",
      "  - { name: a, kind: fires, expect: { hits: [ { at: 0h, explan: x } ] } }",
      '"explan"',
    ],
    ["an unknown kind", "  - { name: a, kind: fire, expect: { hits: 0 } }", "kind must be one of"],
    [
      "a time that is none",
      "  - { name: a, kind: fires, events: [ { at: soon } ], expect: { hits: 0 } }",
      '"soon" is no duration',
    ],
    ["a count that is none", "  - { name: a, kind: fires, expect: { hits: many } }", '"many" is no whole number'],
    ["an expectation of nothing", "  - { name: a, kind: fires, expect: {} }", "neither hits nor alerts"],
    [
      "entries that are no flow list",
      "  - { name: a, kind: fires, given: { lists: { tf: XA } }, expect: { hits: 0 } }",
      "give the entries of tf as",
    ],
    ["a list where a mapping belongs", "  - [ a, b ]", "a test must be a mapping"],
  ])("says what is wrong with %s", (_, text, message) => {
    const { faults } = read(`tests:\n${text}\n`);
    expect(faults.map((fault) => fault.message).join("\n")).toContain(message);
    expect(faults[0]?.line).toBe(6);
  });

  it("takes no file for a rule that is none", () => {
    expect(readRuleTests({ path: "lists/x.yaml", text: "schema: list/v1\nid: x\n" })).toBeUndefined();
    expect(readRuleTests({ path: "x.yaml", text: "" })).toBeUndefined();
    expect(readRuleTests({ path: "x.yaml", text: "a: [\n" })).toBeUndefined();
    expect(readRuleTests({ path: "x.yaml", text: "__proto__: { schema: rule/v1 }\n" })).toBeUndefined();
  });

  it("makes nothing of a test that asks for too much", () => {
    const rule = read(
      "tests:\n  - { name: a, kind: fires, events: [ { at: 0h, times: 999999 } ], expect: { hits: 0 } }\n",
    );
    expect(rule.tests[0]?.events).toEqual([]);
    expect(rule.faults).toEqual([{ line: 6, message: "a test has at most 2000 movements" }]);
  });
});
