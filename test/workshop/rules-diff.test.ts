import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { deposit, deposits, palermo, testFolder, write, writeRules } from "../cli/replay-kit.ts";

const DIR = testFolder();
afterAll(() => rmSync(DIR, { recursive: true }));

const BEFORE = writeRules(join(DIR, "before"));
const STRICT = writeRules(join(DIR, "strict"), (text) => text.replace("value: 3", "value: 4"));
const ROWS = write(DIR, "rows.ndjson", `${deposits(12, 1).join("\n")}\n`);
const parties = Array.from({ length: 12 }, (_, i) =>
  JSON.stringify({
    schema: "party/1",
    party: `p-${i}`,
    validFrom: "2026-01-01T00:00:00Z",
    partyType: "person",
    segment: i < 11 ? "retail" : "student",
  }),
);
const PARTIES = write(DIR, "parties.ndjson", `${parties.join("\n")}\n`);

async function diff(before: string, after: string, ...args: string[]) {
  return palermo(["rules", "diff", before, after, ...args]);
}

describe("palermo rules diff", () => {
  it("ends with 0 when both packs give the same alerts, whatever their versions and other files", async () => {
    const other = writeRules(join(DIR, "other"), (text) => text.replace("version: 1\ntitle", "version: 7\ntitle"));
    const { code, out } = await diff(BEFORE, other, ROWS);
    expect(code).toBe(0);
    expect(out).toContain("12 same, 0 added, 0 removed, 0 changed");
  });

  it("ends with 3, and names for each alert the clause that decides", async () => {
    const { code, out } = await diff(BEFORE, STRICT, ROWS, "--json");
    expect(code).toBe(3);
    const { same, changes } = JSON.parse(out);
    expect([same, changes.length]).toEqual([0, 12]);
    expect(changes[0]).toMatchObject({
      change: "removed",
      before: { typology: "HT-CASH", score: 50, severity: "medium" },
      flipped: ["HT-CASH-01 people: 3 of 4"],
    });
    const back = JSON.parse((await diff(STRICT, BEFORE, ROWS, "--json")).out).changes;
    expect(back[0]).toMatchObject({ change: "added", flipped: ["HT-CASH-01 people: 3 of 4"] });
  });

  it("counts by segment and hides small numbers, in text and in Markdown", async () => {
    const { out } = await diff(BEFORE, STRICT, ROWS, "--parties", PARTIES);
    expect(out).toMatch(/retail +0 +11 +0/);
    expect(out).toMatch(/student +0 +< 10 +0/);
    const markdown = (await diff(BEFORE, STRICT, ROWS, "--parties", PARTIES, "--format", "markdown")).out;
    expect(markdown).toContain("# Change of rules");
    expect(markdown).toContain("| retail | 0 | 11 | 0 |");
    expect(markdown).toMatch(
      /\| removed al_\w+ HT-CASH on party p-\d+, medium 50, \S+ \| HT-CASH-01 people: 3 of 4 \|/,
    );
  });

  it("tells a change of score as changed", async () => {
    const heavier = writeRules(join(DIR, "heavier"), (text) => text.replace("points: 50", "points: 70"));
    const file = write(
      DIR,
      "one.ndjson",
      ["c-1", "c-2", "c-3"]
        .map((c, i) => deposit(`t-${i}`, `2026-01-0${i + 5}T09:00:00Z`, { conductor: c }))
        .join("\n"),
    );
    const { code, out } = await diff(BEFORE, heavier, file);
    expect(code).toBe(3);
    expect(out).toMatch(/changed al_\w+ HT-CASH on party p-1, medium 50 -> high 70/);
  });

  it("ends with 2 for rules at fault or a missing file", async () => {
    expect((await diff(BEFORE, join(DIR, "nowhere"), ROWS)).code).toBe(2);
    expect((await diff(BEFORE, STRICT, join(DIR, "none.ndjson"))).code).toBe(2);
  });
});
