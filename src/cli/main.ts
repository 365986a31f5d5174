/**
 * The command line: verbs and options, each verb's module loaded only when it is called, and what an
 * error becomes: one clear message and an exit code, a stack only on request.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { UsageError } from "../base/errors.ts";
import type { Terminal } from "./output.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, printable, processTerminal, styleOf } from "./output.ts";
import { packageFile } from "./paths.ts";
import { addAlertsVerb, addReplayVerb, addTokenVerb } from "./verbs.ts";
import { addOperateVerbs } from "./verbs-operate.ts";
import { addRecordedVerbs } from "./verbs-recorded.ts";
import { addRulesVerbs } from "./verbs-rules.ts";
import { addStreamVerbs } from "./verbs-shell.ts";

/**
 * Runs one command line (without node and script) and gives the exit code: 0 fine, 1 failed, 2 usage,
 * configuration or rules at fault, 3 screened but some rows were rejected or a comparison found differences.
 */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let exitCode = EXIT_OK;
  let outputGone = false;
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    // The reader of a pipe went away (`| head`): nothing is wrong, and nobody is there to be told.
    outputGone = true;
    if (error.code !== "EPIPE") {
      exitCode = EXIT_FAILED;
      terminal.stderr.write(`palermo: failed: standard output: ${printable(error.message)}\n`);
    }
    if (terminal.stdout === process.stdout) process.exit(exitCode);
  };
  terminal.stdout.on("error", onOutputError);
  const program = buildProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(helpAsOption(argv), { from: "user" });
    return exitCode;
  } catch (error) {
    if (outputGone) return exitCode;
    return await report(error, terminal, program.opts().debug === true);
  } finally {
    // What was written last may fail after this function: the process keeps its listener.
    if (terminal.stdout !== process.stdout) terminal.stdout.off("error", onOutputError);
  }
}

/** `help VERB` is `VERB --help`: the one way on which options that are added late are shown too. */
function helpAsOption(argv: readonly string[]): string[] {
  return argv[0] === "help" && argv.length > 1 ? [...argv.slice(1), "--help"] : [...argv];
}

function buildProgram(terminal: Terminal, done: (code: number) => void): Command {
  const program = new Command("palermo")
    .description("Screens streams of financial transactions for patterns of human trafficking and terrorist financing.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--debug", "show the stack of an unexpected error")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [verb]", "print help for a verb")
    .showHelpAfterError("(palermo --help lists the verbs, palermo VERB --help the options of one)")
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHelpWidth: () => Math.min(terminal.stdout.columns ?? 100, 100),
      getErrHelpWidth: () => Math.min(terminal.stderr.columns ?? 100, 100),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  addReplayVerb(program, terminal, done);
  addRecordedVerbs(program, terminal, done);
  addStreamVerbs(program, terminal, done);
  addOperateVerbs(program, terminal, done);
  addAlertsVerb(program, terminal, done);
  addTokenVerb(program, terminal, done);
  addRulesVerbs(program, terminal, done);
  return program.addHelpText("after", PROGRAM_HELP);
}

const PROGRAM_HELP = `
Examples:
  palermo replay fixtures/funnel-ring/transactions.ndjson    screen a file on this machine
  palermo rules check                                        check the rules
  palermo run --config palermo.yaml                          screen a Kafka topic, with Redis

Exit codes: 0 fine, 1 failed, 2 usage, configuration or rules at fault,
3 screened but some rows were rejected, or a comparison found differences.`;

async function report(error: unknown, terminal: Terminal, debug: boolean): Promise<number> {
  if (error instanceof CommanderError) {
    // Commander has printed its message; asking for help or the version is no error.
    const asked = ["commander.helpDisplayed", "commander.version"].includes(error.code);
    return asked ? EXIT_OK : EXIT_USAGE;
  }
  const style = styleOf(terminal.stderr, terminal.env);
  if (error instanceof UsageError) {
    terminal.stderr.write(`${style.red("palermo:")} ${printableLines(error.message)}\n`);
    if (error.diagnostics.length > 0) {
      const { describeDiagnostics } = await import("./describe-diagnostics.ts");
      terminal.stderr.write(describeDiagnostics(error.diagnostics, style.red("x") !== "x"));
    }
    return EXIT_USAGE;
  }
  const message = error instanceof Error ? error.message : String(error);
  terminal.stderr.write(`${style.red("palermo: failed:")} ${printable(message)}\n`);
  if (debug && error instanceof Error) terminal.stderr.write(`${error.stack ?? ""}\n`);
  else if (!isOperational(error)) terminal.stderr.write("Run it again with --debug for the place in the program.\n");
  return EXIT_FAILED;
}

/** Failures of the surroundings, whose message says all: a broken file, a broker or store out of reach. */
function isOperational(error: unknown): boolean {
  return error instanceof Error && ["SourceError", "BusError", "StoreError"].includes(error.name);
}

function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function packageVersion(): string {
  const text = readFileSync(packageFile(), "utf8");
  return String((JSON.parse(text) as { version: unknown }).version);
}
