/**
 * The verbs that need services: `run`, `feed` and `packs`. Most of their options are the keys of the configuration,
 * which are added only when one of them is called or asked about.
 */
import type { Command } from "commander";
import { countOption, gathered } from "./options.ts";
import type { Terminal } from "./output.ts";

/** Adds `palermo run`, `palermo feed` and `palermo packs`. */
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
  const packs = withConfig(program.command("packs"))
    .description("List the packs of rules that were in force, or go back to one of them.")
    .option("--activate <hash>", "put this published pack in force; enough of its beginning will do")
    .option("--json", "packs as one JSON object")
    .addHelpText("after", `${CONFIG_HELP}${PACKS_EXAMPLES}`)
    .action(async (options: StreamOptions) => {
      const [{ runPacks }, { flagsOf }] = await Promise.all([import("./packs.ts"), import("./config-flags.ts")]);
      const { config, activate, json } = options;
      done(await runPacks({ config, activate, json, flags: flagsOf(options) }, terminal));
    });
  program.hook("preSubcommand", async (_program, called) => {
    if ([run, feed, packs].includes(called)) (await import("./config-flags.ts")).addConfigFlags(called);
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
  readonly activate?: string;
  readonly json?: boolean;
}

/** Adds the option that names a file of configuration. */
export function withConfig(verb: Command): Command {
  return verb.option("--config <file>", "configuration as YAML (default: PALERMO_CONFIG)");
}

/** How the keys of the configuration become options. */
export const CONFIG_HELP = `
Most options are keys of the configuration: --kafka-client-id is kafka.clientId in the file and
PALERMO_KAFKA_CLIENT_ID in the environment; the option wins, then the environment, then the file.
Keep passwords in the environment: other users of the machine can read a command line.
`;

const RUN_EXAMPLES = `
Examples:
  palermo run --config palermo.yaml
  palermo run --role intake --kafka-brokers kafka1:9092,kafka2:9092 --redis-url redis://redis:6379
  palermo run --print-config

Exit codes: 0 stopped as asked, 1 failed, 2 usage, configuration or rules at fault.`;

const PACKS_EXAMPLES = `
A pack holds from a record of each views partition on. Starting palermo run with rules that were in force before and
have been replaced does not bring them back; this does.

Examples:
  palermo packs --config palermo.yaml
  palermo packs --activate 3f9c1d --redis-url redis://redis:6379
  palermo packs --json

Exit codes: 0 listed or activated, 1 failed, 2 usage, configuration at fault, or no such pack.`;

const FEED_EXAMPLES = `
Examples:
  palermo feed fixtures/nexus/transactions.ndjson --parties fixtures/nexus/parties.ndjson
  palermo feed january.ndjson.gz --rate 1000 --kafka-brokers 127.0.0.1:9092

Exit codes: 0 sent, 1 failed, 2 usage or configuration at fault.`;
