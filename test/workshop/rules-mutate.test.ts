import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { palermo, testFolder, write } from "../cli/replay-kit.ts";

const DIR = testFolder();
afterAll(() => rmSync(DIR, { recursive: true }));

const RULE = `schema: rule/v1
kind: indicator
id: T-CASH-01
version: 1
title: Cash
crime: human_trafficking
status: active
sources: [ { doc: FINTRAC-2016-OA003, point: cash } ]
scope: { rail: [cash] }
aggregates: { deposits: { count: events, last: 7d } }
when: { all: [ { enough: agg.deposits >= 3 } ] }
explain: "several deposits"
cautions: [a shop banks its takings]
tests:
  - name: three deposits
    kind: fires
    events: [ { at: 0h, every: 1d, times: 3 } ]
    expect: { hits: 1 }
`;

function folder(name: string, text = RULE): string {
  write(DIR, `${name}/t/T-CASH-01.yaml`, text);
  return join(DIR, name);
}

describe("palermo rules mutate", () => {
  it("prints a score a rule, and the missing test of a survivor", async () => {
    const { code, out } = await palermo(["rules", "mutate", folder("text")]);
    expect(code).toBe(0);
    expect(out).toMatch(/T-CASH-01 +\d+ of \d+ mutants/);
    expect(out).toMatch(/boundary: agg\.deposits >= 3 -> agg\.deposits >= 2\n.*T-CASH-01\.yaml:11\n/);
    expect(out).toMatch(/this one would:\n {6}- name: /);
    expect(out).not.toContain("\u001b[");
  });

  it("writes { score, rules } with --json and ends with 1 below --min", async () => {
    const dir = folder("json");
    const { code, out } = await palermo(["rules", "mutate", dir, "--json", "--no-search", "--min", "99"]);
    expect(code).toBe(1);
    const { score, rules } = JSON.parse(out);
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(99);
    expect(rules[0]).toMatchObject({ ruleId: "T-CASH-01", score });
    expect(rules[0].survivors[0]).toHaveProperty("change");
    expect((await palermo(["rules", "mutate", dir, "--no-search", "--min", String(score)])).code).toBe(0);
  });

  it("ends with 1 when a test fails already, and with 2 for rules at fault or a rule that is not there", async () => {
    const failing = await palermo(["rules", "mutate", folder("failing", RULE.replace("hits: 1", "hits: 2"))]);
    expect([failing.code, failing.out.includes("fails already: three deposits")]).toEqual([1, true]);
    const fault = await palermo(["rules", "mutate", folder("fault", RULE.replace("last: 7d", "last: 7 d of"))]);
    expect([fault.code, /T-CASH-01\.yaml:10:.*error/.test(fault.out)]).toEqual([2, true]);
    const none = await palermo(["rules", "mutate", folder("none"), "--rule", "T-CASH-99"]);
    expect([none.code, none.err.includes("T-CASH-99")]).toEqual([2, true]);
  });
});
