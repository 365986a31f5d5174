import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DIAGNOSTICS } from "../../src/rules/diagnostics.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/diagnostics.md"), "utf8");
const ROWS = [...PAGE.matchAll(/^\| ([EW]\d{3}) \| (.+?) \| (.+?) \|$/gm)].map(([, code, meaning, remedy]) => ({
  code: code!,
  meaning: meaning!,
  remedy: remedy!,
}));

it("every code of the catalogue stands on the page with its meaning, and no other", () => {
  expect(Object.fromEntries(ROWS.map(({ code, meaning }) => [code, meaning]))).toEqual(DIAGNOSTICS);
  expect(new Set(ROWS.map(({ code }) => code)).size).toBe(ROWS.length);
});

it("every code says what to do", () => {
  expect(ROWS.filter(({ remedy }) => remedy.length < 10)).toEqual([]);
});
