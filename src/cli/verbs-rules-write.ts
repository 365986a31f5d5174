/** The verbs under `palermo rules` with which rules are written, kept in form and put into force. */
import { Option } from "commander";
import { ENTITY_KINDS } from "../domain/entity.ts";
import { CRIMES, type Crime, RULE_STATUSES } from "../domain/vocabulary.ts";
import { shippedRulesDir } from "./paths.ts";
import { folderVerb, type RulesVerbs } from "./rules-verb.ts";

interface LockOptions {
  readonly lists?: string;
  readonly tuning?: string;
  readonly check?: boolean;
  readonly json?: boolean;
}

/** Adds `palermo rules lock`. */
export function addLockVerb(verbs: RulesVerbs): void {
  const { terminal, done } = verbs;
  folderVerb(verbs, "lock", "Write down what each rule means under its version, in rules.lock.json.")
    .option("--check", "write nothing; say whether the file is up to date")
    .option("--json", "result as one JSON object")
    .addHelpText("after", LOCK_HELP)
    .action(async (dir: string | undefined, options: LockOptions) => {
      const { runRulesLock } = await import("./rules-lock.ts");
      const { lists, tuning, check, json } = options;
      const flags = { check: check === true, json: json === true };
      const args = { dir: dir ?? shippedRulesDir(), lists, tuning, ...flags, asOf: terminal.now() };
      done(runRulesLock(args, terminal.stdout));
    });
}

const LOCK_HELP = `
A rule that means something else needs a new version, and an active one a new approval, before it is locked.

Examples:
  palermo rules lock my-rules
  palermo rules lock my-rules --check

Exit codes: 0 written or up to date, 1 failed, 2 usage or rules at fault, 3 --check: not up to date.`;

interface NewOptions {
  readonly kind: "indicator" | "typology";
  readonly crime: Crime;
  readonly json?: boolean;
}

/** Adds `palermo rules new`. */
export function addNewVerb({ rules, terminal, done }: RulesVerbs): void {
  rules
    .command("new")
    .description("Write a rule to begin from: a draft that is sound and tested.")
    .argument("<id>", "id of the rule, such as HT-CASH-01")
    .argument("<dir>", "folder that takes it")
    .addOption(new Option("--kind <kind>", "kind of rule").choices(["indicator", "typology"]).default("indicator"))
    .addOption(new Option("--crime <crime>", "crime that it concerns").choices(CRIMES).default("human_trafficking"))
    .option("--json", "result as one JSON object")
    .addHelpText("after", NEW_HELP)
    .action(async (id: string, dir: string, options: NewOptions) => {
      const { runRulesNew } = await import("./rules-new.ts");
      const { kind, crime, json } = options;
      done(runRulesNew({ id, dir, kind, crime, json: json === true }, terminal.stdout));
    });
}

const NEW_HELP = `
The JSON Schema for editors is written beside the rule, as rule.schema.json. docs/tutorial.md goes on from here.

Examples:
  palermo rules new HT-CASH-01 my-rules
  palermo rules new HT-CASH my-rules --kind typology

Exit codes: 0 written, 1 failed, 2 usage, or the id is taken.`;

interface FmtOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

/** Adds `palermo rules fmt`. */
export function addFmtVerb({ rules, terminal, color, done }: RulesVerbs): void {
  rules
    .command("fmt")
    .description("Bring rule, list and tuning files into their one form; comments stay.")
    .argument("<path...>", "files or folders")
    .option("--check", "write nothing; say which files are not in form")
    .option("--json", "result as one JSON object")
    .addHelpText("after", FMT_HELP)
    .action(async (paths: string[], { check, json }: FmtOptions) => {
      const { runRulesFmt } = await import("./rules-fmt.ts");
      done(runRulesFmt({ paths, check: check === true, json: json === true, color }, terminal.stdout));
    });
}

const FMT_HELP = `
Examples:
  palermo rules fmt my-rules
  palermo rules fmt my-rules/HT-CASH-01.yaml --check

Exit codes: 0 all in form, 1 failed, 2 usage or a file cannot be read, 3 --check: some are not in form.`;

