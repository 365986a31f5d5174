/**
 * `palermo rules schema`: the JSON Schema of rule files, with the names of the lists and rules of a folder.
 * Exit 0: written, 2: the folder cannot be read or the file not written.
 */
import { readRuleFiles } from "../files/rules-dir.ts";
import { writeTextFile } from "../files/text-file.ts";
import { ruleSchemaText } from "../rules/json-schema.ts";
import { readPack } from "../rules/load.ts";
import { EXIT_OK } from "./output.ts";

export interface RulesSchemaArgs {
  readonly dir: string;
  readonly lists?: string | undefined;
  /** Where it goes; undefined: to standard output. */
  readonly out?: string | undefined;
  readonly json: boolean;
}

/** Writes the schema; returns the exit code. */
export function runRulesSchema(args: RulesSchemaArgs, out: { write(text: string): unknown }): number {
  const { rules, lists } = readPack(readRuleFiles(args.dir, args.lists));
  const text = ruleSchemaText({ rules: rules.map((rule) => rule.id.text), lists: lists.ids });
  if (args.out === undefined) out.write(text);
  else {
    writeTextFile(args.out, text);
    out.write(args.json ? `${JSON.stringify({ path: args.out })}\n` : `${args.out} written\n`);
  }
  return EXIT_OK;
}
