import { describe, expect, it } from "vitest";
import { PLAIN } from "../../src/cli/output.ts";
import { progressLine } from "../../src/cli/progress.ts";
import { type RunFacts, renderSummary, summaryJson } from "../../src/cli/summary.ts";
import { createTally, graver, tallyAlert, tallyHit, tallyReject, tallyVerdict } from "../../src/cli/tally.ts";
import type { HitRecord, Verdict } from "../../src/screen/outputs.ts";
import { sampleAlert } from "./sample-alert.ts";

const facts: RunFacts = {
  packHash: "0123456789abcdef".repeat(4),
  rules: 18,
  baseCurrency: "EUR",
  asOf: Date.parse("2026-06-01T00:00:00Z"),
  entities: 12_345,
  seconds: 2,
  peakBytes: 300 * 1024 * 1024,
  coldFrom: undefined,
  unknown: new Map(),
};

function hit(ruleId: string, event: HitRecord["event"]): HitRecord {
  const at = Date.parse("2026-03-02T00:00:00Z");
  return {
    schema: "hit/1",
    ruleId,
    version: 1,
    entity: "account:a",
    event,
    start: at,
    last: at,
    txId: "t",
    explanation: "",
  };
}

function busyTally() {
  const tally = createTally();
  Object.assign(tally, { rows: 1_000_003, screened: 1_000_000, profiles: 40, outside: 2 });
  tally.firstTime = Date.parse("2026-01-01T00:00:00Z");
  tally.lastTime = Date.parse("2026-03-31T23:59:00Z");
  for (const code of ["SCHEMA", "BAD_AMOUNT", "SCHEMA"] as const) tallyReject(tally, code);
  for (const verdict of ["duplicate", "refolded", "counted", "counted", "reversed"] as const)
    tallyVerdict(tally, verdict);
  tallyHit(tally, hit("HT-ADS-01", "opened"));
  tallyHit(tally, hit("HT-ADS-01", "ended"));
  tallyAlert(tally, sampleAlert({ revision: 1, event: "opened", severity: "medium" }));
  tallyAlert(tally, sampleAlert({ revision: 2, event: "escalated", severity: "high" }));
  tallyAlert(tally, sampleAlert({ alertId: "a-0002", event: "withdrawn" }));
  return tally;
}

describe("summary", () => {
  it("tells which rules lacked an input, those most often first", () => {
    const unknown = new Map([
      ["HT-A", 2],
      ["HT-B", 1_000],
      ["HT-C", 3],
      ["HT-D", 4],
      ["HT-E", 5],
    ]);
    const text = renderSummary(busyTally(), { ...facts, unknown }, PLAIN);
    expect(text).toContain("1,014 judgements lacked an input: HT-B 1,000, HT-E 5, HT-D 4, HT-C 3, 1 more rules");
    expect(JSON.parse(summaryJson(busyTally(), { ...facts, unknown }))).toMatchObject({ unknown: { "HT-A": 2 } });
  });

  it("tells what was read, rejected, late, hit and alerted, on one screen", () => {
    const text = renderSummary(busyTally(), facts, PLAIN);
    for (const part of [
      "1,000,003 rows: 1,000,000 transactions screened, 40 profiles, 2 outside the period",
      "2026-01-01 00:00 to 2026-03-31 23:59 UTC",
      "3 rows: BAD_AMOUNT 1, SCHEMA 2",
      "1 duplicate, 1 reversal",
      "1 judged in their place, 2 only counted",
      "12,345",
      "500,000 transactions/s, 2.00 s, 300 MiB at most",
      "18 rules, pack 0123456789ab, base currency EUR",
      "2026-06-01T00:00:00",
      "HT-ADS-01 1",
      "1 (3 records)",
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/HT-SX +0 +0 +1 +0 +1\n/);
    expect(text.split("\n").length).toBeLessThanOrEqual(24);
  });

  it("is short and whole when nothing was read, and says when windows started empty", () => {
    const text = renderSummary(createTally(), { ...facts, seconds: 0, coldFrom: facts.asOf }, PLAIN);
    expect(text).toContain("0 rows: 0 transactions screened");
    expect(text).toContain("windows started empty at 2026-06-01 00:00 UTC");
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("keeps a screen with many rules", () => {
    const tally = busyTally();
    for (let index = 0; index < 60; index += 1) tallyHit(tally, hit(`XX-${index}`, "opened"));
    const lines = renderSummary(tally, facts, PLAIN).split("\n");
    expect(lines.length).toBeLessThanOrEqual(26);
    expect(lines.join("\n")).toContain("49 more rules");
  });

  it("says the same as JSON", () => {
    const json = JSON.parse(summaryJson(busyTally(), facts)) as Record<string, unknown>;
    expect(json).toMatchObject({
      schema: "replay-summary/1",
      rows: 1_000_003,
      screened: 1_000_000,
      rejected: { BAD_AMOUNT: 1, SCHEMA: 2 },
      late: { refolded: 1, counted: 2 },
      hits: { "HT-ADS-01": 1 },
      alerts: { "HT-SX": { high: 1, withdrawn: 1 } },
      alertRecords: 3,
      transactionsPerSecond: 500_000,
      packHash: facts.packHash,
    });
    expect(JSON.parse(summaryJson(createTally(), facts))).toMatchObject({ first: null, last: null });
  });
});

describe("graver", () => {
  it("lets the gravest verdict on a transaction's views tell, in either order", () => {
    const order: Verdict[] = ["judged", "refolded", "duplicate", "counted", "too_late", "conflict"];
    for (const [index, a] of order.entries()) {
      for (const b of order.slice(index)) expect([graver(a, b), graver(b, a)]).toEqual([b, b]);
    }
  });
});

describe("progressLine", () => {
  it("tells share, count, rate, time left and memory", () => {
    const line = progressLine(1_500_000, 250, 1_000, 10_000, 200 * 1024 * 1024);
    expect(line).toBe("25 %  1,500,000 transactions  150,000/s  00:30 left  200 MiB");
  });

  it("leaves out what cannot be known", () => {
    expect(progressLine(10, 0, undefined, 0, 0)).toBe("10 transactions  0 MiB");
    expect(progressLine(10, 5_000, 1_000, 1_000, 0)).toContain("100 %");
    expect(progressLine(10, 20, 1_000, 3_600_000, 0)).toContain("49:00:00 left");
  });
});
