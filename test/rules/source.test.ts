import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFindings } from "../../src/rules/diagnostics.ts";
import { RULE_LIMITS, readSource, type Source, type SourceNode } from "../../src/rules/source.ts";
import { readPlain } from "../../src/rules/source-plain.ts";
import { readYaml } from "../../src/rules/source-yaml.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Every rule, list and faulty file there is. */
const files = ["rules", "test/rules/bad", "test/rules/examples", "fixtures"].flatMap((dir) =>
  readdirSync(join(ROOT, dir), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => ({ name: `${dir}/${name}`, text: readFileSync(join(ROOT, dir, name), "utf8") })),
);

const sourceOf = (text: string): Source => ({ file: "x.yaml", text, lineStarts: [0] });

/** A tree as plain values: kind, place, text. */
function shape(node: SourceNode | undefined): unknown {
  if (node === undefined) return undefined;
  const { kind, start, end } = node;
  if (node.kind === "scalar") return [kind, start, end, node.text, node.quoted];
  if (node.kind === "seq") return [kind, start, end, node.items.map(shape)];
  const entries = node.entries.map(({ key, value }) => [shape(key), shape(value)]);
  return [kind, start, end, entries, [...node.byKey.keys()]];
}

/** What the plain reader makes of a text; throws unless the library reads the same, without a finding. */
function readBoth(text: string): SourceNode | undefined {
  const plain = readPlain(sourceOf(text), RULE_LIMITS);
  if (plain === undefined) return undefined;
  const findings = createFindings();
  const whole = readYaml(sourceOf(text), RULE_LIMITS, findings);
  expect({ text, tree: shape(plain), findings: [] }).toEqual({ text, tree: shape(whole), findings: findings.list() });
  return plain;
}

