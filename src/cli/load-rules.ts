/** Reading and compiling a pack for a verb: the operator's folders, or the rules that come with Palermo. */
import { basename, relative, sep } from "node:path";
import { UsageError } from "../base/errors.ts";
import { requireRuleFiles } from "../files/rules-dir.ts";
import type { Lists } from "../rules/lists.ts";
import { loadPack } from "../rules/load.ts";
import type { Pack } from "../rules/plan.ts";
import { PACK_HASH_VERSION } from "../rules/semantic-hash.ts";
import type { SourceFile } from "../rules/source.ts";
import type { PublishedPack } from "../stream/pack-format.ts";
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
  readonly files: readonly SourceFile[];
  /** Epoch ms by which overrides were judged to have expired. */
  readonly tunedAt: number | undefined;
  /** Overrides that were left out, and the like; one line each. */
  readonly warnings: readonly string[];
}

/** A pack as it is published: files are named from their folder on, whatever machine they stand on. */
export function published(rules: LoadedRules, options: RulesOptions): PublishedPack {
  return { files: publishedFiles(rules.files, options), hashVersion: PACK_HASH_VERSION, tunedAt: rules.tunedAt };
}

function publishedFiles(files: readonly SourceFile[], options: RulesOptions): SourceFile[] {
  const below = (dir: string | undefined, path: string): string | undefined =>
    dir === undefined || relative(dir, path).startsWith("..") ? undefined : relative(dir, path).split(sep).join("/");
  return files.map(({ path, text }) => {
    const own = below(options.lists, path);
    if (own !== undefined) return { path: `lists/${own}`, text };
    return { path: `rules/${below(options.rules ?? shippedRulesDir(), path) ?? basename(path)}`, text };
  });
}

/** Compiles a pack. Throws UsageError with every finding when there is an error in it. */
export function loadRules(options: RulesOptions): LoadedRules {
  const dir = options.rules ?? shippedRulesDir();
  const files = requireRuleFiles(dir, options.lists, options.tuning);
  const { pack, lists, diagnostics } = loadPack(files, {
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    ...(options.set === undefined ? {} : { set: options.set }),
    ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  if (pack === undefined) throw new UsageError(`${dir}: the rules have errors; nothing was screened`, diagnostics);
  const left = diagnostics.filter(({ code }) => code === "W106");
  const warnings = left.map(({ file, line, message }) => `${file}:${line}: ${message}`);
  return { pack, lists, files, tunedAt: options.now, warnings };
}
