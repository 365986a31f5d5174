import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MERCHANT_CLASSES } from "../../src/rules/vocabulary.ts";

const RULES = join(import.meta.dirname, "../../rules");
const LISTS = readdirSync(join(RULES, "lists")).map(
  (file) => [file, parse(readFileSync(join(RULES, "lists", file), "utf8"))] as const,
);
/** ISO 3166-1 user-assigned codes: no country has them. */
const NO_COUNTRY = /^(AA|Q[M-Z]|X[A-Z]|ZZ)$/;

describe.each(LISTS)("list %s", (file, list) => {
  it("is named after its id and says whose it is, where it comes from and when it is reviewed", () => {
    expect(`${list.id}.yaml`).toBe(file);
    for (const key of ["owner", "source", "version", "reviewBy"])
      expect([key, Boolean(list[key])]).toEqual([key, true]);
  });

  it("holds no real country, person or proxy", () => {
    if (list.type === "corridor") {
      for (const { from, to } of list.entries) {
        for (const country of [from, to]) if (country !== undefined) expect(country).toMatch(NO_COUNTRY);
      }
    }
    if (list.type === "identifier" || list.type === "registry") {
      expect(list.source).toContain("fictional");
      for (const entry of list.entries) expect(entry).toMatch(/^k1\.[A-Z2-7]+$/);
    }
    if (list.type === "identifier") expect(list.basis).toBeDefined();
    if (list.type === "mcc")
      for (const code of ["8661", "8398", "5621", "5631"]) expect(list.entries).not.toContain(code);
  });
});

describe("vocabulary", () => {
  const vocabulary = parse(readFileSync(join(RULES, "vocabulary.yaml"), "utf8"));

  it("says of every word what it means, whose it is and who approved it", () => {
    for (const group of ["segment", "industry", "occupation_group", "merchant_class", "memo_class"]) {
      for (const [word, about] of Object.entries<Record<string, string>>(vocabulary[group])) {
        expect([word, Object.keys(about).sort()]).toEqual([word, ["approved", "meaning", "owner"]]);
      }
    }
  });

  it("has the merchant classes of the language", () => {
    expect(Object.keys(vocabulary.merchant_class).sort()).toEqual([...MERCHANT_CLASSES].sort());
  });

  it("has the segments that lists use", () => {
    for (const [, list] of LISTS) {
      if (list.type === "segment")
        for (const entry of list.entries) expect(Object.keys(vocabulary.segment)).toContain(entry);
    }
  });
});
