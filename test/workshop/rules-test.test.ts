import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { runRulesTest } from "../../src/cli/rules-test.ts";

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
});
