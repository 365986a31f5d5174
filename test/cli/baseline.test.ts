import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { deposit, palermo, testFolder, write, writeRules } from "./replay-kit.ts";

const DIR = testFolder();
afterAll(() => rmSync(DIR, { recursive: true }));

const RULES = writeRules(DIR);
write(
  DIR,
  "rules/ht/HT-PEER-01.yaml",
  `schema: rule/v1
kind: indicator
id: HT-PEER-01
version: 1
title: More cash than peers
crime: human_trafficking
status: draft
sources: [ { doc: FIN-2023-Alert001, point: deposits above the peer group } ]
subject: party
scope: { rail: [cash], direction: [in] }
aggregates: { total: { sum: tx.amount, last: 7d } }
peer: { usual: { of: agg.total, group: segment, percentile: 97 } }
when: { all: [ { above: agg.total > peer.usual } ] }
explain: "{agg.total} in cash"
cautions: [one-off sales]
`.replace("status: draft", "status: shadow\nauthor: a\n"),
);

/** Twelve retail customers with peaks of 100 to 1200, and three students. */
const rows: string[] = [];
const parties: string[] = [];
for (let i = 1; i <= 15; i += 1) {
  const creditor = { kind: "account", account: `a-${i}`, party: `p-${i}`, own: true };
  for (const [n, share] of [0.4, 0.6, 0.1].entries()) {
    const day = n === 2 ? 25 : 5 + n;
    const occurredAt = `2026-01-${String(day).padStart(2, "0")}T09:${String(i).padStart(2, "0")}:00Z`;
    rows.push(deposit(`t-${i}-${n}`, occurredAt, { creditor, amount: (100 * i * share).toFixed(2) }));
  }
  parties.push(
    JSON.stringify({
      schema: "party/1",
      party: `p-${i}`,
      validFrom: "2026-01-01T00:00:00Z",
      partyType: "person",
      segment: i <= 12 ? "retail" : "student",
    }),
  );
}
const ROWS = write(DIR, "rows.ndjson", `${rows.join("\n")}\n`);
const PARTIES = write(DIR, "parties.ndjson", `${parties.join("\n")}\n`);

describe("palermo baseline", () => {
  it("writes percentiles of each customer's peak by group, without groups of fewer than ten", async () => {
    const out = join(DIR, "rules", "peers_segment.yaml");
    const args = ["baseline", ROWS, "--parties", PARTIES, "--rules", RULES, "--group", "segment", "--out", out];
    const { code, err } = await palermo(args);
    expect([code, err]).toEqual([0, "1 number by segment: retail (12)\n"]);
    const text = readFileSync(out, "utf8");
    expect(text).toMatch(/^schema: baseline\/v1\nid: peers_segment\ngroup: segment\nasOf: 2026-01-25\ncurrency: EUR\n/);
    // Peaks are 100 to 1,200 EUR: a percentile lies between the two that it falls between.
    expect(text).toContain('name: "retail", entities: 12');
    expect(text).toContain('"50": "65000"');
    expect(text).toContain('"97": "116700"');
    expect(text).not.toContain("student");
    const again = await palermo(["baseline", ROWS, "--parties", PARTIES, "--rules", RULES, "--group", "segment"]);
    expect(again.out).toBe(text);
  });

  it("ends with 2 when no rule holds a number against such a group", async () => {
    const { code, err } = await palermo(["baseline", ROWS, "--rules", RULES, "--group", "product"]);
    expect([code, err.includes("no rule in force holds a number against its product")]).toEqual([2, true]);
    expect((await palermo(["baseline", ROWS, "--rules", RULES, "--group", "zodiac"])).code).toBe(2);
  });
});
