/**
 * `palermo rules new ID`: writes a rule that is sound and tested, as a draft to begin from, and the JSON Schema
 * for editors beside it. Exit 0: written, 2: the id is no id or is taken, or the folder cannot be written.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import type { Crime } from "../domain/vocabulary.ts";
import { readRuleFiles } from "../files/rules-dir.ts";
import { fileReason, readOptionalFile, writeTextFile } from "../files/text-file.ts";
import { createFindings } from "../rules/diagnostics.ts";
import { ruleSchemaText } from "../rules/json-schema.ts";
import { readPack } from "../rules/load.ts";
import { LOCK_FILE, readLock } from "../rules/lock.ts";
import { newIndicator, newTypology } from "../rules/rule-template.ts";
import { RULE_ID } from "../rules/schema.ts";
import { EXIT_OK } from "./output.ts";

export interface RulesNewArgs {
  readonly id: string;
  /** Folder that takes the file; made when it is not there. */
  readonly dir: string;
  readonly kind: "indicator" | "typology";
  readonly crime: Crime;
  readonly json: boolean;
}

/** Name of the JSON Schema beside the rules. */
export const SCHEMA_FILE = "rule.schema.json";

/** Writes the files; returns the exit code. Throws UsageError when there is nothing to be written. */
export function runRulesNew(args: RulesNewArgs, out: { write(text: string): unknown }): number {
  const { id, dir, kind, crime } = args;
  if (!RULE_ID.test(id) || id.length > 40) {
    throw new UsageError(`${id} cannot be a rule id: capitals, digits and hyphens, such as HT-CASH-01`);
  }
  makeFolder(dir);
  const pack = readPack(readRuleFiles(dir));
  const taken = pack.rules.find((rule) => rule.id.text === id);
  if (taken !== undefined) throw new UsageError(`${id} is taken by ${taken.root.source.file}`);
  const lockFile = readOptionalFile(join(dir, LOCK_FILE));
  const lock = lockFile && readLock(lockFile, createFindings());
  if (lock?.has(id)) throw new UsageError(`${id} was used before, as ${LOCK_FILE} says: ids are never used again`);
  const path = join(dir, `${id}.yaml`);
  if (existsSync(path)) throw new UsageError(`${path} is there already`);
  const rule = { id, crime, schemaPath: SCHEMA_FILE };
  const text = kind === "indicator" ? newIndicator(rule) : newTypology(rule, twoIndicators(pack.rules, dir));
  const ids = [...pack.rules.map((other) => other.id.text), id].sort();
  writeTextFile(path, text);
  writeTextFile(join(dir, SCHEMA_FILE), ruleSchemaText({ rules: ids, lists: pack.lists.ids }));
  out.write(args.json ? `${JSON.stringify({ id, path, kind, status: "draft" })}\n` : told(path, dir));
  return EXIT_OK;
}

function twoIndicators(rules: ReturnType<typeof readPack>["rules"], dir: string): [string, string] {
  const [first, second] = rules.filter((rule) => rule.kind === "indicator").map((rule) => rule.id.text);
  if (first !== undefined && second !== undefined) return [first, second];
  throw new UsageError(`${dir}: a typology counts the hits of two indicators at least; write those first`);
}

function told(path: string, dir: string): string {
  return `${path} written, a draft.\nNext: palermo rules check ${dir}, then palermo rules test ${dir}\n`;
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new UsageError(`${dir}: cannot be made (${fileReason(error)})`);
  }
}
