import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { runRulesLock } from "../../src/cli/rules-lock.ts";
import { indicator } from "../rules/build.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-lock-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const BODY = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";

function put(least: string, head: Record<string, string> = {}): void {
  const file = indicator("HT-X-01", BODY.replace("5", least), { status: "shadow", ...head });
  mkdirSync(join(dir, "ht"), { recursive: true });
  writeFileSync(join(dir, "ht/HT-X-01.yaml"), file.text);
}

function lock(options: { check?: boolean; json?: boolean } = {}): { code: number; text: string } {
  let text = "";
  const args = { dir, check: false, json: false, asOf: Date.UTC(2026, 0, 1), ...options };
  const code = runRulesLock(args, { write: (part: string) => (text += part) });
  return { code, text };
}

describe("rules lock", () => {
  it("writes the file once and then finds it up to date", () => {
    put("5");
    expect(lock({ check: true }).code).toBe(3);
    expect(existsSync(join(dir, "rules.lock.json"))).toBe(false);
    expect(lock()).toEqual({ code: 0, text: `${join(dir, "rules.lock.json")}: 1 rule, written\n` });
    expect(lock().text).toContain("up to date");
    expect(lock({ check: true }).code).toBe(0);
  });

  it("refuses a change without a version step and leaves the file as it is", () => {
    put("5");
    lock();
    const before = readFileSync(join(dir, "rules.lock.json"), "utf8");
    put("6");
    expect(() => lock()).toThrow(UsageError);
    expect(readFileSync(join(dir, "rules.lock.json"), "utf8")).toBe(before);
    put("6", { version: "2" });
    expect(JSON.parse(lock({ json: true }).text)).toMatchObject({ rules: 1, changed: true, written: true });
  });

  it("refuses a broken lock and a folder without rules", () => {
    expect(() => lock()).toThrow("no rule files");
    put("5");
    writeFileSync(join(dir, "rules.lock.json"), "{ broken");
    expect(() => lock()).toThrow(UsageError);
  });
});
