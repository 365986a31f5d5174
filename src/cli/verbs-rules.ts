/**
 * The verbs under `palermo rules`: one small function each, that names its options and loads its module
 * only when it is called.
 */
import { type Command, Option } from "commander";
import { gathered, percentOption } from "./options.ts";
import type { Terminal } from "./output.ts";
import { PLAIN, styleOf } from "./output.ts";
import { shippedRulesDir } from "./paths.ts";
import { REPORT_FORMATS, type ReportFormat } from "./report-options.ts";
import { folderVerb, type RulesVerbs } from "./rules-verb.ts";
import { addDiffVerb, addMutateVerb } from "./verbs-rules-measure.ts";
import { addFmtVerb, addListVerb, addLockVerb, addNewVerb, addPlanVerb, addSchemaVerb } from "./verbs-rules-write.ts";

/** Adds `palermo rules` and its verbs, in the order in which help lists them. */
export function addRulesVerbs(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const rules = program.command("rules").description("Write, check and test rules.");
  const verbs = { rules, terminal, color: styleOf(terminal.stdout, terminal.env) !== PLAIN, done };
  addNewVerb(verbs);
  addListVerb(verbs);
  addCheckVerb(verbs);
  addFmtVerb(verbs);
  addSchemaVerb(verbs);
  addPlanVerb(verbs);
  addLockVerb(verbs);
  addTestVerb(verbs);
  addMutateVerb(verbs);
  addDiffVerb(verbs);
}

interface CheckOptions {
  readonly lists?: string;
  readonly tuning?: string;
  readonly format: ReportFormat;
  readonly against?: readonly string[];
  readonly parties?: readonly string[];
  readonly mapping?: string;
  readonly json?: boolean;
}

function addCheckVerb(verbs: RulesVerbs): void {
  const { terminal, color, done } = verbs;
  folderVerb(verbs, "check", "Check rules and lists: every finding with its place and how to mend it.")
    .addOption(new Option("--format <form>", "form of the findings").choices([...REPORT_FORMATS]).default("text"))
    .option("--against <file...>", "recorded transactions to hold the rules against; counts below 10 are hidden")
    .option("--parties <file>", "with --against: customer profiles, party/1; may be repeated", gathered)
    .option("--mapping <file>", "with --against: how foreign columns or JSON paths become a transaction")
    .option("--json", "the same as --format json")
    .addHelpText("after", CHECK_HELP)
    .action(async (dir: string | undefined, options: CheckOptions) => {
      const format = options.json === true ? "json" : options.format;
      const { lists, tuning, against: files, parties = [], mapping } = options;
      const args = { dir: dir ?? shippedRulesDir(), lists, tuning, format, color, asOf: terminal.now() };
      if (files === undefined) done((await import("./rules-check.ts")).runRulesCheck(args, terminal.stdout));
      else {
        const { runRulesAgainst } = await import("./rules-against.ts");
        done(await runRulesAgainst({ ...args, files, parties, mapping }, terminal));
      }
    });
}

const CHECK_HELP = `
Examples:
  palermo rules check
  palermo rules check my-rules --lists my-lists
  palermo rules check my-rules --format sarif > findings.sarif
  palermo rules check my-rules --format github
  palermo rules check my-rules --against january.ndjson february.ndjson --parties customers.ndjson

Exit codes: 0 sound (warnings allowed), 1 failed, 2 usage or rules at fault,
3 --against: some rules cannot fire on the data.`;

interface TestOptions {
  readonly lists?: string;
  readonly tuning?: string;
  readonly run?: string;
  readonly coverage?: boolean;
  readonly threshold?: number;
  readonly junit?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

function addTestVerb(verbs: RulesVerbs): void {
  const { terminal, color, done } = verbs;
  folderVerb(verbs, "test", "Run the tests that stand in the rule files.")
    .option("--run <name>", "only this rule, or tests whose name contains this")
    .option("--coverage", "tell which clauses, filters and severities no test decides")
    .option("--threshold <percent>", "end with 1 when fewer are decided; implies --coverage", percentOption)
    .option("--junit <file>", "write the results there as JUnit XML")
    .option("--watch", "run again after every change of a file, until Ctrl-C")
    .option("--json", "results as one JSON object")
    .addHelpText("after", TEST_HELP)
    .action(async (dir: string | undefined, options: TestOptions) => {
      const { runRulesTest, watchRulesTest } = await import("./rules-test.ts");
      const { watch, ...rest } = options;
      const args = { ...rest, dir: dir ?? shippedRulesDir(), json: options.json === true, color };
      if (watch !== true) done(runRulesTest(args, terminal.stdout));
      else done(await untilInterrupted((signal) => watchRulesTest(args, terminal.stdout, signal)));
    });
}

/** Runs what ends by Ctrl-C, which is no failure then. */
async function untilInterrupted(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  try {
    return await work(ending.signal);
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

const TEST_HELP = `
A clause is decided when the tests of its rule saw it both true and false.

Examples:
  palermo rules test
  palermo rules test my-rules --run HT-FUNNEL-02 --watch
  palermo rules test my-rules --threshold 100 --junit results.xml

Exit codes: 0 all passed, 1 some failed or too little is decided, 2 usage or rules at fault.`;
