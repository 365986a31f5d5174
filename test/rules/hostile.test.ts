import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DIAGNOSTICS } from "../../src/rules/diagnostics.ts";
import { loadPack } from "../../src/rules/load.ts";
import { errorsOf, indicator, load } from "./build.ts";

const codes = (files: { path: string; text: string }[]): string[] => [
  ...new Set(errorsOf(files).map((e) => e.slice(0, 4))),
];
const clauses = (n: number): string =>
  `when:\n  all:\n${Array.from({ length: n }, (_, i) => `    - c${i}: tx.amount > 1 EUR\n`).join("")}`;

describe("hostile rule files", () => {
  it("with ten thousand clauses are refused", () => {
    expect(codes([indicator("HT-X-01", clauses(10_000))])).toEqual(["E004"]);
    expect(codes([indicator("HT-X-01", clauses(300))])).toEqual(["E015"]);
  });

  it.each([
    ["brackets", "[".repeat(100_000)],
    ["braces", "{a: ".repeat(20_000)],
    ["dashes", `x: \n${"- ".repeat(50_000)}`],
    ["blocks", Array.from({ length: 400 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")],
    ["question marks", "? ".repeat(50_000)],
    ["quotes", '"'.repeat(100_001)],
    ["flow keys", `{${"a,".repeat(40_000)}}`],
    ["many keys", Array.from({ length: 12_000 }, (_, i) => `k${i}: 1\n`).join("")],
    ["one long line", `title: ${"x".repeat(200_000)}`],
    ["control characters", "\u0000\u0001\uFFFE: \uD800"],
    ["tabs", "\t\ta: b"],
    ["directives", "%YAML 9.9\n---\na: b\n"],
    ["documents", "---\n".repeat(10_000)],
  ])("of %s are refused", (_name, text) => {
    const { pack, diagnostics } = loadPack([{ path: "rules/ht/HT-X-01.yaml", text }]);
    expect(pack).toBeUndefined();
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.length).toBeLessThanOrEqual(500);
  });

  it("with aliases that unfold are refused before they do", () => {
    const levels = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}, *a${i}]\n`);
    expect(codes([{ path: "x.yaml", text: `a0: &a0 x\n${levels.join("")}` }])).toEqual(["E003"]);
  });

  it("with merge keys and tags are refused", () => {
    expect(codes([{ path: "x.yaml", text: "schema: rule/v1\n<<: { a: b }\n" }])).toContain("E003");
    expect(codes([{ path: "x.yaml", text: "schema: !!binary aGk=\n" }])).toEqual(["E003"]);
    expect(codes([{ path: "x.yaml", text: "schema: !evil x\n" }])).toEqual(["E003"]);
  });

  it("with keys of the prototype change nothing", () => {
    const keys = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    for (const key of keys) {
      const body = `params: { ${key}: { value: 3, range: [2, 8] } }\naggregates: { ${key}: { count: events, last: 7d } }\nwhen: { all: [ { ${key}: tx.amount > 1 EUR } ] }\n${key}: x\n`;
      expect(codes([indicator("HT-X-01", body)])).toEqual(expect.arrayContaining(["E010"]));
      expect(codes([indicator("HT-X-01", `when: { all: [ { a: agg.${key} >= 1 } ] }\n`)])).toEqual(["E021"]);
    }
    expect(({} as Record<string, unknown>).value).toBeUndefined();
  });

  it("with names of other alphabets are refused", () => {
    const body =
      "aggregates: { ｎ: { count: events, last: 7d }, наш: { count: events, last: 7d } }\nwhen: { all: [ { a: agg.ｎ >= 1 } ] }\n";
    expect(codes([indicator("HT-X-01", body)])).toEqual(["E014", "E020"]);
  });

  it("with huge numbers are refused", () => {
    for (const number of ["9".repeat(400), "1e400", "0x7fffffffffffffff", ".inf", "-.inf", ".nan"]) {
      const body = `params: { p: { value: ${number}, range: [1, 2] } }\nwhen: { all: [ { a: tx.amount > 1 EUR } ] }\n`;
      expect(codes([indicator("HT-X-01", body)])).toEqual(["E016"]);
    }
  });

  it("never make the loader throw", () => {
    const token = fc.constantFrom(
      "schema: rule/v1",
      "kind: indicator",
      "id: HT-X-01",
      "when:",
      "  all:",
      "    - a: agg.n >= 3",
      "flow: { steps: [ { a: {} } ] }",
      "params: { a: 3 }",
      "hits: { x: { of: [HT-X-01] } }",
      "scoring: []",
      "alert_when: { not: {} }",
      "tests: 3",
      "roles: { self: x }",
      "kind: typology",
      "version: 1",
      "title: {",
      "- x",
      "sources: [[]]",
      "explain: '{'",
      "severity: { medium: a }",
      "aggregates: { n: { ratio: { of: agg.n, over: agg.n } } }",
      "filters: { f: f }",
      "suppress: 3",
      "sla: { class: a }",
      "scope: { rail: [] }",
      "",
      "  ",
      "\t",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 14 }), fc.string(), (lines, noise) => {
        const { diagnostics } = load([{ path: "HT-X-01.yaml", text: `${lines.join("\n")}\n${noise}` }]);
        for (const d of diagnostics) {
          expect(Object.keys(DIAGNOSTICS)).toContain(d.code);
          expect(d.line).toBeGreaterThan(0);
          expect(d.column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("that call themselves lists are refused before they are unfolded", () => {
    const head = "schema: list/v1\nid: x\ntype: segment\ntitle: x\nversion: 1\nentries:\n";
    for (const part of ["  a,", "a: ", '- "\n', "[", "{a:"]) {
      const { diagnostics } = loadPack([{ path: "x.yaml", text: `${head}${part.repeat(1_000_000)}` }]);
      expect(diagnostics.map((d) => d.code)).toEqual(["E004"]);
    }
  });

  it("are at most so many", () => {
    const files = Array.from({ length: 2_001 }, (_, i) => ({ path: `${i}.yaml`, text: "" }));
    expect(loadPack(files).diagnostics.map((d) => d.code)).toEqual(["E004"]);
  });
});