interface SchemaOptions {
  readonly lists?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Adds `palermo rules schema`. */
export function addSchemaVerb(verbs: RulesVerbs): void {
  const { terminal, done } = verbs;
  folderVerb(verbs, "schema", "Print the JSON Schema of rule files for editors, with the folder's names.")
    .option("--out <file>", "write it there")
    .option("--json", "with --out: result as one JSON object")
    .addHelpText("after", SCHEMA_HELP)
    .action(async (dir: string | undefined, { lists, out, json }: SchemaOptions) => {
      const { runRulesSchema } = await import("./rules-schema.ts");
      done(runRulesSchema({ dir: dir ?? shippedRulesDir(), lists, out, json: json === true }, terminal.stdout));
    });
}

const SCHEMA_HELP = `
An editor finds it by the first line of a rule: # yaml-language-server: $schema=rule.schema.json

Examples:
  palermo rules schema my-rules --out my-rules/rule.schema.json

Exit codes: 0 written, 1 failed, 2 usage or a folder that cannot be read.`;

interface ListOptions {
  readonly lists?: string;
  readonly tuning?: string;
  readonly status?: string;
  readonly crime?: string;
  readonly kind?: string;
  readonly subject?: string;
  readonly source?: string;
  readonly json?: boolean;
}

/** Adds `palermo rules list`. */
export function addListVerb(verbs: RulesVerbs): void {
  const { terminal, done } = verbs;
  folderVerb(verbs, "list", "List rules: id, status, version, crime, subject, tests, sources.")
    .addOption(new Option("--status <status>", "only rules of this status").choices(RULE_STATUSES))
    .addOption(new Option("--crime <crime>", "only rules against this crime").choices(CRIMES))
    .addOption(new Option("--kind <kind>", "only rules of this kind").choices(["indicator", "typology"]))
    .addOption(new Option("--subject <kind>", "only rules about this kind of entity").choices(ENTITY_KINDS))
    .option("--source <document>", "only rules that cite this document, such as FIN-2020-A008")
    .option("--json", "rules as one JSON object")
    .addHelpText("after", LIST_HELP)
    .action(async (dir: string | undefined, options: ListOptions) => {
      const { runRulesList } = await import("./rules-list.ts");
      done(runRulesList({ ...options, dir: dir ?? shippedRulesDir(), json: options.json === true }, terminal.stdout));
    });
}

const LIST_HELP = `
Examples:
  palermo rules list
  palermo rules list my-rules --status shadow --crime terrorist_financing
  palermo rules list --source FIN-2020-A008 --json

Exit codes: 0 listed, 1 failed, 2 usage or rules at fault.`;

interface PlanOptions {
  readonly lists?: string;
  readonly tuning?: string;
  readonly rule?: string;
  readonly json?: boolean;
}

/** Adds `palermo rules plan`. */
export function addPlanVerb(verbs: RulesVerbs): void {
  const { terminal, done } = verbs;
  folderVerb(verbs, "plan", "Tell what the rules cost: nodes, aggregates, base measures, cells and bytes of an entity.")
    .option("--rule <id>", "only what this rule asks for")
    .option("--json", "the plan as one JSON object")
    .addHelpText("after", PLAN_HELP)
    .action(async (dir: string | undefined, options: PlanOptions) => {
      const { runRulesPlan } = await import("./rules-plan.ts");
      const args = { ...options, dir: dir ?? shippedRulesDir(), json: options.json === true, now: terminal.now() };
      done(runRulesPlan(args, terminal.stdout));
    });
}

const PLAN_HELP = `
Nodes are those of the rule's expressions and clause trees, each where it is written.
Bytes are those of an entity that has everything at its cap; a usual one has a small part of that. A window counts
at most the error too much, and only beyond the recent movements of an entity, inside of which it is exact.

Examples:
  palermo rules plan
  palermo rules plan my-rules --rule HT-CASH-01

Exit codes: 0 told, 1 failed, 2 usage or rules at fault.`;
