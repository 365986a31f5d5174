import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findKeyFault, mayHaveKeyFault } from "../../src/intake/json-keys.ts";

/** A JSON text of which any key may be repeated, forbidden, escaped or oddly spaced, and strings hold colons. */
const name = fc.constantFrom("a", "b", "c", "x:y", 'q"', "__proto__", "constructor", "\\u0061", "ä");
const space = fc.constantFrom("", " ", "\n\t");
const { tree } = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("1", "null", "true"),
    fc.constantFrom(":", "a:b", '":"', "{", "\\").map((text) => JSON.stringify(text)),
    fc.array(tie("tree"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
    fc
      .array(fc.tuple(name, space, tie("tree")), { maxLength: 4 })
      .map((members) => `{${members.map(([key, gap, value]) => `${quoted(key)}${gap}:${value}`).join(",")}}`),
  ),
}));

function quoted(key: string): string {
  return key.startsWith("\\") ? `"${key}"` : JSON.stringify(key);
}

describe("the quick look at keys", () => {
  test("misses no fault", () => {
    let faults = 0;
    let clean = 0;
    fc.assert(
      fc.property(tree, (text) => {
        const fault = findKeyFault(text);
        const may = mayHaveKeyFault(text, JSON.parse(text));
        if (fault !== undefined) faults += 1;
        else if (!may) clean += 1;
        expect(fault === undefined || may).toBe(true);
      }),
      { seed: 47, numRuns: 2_000 },
    );
    expect(faults).toBeGreaterThan(50);
    expect(clean).toBeGreaterThan(50);
  });

  test("ends on a text that is deeper than any record", () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    expect(mayHaveKeyFault(deep, JSON.parse(deep))).toBe(true);
    const flat = `${'{"a":'.repeat(20)}1${"}".repeat(20)}`;
    expect(mayHaveKeyFault(flat, JSON.parse(flat))).toBe(false);
  });
});
