/** The verbs of `palermo rules` that measure: what tests notice (`mutate`), what a change does to alerts (`diff`). */
import { Option } from "commander";
import { gathered, percentOption } from "./options.ts";
import { shippedRulesDir } from "./paths.ts";
import type { RulesDiffOptions } from "./rules-diff.ts";
import { folderVerb, listsOption, type RulesVerbs } from "./rules-verb.ts";

interface MutateOptions {
  readonly lists?: string;
  readonly rule?: string;
  readonly min?: number;
  readonly search?: boolean;
  readonly json?: boolean;
}

/** Adds `palermo rules mutate`. */
export function addMutateVerb(verbs: RulesVerbs): void {
  const { terminal, done } = verbs;
  folderVerb(verbs, "mutate", "Change rules in small ways and tell which changes their own tests do not notice.")
    .option("--rule <id>", "only this rule")
    .option("--min <percent>", "end with 1 when tests notice fewer of the changes", percentOption)
    .option("--no-search", "do not look for the tests that are missing: faster")
    .option("--json", "scores and survivors as one JSON object: { score, rules }")
    .addHelpText("after", MUTATE_HELP)
    .action(async (dir: string | undefined, options: MutateOptions) => {
      const { runRulesMutate } = await import("./rules-mutate.ts");
      const args = { ...options, dir: dir ?? shippedRulesDir(), json: options.json === true };
      done(runRulesMutate(args, terminal));
    });
}

const MUTATE_HELP = `
Each mutant differs from its rule in one place: a value one step off, > for >=, a clause or filter left out, all for
any, a clause the other way round, a window halved or doubled, steps swapped, a weight of 0, a sum for a count.
For those that pass all tests of their rule, a test that would fail is searched and printed as it stands in a file.

Examples:
  palermo rules mutate --min 85
  palermo rules mutate my-rules --rule HT-FUNNEL-02
  palermo rules mutate my-rules --json --no-search

Exit codes: 0 at least --min, 1 less or tests that fail already, 2 usage or rules at fault.`;

/** Adds `palermo rules diff`. */
export function addDiffVerb(verbs: RulesVerbs): void {
  const { rules, terminal, done } = verbs;
  rules
    .command("diff")
    .description("Tell what a change of the rules does to the alerts of recorded data.")
    .argument("<before>", "folder of the rules in force")
    .argument("<after>", "folder of the changed rules")
    .argument("<file...>", "transactions as NDJSON or CSV, also .gz")
    .addOption(listsOption())
    .option("--parties <file>", "customer profiles, party/1; may be repeated", gathered)
    .option("--mapping <file>", "how foreign columns or JSON paths become a transaction")
    .addOption(new Option("--format <form>", "form of the report").choices(["text", "markdown"]).default("text"))
    .option("--json", "every difference as one JSON object")
    .addHelpText("after", DIFF_HELP)
    .action(async (before: string, after: string, files: string[], options: RulesDiffOptions) => {
      const { runRulesDiff } = await import("./rules-diff.ts");
      done(await runRulesDiff(before, after, files, options, terminal));
    });
}

const DIFF_HELP = `
Alerts are the same when an analyst would read the same in them; versions and hashes of rules do not count.
Numbers below 10 in a segment are hidden: they would tell about single customers.

Examples:
  palermo rules diff rules-in-force rules-changed january.ndjson.gz --parties customers.ndjson
  palermo rules diff rules-in-force rules-changed q1.ndjson --format markdown > change-request.md

Exit codes: 0 the same alerts, 1 failed, 2 usage or rules at fault, 3 the alerts differ.`;
