import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DIAGNOSTICS, sortDiagnostics } from "../../src/rules/diagnostics.ts";
import { errorsOf, indicator, load } from "./build.ts";
import { golden } from "./golden.ts";

const DIR = join(import.meta.dirname, "bad");
const names = readdirSync(DIR).filter((name) => name.endsWith(".bad.yaml"));

describe("faulty files", () => {
  it.each(names)("%s gives the expected findings", async (name) => {
    await expect(golden(name)).toMatchFileSnapshot(join(DIR, name.replace(/\.yaml$/, ".txt")));
  });

  it("show nearly every code of the catalogue", () => {
    const seen = new Set(
      names.flatMap((name) => [...golden(name).matchAll(/(?:error|warning) ([EW]\d+):/g)].map((m) => m[1])),
    );
    const elsewhere = [
      "E001",
      "E040",
      "E041",
      "E048",
      "E070",
      "W102",
      "W104",
      "W105",
      "W106",
      "W107",
      "W108",
      "W109",
      "W110",
    ];
    // What no file can say by itself: test/rules/governance.test.ts, lock.test.ts and tuning.test.ts.
    const aroundFiles = /^E0[89]\d$/;
    const missing = Object.keys(DIAGNOSTICS).filter(
      (code) => !seen.has(code) && !elsewhere.includes(code) && !aroundFiles.test(code),
    );
    expect(missing).toEqual([]);
  });
});

describe("findings", () => {
  it("come all at once: ten faults give ten errors, in the order of the file", () => {
    const body = [
      "scope: { rail: [horse] }",
      "params: { few: { value: 9, range: [2, 8] } }",
      "filters: { far: tx.act.place >= 3 }",
      "aggregates:",
      "  n: { count: event, last: 7d }",
      "  total: { sum: tx.amont, last: 7d }",
      "when:",
      "  all:",
      "    - one: agg.m >= 2",
      "    - two: agg.n >= 2 EUR",
      "    - four: kn(tx.act.cell, profile.home_cell) > 3 km",
      "    - five: profile.nationality == 'x'",
      "    - six: (agg.n >= 2",
      "",
    ].join("\n");
    const errors = errorsOf([indicator("HT-X-01", body)]);
    expect(errors).toEqual([
      "E013 10:17 `rail` cannot be `horse`",
      "E017 11:25 9 is outside the range 2 to 8",
      "E022 12:30 `>=` orders numbers, not a place",
      "E013 14:15 `count` counts `events`",
      "E021 15:20 there is no field `tx.amont`",
      "E021 18:16 there is no aggregate `m`",
      "E022 19:18 cannot compare a count with money",
      "E025 20:13 there is no function `kn`",
      "E026 21:13 `profile.nationality`: Palermo has no such field, on purpose",
      "E020 22:12 this parenthesis is not closed",
    ]);
  });

  it("name the very character in folded and quoted texts", () => {
    const body = [
      "aggregates: { n: { count: events, last: 7d } }",
      "filters: { f: 'tx.rail == ''cahs''' }",
      'when: { all: [ { a: "agg.n >= 2" }, { b: f } ] }',
      "explain: >-",
      "  {agg.n} payments",
      "  and {agg.missing} more",
      "",
    ].join("\n");
    expect(errorsOf([indicator("HT-X-01", body)])).toEqual([
      "E028 11:27 a rail is never 'cahs'",
      "E021 15:12 there is no aggregate `missing`",
    ]);
  });

  it("are told once each and sorted", () => {
    const at = { severity: "error", file: "b", line: 2, column: 1, message: "m" } as const;
    const sorted = sortDiagnostics([
      { code: "E002", ...at },
      { code: "E002", ...at },
      { code: "E001", ...at, file: "a" },
      { code: "E003", ...at, line: 1 },
    ]);
    expect(sorted.map((d) => d.code)).toEqual(["E001", "E003", "E002"]);
  });

  it("tell of files that are no YAML", () => {
    const file = { path: "HT-X-01.yaml", text: 'schema: rule/v1\ntitle: "no end\n' };
    expect(errorsOf([file])).toEqual([expect.stringMatching(/^E001 3:1 not readable as YAML: Missing closing/)]);
  });

  it("warn of what nothing uses", () => {
    const body = "params: { few: { value: 3, range: [2, 8] } }\nwhen: { all: [ { a: tx.amount > 3 EUR } ] }\n";
    const { diagnostics, pack } = load([indicator("HT-X-01", body)]);
    expect(diagnostics.map((d) => d.code)).toEqual(["W101", "W102"]);
    expect(pack).toBeDefined();
  });
});
