/**
 * `palermo rules mutate`: how many slips in the rules their own tests would notice, and the tests that are missing
 * for the others. Exit 0: at least `--min`, 1: less, or tests that fail already, 2: the rules are at fault.
 */
import { UsageError } from "../base/errors.ts";
import { requireRuleFiles } from "../files/rules-dir.ts";
import { type MutationRun, mutateRules, type RuleScore } from "../workshop/mutation.ts";
import { describeDiagnostics } from "./describe-diagnostics.ts";
import { counted, EXIT_FAILED, EXIT_OK, EXIT_USAGE, printable, type Style, styleOf, type Terminal } from "./output.ts";

export interface RulesMutateArgs {
  /** Folder of the rules. */
  readonly dir: string;
  /** Folder with the operator's own lists. */
  readonly lists?: string | undefined;
  /** The operator's tuning file; undefined: `tuning.yaml` in the folder, if there is one. */
  readonly tuning?: string | undefined;
  /** Only this rule. */
  readonly rule?: string | undefined;
  /** Percent of mutants that tests must notice at least. */
  readonly min?: number | undefined;
  /** Look for the missing tests; false is faster. */
  readonly search?: boolean | undefined;
  readonly json: boolean;
}

/** Mutates the rules of a folder, writes scores and survivors to standard output and gives the exit code. */
export function runRulesMutate(args: RulesMutateArgs, terminal: Terminal): number {
  const { dir, lists, tuning, rule, min, json } = args;
  const progress = progressOf(terminal);
  const files = requireRuleFiles(dir, lists, tuning);
  const run = mutateRules(files, { only: rule, search: args.search !== false, progress: progress.update });
  progress.clear();
  const errors = run.diagnostics.filter(({ severity }) => severity === "error");
  const style = styleOf(terminal.stdout, terminal.env);
  if (errors.length === 0 && run.rules.length === 0) {
    throw new UsageError(rule === undefined ? `${dir}: no rule in force has tests` : noSuchRule(dir, rule));
  }
  if (json) terminal.stdout.write(`${JSON.stringify(asJson(run))}\n`);
  else if (errors.length > 0) terminal.stdout.write(describeDiagnostics(errors, style.red("x") !== "x"));
  else terminal.stdout.write(asText(run, min, style));
  if (errors.length > 0) return EXIT_USAGE;
  const failing = run.rules.some((one) => one.failing.length > 0);
  return failing || (min !== undefined && run.score < min) ? EXIT_FAILED : EXIT_OK;
}

function noSuchRule(dir: string, rule: string): string {
  return `${dir}: no rule in force with tests has the id "${rule}"`;
}

function progressOf(terminal: Terminal): { update(done: number, rules: number, ruleId: string): void; clear(): void } {
  const { stderr } = terminal;
  if (stderr.isTTY !== true) return { update() {}, clear() {} };
  return {
    update: (done, rules, ruleId) => stderr.write(`\r\u001b[K${done} of ${rules} rules  ${ruleId}`),
    clear: () => stderr.write("\r\u001b[K"),
  };
}

function asJson(run: MutationRun): object {
  const { score, rules, diagnostics } = run;
  return { score: rounded(score), rules: rules.map((rule) => ({ ...rule, score: rounded(rule.score) })), diagnostics };
}

/** Down to one decimal: 84.96 must not read as 85. */
function rounded(percent: number): number {
  return Math.floor(percent * 10) / 10;
}

function asText(run: MutationRun, min: number | undefined, style: Style): string {
  const lines = run.rules.map((rule) => ruleLine(rule, style));
  for (const rule of run.rules) {
    for (const name of rule.failing) lines.push("", `${style.red(rule.ruleId)}: fails already: ${printable(name)}`);
    for (const survivor of rule.survivors) {
      lines.push("", `${style.yellow(rule.ruleId)}: ${survivor.operator}: ${printable(survivor.change)}`);
      lines.push(`  ${rule.file}:${survivor.line}`);
      if (survivor.missingTest === undefined) lines.push("    no test notices it, and no variation of a test does");
      else lines.push("    no test notices it; this one would:", ...indented(survivor.missingTest));
    }
  }
  const killed = run.rules.reduce((sum, rule) => sum + rule.killed, 0);
  const total = run.rules.reduce((sum, rule) => sum + rule.total, 0);
  const below = min !== undefined && run.score < min;
  const gate = min === undefined ? "" : `, ${below ? "below" : "at least"} the ${min} % asked for`;
  const score = `${rounded(run.score)} %`;
  lines.push(
    "",
    `${counted(killed, "mutant")} of ${total} noticed, ${below ? style.red(score) : style.green(score)}${gate}`,
  );
  return `${lines.join("\n")}\n`;
}

function ruleLine(rule: RuleScore, style: Style): string {
  const score = `${rounded(rule.score)} %`.padStart(7);
  const mark = rule.survivors.length === 0 && rule.failing.length === 0 ? style.green(score) : style.yellow(score);
  const refused = rule.refused === 0 ? "" : `, ${rule.refused} refused by check`;
  return `${mark}  ${rule.ruleId.padEnd(16)} ${rule.killed} of ${counted(rule.total, "mutant")}${refused}`;
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`);
}
