import { describe, expect, it } from "vitest";
import { runInlineTests } from "../../src/workshop/test-runner.ts";
import { readRuleTests } from "../../src/workshop/test-spec.ts";
import { indicator, LISTS } from "../rules/build.ts";

const RULE =
  "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { n: agg.n >= 3 }, { a: tx.amount > 1 EUR } ] }\n";
const rule = (tests: string) => indicator("HT-X-01", `${RULE}tests:\n${tests}`);
const test = (rest: string) => `  - { name: a, kind: fires, ${rest}, expect: { hits: 0 } }\n`;
const entries = (count: number, part: string) => Array.from({ length: count }, () => part).join(", ");

/** Tests that no author writes; each is refused with its line. */
const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["a million movements", test("events: [ { at: 0h, times: 999999 } ]"), "a test has at most 2000 movements"],
  ["movements beyond number", test(`events: [ { at: 0h, times: ${"9".repeat(400)} } ]`), "is no whole number"],
  [
    "two thousand and one",
    test("events: [ { at: 0h, times: 2000 }, { at: 1h } ]"),
    "a test has at most 2000 movements",
  ],
  ["a negative number of them", test("events: [ { at: 0h, times: -1 } ]"), '"-1" is no whole number'],
  ["a mapping of times", test("events: [ { at: 0h, times: { a: b } } ]"), '"" is no whole number'],
  [
    "many tests of many",
    test("events: [ { at: 0h, times: 1900 } ]").repeat(4),
    "the tests of a rule have at most 5000",
  ],
  ["a time beyond time", test(`events: [ { at: ${"9".repeat(300)}d } ]`), "is no duration"],
  ["a history beyond time", test("given: { history: 1e9d }, events: [ { at: 0h } ]"), "is no duration"],
  ["a list that is none", test("given: { lists: { countries: XA } }, events: [ { at: 0h } ]"), "give the entries of"],
  ["a deep list", test(`given: { lists: { countries: ${"[".repeat(18)}${"]".repeat(18)} } }`), "given.lists: "],
  ["hits that are none", test("given: { hits: 3 }"), "given.hits must be a list"],
  ["a hit of the prototype", test("given: { hits: [ { rule: __proto__, at: 1h } ] }"), "no rule has the id __proto__"],
  ["thousands of hits", test(`given: { hits: [ ${entries(2_000, "{ rule: X }")} ] }`), "no rule has the id X"],
  ["keys of the prototype", test("given: { __proto__: { a: 1 } }"), 'given has no key "__proto__"'],
  ["a profile of the prototype", test("given: { profile: { constructor: x } }"), 'profile has no key "constructor"'],
  ["an event of the prototype", test("events: [ { at: 0h, __proto__: x } ]"), 'an event has no key "__proto__"'],
  ["a long name of a key", test(`events: [ { at: 0h, ${"k".repeat(90)}: x } ]`), `no key "${"k".repeat(39)}…"`],
  ["peers of the prototype", test("given: { peers: { __proto__: { a: 1 } } }"), "__proto__"],
  ["an amount that is none", test("events: [ { at: 0h, amount: 1e400 EUR } ]"), "1e400"],
];

describe("hostile inline tests", () => {
  it.each(HOSTILE)("with %s are refused in bounded time", (_what, tests, message) => {
    const started = performance.now();
    const { results } = runInlineTests([...LISTS, rule(tests)]);
    expect(performance.now() - started).toBeLessThan(5_000);
    const problems = results.flatMap((result) => result.problems);
    expect(problems.filter((problem) => problem.includes(message)).length).toBeGreaterThan(0);
    expect(Math.max(...problems.map((problem) => problem.length))).toBeLessThan(500);
  });

  it("may have two thousand movements, and five thousand a rule", () => {
    const most = readRuleTests(rule(test("events: [ { at: 0h, every: 1m, times: 1000 } ]").repeat(5)));
    expect(most?.faults).toEqual([]);
    expect(most?.tests.map(({ events }) => events[0]?.times)).toEqual(Array.from({ length: 5 }, () => 1_000));
  });
});
