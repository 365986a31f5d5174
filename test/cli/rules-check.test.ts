import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runRulesCheck } from "../../src/cli/rules-check.ts";
import { indicator, LISTS } from "../rules/build.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-check-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function put(files: readonly { path: string; text: string }[]): void {
  for (const { path, text } of files) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

function check(options: { json?: boolean; color?: boolean; asOf?: number } = {}): { code: number; text: string } {
  let text = "";
  const out = { write: (part: string) => (text += part) };
  const code = runRulesCheck({ dir, json: false, color: false, ...options }, out);
  return { code, text };
}

const BODY = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";

describe("rules check", () => {
  it("says what a sound pack consists of", () => {
    put([...LISTS, indicator("HT-X-01", BODY)]);
    const { code, text } = check();
    expect(code).toBe(0);
    expect(text).toContain("0 errors, 1 warning in 10 files");
    expect(text).toContain("1 indicator and 0 typologies");
    expect(text).toContain("1 aggregate over 1 base measure, 0 flows, longest window 7 d");
  });

  it("shows every finding with its line", () => {
    put([indicator("HT-X-01", BODY.replace("agg.n", "agg.m"))]);
    const { code, text } = check();
    expect(code).toBe(2);
    expect(text).toMatch(/HT-X-01\.yaml:11:28: error E021: there is no aggregate `m`/);
    expect(text).toMatch(/\n {3}11 \| when: .*\n {6}\| {28}\^/);
  });

  it("gives one JSON object", () => {
    put([indicator("HT-X-01", BODY.replace("agg.n", "agg.m"))]);
    const bad = JSON.parse(check({ json: true }).text);
    expect(bad).toMatchObject({ ok: false, files: 1 });
    expect(bad.diagnostics[0]).toMatchObject({ code: "W101" });
    put([indicator("HT-X-01", BODY)]);
    expect(JSON.parse(check({ json: true }).text)).toMatchObject({ ok: true, indicators: 1, measures: 1 });
  });

  it("judges the dates of lists by the day that it is given", () => {
    put([
      {
        path: "lists/old.yaml",
        text: LISTS[2]!.text.replace("countries", "old").replace("title", "expires: 2026-01-01\ntitle"),
      },
    ]);
    expect(check().code).toBe(0);
    expect(check({ asOf: Date.UTC(2026, 0, 2) }).code).toBe(2);
  });

  it("refuses a folder without rules, and one that is not there", () => {
    expect(check()).toMatchObject({ code: 2, text: expect.stringContaining("no rule files") });
    rmSync(dir, { recursive: true });
    expect(check()).toMatchObject({ code: 2, text: expect.stringContaining("does not exist") });
    expect(JSON.parse(check({ json: true }).text)).toMatchObject({ ok: false });
  });

  it("colours only where it is told to", () => {
    put([indicator("HT-X-01", BODY)]);
    expect(check().text).not.toContain("\u001b");
    expect(check({ color: true }).text).toContain("\u001b[33mwarning W101");
  });
});
