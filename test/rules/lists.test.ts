import { describe, expect, it } from "vitest";
import { LEGAL_BASES } from "../../src/rules/lists.ts";
import { loadPack } from "../../src/rules/load.ts";
import { LISTS } from "./build.ts";

function list(type: string, entries: string, more = ""): ReturnType<typeof loadPack> {
  const text = `schema: list/v1\nid: it\ntype: ${type}\ntitle: sample\nversion: 1\n${more}entries: ${entries}\n`;
  return loadPack([{ path: "it.yaml", text }], { asOf: Date.UTC(2026, 5, 1) });
}

const codes = (loaded: ReturnType<typeof loadPack>): string[] => loaded.diagnostics.map((d) => d.code);

describe("lists", () => {
  it("of every type are read", () => {
    const loaded = loadPack(LISTS);
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.lists.ids).toHaveLength(LISTS.length);
    expect([...(loaded.lists.get("mcc_air")?.entries ?? [])]).toEqual(["4511", "3000", "3001", "3002"]);
    expect(loaded.lists.get("appeals")?.periods).toEqual([{ from: Date.UTC(2026, 2, 1), until: Date.UTC(2026, 3, 1) }]);
    expect(loaded.lists.get("listed")).toMatchObject({ byKind: true });
  });

  it.each([
    ["mcc", "[451]"],
    ["mcc", "[3999-3501]"],
    ["mcc", "[0000-9999]"],
    ["country", "[DEU]"],
    ["country", "[de]"],
    ["corridor", "[{ from: X }]"],
    ["merchant_class", "[ads]"],
    ["memo_class", "[Aid work]"],
    ["calendar", "[{ from: 2026-03-02, to: 2026-03-01 }]"],
    ["institution", "['a b']"],
    ["rates", "[{ from: 2026-01-01, rates: { QQQ: '1' } }]"],
    ["rates", "[{ from: 2026-02-30, rates: { USD: '1' } }]"],
    ["rates", "[{ from: 2026-01-01, rates: { USD: '0' } }]"],
  ])("of type %s refuse %s", (type, entries) => {
    expect(codes(list(type, entries))).toEqual(["E061"]);
  });

  it("of identifiers need a legal basis from the closed set", () => {
    expect(codes(list("identifier", "[k1.A]"))).toEqual(["E062"]);
    expect(codes(list("identifier", "[k1.A]", "basis: hunch\n"))).toEqual(["E013"]);
    for (const basis of LEGAL_BASES) expect(codes(list("identifier", "[k1.A]", `basis: ${basis}\n`))).toEqual([]);
  });

  it("expire on their day and are overdue after their review", () => {
    expect(codes(list("country", "[ZZ]", "expires: 2026-06-01\n"))).toEqual(["E063"]);
    expect(codes(list("country", "[ZZ]", "expires: 2026-06-02\n"))).toEqual([]);
    expect(codes(list("country", "[ZZ]", "reviewBy: 2026-05-31\n"))).toEqual(["W103"]);
    expect(codes(list("country", "[ZZ]", "reviewBy: 2026-13-01\n"))).toEqual(["E016"]);
  });

  it("cannot be named after protected attributes", () => {
    for (const id of ["religion", "by_nationality", "home_language"]) {
      const text = `schema: list/v1\nid: ${id}\ntype: segment\ntitle: x\nversion: 1\nentries: []\n`;
      expect(codes(loadPack([{ path: `${id}.yaml`, text }]))).toEqual(["E026"]);
    }
  });

  it("of rates give amounts of the base currency by day", () => {
    const entries = "[{ from: 2026-01-01, rates: { USD: '1.10' } }, { from: 2026-02-01, rates: { USD: '1.25' } }]";
    const { lists, diagnostics } = list("rates", entries, "base: EUR\n");
    expect(diagnostics).toEqual([]);
    expect(lists.rates.base).toBe("EUR");
    expect(lists.rates.toBase(11_000, "USD", Date.UTC(2026, 0, 31))).toBe(10_000);
    expect(lists.rates.toBase(12_500, "USD", Date.UTC(2026, 1, 1))).toBe(10_000);
    expect(lists.rates.toBase(100, "GBP", 0)).toBeUndefined();
  });

  it("set the currency of a rule's amounts", () => {
    const rates = "schema: list/v1\nid: rates\ntype: rates\ntitle: x\nversion: 1\nbase: JPY\nentries: []\n";
    const rule = (amount: string) => ({
      path: "HT-X-01.yaml",
      text: `schema: rule/v1\nkind: indicator\nid: HT-X-01\nversion: 1\ntitle: x\ncrime: nexus\nstatus: active\nsources: [{ doc: UNSCR-2388, point: x }]\ncautions: [x]\nwhen: { all: [ { a: tx.amount > ${amount} } ] }\n`,
    });
    const errors = (amount: string) =>
      loadPack([{ path: "rates.yaml", text: rates }, rule(amount)]).diagnostics.filter((d) => d.severity === "error");
    expect(errors("300 JPY")).toEqual([]);
    expect(errors("300.5 JPY").map((d) => d.message)).toEqual(["JPY has 0 decimals"]);
    expect(errors("300 EUR").map((d) => d.code)).toEqual(["E022"]);
  });
});
