import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRuleFiles } from "../../src/files/rules-dir.ts";
import { createFindings } from "../../src/rules/diagnostics.ts";
import { formatRuleFile } from "../../src/rules/format.ts";
import { loadPack } from "../../src/rules/load.ts";
import { LIST_LIMITS } from "../../src/rules/source.ts";
import { runInlineTests } from "../../src/workshop/test-runner.ts";
import { readRuleTests, TEST_KINDS } from "../../src/workshop/test-spec.ts";

const RULES = join(import.meta.dirname, "../../rules");
const FILES = readRuleFiles(RULES);
const FOLDERS = ["cse", "ht", "labour", "smuggling", "tf", "nexus"];
const RULE_FILES = FOLDERS.flatMap((folder) =>
  readdirSync(join(RULES, folder)).map((file) => join(RULES, folder, file)),
);

/** The rules that the first pack must have. */
const FIRST_RULES = [
  "HT-FUNNEL-01",
  "HT-FUNNEL-02",
  "HT-P2PIN-01",
  "HT-NIGHT-01",
  "HT-LODGE-01",
  "HT-ADS-01",
  "HT-DEPLETE-02",
  "LAB-PAY-01",
  "LAB-FWD-02",
  "SM-FANIN-01",
  "TF-COLL-03",
  "TF-FANOUT-04",
  "TF-LIST-01",
  "NX-DUAL-03",
  "HT-SX",
  "SM",
  "TF",
  "NX",
];

describe("the shipped pack", () => {
  const { pack, diagnostics } = loadPack(FILES, {});

  it("compiles without a finding", () => {
    expect(diagnostics).toEqual([]);
    expect(pack).toBeDefined();
  });

  it("has the first rules, all in force", () => {
    const active = new Set(pack?.rules.filter(({ status }) => status === "active").map(({ id }) => id));
    expect(FIRST_RULES.filter((id) => !active.has(id))).toEqual([]);
    expect(active.size).toBe(RULE_FILES.length);
  });

  it("is in the form that `rules fmt` gives", () => {
    const others = FILES.filter((file) => formatRuleFile(file, LIST_LIMITS, createFindings()) !== file.text);
    expect(others.map(({ path }) => basename(path))).toEqual([]);
  });

  it("routes every typology in which a person may be a victim to specialists", () => {
    const victims = new Set(pack?.rules.filter((rule) => rule.selfMayBe.includes("victim")).map(({ id }) => id));
    expect([...victims].sort()).toEqual([
      "CSE",
      "CSE-SEXT-07",
      "HT-ADS-01",
      "HT-DEPLETE-02",
      "HT-FUNNEL-01",
      "HT-FUNNEL-02",
      "HT-LODGE-01",
      "HT-NIGHT-01",
      "HT-P2PIN-01",
      "HT-PREPAID-02",
      "HT-SX",
      "LAB-FWD-01",
      "LAB-KICK-03",
      "NX-TOLL-06",
    ]);
    for (const rule of pack?.rules ?? []) {
      if (rule.typology !== undefined && rule.id !== "TF")
        expect([rule.id, rule.typology.alertClass]).toEqual([rule.id, "protected"]);
      if (rule.typology !== undefined) expect(rule.typology.sla.withinHours).toBeLessThanOrEqual(24);
    }
  });

  it("cites a public document and names an innocent look-alike in every rule", () => {
    for (const rule of pack?.rules ?? []) {
      expect([rule.id, rule.sources.length > 0, rule.cautions.length > 0]).toEqual([rule.id, true, true]);
    }
  });
});

describe.each(RULE_FILES.map((path) => [basename(path, ".yaml"), path] as const))("%s", (id, path) => {
  const tests = readRuleTests({ path, text: readFileSync(path, "utf8") });

  it("has a test of each kind", () => {
    expect(tests?.ruleId).toBe(id);
    expect(tests?.faults).toEqual([]);
    const kinds = new Set(tests?.tests.map(({ kind }) => kind));
    expect(TEST_KINDS.filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  it("expects something where it fires and nothing where it is quiet", () => {
    for (const test of tests?.tests ?? []) {
      const expected = test.hits ?? test.alerts;
      expect([test.name, (expected?.count ?? 0) > 0]).toEqual([test.name, test.kind === "fires"]);
    }
  });
});

describe("inline tests of the shipped pack", () => {
  const { results, untested, coverage } = runInlineTests(FILES, { coverage: true });

  it("decide every clause, filter, scored indicator and severity", () => {
    const open = coverage?.rules.flatMap(({ ruleId, points }) =>
      points.filter(({ missing }) => missing.length > 0).map(({ name, missing }) => `${ruleId} ${name}: ${missing}`),
    );
    expect(open).toEqual([]);
    expect(coverage?.percent).toBe(100);
    expect(new Set(coverage?.rules.map(({ ruleId }) => ruleId)).size).toBe(RULE_FILES.length);
  });

  it("leave no rule out", () => {
    expect(untested).toEqual([]);
    expect(new Set(results.map(({ ruleId }) => ruleId)).size).toBe(RULE_FILES.length);
  });

  it.each(results.map((result) => [`${result.ruleId}: ${result.name}`, result] as const))("%s", (_, result) => {
    expect(result.problems).toEqual([]);
  });
});
