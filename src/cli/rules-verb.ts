/** What the verbs under `palermo rules` have in common. */
import { type Command, Option } from "commander";
import type { Terminal } from "./output.ts";

/** What every verb of `rules` is built with. */
export interface RulesVerbs {
  /** The command `rules`, which the verb joins. */
  readonly rules: Command;
  readonly terminal: Terminal;
  /** Standard output takes colours. */
  readonly color: boolean;
  readonly done: (code: number) => void;
}

/** A verb that works on a folder of rules, with the options that all of them share. */
export function folderVerb({ rules }: RulesVerbs, name: string, description: string): Command {
  return rules
    .command(name)
    .description(description)
    .argument("[dir]", "folder of the rules (default: those that come with Palermo)")
    .addOption(listsOption())
    .option("--tuning <file>", "overrides of the rules (default: tuning.yaml in their folder)");
}

/** `--lists`, the same in every verb. */
export function listsOption(): Option {
  return new Option("--lists <dir>", "lists that take the place of the rules' lists of the same id");
}
