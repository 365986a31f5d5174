/** The verbs that look into recorded data: `explain`, `evidence`, `baseline`. Only their options stand here. */
import { type Command, Option } from "commander";
import { PEER_GROUPS } from "../rules/plan-baselines.ts";
import type { BaselineOptions } from "./baseline.ts";
import type { EvidenceOptions } from "./evidence.ts";
import type { ExplainOptions } from "./explain.ts";
import { gathered, settingOption, timeOption } from "./options.ts";
import type { Terminal } from "./output.ts";

/** Adds the verbs that explain and compare what a replay gives. */
export function addRecordedVerbs(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addExplainVerb(program, terminal, done);
  addEvidenceVerb(program, terminal, done);
  addBaselineVerb(program, terminal, done);
}

/** Options that all of them share. */
function withRecorded(verb: Command): Command {
  return verb
    .option("--lists <dir>", "lists that take the place of the rules' lists of the same id")
    .option("--tuning <file>", "overrides of the rules (default: tuning.yaml in their folder)")
    .option("--parties <file>", "customer profiles, party/1; may be repeated", gathered)
    .option("--mapping <file>", "how foreign columns or JSON paths become a transaction")
    .option("--as-of <time>", "reference for times in the far future (default: the start of the run)", timeOption)
    .option("--json", "everything as one JSON object");
}

function addExplainVerb(program: Command, terminal: Terminal, done: (code: number) => void): void {
  withRecorded(program.command("explain"))
    .description("Tell why rules fired on a movement and why others did not, from recorded data.")
    .argument("<what...>", "transaction id, then files; with --subject files only")
    .option("--subject <token>", "how near every rule came on this account, party, phone: TOKEN or KIND:TOKEN")
    .option("--rules <dir>", "rules to explain (default: those that come with Palermo)")
    .option("--rule <id>", "only this rule")
    .option("--all", "rules too that such a movement does not concern, with the reason")
    .option("--set <rule.param=value>", "try another value of a parameter; may be repeated", settingOption)
    .addHelpText("after", EXPLAIN_HELP)
    .action(async (args: string[], options: ExplainOptions) => {
      const { runExplain } = await import("./explain.ts");
      done(await runExplain(args, options, terminal));
    });
}

const EXPLAIN_HELP = `
Rules that fired come first, then the nearest. A number in an explanation is the one that the rule was judged by.

Examples:
  palermo explain funnel-ring-00021 fixtures/funnel-ring/transactions.ndjson
  palermo explain t-4711 january.ndjson.gz --rule HT-FUNNEL-01
  palermo explain --subject account:a-1 january.ndjson.gz --json

Exit codes: 0 explained, 1 failed, 2 usage or rules at fault, or no such movement.`;

function addEvidenceVerb(program: Command, terminal: Terminal, done: (code: number) => void): void {
  withRecorded(program.command("evidence"))
    .description("List every transaction behind the numbers of an alert, and compute the numbers again from them.")
    .argument("<what...>", "file with one alert, or with --alerts the id of one; then files of transactions")
    .option("--alerts <file>", "alerts as NDJSON, of which the one with this id is meant")
    .option("--rules <dir>", "rules that made the alert (default: those that come with Palermo)")
    .addHelpText("after", EVIDENCE_HELP)
    .action(async (args: string[], options: EvidenceOptions) => {
      const { runEvidence } = await import("./evidence.ts");
      done(await runEvidence(args, options, terminal));
    });
}

const EVIDENCE_HELP = `
The alert carries up to 200 transactions of each number; this gives all of them.

Examples:
  palermo evidence alert.ndjson january.ndjson.gz february.ndjson.gz --parties customers.ndjson
  palermo evidence al_0a1b2c january.ndjson.gz --alerts alerts.ndjson --json

Exit codes: 0 every number follows from the data, 1 failed, 2 usage or rules at fault, or no such alert,
3 some number differs.`;

function addBaselineVerb(program: Command, terminal: Terminal, done: (code: number) => void): void {
  withRecorded(program.command("baseline"))
    .description("Measure what is usual for groups of customers, for rules that hold a number against peers.")
    .argument("<file...>", "transactions as NDJSON or CSV, also .gz; a few months of them")
    .addOption(
      new Option("--group <name>", "what makes customers peers").choices([...PEER_GROUPS]).makeOptionMandatory(),
    )
    .option("--rules <dir>", "rules whose numbers are measured (default: those that come with Palermo)")
    .option("--id <name>", "id of the file (default: peers_ and the group)")
    .option("--out <file>", "write there, for the folder of the rules (default: standard output)")
    .addHelpText("after", BASELINE_HELP)
    .action(async (files: string[], options: BaselineOptions) => {
      const { runBaseline } = await import("./baseline.ts");
      done(await runBaseline(files, options, terminal));
    });
}

const BASELINE_HELP = `
Percentiles are of the greatest value that each customer showed: above the 95th is what 19 of 20 never reached.
Groups of fewer than ten customers are left out.

Example:
  palermo baseline q1.ndjson.gz --parties customers.ndjson --group segment --out my-rules/peers_segment.yaml

Exit codes: 0 measured, 1 failed, 2 usage or rules at fault, or no rule asks for this group.`;
