/**
 * The verbs around rules and services: `rules check`, `rules test`, `run`, `feed`. The options of the latter
 * two are the keys of the configuration; they are added only when one of them is called or asked about.
 */
import type { Command } from "commander";
import { countOption, gathered } from "./options.ts";
import type { Terminal } from "./output.ts";
import { PLAIN, styleOf } from "./output.ts";
import { shippedRulesDir } from "./paths.ts";

/** Adds `palermo rules check` and `palermo rules test`. */
export function addRulesVerbs(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const rules = program.command("rules").description("Check and test rules.");
  const color = styleOf(terminal.stdout, terminal.env) !== PLAIN;
  rules
    .command("check")
    .description("Check rules and lists: every finding with its place and how to mend it.")
    .argument("[dir]", "folder of the rules (default: those that come with Palermo)")
    .option("--lists <dir>", "lists that take the place of the rules' lists of the same id")
    .option("--json", "findings as one JSON object")
    .addHelpText("after", "\nExamples:\n  palermo rules check\n  palermo rules check my-rules --lists my-lists")
    .action(async (dir: string | undefined, options: { lists?: string; json?: boolean }) => {
      const { runRulesCheck } = await import("./rules-check.ts");
      const { lists, json } = options;
      const args = { dir: dir ?? shippedRulesDir(), lists, json: json === true, color, asOf: terminal.now() };
      done(runRulesCheck(args, terminal.stdout));
    });
  rules
    .command("test")
    .description("Run the tests that stand in the rule files.")
    .argument("[dir]", "folder of the rules (default: those that come with Palermo)")
    .option("--lists <dir>", "lists that take the place of the rules' lists of the same id")
    .option("--run <name>", "only this rule, or tests whose name contains this")
    .option("--json", "results as one JSON object")
    .addHelpText("after", "\nExamples:\n  palermo rules test\n  palermo rules test my-rules --run HT-FUNNEL-02")
    .action(async (dir: string | undefined, options: { lists?: string; run?: string; json?: boolean }) => {
      const { runRulesTest } = await import("./rules-test.ts");
      const { lists, run } = options;
      const args = { dir: dir ?? shippedRulesDir(), lists, run, json: options.json === true, color };
      done(runRulesTest(args, terminal.stdout));
    });
}

/** Adds `palermo run` and `palermo feed`. */
export function addStreamVerbs(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const run = withConfig(program.command("run"))
    .description("Screen a Kafka topic, with state in Redis.")
    .option("--print-config", "print the configuration in force, secrets masked, and end")
    .addHelpText("after", `${CONFIG_HELP}${RUN_EXAMPLES}`)
    .action(async (options: StreamOptions) => {
      const [{ runRun }, { flagsOf }] = await Promise.all([import("./run.ts"), import("./config-flags.ts")]);
      const { config, printConfig } = options;
      done(await runRun({ config, printConfig, flags: flagsOf(options) }, terminal));
    });
  const feed = withConfig(program.command("feed"))
    .description("Send the lines of files to the transactions topic, as they are.")
    .argument("[file...]", "transactions as NDJSON, also .gz; - reads standard input")
    .option("--topic <name>", "topic in the place of topic.transactions")
    .option("--parties <file>", "profiles, sent first, to the parties topic; may be repeated", gathered)
    .option("--rate <count>", "messages a second (default: as fast as the broker takes them)", countOption(1))
    .option("-q, --quiet", "say nothing on stderr")
    .addHelpText("after", `${CONFIG_HELP}${FEED_EXAMPLES}`)
    .action(async (files: string[], options: StreamOptions) => {
      const [{ runFeed }, { flagsOf }] = await Promise.all([import("./feed.ts"), import("./config-flags.ts")]);
      const { config, topic, parties, rate, quiet } = options;
      done(await runFeed(files, { config, topic, parties, rate, quiet, flags: flagsOf(options) }, terminal));
    });
  program.hook("preSubcommand", async (_program, called) => {
    if (called === run || called === feed) (await import("./config-flags.ts")).addConfigFlags(called);
  });
}

/** Options of `run` and `feed` beside the keys of the configuration. */
interface StreamOptions extends Readonly<Record<string, unknown>> {
  readonly config?: string;
  readonly printConfig?: boolean;
  readonly topic?: string;
  readonly parties?: readonly string[];
  readonly rate?: number;
  readonly quiet?: boolean;
}

function withConfig(verb: Command): Command {
  return verb.option("--config <file>", "configuration as YAML (default: PALERMO_CONFIG)");
}

const CONFIG_HELP = `
Most options are keys of the configuration: --kafka-client-id is kafka.clientId in the file and
PALERMO_KAFKA_CLIENT_ID in the environment; the option wins, then the environment, then the file.
Keep passwords in the environment: other users of the machine can read a command line.
`;

const RUN_EXAMPLES = `
Examples:
  palermo run --config palermo.yaml
  palermo run --role intake --kafka-brokers kafka1:9092,kafka2:9092 --redis-url redis://redis:6379
  palermo run --print-config`;

const FEED_EXAMPLES = `
Examples:
  palermo feed fixtures/nexus/transactions.ndjson --parties fixtures/nexus/parties.ndjson
  palermo feed january.ndjson.gz --rate 1000 --kafka-brokers 127.0.0.1:9092`;