describe("the plain reader", () => {
  it("reads every rule and list that is shipped, as the YAML library does", () => {
    const shipped = files.filter(({ name }) => name.startsWith("rules/"));
    expect(shipped.length).toBeGreaterThan(30);
    expect(shipped.filter(({ text }) => readBoth(text) === undefined).map(({ name }) => name)).toEqual([]);
  });

  it.each([
    ["nothing", ""],
    ["comments only", "# a\n"],
    ["an anchor", "a: &x 1\n"],
    ["an alias", "a: *x\n"],
    ["a tag", "a: !!str 1\n"],
    ["a merge key", "<<: { a: 1 }\n"],
    ["a key twice", "a: 1\nb: 2\na: 3\n"],
    ["a key twice on a line", "a: { b: 1, b: 2 }\n"],
    ["a key without a value", "a:\nb: 1\n"],
    ["a key without a value at the end", "a: 1\nb:"],
    ["an item without a value", "a:\n  -\n  - 1\n"],
    ["a key without a value on a line", "a: { b, c: 1 }\n"],
    ["a hole on a line", "a: [1,,2]\n"],
    ["a pair in a list", "a: [b: 1]\n"],
    ["a tab", "a:\t1\n"],
    ["a carriage return", "a: 1\r\n"],
    ["a byte order mark", "\uFEFFa: 1\n"],
    ["two documents", "a: 1\n---\nb: 1\n"],
    ["the end of a document", "a: 1\n...\n"],
    ["a directive", "%YAML 1.2\n---\na: 1\n"],
    ["a plain text over lines", "a: one\n  two\n"],
    ["a plain text over lines in a list", "a: [one\n  two]\n"],
    ["a quoted text over lines", 'a: "one\n  two"\n'],
    ["an escape", 'a: "\\u0041"\n'],
    ["a text that does not end", "a: 'b\n"],
    ["a list that does not end", "a: [b\n"],
    ["a bracket too much", "a: [b]]\n"],
    ["a bracket at the margin", "a: [\n  b,\n]\n"],
    ["a colon in a plain text", "a: b: c\n"],
    ["a comment without a blank", 'a: "b"#c\n'],
    ["a quoted key of more than a word", '"a b": 1\n'],
    ["an explicit key", "? a\n: 1\n"],
    ["a block text with its own column", "a: >2\n   b\n"],
    ["a block text that keeps its end", "a: |+\n  b\n\n"],
    ["a block text with deeper lines", "a: >\n  b\n    c\n"],
    ["an empty block text", "a: >\nb: 1\n"],
    ["a block text at the margin", "a: |\nb\n"],
    ["a block text at the margin of its list", "a:\n  - |\n  b\n"],
    ["a block text that is the whole file", ">-\n  a\n"],
    ["a block text that begins with a blank line", "a: |\n\n  b\n"],
    ["too deep a list", `a: ${"[".repeat(30)}${"]".repeat(30)}\n`],
    ["too deep a mapping", Array.from({ length: 30 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")],
    ["a deeper line after a value", "a: 1\n  b: 2\n"],
    ["a column between two others", "a:\n    b: 1\n  c: 2\n"],
  ])("leaves %s to the library", (_what, text) => {
    expect(readPlain(sourceOf(text), RULE_LIMITS)).toBeUndefined();
  });

  it.each([
    ["lists in the column of their key", "a:\n- b\n- c: 1\n  d: 2\ne: 1\n"],
    ["values on the next line", 'a:\n  "b"\nc:\n  [d]\ne:\n  f\n'],
    ["lists of lists", "a:\n  - - b\n    - c\n  - [d, [e]]\n"],
    ["comments everywhere", "# a\na: # b\n  # c\n  b: 1 # d\n# e\n  c: [ # f\n    d, # g\n  # h\n    e ]\n# i"],
    ["marks inside of texts", "a: b#c:d\nb: [e:f, g#h]\nc: -5\nd: it's\n"],
    ["quotes in quotes", "a: 'it''s'\nb: \"'\"\nc: ''\nd: \"\"\n"],
    ["folded texts", "a: >-\n  b\n  c\n\n\n  d\ne: >\n   f\n\n# g\nh: 1\n"],
    ["texts in lists", "a:\n  - >-\n    b\n    c\n  - |\n   d\n\n  - e\nf:\n- >-\n  g\n- - |\n    h\n  - >\n   i\n"],
    ["texts on the next line", "a:\n  >-\n  b\nc:\n  |\n   d\n"],
    ["literal texts", "a: |\n  b\n    c\n\n  d  \ne: |-\n  f"],
    ["empty collections", "a: []\nb: {}\nc: [ ]\nd: { }\n"],
    ["commas at the end", "a: [b, ]\nc: { d: 1,\n  }\n"],
    ["JSON", JSON.stringify({ a: { b: 1, c: [true, null] }, d: "e" }, undefined, 2)],
    ["quoted keys", '"a": 1\nb: { "c": 2 }\nd:\n  - "e": 3\n'],
    ["other alphabets", "a: наш\nb: [„x“, 😀]\n"],
  ])("reads %s as the library does", (_what, text) => {
    expect(readBoth(text)).toBeDefined();
  });

  it("stops at the number of values that a file may have", () => {
    const limits = { charactersMax: 1000, nodesMax: 6 };
    const of = (count: number): SourceNode | undefined =>
      readPlain(sourceOf(`a: [${Array.from({ length: count }, () => "x").join(", ")}]\n`), limits);
    expect(of(3)).toBeDefined();
    expect(of(4)).toBeUndefined();
    const findings = createFindings();
    expect(readSource({ path: "x.yaml", text: "a: [x, x, x, x]\n" }, limits, findings)).toBeUndefined();
    expect(findings.list().map(({ code }) => code)).toEqual(["E004"]);
  });

  it("reads what it reads of damaged files as the library does", () => {
    const piece = fc.constantFrom(
      ..." \n:#-,[]{}'\"|>&*!?%@`ab0",
      "\n  ",
      "\n\n",
      ": ",
      " #",
      "- ",
      "a: ",
      "''",
      "|-\n",
    );
    const edit = fc.record({ at: fc.nat(), drop: fc.nat({ max: 3 }), piece: fc.option(piece) });
    const damaged = fc
      .tuple(fc.constantFrom(...files), fc.nat(), fc.array(edit, { minLength: 1, maxLength: 3 }))
      .map(([{ text }, from, edits]) => {
        // A stretch of whole lines, so that the edits meet in it.
        const lines = text.split("\n");
        const first = from % lines.length;
        const part = lines.slice(first, first + 12).join("\n");
        return edits.reduce((before, { at, drop, piece: added }) => {
          const place = at % (before.length + 1);
          return before.slice(0, place) + (added ?? "") + before.slice(place + drop);
        }, part);
      });
    let read = 0;
    fc.assert(
      fc.property(damaged, (text) => {
        if (readBoth(text) !== undefined) read += 1;
      }),
      { numRuns: 3_000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it("reads what it reads of any text as the library does", () => {
    const mark = fc.constantFrom(
      ..."abc \n\n:#-,[]{}'\"|>",
      ": ",
      ":\n",
      " #",
      "- ",
      "\n  ",
      "\n    ",
      "a: ",
      "\nb: ",
      "\n- ",
    );
    let read = 0;
    fc.assert(
      fc.property(fc.array(mark, { maxLength: 30 }), (marks) => {
        if (readBoth(`a: ${marks.join("")}`) !== undefined) read += 1;
      }),
      { numRuns: 5_000 },
    );
    expect(read).toBeGreaterThan(50);
  });
});
