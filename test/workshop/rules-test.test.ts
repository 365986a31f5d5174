import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { runRulesTest, watchRulesTest } from "../../src/cli/rules-test.ts";

const DIR = mkdtempSync(join(tmpdir(), "palermo-rules-"));
afterAll(() => rmSync(DIR, { recursive: true }));

function folder(name: string, expected: string, extra = ""): string {
  const dir = join(DIR, name);
  mkdirSync(join(dir, "t"), { recursive: true });
  const rule = `schema: rule/v1
kind: indicator
id: T-CASH-01
version: 1
title: Cash
crime: human_trafficking
status: active
sources: [ { doc: FINTRAC-2016-OA003, point: cash } ]
scope: { rail: [cash], direction: [in] }
aggregates: { deposits: { count: events, last: 7d } }
when: { all: [ { enough: agg.deposits >= 3 } ] }
explain: "{agg.deposits} deposits"
cautions: [a shop banks its takings]
${extra}tests:
  - name: three deposits
    kind: fires
    events: [ { at: 0h, every: 1d, times: 3 } ]
    expect: { hits: ${expected} }
`;
  writeFileSync(join(dir, "t/T-CASH-01.yaml"), rule);
  return dir;
}

/** A rule that fires on the first deposit, so that no test shows its clause false. */
function undecided(name: string): string {
  const dir = folder(name, "1");
  const path = join(dir, "t/T-CASH-01.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace(">= 3", ">= 1"));
  return dir;
}

function run(args: Partial<Parameters<typeof runRulesTest>[0]> & { dir: string }): { code: number; text: string } {
  let text = "";
  const code = runRulesTest(
    { json: false, color: false, ...args },
    {
      write(part: string) {
        text += part;
        return true;
      },
    },
  );
  return { code, text };
}

describe("palermo rules test", () => {
  it("ends with 0 and one line a rule when all tests pass", () => {
    const { code, text } = run({ dir: folder("good", "1") });
    expect(code).toBe(0);
    expect(text).toBe("ok   T-CASH-01        1 test\n\n1 test passed, 0 failed\n");
  });

  it("ends with 1 and says where, what was expected and what came", () => {
    const { code, text } = run({ dir: folder("bad", "2") });
    expect(code).toBe(1);
    expect(text).toContain("FAIL T-CASH-01");
    expect(text).toMatch(
      /T-CASH-01\.yaml:15\n {4}expected 2 hits, came 1\n {6}came: opened at event 3 \(\+2d\): 3 deposits/,
    );
    expect(text).toContain("0 tests passed, 1 failed");
  });

  it("ends with 2 and shows the findings when the rules are at fault", () => {
    const { code, text } = run({ dir: folder("fault", "1", "wrong: 1\n") });
    expect(code).toBe(2);
    expect(text).toMatch(/T-CASH-01\.yaml:14:1:.*E010/);
  });

  it("writes one JSON object with --json", () => {
    const { code, text } = run({ dir: folder("json", "2"), json: true });
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject({
      passed: 0,
      failed: 1,
      untested: [],
      results: [{ ruleId: "T-CASH-01", name: "three deposits", passed: false, line: 15 }],
    });
  });

  it("refuses a question that no test answers", () => {
    const dir = folder("only", "1");
    expect(run({ dir, run: "T-CASH-01" }).code).toBe(0);
    expect(() => run({ dir, run: "T-CASH-99" })).toThrow(UsageError);
  });

  it("colours only when asked", () => {
    const dir = folder("colour", "1");
    expect(run({ dir, color: true }).text).toContain("\u001b[32mok");
    expect(run({ dir }).text).not.toContain("\u001b[");
  });

  it("tells with --coverage what no test decides, with its place", () => {
    const { code, text } = run({ dir: folder("covered", "1"), coverage: true });
    expect(code).toBe(0);
    expect(text).toContain("ok   T-CASH-01        1 test, 1 of 1 clause decided");
    expect(text).toContain("clause coverage 100 %");
    const half = run({ dir: undecided("undecided"), coverage: true });
    expect(half.text).toMatch(/T-CASH-01: clause when\.enough: agg\.deposits >= 1\n.*T-CASH-01\.yaml:11\n.*false/);
  });

  it("ends with 1 below --threshold, and with 0 at it", () => {
    const dir = undecided("gate");
    const below = run({ dir, threshold: 1 });
    expect(below.code).toBe(1);
    expect(below.text).toContain("clause coverage 0 %, below the 1 % asked for");
    expect(run({ dir, threshold: 0 }).code).toBe(0);
    expect(run({ dir: folder("full", "1"), threshold: 100 }).code).toBe(0);
  });

  it("writes JUnit XML whose texts are escaped", () => {
    const dir = folder("junit", "2");
    const junit = join(DIR, "results.xml");
    expect(run({ dir, junit }).code).toBe(1);
    const xml = readFileSync(junit, "utf8");
    expect(xml).toContain('<testsuite name="T-CASH-01" tests="1" failures="1" errors="0">');
    expect(xml).toContain('<testcase classname="T-CASH-01" name="three deposits"');
    expect(xml).toContain('<failure message="expected 2 hits, came 1">');
    expect(() => run({ dir, junit: join(DIR, "no/such/folder.xml") })).toThrow(UsageError);
  });

  it("runs again with --watch when a file has changed, and ends with 0 when it is ended", async () => {
    const dir = folder("watched", "2");
    const ending = new AbortController();
    let text = "";
    const out = {
      write(part: string) {
        text += part;
        if (part.includes("Waiting") && text.includes("1 failed") && !text.includes("0 failed")) folder("watched", "1");
        if (part.includes("Waiting") && text.includes("0 failed")) ending.abort();
        return true;
      },
    };
    expect(await watchRulesTest({ dir, json: false, color: false }, out, ending.signal)).toBe(0);
    expect(text).toMatch(/0 tests passed, 1 failed[\s\S]*1 test passed, 0 failed/);
  });
});
