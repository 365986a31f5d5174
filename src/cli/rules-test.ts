/**
 * `palermo rules test`: runs the tests that stand in the rule files. One line a rule; of a test that
 * failed its place, what was expected and what came. Exit 0: all passed, 1: some failed or too little is
 * covered, 2: the rules or the question are at fault.
 */
import { writeFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { UsageError } from "../base/errors.ts";
import { requireRuleFiles } from "../files/rules-dir.ts";
import { watchFolders } from "../files/watch.ts";
import type { Coverage } from "../workshop/coverage.ts";
import { resultsByRule, runInlineTests, type TestResult, type TestRun } from "../workshop/test-runner.ts";
import { describeDiagnostics } from "./describe-diagnostics.ts";
import { junitXml } from "./junit.ts";
import { counted, EXIT_FAILED, EXIT_OK, EXIT_USAGE, printable } from "./output.ts";

export interface RulesTestArgs {
  /** Folder of the rules. */
  readonly dir: string;
  /** Folder with the operator's own lists. */
  readonly lists?: string | undefined;
  /** The operator's tuning file; undefined: `tuning.yaml` in the folder, if there is one. */
  readonly tuning?: string | undefined;
  /** Only this rule, or tests whose rule id and name contain this. */
  readonly run?: string | undefined;
  /** Tell which clauses no test decides. */
  readonly coverage?: boolean | undefined;
  /** Percent of clauses that must be decided at least; less ends with 1. */
  readonly threshold?: number | undefined;
  /** File for the results as JUnit XML. */
  readonly junit?: string | undefined;
  readonly json: boolean;
  readonly color: boolean;
}

type Out = Pick<Writable, "write">;

/** Runs the inline tests of a folder and writes the result to `out`; returns the exit code. */
export function runRulesTest(args: RulesTestArgs, out: Out): number {
  const files = requireRuleFiles(args.dir, args.lists, args.tuning);
  const coverage = args.coverage === true || args.threshold !== undefined;
  const run = runInlineTests(files, { only: args.run, coverage });
  const errors = run.diagnostics.filter(({ severity }) => severity === "error");
  if (args.run !== undefined && errors.length === 0 && run.results.length === 0) {
    throw new UsageError(`no test of ${args.dir} matches "${args.run}": give a rule id or a part of a test's name`);
  }
  const failed = run.results.filter(({ problems }) => problems.length > 0);
  if (args.json) out.write(`${JSON.stringify(asJson(run, failed.length))}\n`);
  else if (errors.length > 0) out.write(describeDiagnostics(errors, args.color));
  else out.write(asText(run, failed, args));
  if (errors.length > 0) return EXIT_USAGE;
  if (args.junit !== undefined) writeJunit(args.junit, run.results);
  return failed.length > 0 || isBelow(run.coverage, args.threshold) ? EXIT_FAILED : EXIT_OK;
}

/** Runs the tests now and again after every change of a file, until `signal` ends it; then 0. */
export async function watchRulesTest(args: RulesTestArgs, out: Out, signal: AbortSignal): Promise<number> {
  const folders = args.lists === undefined ? [args.dir] : [args.dir, args.lists];
  const changes = watchFolders(folders, signal);
  const once = (): void => {
    try {
      runRulesTest(args, out);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      out.write(`${printable(error.message)}\n`);
    }
    out.write("\nWaiting for a change; Ctrl-C ends.\n\n");
  };
  once();
  for await (const _ of changes) once();
  return EXIT_OK;
}

function isBelow(coverage: Coverage | undefined, threshold: number | undefined): boolean {
  return coverage !== undefined && threshold !== undefined && coverage.percent < threshold;
}

function writeJunit(path: string, results: readonly TestResult[]): void {
  try {
    writeFileSync(path, junitXml(results));
  } catch (error) {
    throw new UsageError(`${path}: cannot be written (${(error as { code?: string }).code ?? String(error)})`);
  }
}

function asJson(run: TestRun, failed: number): object {
  const { untested, coverage, diagnostics } = run;
  const results = run.results.map((result) => ({ ...result, passed: result.problems.length === 0 }));
  const counts = { passed: results.length - failed, failed, untested };
  return { ...counts, results, ...(coverage === undefined ? {} : { coverage }), diagnostics };
}

type Paint = (code: number, text: string) => string;

function asText(run: TestRun, failed: readonly TestResult[], args: RulesTestArgs): string {
  const paint: Paint = (code, text) => (args.color ? `\u001b[${code}m${text}\u001b[39m` : text);
  const lines: string[] = [];
  const covered = new Map(run.coverage?.rules.map((rule) => [rule.ruleId, rule]));
  for (const [ruleId, results] of resultsByRule(run.results)) {
    const bad = results.filter(({ problems }) => problems.length > 0).length;
    const mark = bad === 0 ? paint(32, "ok  ") : paint(31, "FAIL");
    const rest = bad === 0 ? "" : `, ${bad} failed`;
    const own = covered.get(ruleId);
    const clauses = own === undefined ? "" : `, ${own.covered} of ${counted(own.total, "clause")} decided`;
    lines.push(`${mark} ${ruleId.padEnd(16)} ${counted(results.length, "test")}${rest}${clauses}`);
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
  if (run.coverage !== undefined) lines.push(...describeCoverage(run.coverage, args.threshold, paint));
  lines.push("", `${counted(passed, "test")} passed, ${failed.length} failed`);
  return `${lines.join("\n")}\n`;
}

const WANTED = {
  true: "no test makes it true",
  false: "no test makes it false",
  reached: "no test reaches it",
} as const;

function describeCoverage(coverage: Coverage, threshold: number | undefined, paint: Paint): string[] {
  const lines: string[] = [];
  for (const rule of coverage.rules) {
    for (const point of rule.points.filter(({ missing }) => missing.length > 0)) {
      const place = point.line === undefined ? rule.file : `${rule.file}:${point.line}`;
      const text = point.text === "" ? "" : `: ${printable(point.text)}`;
      lines.push(
        "",
        `${paint(33, rule.ruleId)}: ${point.kind} ${printable(point.name)}${text}`,
        `  ${place}`,
        `    ${point.missing.map((what) => WANTED[what]).join(", ")}`,
      );
    }
  }
  const short = isBelow(coverage, threshold);
  const floor = Math.floor(coverage.percent * 10) / 10;
  const gate = threshold === undefined ? "" : `, ${short ? "below" : "at least"} the ${threshold} % asked for`;
  lines.push("", `clause coverage ${paint(short ? 31 : 32, `${floor} %`)}${gate}`);
  return lines;
}
