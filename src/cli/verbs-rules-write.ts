/** The verbs under `palermo rules` with which rules are written, kept in form and put into force. */
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
