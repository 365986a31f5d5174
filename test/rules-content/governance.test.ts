import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { inspectRules } from "../../src/cli/inspect-rules.ts";
import { loadPack } from "../../src/rules/load.ts";

const ROOT = join(import.meta.dirname, "../..");

it("the shipped pack is sound, approved, tested and locked", () => {
  const { diagnostics } = inspectRules({ dir: join(ROOT, "rules"), asOf: Date.UTC(2026, 11, 1), lockComplete: true });
  expect(diagnostics, "palermo rules lock writes the lock").toEqual([]);
});

it("the shipped pack names roles, no people", () => {
  const { loaded } = inspectRules({ dir: join(ROOT, "rules"), lockComplete: true });
  const names = loaded.rules.flatMap(({ approval }) => [approval.author?.text, approval.approvedBy?.text]);
  expect([...new Set(names)].sort()).toEqual(["compliance-officer", "rule-author"]);
});

it("the tuning of docs/governance.md is one", () => {
  const page = readFileSync(join(ROOT, "docs/governance.md"), "utf8");
  const [text = ""] = [...page.matchAll(/^```yaml\n(schema: tuning.*?)^```$/gms)].map(([, block]) => block!);
  const { overrides } = parse(text) as { overrides: { rule: string; exception?: string }[] };
  expect(overrides).toHaveLength(3);
  const findings = loadPack([{ path: "tuning.yaml", text }]).diagnostics;
  // Alone it names rules that are not there, and nothing else is wrong with it.
  expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(["E090"]));
});
