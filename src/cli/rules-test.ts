/**
 * `palermo rules test`: runs the tests that stand in the rule files. One line a rule; of a test that
 * failed its place, what was expected and what came. Exit 0: all passed, 1: some failed, 2: the rules or
 * the question are at fault.
 */
import type { Writable } from "node:stream";
import { UsageError } from "../base/errors.ts";
import { readRuleFiles } from "../files/rules-dir.ts";
import { runInlineTests, type TestResult, type TestRun } from "../workshop/test-runner.ts";
import { describeDiagnostics } from "./describe-diagnostics.ts";
import { counted, EXIT_FAILED, EXIT_OK, EXIT_USAGE, printable } from "./output.ts";

export interface RulesTestArgs {
  /** Folder of the rules. */
  readonly dir: string;
  /** Folder with the operator's own lists. */
  readonly lists?: string | undefined;
  /** Only this rule, or tests whose rule id and name contain this. */
  readonly run?: string | undefined;
  readonly json: boolean;
  readonly color: boolean;
}

/** Runs the inline tests of a folder and writes the result to `out`; returns the exit code. */
export function runRulesTest(args: RulesTestArgs, out: Pick<Writable, "write">): number {
  const files = readRuleFiles(args.dir, args.lists);
  const run = runInlineTests(files, { only: args.run });
  const errors = run.diagnostics.filter(({ severity }) => severity === "error");
  if (args.run !== undefined && errors.length === 0 && run.results.length === 0) {
    throw new UsageError(`no test of ${args.dir} matches "${args.run}": give a rule id or a part of a test's name`);
  }
  const failed = run.results.filter(({ problems }) => problems.length > 0);
  if (args.json) out.write(`${JSON.stringify(asJson(run, failed.length))}\n`);
  else if (errors.length > 0) out.write(describeDiagnostics(errors, args.color));
  else out.write(asText(run, failed, args.color));
  if (errors.length > 0) return EXIT_USAGE;
  return failed.length > 0 ? EXIT_FAILED : EXIT_OK;
}

function asJson(run: TestRun, failed: number): object {
  const results = run.results.map((result) => ({ ...result, passed: result.problems.length === 0 }));
  return { passed: results.length - failed, failed, untested: run.untested, results, diagnostics: run.diagnostics };
}

function asText(run: TestRun, failed: readonly TestResult[], color: boolean): string {
  const paint = (code: number, text: string) => (color ? `\u001b[${code}m${text}\u001b[39m` : text);
  const lines: string[] = [];
  for (const [ruleId, results] of byRule(run.results)) {
    const bad = results.filter(({ problems }) => problems.length > 0).length;
    const mark = bad === 0 ? paint(32, "ok  ") : paint(31, "FAIL");
    const rest = bad === 0 ? "" : `, ${bad} failed`;
    lines.push(`${mark} ${ruleId.padEnd(16)} ${counted(results.length, "test")}${rest}`);
  }
  for (const ruleId of run.untested) lines.push(`${paint(33, "none")} ${ruleId.padEnd(16)} no tests`);
  for (const result of failed) {
    const kind = result.kind.replace("_", " ");
    lines.push(
      "",
      `${paint(31, result.ruleId)}: ${printable(result.name)} (${kind})`,
      `  ${result.file}:${result.line}`,
    );
    for (const problem of result.problems) lines.push(`    ${printable(problem)}`);
  }
  const passed = run.results.length - failed.length;
  lines.push("", `${counted(passed, "test")} passed, ${failed.length} failed`);
  return `${lines.join("\n")}\n`;
}

function byRule(results: readonly TestResult[]): ReadonlyMap<string, TestResult[]> {
  const found = new Map<string, TestResult[]>();
  for (const result of results) {
    const list = found.get(result.ruleId) ?? [];
    list.push(result);
    found.set(result.ruleId, list);
  }
  return found;
}
