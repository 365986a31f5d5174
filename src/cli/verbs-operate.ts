/** The verbs of whoever operates a run, `verify` and `rebuild`: most of their options are keys of the configuration. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { countOption } from "./options.ts";
import type { Terminal } from "./output.ts";
import { CONFIG_HELP, withConfig } from "./verbs-shell.ts";

/** Adds `palermo verify` and `palermo rebuild`. */
export function addOperateVerbs(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const verify = withConfig(program.command("verify"))
    .description("Compare state and alerts of a run with one naive pass over its input topics.")
    .option("--wait <seconds>", "wait so long until everything is screened and published (default: 30)", countOption(0))
    .option("--limit <count>", "list at most so many differences (default: 20)", countOption(1))
    .option("--json", "findings as one JSON object")
    .addHelpText("after", `${CONFIG_HELP}${VERIFY_HELP}`)
    .action(async (options: OperateOptions) => {
      const [{ runVerify }, { flagsOf }] = await Promise.all([import("./verify.ts"), import("./config-flags.ts")]);
      const { config, wait, limit, json } = options;
      done(await runVerify({ config, wait, limit, json, flags: flagsOf(options) }, terminal));
    });
  const rebuild = withConfig(program.command("rebuild"))
    .description("Delete the state of views partitions in Redis and make it anew from the views topic.")
    .option("--partition <numbers>", "only these, separated by commas (default: all)", partitionsOption)
    .option("--yes", "do not ask")
    .option("--json", "summary as one JSON object")
    .addHelpText("after", `${CONFIG_HELP}${REBUILD_HELP}`)
    .action(async (options: OperateOptions) => {
      const [{ runRebuild }, { flagsOf }] = await Promise.all([import("./rebuild.ts"), import("./config-flags.ts")]);
      const { config, partition, yes, json } = options;
      done(await runRebuild({ config, partition, yes, json, flags: flagsOf(options) }, terminal));
    });
  program.hook("preSubcommand", async (_program, called) => {
    if (called === verify || called === rebuild) (await import("./config-flags.ts")).addConfigFlags(called);
  });
}

interface OperateOptions extends Readonly<Record<string, unknown>> {
  readonly config?: string;
  readonly wait?: number;
  readonly limit?: number;
  readonly json?: boolean;
  readonly partition?: readonly number[];
  readonly yes?: boolean;
}

/** `3` or `0,5,7`. */
function partitionsOption(text: string): readonly number[] {
  if (!/^\d{1,4}(,\d{1,4})*$/.test(text)) {
    throw new InvalidArgumentError("Expected partition numbers separated by commas, such as 0,5,7.");
  }
  return [...new Set(text.split(",").map(Number))];
}

const VERIFY_HELP = `
Reads the input, alert and rejected topics to their ends and every entity in Redis; changes nothing, commits nothing.
All of the input is held in memory (about 2 KiB a transaction): meant for tests and drills, not for a year of data.

Examples:
  palermo verify --config palermo.yaml
  palermo verify --kafka-brokers 127.0.0.1:9092 --redis-url redis://127.0.0.1:6379 --rules my-rules --json

Exit codes: 0 all agrees, 1 failed, 2 usage or nothing to compare yet, 3 something differs.`;

const REBUILD_HELP = `
Stop the screening workers first. Alerts that were published are not sent again; those that were not are. A worker that
finds no state in Redis rebuilds it by itself: this verb is for state that is there and must go.

Examples:
  palermo rebuild --config palermo.yaml
  palermo rebuild --partition 3,7 --yes --json

Exit codes: 0 rebuilt, 1 failed, 2 usage or configuration at fault.`;
