import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRuleFiles } from "../../src/files/rules-dir.ts";
import { createFindings } from "../../src/rules/diagnostics.ts";
import { formatRuleFile } from "../../src/rules/format.ts";
import { newIndicator } from "../../src/rules/rule-template.ts";
import { ruleHash } from "../../src/rules/semantic-hash.ts";
import { LIST_LIMITS, readSource } from "../../src/rules/source.ts";

const SHIPPED = readRuleFiles(join(import.meta.dirname, "../../rules"));

function format(text: string): string | undefined {
  return formatRuleFile({ path: "x.yaml", text }, LIST_LIMITS, createFindings());
}

function meaning(text: string): string | undefined {
  const root = readSource({ path: "x.yaml", text }, LIST_LIMITS, createFindings());
  return root && ruleHash(root);
}

describe("the form of rule files", () => {
  it.each(SHIPPED)("of $path is reached in one step and means the same", ({ text }) => {
    const once = format(text);
    expect(once).toBeDefined();
    expect(format(once!)).toBe(once);
    expect(meaning(once!)).toBe(meaning(text));
    const comments = (of: string): string[] => [...of.matchAll(/^\s*#.*$/gm)].map(([line]) => line.trim()).sort();
    expect(comments(once!)).toEqual(comments(text));
  });

  it("puts keys in order, takes needless blanks out and leaves comments where they belong", () => {
    const text = [
      "# of the file",
      "id:   HT-X-01",
      "# of the kind",
      "kind: indicator",
      "schema: rule/v1   # which form",
      "cautions: [  'one', two ]",
      "params:",
      "    few: {range: [2,8], value:   3}",
      "own_key: 1",
      'title: "a: b"',
      "",
    ].join("\n");
    expect(format(text)).toBe(
      [
        "# of the file",
        "schema: rule/v1 # which form",
        "# of the kind",
        "kind: indicator",
        "id: HT-X-01",
        'title: "a: b"',
        "params:",
        "  few: { value: 3, range: [2, 8] }",
        "cautions: ['one', two]",
        "own_key: 1",
        "",
      ].join("\n"),
    );
  });

  it("of a new rule is the form", () => {
    const text = newIndicator({ id: "HT-X-01", crime: "human_trafficking", schemaPath: "s.json" });
    expect(format(text)).toBe(text);
  });

  it("is reached in one step from any mapping of texts, lists and mappings", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9 _>=.'"-]{0,60}$/);
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        word,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    const keys = fc.constantFrom("title", "id", "when", "params", "tests", "explain", "other", "sources");
    fc.assert(
      fc.property(fc.dictionary(keys, value, { minKeys: 1 }), (root) => {
        const text = JSON.stringify(root);
        const once = format(text);
        if (once === undefined) return;
        expect(format(once)).toBe(once);
        expect(meaning(once)).toBe(meaning(text));
      }),
      { numRuns: 150 },
    );
  });

  it.each(["", "[1]", "a: *b", "a: [", "a: b\n---\nc: d", `a: ${"[".repeat(200)}`])("of %j is none", (text) => {
    expect(format(text)).toBeUndefined();
  });
});
