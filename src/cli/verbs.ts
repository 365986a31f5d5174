/** The verbs that need no services: `replay`, `alerts`, `token`. Only their options stand here. */
import type { Command } from "commander";
import { Option } from "commander";
import type { AlertsOptions } from "./alerts.ts";
import { countOption, endTimeOption, gathered, nameOption, settingOption, timeOption } from "./options.ts";
import type { Terminal } from "./output.ts";
import type { ReplayOptions } from "./replay.ts";
import type { TokenOptions } from "./token.ts";

/** Adds `palermo replay FILE...`. */
export function addReplayVerb(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("replay")
    .description("Screen files of transactions on this machine, without Kafka and Redis.")
    .argument("<file...>", "NDJSON or CSV, also .gz; - reads standard input. Files are merged by time")
    .option("--rules <dir>", "rules to screen with (default: those that come with Palermo)")
    .option("--lists <dir>", "lists that take the place of the rules' lists of the same id")
    .option("--tuning <file>", "overrides of the rules (default: tuning.yaml in their folder)")
    .option("--parties <file>", "customer profiles, party/1; may be repeated", gathered)
    .option("--mapping <file>", "how foreign columns or JSON paths become a transaction")
    .option("--set <rule.param=value>", "try another value of a parameter; may be repeated", settingOption)
    .option("--from <time>", "give alerts from here on; earlier rows warm up in silence", timeOption)
    .option("--to <time>", "give alerts up to here, and stop reading", endTimeOption)
    .option("--cold", "skip the rows before --from: windows start empty")
    .option("--limit <count>", "screen no more transactions than this", countOption(1))
    .option("--alerts <file>", "write alerts there as NDJSON instead of standard output")
    .option("--shadow <file>", "write alerts of rules in shadow there, and not among the others")
    .option("--hits <file>", "write hit episodes there as NDJSON")
    .option("--rejects <file>", "write rejected rows there as NDJSON: place, code, field, what was expected")
    .option("--trace <file>", "write every number at every judgement there as NDJSON, to be computed again elsewhere")
    .option("--compare <file>", "hold the alerts against an export: same, missing, extra, changed")
    .addOption(
      new Option("--format <form>", "alerts on standard output; auto: text on a terminal, else ndjson")
        .choices(["auto", "ndjson", "text"])
        .default("auto"),
    )
    .option("--as-of <time>", "reference for times in the far future (default: the start of the run)", timeOption)
    .option("--tenant <name>", "tenant, part of the alert ids", nameOption, "default")
    .option("--json", "summary as one JSON object: on stdout when --alerts takes the alerts, else on stderr")
    .option("-q, --quiet", "no progress and no summary")
    .addHelpText("after", REPLAY_HELP)
    .action(async (files: string[], options: ReplayOptions) => {
      const { runReplay } = await import("./replay.ts");
      done(await runReplay(files, options, terminal));
    });
}

const REPLAY_HELP = `
The same files, rules and lists give the same bytes on every run, however the rows are spread over files.

Examples:
  palermo replay january.ndjson.gz february.ndjson.gz --parties customers.ndjson
  palermo replay export.csv --mapping fixtures/mappings/amlsim.yaml --alerts alerts.ndjson
  palermo replay q1.ndjson --set HT-FUNNEL-02.min_people=4 --from 2026-02-01 --to 2026-02-28
  palermo replay january.ndjson --compare exported-alerts.ndjson --trace numbers.ndjson
  zcat feed.gz | palermo replay - --format text

Exit codes: 0 everything screened, 1 failed, 2 usage, configuration or rules at fault,
3 screened, but some rows were rejected or the alerts differ from those of --compare.`;

/** Adds `palermo alerts`. */
export function addAlertsVerb(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("alerts")
    .description("Show alerts from files or from a topic, readable or in their settled form.")
    .argument("[file...]", "alerts as NDJSON, also .gz; - reads standard input")
    .option("--settled", "last revision of each, withdrawn ones left out, sorted by id, as NDJSON")
    .option("--topic <name>", "read a Kafka topic once, up to its present end; may be repeated", gathered)
    .option("--brokers <list>", "brokers for --topic, such as 127.0.0.1:9092 (default: PALERMO_KAFKA_BROKERS)")
    .option("--limit <count>", "show no more alerts than this", countOption(1))
    .option("--brief", "one line an alert")
    .addHelpText("after", ALERTS_HELP)
    .action(async (files: string[], options: AlertsOptions) => {
      const { runAlerts } = await import("./alerts.ts");
      done(await runAlerts(files, options, terminal));
    });
}

const ALERTS_HELP = `
The settled form does not depend on the order in which transactions arrived: compare two runs with diff.

Examples:
  palermo alerts alerts.ndjson
  palermo alerts --settled alerts.ndjson > settled.ndjson
  palermo alerts --settled --topic palermo.alerts --topic palermo.alerts.protected --brokers 127.0.0.1:9092

Exit codes: 0 shown, 1 failed, 2 usage, or a line that is no alert.`;

/** Adds `palermo token`. */
export function addTokenVerb(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("token")
    .description("Compute the token of an identifier, for feeds and lists that carry tokens.")
    .argument("<kind>", "iban, account, card, email, phone, wallet, address, passport, party, device or employer")
    .argument("<value>", "the identifier; - reads one a line from standard input")
    .option("--key-file <file>", "key as hexadecimal text, 32 bytes or more (default: PALERMO_TOKEN_KEY)")
    .option("--key-id <number>", "number that names the key in the token", countOption(1), 1)
    .option("--json", "each token as one JSON object with its kind")
    .addHelpText("after", TOKEN_HELP)
    .action(async (kind: string, value: string, options: TokenOptions) => {
      const { runToken } = await import("./token.ts");
      done(await runToken(kind, value, options, terminal));
    });
}

const TOKEN_HELP = `
The rules by which values are brought to one form stand in docs/tokens.md, with test vectors.

Examples:
  palermo token iban "GB82 WEST 1234 5698 7654 32" --key-file token.key
  palermo token phone - --key-file token.key < phones.txt

Exit codes: 0 computed, 1 failed, 2 usage, no key or no such value,
3 some lines of standard input were no such values.`;
