/** Runs the inline tests of a pack, and tells which clauses they decided. */
import type { Diagnostic } from "../base/errors.ts";
import type { SourceFile } from "../rules/source.ts";
import { type Coverage, createCoverage } from "./coverage.ts";
import { createPacks, createSources, type Packs } from "./packs.ts";
import { type RuleTests, readRuleTests, type TestFault, type TestKind, type TestSpec } from "./test-spec.ts";
import { runTest, type TestOutcome } from "./test-world.ts";

/** What became of one inline test. */
export interface TestResult {
  readonly ruleId: string;
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly kind: TestKind;
  /** Empty: the test passed. */
  readonly problems: readonly string[];
}

export interface TestRun {
  /** Findings about rules and lists; with an error among them nothing was run. */
  readonly diagnostics: readonly Diagnostic[];
  readonly results: readonly TestResult[];
  /** Ids of rules without a single test. */
  readonly untested: readonly string[];
  /** Of the rules whose tests were run; undefined when it was not asked for. */
  readonly coverage: Coverage | undefined;
}

export interface RunOptions {
  /** Tests of the rule with this id, or whose rule id and name contain this. */
  readonly only?: string | undefined;
  /** Other values for parameters, by `RULE.param`: what the tests say to a change. */
  readonly set?: Readonly<Record<string, string>>;
  /** Watch which clauses the tests of each rule decide. */
  readonly coverage?: boolean | undefined;
}

/** Runs the inline tests of all rules in `files` (rules and lists together). */
export function runInlineTests(files: readonly SourceFile[], options: RunOptions = {}): TestRun {
  const { only, set = {} } = options;
  const sources = createSources(files);
  const watch = options.coverage === true ? createCoverage(sources.read(new Map()).rules) : undefined;
  const packs = createPacks(sources, watch === undefined ? { set } : { set, transform: watch.instrument });
  const plain = packs.load(new Map());
  const { diagnostics } = plain;
  if (plain.pack === undefined) return { diagnostics, results: [], untested: [], coverage: undefined };
  const results: TestResult[] = [];
  const untested: string[] = [];
  for (const file of files) {
    const rule = readRuleTests(file, sources.trees);
    if (rule === undefined) continue;
    if (rule.tests.length === 0 && rule.faults.length === 0) untested.push(rule.ruleId);
    watch?.begin(rule.ruleId);
    results.push(...runRule(packs, rule, only, (outcome) => watch?.saw(outcome.alerts)));
  }
  return { diagnostics, results, untested: untested.sort(), coverage: watch?.report(results.map((r) => r.ruleId)) };
}

/** The same rule by rule, for a caller that has other work to do in between; nothing when the rules have errors. */
export function* inlineTestSteps(files: readonly SourceFile[]): Generator<readonly TestResult[]> {
  const sources = createSources(files);
  const packs = createPacks(sources, { set: {} });
  if (packs.load(new Map()).pack === undefined) return;
  for (const file of files) {
    const rule = readRuleTests(file, sources.trees);
    if (rule !== undefined) yield runRule(packs, rule, undefined, () => undefined);
  }
}

/** Results by rule, in their order. */
export function resultsByRule(results: readonly TestResult[]): ReadonlyMap<string, readonly TestResult[]> {
  const found = new Map<string, TestResult[]>();
  for (const result of results) {
    const list = found.get(result.ruleId) ?? [];
    list.push(result);
    found.set(result.ruleId, list);
  }
  return found;
}

function runRule(
  packs: Packs,
  rule: RuleTests,
  only: string | undefined,
  saw: (outcome: TestOutcome) => void,
): TestResult[] {
  const { ruleId, file } = rule;
  const wanted = (test: TestSpec) =>
    only === undefined || ruleId === only || `${ruleId} ${test.name}`.toLowerCase().includes(only.toLowerCase());
  const tests = rule.tests.filter(wanted);
  if (tests.length === 0 && only !== undefined) return [];
  const results = tests.map((test) => {
    const { name, line, kind } = test;
    const outcome = runTest(packs, rule, test);
    saw(outcome);
    return { ruleId, file, line, name, kind, problems: outcome.problems };
  });
  if (rule.faults.length === 0) return results;
  // A fault in the text of a test belongs to the test that stands last before it.
  return rule.faults.reduce(withFault, results.length > 0 ? results : [unreadable(rule)]);
}

function unreadable(rule: RuleTests): TestResult {
  return { ruleId: rule.ruleId, file: rule.file, line: 1, name: "tests cannot be read", kind: "fires", problems: [] };
}

function withFault(results: TestResult[], fault: TestFault): TestResult[] {
  const at = Math.max(
    0,
    results.findLastIndex((result) => result.line <= fault.line),
  );
  return results.map((result, i) =>
    i === at ? { ...result, problems: [...result.problems, `line ${fault.line}: ${fault.message}`] } : result,
  );
}
