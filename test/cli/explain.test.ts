import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { deposit, palermo, testFolder, write, writeRules } from "./replay-kit.ts";

const DIR = testFolder();
afterAll(() => rmSync(DIR, { recursive: true }));

const RULES = writeRules(DIR);
const rows = ["c-1", "c-2", "c-3", "c-3"].map((conductor, i) =>
  deposit(`t-${i + 1}`, `2026-01-0${i + 5}T09:00:00Z`, { conductor }),
);
const card = deposit("t-9", "2026-01-09T09:00:00Z", { rail: "card", conductor: undefined });
const FILE = write(DIR, "rows.ndjson", `${[...rows, card].join("\n")}\n`);

async function explain(...args: string[]) {
  return palermo(["explain", ...args, "--rules", RULES]);
}

async function explainJson(...args: string[]) {
  const { code, out } = await explain(...args, "--json");
  expect(code).toBe(0);
  return JSON.parse(out).rules as {
    ruleId: string;
    outcome: string;
    closeness: number;
    reason?: string;
    txId: string;
    entity: { kind: string; token: string };
    trees: {
      clause: { children: { name: string; value: boolean; observed: string; needed: string; ratio: number }[] };
    }[];
  }[];
}

describe("palermo explain", () => {
  it("shows what was seen, needed and the margin of a rule that fired, with its cautions", async () => {
    const { code, out } = await explain("t-3", FILE);
    expect(code).toBe(0);
    expect(out).toContain("HT-CASH-01 v1 on account a-1: fired");
    expect(out).toContain("yes people: agg.people >= params.min_people: 3 of 3, 100 %");
    expect(out).toContain("caution: Collections for a funeral.");
    expect(out).toContain("HT-CASH v1 on party p-1: fired");
    expect(out).not.toContain("\u001b[");
  });

  it("says why a rule did not fire, and how near it was", async () => {
    const [indicator, typology] = await explainJson("t-2", FILE);
    expect(indicator).toMatchObject({ ruleId: "HT-CASH-01", outcome: "quiet" });
    const [people] = indicator?.trees[0]?.clause.children ?? [];
    expect(people).toMatchObject({ name: "people", value: false, observed: "2", needed: "3" });
    expect(people?.ratio).toBeCloseTo(2 / 3, 10);
    expect(indicator?.closeness).toBeCloseTo(2 / 3, 10);
    expect(typology).toMatchObject({ ruleId: "HT-CASH", outcome: "quiet", closeness: 0, entity: { token: "p-1" } });
  });

  it("leaves out rules that such a movement does not concern, and tells the reason with --all", async () => {
    expect((await explain("t-9", FILE)).out).toContain("2 rules not judged on such a movement");
    const found = await explainJson("t-9", FILE, "--all");
    expect(found.find(({ ruleId }) => ruleId === "HT-CASH-01")).toMatchObject({
      outcome: "not_judged",
      reason: "its rail is card; the rule looks at cash",
    });
  });

  it("looks as of the movement, whatever came later", async () => {
    const [early] = await explainJson("t-1", FILE, "--rule", "HT-CASH-01");
    expect(early?.trees[0]?.clause.children[0]?.observed).toBe("1");
  });

  it("lists every rule for a subject, nearest first, where it came nearest", async () => {
    const found = await explainJson("--subject", "a-1", FILE);
    expect(found.map(({ ruleId, outcome, txId }) => [ruleId, outcome, txId])).toEqual([["HT-CASH-01", "fired", "t-3"]]);
    const strict = await explainJson("--subject", "account:a-1", FILE, "--set", "HT-CASH-01.min_people=5");
    expect(strict[0]).toMatchObject({ ruleId: "HT-CASH-01", outcome: "quiet", closeness: 0.6, txId: "t-3" });
    expect((await explainJson("--subject", "party:p-1", FILE))[0]).toMatchObject({
      ruleId: "HT-CASH",
      outcome: "fired",
    });
  });

  it("ends with 2 for a movement, subject or rule that is not there, and without a file", async () => {
    for (const args of [["t-77", FILE], ["--subject", "nobody", FILE], ["t-1", FILE, "--rule", "XX-1"], ["t-1"]]) {
      const { code, err } = await explain(...args);
      expect([args, code]).toEqual([args, 2]);
      expect(err).toMatch(/^palermo: /);
    }
    expect((await explain("t-1", join(DIR, "missing.ndjson"))).code).toBe(2);
  });
});
