/**
 * Looks for the test that is missing when a mutant survives: the tests of the rule are varied a little, and the
 * first variation that the rule and the mutant judge differently is written out with what the rule gives.
 */
import type { Mutant } from "./mutants.ts";
import type { Packs } from "./packs.ts";
import type { RuleTests, TestSpec } from "./test-spec.ts";
import { runTest, type TestOutcome } from "./test-world.ts";
import { variationsOf } from "./vary-test.ts";
import { writeTest } from "./write-test.ts";

/** Variations tried for one mutant at most: a search that finds nothing must end soon. */
const VARIATIONS_MAX = 600;

/** A test in the syntax of a rule file; undefined when no variation tells the two apart. */
export function findMissingTest(
  original: Packs,
  mutant: Packs,
  rule: RuleTests,
  change: Pick<Mutant, "change" | "literals">,
): string | undefined {
  let tried = 0;
  let byWords: string | undefined;
  for (const test of rule.tests) {
    for (const variation of variationsOf(test, rule, change.literals)) {
      tried += 1;
      if (tried > VARIATIONS_MAX) return byWords;
      const spec = { ...variation, hits: undefined, alerts: undefined };
      const right = observed(original, rule, spec);
      const other = right && observed(mutant, rule, spec);
      if (right === undefined || other === undefined) continue;
      const differs = observedDiffers(right, other);
      if (differs === "no") continue;
      const written = writeTest(variation, rule.kind, right, `tells ${change.change}`);
      if (differs === "judgement") return written;
      // A number in the explanation alone tells less than another judgement would.
      byWords ??= written;
    }
  }
  return byWords;
}

function observedDiffers(right: TestOutcome, other: TestOutcome): "judgement" | "words" | "no" {
  const judged = ({ hits, alerts }: TestOutcome) =>
    JSON.stringify([hits, alerts].map((list) => list.map((one) => ({ ...one, explanation: "" }))));
  if (judged(right) !== judged(other)) return "judgement";
  return JSON.stringify([right.hits, right.alerts]) === JSON.stringify([other.hits, other.alerts]) ? "no" : "words";
}

/** What came of it; undefined when the variation itself cannot be screened. */
function observed(packs: Packs, rule: RuleTests, test: TestSpec): TestOutcome | undefined {
  const outcome = runTest(packs, rule, test);
  return outcome.problems.every((problem) => problem.startsWith("the test expects nothing")) ? outcome : undefined;
}
