import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { palermo, testFolder, write, writeRules } from "../cli/replay-kit.ts";

const DIR = testFolder();
afterAll(() => rmSync(DIR, { recursive: true }));

/** Each number of the language once, in a clause that holds, so that it becomes evidence. */
const NUMBERS: Readonly<Record<string, readonly [string, string]>> = {
  count: ["{ count: events, last: 90d }", ">= 1"],
  sum: ["{ sum: tx.amount, last: 90d }", "> 0 EUR"],
  avg: ["{ avg: tx.amount, last: 90d }", "> 0 EUR"],
  min: ["{ min: tx.amount, last: 90d }", "> 0 EUR"],
  max: ["{ max: tx.amount, last: 90d }", "> 0 EUR"],
  median: ["{ median: tx.amount, last: 90d }", "> 0 EUR"],
  distinct: ["{ distinct: other.id, last: 90d }", ">= 2"],
  first: ["{ first_seen: events, last: 90d }", "> 1d"],
  last: ["{ last_seen: events, last: 90d }", "< 1d"],
  top: ["{ top_share: tx.amount, by: other.id, last: 90d }", "> 10%"],
  largest: ["{ max_of: tx.amount, by: other.id, last: 90d }", "> 0 EUR"],
  part: ["{ sum: tx.amount, by: other.id, last: 90d }", "> 0 EUR"],
  before: ["{ count: events, last: 90d, include_current: false }", ">= 1"],
  newest: ["{ sum: tx.amount, last: 3 events }", "> 0 EUR"],
  month: ["{ count: events, calendar: month }", ">= 1"],
  burst: ["{ count: events, burst: { gap: 2h } }", ">= 1"],
  ratio: ["{ ratio: { of: agg.sum, over: agg.largest } }", "> 10%"],
  gaps: ["{ gap_cv: events, last: 90d }", "> 1%"],
  day: ["{ same_day_of_month: events, last: 90d }", "> 1%"],
  equal: ["{ equal_amount_share: tx.amount, last: 90d }", "> 1%"],
  same: ["{ count: events, matching: 'within(past.amount, tx.amount, 10%)', last: 90d }", ">= 1"],
  to_him: ["{ sum: past.amount, matching: 'past.other == other.id', last: 90d }", "> 0 EUR"],
  least: ["{ min: past.amount, matching: past.direction == 'in', last: 90d }", "> 0 EUR"],
  most: ["{ max: past.amount, matching: past.direction == 'in', last: 90d }", "> 0 EUR"],
  others: ["{ distinct: past.other, matching: past.direction == 'in', last: 90d }", ">= 2"],
  since: ["{ last_seen: events, matching: past.direction == 'in', last: 90d }", "> 1h"],
  stay: ["{ dwell: events, last: 90d }", "> 1h"],
  passed: ["{ passed_on: 24h, last: 90d }", "> 1%"],
  cycles: ["{ completed: flow, last: 90d }", ">= 2"],
};

function rule(): string {
  const names = Object.entries(NUMBERS);
  return `schema: rule/v1
kind: indicator
id: HT-ALL-01
version: 1
title: Every number there is
crime: human_trafficking
status: active
sources: [{ doc: FINTRAC-2016-OA003, point: x }]
aggregates:
${names.map(([name, [text]]) => `  ${name}: ${text}`).join("\n")}
flow:
  within: 5d
  steps:
    - take: { scope: { direction: [in] }, keep: { n: { count: events } }, until: { all: [{ two: take.n >= 2 }] } }
    - give:
        scope: { direction: [out] }
        keep: { sum: { sum: tx.amount }, one: { max_of: tx.amount, by: other.id } }
        until: { all: [{ much: give.sum > 0 EUR }, { one: give.one > 0 EUR }] }
when:
  all:
${names.map(([name, [, right]]) => `    - c_${name}: agg.${name} ${right}`).join("\n")}
explain: "{agg.count} movements."
cautions: [Nobody in particular.]
`;
}

const ACCOUNT = { kind: "account", account: "k1.A", party: "k1.P", own: true };
const far = (name: string) => ({ kind: "account", account: `k1.${name}` });

/** A movement of the account; a positive amount comes in. */
function row(id: string, day: number, hour: number, amount: number, other: string, more: object = {}): string {
  const occurredAt = new Date(Date.UTC(2026, 0, 1 + day, hour)).toISOString();
  const sides = amount > 0 ? { debtor: far(other), creditor: ACCOUNT } : { debtor: ACCOUNT, creditor: far(other) };
  const sum = Math.abs(amount).toFixed(2);
  return JSON.stringify({
    ...{ schema: "tx/1", txId: id, occurredAt, rail: "transfer", amount: sum, currency: "EUR", ...sides, ...more },
  });
}

