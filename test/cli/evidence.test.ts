import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { deposit, deposits, palermo, testFolder, write, writeRules } from "./replay-kit.ts";

const DIR = testFolder();
afterAll(() => rmSync(DIR, { recursive: true }));

const RULES = writeRules(DIR);
const ROWS = ["c-1", "c-2", "c-3"].map((conductor, i) =>
  deposit(`t-${i + 1}`, `2026-01-0${i + 5}T09:00:00Z`, { conductor, amount: `${900 + i}.50` }),
);
const REPEATED = [...ROWS.slice(0, 2), ROWS[1], ROWS[2]];
const FILE = write(DIR, "rows.ndjson", `${REPEATED.join("\n")}\n`);
const ALERTS = join(DIR, "alerts.ndjson");

async function replay(file: string, ...args: string[]) {
  return palermo(["replay", file, "--rules", RULES, "--alerts", ALERTS, "--json", ...args]);
}

async function evidence(...args: string[]) {
  const { code, out, err } = await palermo(["evidence", ...args, "--rules", RULES]);
  return { code, out, err };
}

function edited(edit: (alert: { indicators: { evidence: { observed: string; count: number }[] }[] }) => void): string {
  const alert = JSON.parse(readFileSync(ALERTS, "utf8").trim());
  edit(alert);
  return write(DIR, "edited.ndjson", `${JSON.stringify(alert)}\n`);
}

describe("palermo evidence", () => {
  it("lists every transaction behind each number, once, and says that the number follows from them", async () => {
    await replay(FILE);
    const { code, out } = await evidence(ALERTS, FILE, "--json");
    expect(code).toBe(0);
    const { numbers, samePack } = JSON.parse(out);
    expect(samePack).toBe(true);
    expect(numbers).toMatchObject([
      { ruleId: "HT-CASH-01", measure: "agg.people", observed: "3", recomputed: "3", verdict: "equal" },
    ]);
    expect(numbers[0].transactions).toEqual([
      { txId: "t-1", at: "2026-01-05T09:00:00Z", amount: "900.50" },
      { txId: "t-2", at: "2026-01-06T09:00:00Z", amount: "901.50" },
      { txId: "t-3", at: "2026-01-07T09:00:00Z", amount: "902.50" },
    ]);
  });

  it("ends with 3 when a number differs, and names it", async () => {
    await replay(FILE);
    const file = edited((alert) => {
      for (const one of alert.indicators.flatMap((indicator) => indicator.evidence)) one.observed = "4";
    });
    const { code, out } = await evidence(file, FILE);
    expect(code).toBe(3);
    expect(out).toContain("agg.people = 4");
    expect(out).toContain("DOES NOT follow from the recorded data; computed again: 3");
  });

  it("ends with 3 when transactions are missing from the data", async () => {
    await replay(FILE);
    const fewer = write(DIR, "fewer.ndjson", `${[ROWS[0], ROWS[2]].join("\n")}\n`);
    expect((await evidence(ALERTS, fewer)).code).toBe(3);
  });

  it("finds an alert by its id among many, and refuses a file of several without one", async () => {
    const many = write(DIR, "many.ndjson", `${deposits(3, 2).join("\n")}\n`);
    await replay(many);
    const ids = readFileSync(ALERTS, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).alertId);
    expect((await evidence(ids[0], many, "--alerts", ALERTS)).code).toBe(0);
    const several = await evidence(ALERTS, many);
    expect([several.code, several.err.includes("6 alerts in it")]).toEqual([2, true]);
    expect((await evidence("al_nobody", many, "--alerts", ALERTS)).code).toBe(2);
    expect((await evidence(ALERTS)).code).toBe(2);
  });
});

describe("palermo replay --trace", () => {
  it("writes numbers that the recorded rows alone give", async () => {
    const many = deposits(4, 3);
    const file = write(DIR, "traced.ndjson", `${many.join("\n")}\n`);
    const trace = join(DIR, "trace.ndjson");
    await replay(file, "--trace", trace);
    const lines = readFileSync(trace, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(many.length);
    const rows = many.map((line) => JSON.parse(line));
    for (const line of lines) {
      const { entity, at, aggregates } = line;
      const week = rows.filter((row) => {
        const age = Date.parse(at) - Date.parse(row.occurredAt);
        return row.creditor.account === entity.token && age >= 0 && age < 7 * 86_400_000;
      });
      const values = Object.fromEntries(
        aggregates.map((one: { name: string; value: string }) => [one.name, one.value]),
      );
      expect(values).toEqual({
        "agg.people": String(new Set(week.map((row) => row.conductor)).size),
        "agg.total": week.reduce((sum, row) => sum + Number(row.amount), 0).toFixed(2),
      });
    }
  });

  it("has no line of rows that only warm up", async () => {
    const trace = join(DIR, "late.ndjson");
    await replay(FILE, "--trace", trace, "--from", "2026-01-07");
    const lines = readFileSync(trace, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).txId)).toEqual(["t-3"]);
    expect(JSON.parse(lines[0] as string).aggregates[0].value).toBe("3");
  });
});

describe("palermo replay --compare", () => {
  it("finds the same alerts in an export of the same run, in any order of revisions", async () => {
    const many = write(DIR, "compared.ndjson", `${deposits(3, 2).join("\n")}\n`);
    await replay(many);
    const lines = readFileSync(ALERTS, "utf8").trim().split("\n");
    const exported = write(DIR, "export.ndjson", `${lines.reverse().join("\n")}\n`);
    const { code, out } = await replay(many, "--compare", exported);
    expect(code).toBe(0);
    expect(JSON.parse(out).compare).toEqual({ same: 6, missing: [], extra: [], changed: [] });
  });

  it("ends with 3 and names what is missing, extra and changed", async () => {
    const many = write(DIR, "compared.ndjson", `${deposits(3, 1).join("\n")}\n`);
    await replay(many);
    const [first, second, third] = readFileSync(ALERTS, "utf8").trim().split("\n") as [string, string, string];
    const changed = JSON.parse(second);
    const other = { ...JSON.parse(third), alertId: "al_other" };
    const exported = [first, JSON.stringify({ ...changed, score: 1 }), JSON.stringify(other)].join("\n");
    const { code, out } = await replay(many, "--compare", write(DIR, "export.ndjson", exported));
    expect(code).toBe(3);
    expect(JSON.parse(out).compare).toEqual({
      same: 1,
      missing: ["al_other"],
      extra: [JSON.parse(third).alertId],
      changed: [{ alertId: changed.alertId, fields: ["score"] }],
    });
    const text = await palermo([
      "replay",
      many,
      "--rules",
      RULES,
      "--alerts",
      ALERTS,
      "--compare",
      join(DIR, "export.ndjson"),
    ]);
    expect(text.err).toContain("compared  1 same, 1 missing, 1 extra, 1 changed");
  });
});
