/** Reading and compiling a pack for a verb: the operator's folders, or the rules that come with Palermo. */
import { UsageError } from "../base/errors.ts";
import { readRuleFiles } from "../files/rules-dir.ts";
import type { Lists } from "../rules/lists.ts";
import { loadPack } from "../rules/load.ts";
import type { Pack } from "../rules/plan.ts";
import { shippedRulesDir } from "./paths.ts";

export interface RulesOptions {
  /** Undefined: the rules that come with Palermo. */
  readonly rules?: string | undefined;
  readonly lists?: string | undefined;
  /** The operator's tuning file; undefined: `tuning.yaml` in the folder of the rules, if there is one. */
  readonly tuning?: string | undefined;
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly tenant?: string | undefined;
  /** Epoch ms; lists that have expired by then are at fault. Undefined: their dates are not judged. */
  readonly asOf?: number | undefined;
  /** Epoch ms; overrides of the tuning that have expired by then are left out, with a warning. */
  readonly now?: number | undefined;
}

export interface LoadedRules {
  readonly pack: Pack;
  readonly lists: Lists;
  /** Overrides that were left out, and the like; one line each. */
  readonly warnings: readonly string[];
}

/** Compiles a pack. Throws UsageError with every finding when there is an error in it. */
export function loadRules(options: RulesOptions): LoadedRules {
  const dir = options.rules ?? shippedRulesDir();
  const files = readRuleFiles(dir, options.lists, options.tuning);
  const { pack, lists, diagnostics } = loadPack(files, {
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    ...(options.set === undefined ? {} : { set: options.set }),
    ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  if (pack === undefined) throw new UsageError(`${dir}: the rules have errors; nothing was screened`, diagnostics);
  const left = diagnostics.filter(({ code }) => code === "W106");
  return { pack, lists, warnings: left.map(({ file, line, message }) => `${file}:${line}: ${message}`) };
}