const BANK = { initiator: "institution" };
const ROWS = [
  row("t01", 0, 9, 300, "X"),
  row("t02", 1, 10, 310.5, "Y"),
  row("t03", 2, 8, -500, "BOSS"),
  row("t04", 9, 9, 280.25, "X"),
  // Taken out by the institution: in no number.
  row("t05", 10, 9, 9_999, "X"),
  row("t06", 10, 10, 9_999, "X", {
    relation: { kind: "reversal", of: "t05", occurredAt: "2026-01-11T09:00:00Z" },
    ...BANK,
  }),
  // Held, then booked with another amount.
  row("t07", 10, 15, -20, "SHOP", { stage: "authorised" }),
  row("t08", 11, 15, -25.4, "SHOP", { relation: { kind: "settles", of: "t07", occurredAt: "2026-01-11T15:00:00Z" } }),
  row("t09", 30, 7, 300, "Y"),
  row("t10", 30, 9, 305, "Z"),
  row("t11", 31, 3, -500, "BOSS"),
];

describe("numbers behind an alert", () => {
  const rules = writeRules(DIR);
  write(DIR, "rules/ht/HT-ALL-01.yaml", rule());
  const typology = readFileSync(join(rules, "ht/HT-CASH.yaml"), "utf8");
  write(DIR, "rules/ht/HT-CASH.yaml", typology.replace("of: HT-CASH-01", "of: HT-ALL-01"));
  const file = write(DIR, "rows.ndjson", `${ROWS.join("\n")}\n`);
  const alerts = join(DIR, "alerts.ndjson");

  async function evidence(alert: string, data: string) {
    const { code, out } = await palermo(["evidence", alert, data, "--rules", rules, "--json"]);
    return { code, numbers: JSON.parse(out).numbers as Record<string, unknown>[] };
  }

  it("are computed again to the last digit, whatever they are", async () => {
    expect(await palermo(["replay", file, "--rules", rules, "--alerts", alerts, "--quiet"])).toMatchObject({ code: 0 });
    const { code, numbers } = await evidence(alerts, file);
    const wanted = [...Object.keys(NUMBERS).map((name) => `agg.${name}`), "take.n", "give.sum", "give.one"];
    expect(numbers.map(({ measure }) => measure).sort()).toEqual(wanted.sort());
    const wrong = numbers.filter(({ verdict }) => verdict !== "equal");
    expect(wrong.map(({ measure, observed, recomputed, verdict }) => [measure, observed, recomputed, verdict])).toEqual(
      [],
    );
    expect(code).toBe(0);
    const ids = (name: string) => {
      const found = numbers.find(({ measure }) => measure === name)?.transactions as { txId: string }[];
      return found.map(({ txId }) => txId);
    };
    expect(ids("agg.cycles")).toEqual(["t03", "t11"]);
    expect(ids("agg.to_him")).toEqual(["t03"]);
    expect(ids("agg.others")).toEqual(["t01", "t02", "t04", "t09", "t10"]);
    expect(ids("agg.stay")).toEqual(["t01", "t02", "t03", "t04", "t07", "t09", "t10", "t11"]);
    expect(ids("agg.count")).not.toContain("t05");
  });

  it.each(Object.keys(NUMBERS))("%s that is wrong in the alert is found", async (name) => {
    await palermo(["replay", file, "--rules", rules, "--alerts", alerts, "--quiet"]);
    const alert = JSON.parse(readFileSync(alerts, "utf8").trim());
    const all = alert.indicators.flatMap((one: { evidence: { measure: string; observed: string }[] }) => one.evidence);
    for (const one of all) if (one.measure === `agg.${name}`) one.observed = "0.123457";
    const { code, numbers } = await evidence(write(DIR, "edited.ndjson", `${JSON.stringify(alert)}\n`), file);
    expect(code).toBe(3);
    expect(numbers.filter(({ verdict }) => verdict === "different").map(({ measure }) => measure)).toEqual([
      `agg.${name}`,
    ]);
  });

  it.each(["gaps", "day", "equal", "same", "to_him", "least", "others", "stay", "passed", "cycles"])(
    "%s differs where a movement that counts in it is missing",
    async (name) => {
      await palermo(["replay", file, "--rules", rules, "--alerts", alerts, "--quiet"]);
      const without = { least: "t04", others: "t10", same: "t03", to_him: "t03", cycles: "t03" }[name] ?? "t09";
      const fewer = ROWS.filter((text) => !text.includes(`"${without}"`));
      const { numbers } = await evidence(alerts, write(DIR, "fewer.ndjson", `${fewer.join("\n")}\n`));
      const one = numbers.find(({ measure }) => measure === `agg.${name}`);
      expect([name, one?.verdict]).toEqual([name, "different"]);
    },
  );
});
