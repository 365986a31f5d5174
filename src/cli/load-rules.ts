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
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly tenant?: string | undefined;
  /** Epoch ms; lists that have expired by then are at fault. Undefined: their dates are not judged. */
  readonly asOf?: number | undefined;
}

/** Compiles a pack. Throws UsageError with every finding when there is an error in it. */
export function loadRules(options: RulesOptions): { readonly pack: Pack; readonly lists: Lists } {
  const dir = options.rules ?? shippedRulesDir();
  const files = readRuleFiles(dir, options.lists);
  const { pack, lists, diagnostics } = loadPack(files, {
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    ...(options.set === undefined ? {} : { set: options.set }),
    ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
  });
  if (pack === undefined) throw new UsageError(`${dir}: the rules have errors; nothing was screened`, diagnostics);
  return { pack, lists };
}
