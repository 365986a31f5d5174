import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFindings } from "../../src/rules/diagnostics.ts";
import type { SourceFile } from "../../src/rules/load.ts";
import { checkLock, LOCK_FILE, lockText, readLock } from "../../src/rules/lock.ts";
import { indicator, load } from "./build.ts";

const body = (least: string): string =>
  `aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= ${least} } ] }\n`;
const rule = (head: Record<string, string> = {}, least = "5"): SourceFile =>
  indicator("HT-X-01", body(least), { author: "a", approvedBy: "b", effectiveFrom: "2026-03-01", ...head });

function lockOf(files: readonly SourceFile[], before = "{}"): string {
  const findings = createFindings();
  const lock = before === "{}" ? new Map() : readLock({ path: LOCK_FILE, text: before }, findings);
  expect(findings.list()).toEqual([]);
  return lockText(load(files).rules, lock!);
}

function judge(files: readonly SourceFile[], text: string, complete = true): string[] {
  const findings = createFindings();
  const lock = readLock({ path: LOCK_FILE, text }, findings);
  if (lock !== undefined) checkLock(load(files).rules, lock, complete, findings);
  return findings.list().map((d) => `${d.code} ${d.file}:${d.line} ${d.message}`);
}

describe("the lock", () => {
  const locked = lockOf([rule()]);

  it("knows what it was written from", () => {
    expect(judge([rule()], locked)).toEqual([]);
    expect(lockOf([rule()], locked)).toBe(locked);
  });

  it("does not mind comments, order of keys, owner and tests", () => {
    const { text } = rule();
    const lines = text.split("\n").filter((line) => line !== "");
    const turned = [...lines].reverse().join("\n");
    expect(judge([{ path: "HT-X-01.yaml", text: `# why\n${turned}\nowner: z\ntests: []\n` }], locked)).toEqual([]);
  });

  it("sees a change without a version step", () => {
    expect(judge([rule({}, "6")], locked)).toEqual([
      "E083 rules/ht/HT-X-01.yaml:4 `HT-X-01` has changed and is still version 1",
    ]);
    expect(judge([rule({ version: "2", effectiveFrom: "2026-04-01" }, "6")], locked, false)).toEqual([]);
  });

  it("wants to be written after each step", () => {
    const stepped = [rule({ version: "2", effectiveFrom: "2026-04-01" }, "6")];
    expect(judge(stepped, locked)).toEqual([
      "E083 rules/ht/HT-X-01.yaml:4 rules.lock.json has `HT-X-01` as it was before",
    ]);
    expect(judge(stepped, lockOf(stepped, locked))).toEqual([]);
    expect(judge([rule(), indicator("HT-Y-01", body("9"))], locked)).toEqual([
      "E083 rules/ht/HT-Y-01.yaml:3 `HT-Y-01` is not in rules.lock.json",
    ]);
  });

  it("takes no version back", () => {
    const stepped = [rule({ version: "2", effectiveFrom: "2026-04-01" }, "6")];
    expect(judge([rule()], lockOf(stepped, locked))).toEqual([
      "E083 rules/ht/HT-X-01.yaml:4 version 1 of `HT-X-01` is below 2, which is in the lock",
    ]);
  });

  it("does not let a new version act under the approval of the old one", () => {
    expect(judge([rule({ version: "2" }, "6")], locked, false)).toEqual([
      "E080 rules/ht/HT-X-01.yaml:12 this approval is that of version 1, not of version 2",
    ]);
  });

  it("lets a draft change, and keeps what it was", () => {
    const draft = rule({ status: "draft" }, "6");
    expect(judge([draft], locked)).toEqual([]);
    expect(judge([rule({}, "6")], lockOf([draft], locked))).toEqual([
      "E083 rules/ht/HT-X-01.yaml:4 `HT-X-01` has changed and is still version 1",
    ]);
  });

  it("gives no retired id to another rule, and misses files that went away", () => {
    const retired = rule({ status: "retired", retired: "{ because: too loud }" });
    const after = lockOf([retired], locked);
    expect(judge([retired], after)).toEqual([]);
    expect(judge([], after)).toEqual([]);
    expect(judge([rule({ version: "2" }, "6")], after)).toEqual([
      "E084 rules/ht/HT-X-01.yaml:3 `HT-X-01` was retired and cannot be used again",
    ]);
    expect(judge([], locked)).toEqual(["E084 rules.lock.json:4 `HT-X-01` is active in the lock and has no file"]);
  });
});

describe("a lock file of any content", () => {
  it.each([
    ["", "E005"],
    ["[]", "E005"],
    ["{", "E001"],
    ["{}", "E011"],
    ['{"schema":"rules-lock/v2","rules":{}}', "E013"],
    ['{"schema":"rules-lock/v1","rules":[]}', "E012"],
    ['{"schema":"rules-lock/v1","rules":{"HT-X-01":3}}', "E012"],
    ['{"schema":"rules-lock/v1","rules":{"HT-X-01":{"version":1,"hash":"abc","status":"active"}}}', "E016"],
    ['{"schema":"rules-lock/v1","rules":{"__proto__":{"version":-1}}}', "E011"],
    [`{"a":${"[".repeat(500)}${"]".repeat(500)}}`, "E004"],
  ])("%j gives findings, never an exception", (text, code) => {
    expect(judge([], text).map((line) => line.slice(0, 4))).toContain(code);
  });

  it("is read or refused, whatever it holds", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        judge([], text);
      }),
      { numRuns: 200 },
    );
  });
});
