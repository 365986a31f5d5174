/**
 * Mutation testing of rules: every mutant of a rule runs the rule's own tests, over the rule and what it needs and
 * nothing else. A mutant that a test fails on is killed; one that all tests pass is a slip nobody would notice.
 */
import type { Diagnostic } from "../base/errors.ts";
import { createFindings } from "../rules/diagnostics.ts";
import type { PackSource } from "../rules/load.ts";
import { type RuleSource, readRule } from "../rules/schema.ts";
import type { SourceFile } from "../rules/source.ts";
import { findMissingTest } from "./missing-test.ts";
import { type Mutant, type MutationOperator, mutantsOf } from "./mutants.ts";
import { createPacks, createSources, type Packs, type Sources } from "./packs.ts";
import { type RuleTests, readRuleTests } from "./test-spec.ts";
import { runTest } from "./test-world.ts";

/** A mutant that no test of its rule notices. */
export interface Survivor {
  readonly operator: MutationOperator;
  readonly line: number;
  readonly change: string;
  /** A test in the syntax of the file that the rule passes and the mutant fails; undefined: none was found. */
  readonly missingTest: string | undefined;
}

export interface RuleScore {
  readonly ruleId: string;
  readonly file: string;
  /** Killed of all that could be compiled, percent; 100 when there is none. */
  readonly score: number;
  readonly killed: number;
  readonly total: number;
  /** Mutants that the checker refuses: nobody could put them in force. */
  readonly refused: number;
  readonly survivors: readonly Survivor[];
  /** Tests that fail on the rule as it is; nothing was mutated then. */
  readonly failing: readonly string[];
}

export interface MutationRun {
  readonly diagnostics: readonly Diagnostic[];
  /** Over all rules, percent. */
  readonly score: number;
  readonly rules: readonly RuleScore[];
}

export interface MutationOptions {
  /** Only this rule. */
  readonly only?: string | undefined;
  /** Look for a test that would kill each survivor. */
  readonly search?: boolean;
  /** Told after each rule. */
  readonly progress?: (done: number, rules: number, ruleId: string) => void;
}

/** Mutates all rules in `files` (rules and lists together) that have tests. */
export function mutateRules(files: readonly SourceFile[], options: MutationOptions = {}): MutationRun {
  const sources = createSources(files);
  const { diagnostics, pack } = createPacks(sources).load(new Map());
  if (pack === undefined) return { diagnostics, score: 0, rules: [] };
  const { only, search = false, progress } = options;
  const inForce = new Set(pack.rules.map(({ id }) => id));
  const tested = files
    .map((file) => readRuleTests(file, sources.trees))
    .filter((rule) => rule !== undefined)
    .filter(({ ruleId }) => inForce.has(ruleId) && (only === undefined || ruleId === only));
  const rules = tested.map((rule, i) => {
    const score = mutateRule(sources, rule, search);
    progress?.(i + 1, tested.length, rule.ruleId);
    return score;
  });
  const killed = rules.reduce((sum, rule) => sum + rule.killed, 0);
  return {
    diagnostics,
    score: percent(
      killed,
      rules.reduce((sum, rule) => sum + rule.total, 0),
    ),
    rules,
  };
}

function mutateRule(sources: Sources, tests: RuleTests, search: boolean): RuleScore {
  const { ruleId, file } = tests;
  const given = tests.tests.flatMap((test) => test.given.tellings.map((telling) => telling.rule));
  const needed = neededBy(sources.read(new Map()).rules, [ruleId, ...given]);
  const original = createPacks(sources, { rewrite: (source) => withRule(source, needed, undefined) });
  const failing = tests.tests.filter((test) => runTest(original, tests, test).problems.length > 0);
  const rule = sources.read(new Map()).rules.find(({ id }) => id.text === ruleId);
  const base = { ruleId, file, failing: failing.map(({ name }) => name) };
  if (rule === undefined || failing.length > 0) {
    return { ...base, score: 0, killed: 0, total: 0, refused: 0, survivors: [] };
  }
  let killed = 0;
  let refused = 0;
  const survivors: Survivor[] = [];
  for (const mutant of mutantsOf(rule.root)) {
    const packs = packsOf(sources, needed, mutant);
    if (packs === undefined) refused += 1;
    else if (isKilled(packs, tests)) killed += 1;
    else {
      const { operator, line, change } = mutant;
      const missingTest = search ? findMissingTest(original, packs, tests, mutant) : undefined;
      survivors.push({ operator, line, change, missingTest });
    }
  }
  const total = killed + survivors.length;
  return { ...base, score: percent(killed, total), killed, total, refused, survivors };
}

function isKilled(packs: Packs, tests: RuleTests): boolean {
  return tests.tests.some((test) => runTest(packs, tests, test).problems.length > 0);
}

/** Packs with the mutant in the place of its rule; undefined when the checker refuses it. */
function packsOf(sources: Sources, needed: ReadonlySet<string>, mutant: Mutant): Packs | undefined {
  const { root, transform } = mutant;
  const findings = createFindings();
  const changed = root && readRule(root, findings);
  if (root !== undefined && (changed === undefined || findings.errors > 0)) return undefined;
  let applied = true;
  const packs = createPacks(sources, {
    rewrite: (source) => withRule(source, needed, changed),
    transform: (pack) => {
      const other = transform === undefined ? pack : transform(pack);
      if (other === undefined) applied = false;
      return other ?? pack;
    },
  });
  return packs.load(new Map()).pack === undefined || !applied ? undefined : packs;
}

function withRule(source: PackSource, needed: ReadonlySet<string>, changed: RuleSource | undefined): PackSource {
  const rules = source.rules
    .filter(({ id }) => needed.has(id.text))
    .map((rule) => (rule.id.text === changed?.id.text ? changed : rule));
  return { ...source, rules };
}

/** Rules and all whose hits they count or which they supersede, however far. */
function neededBy(rules: readonly RuleSource[], ruleIds: readonly string[]): ReadonlySet<string> {
  const byId = new Map(rules.map((rule) => [rule.id.text, rule]));
  const found = new Set<string>();
  const visit = (id: string): void => {
    const rule = byId.get(id);
    if (rule === undefined || found.has(id)) return;
    found.add(id);
    for (const other of rule.typology?.supersedes ?? []) visit(other.text);
    for (const hit of rule.hits.values()) {
      for (const { text } of hit.of) {
        if (!text.endsWith("*")) visit(text);
        else for (const name of byId.keys()) if (name.startsWith(text.slice(0, -1))) visit(name);
      }
    }
  };
  for (const id of ruleIds) visit(id);
  return found;
}

function percent(part: number, all: number): number {
  return all === 0 ? 100 : (100 * part) / all;
}
