/** Packs as inline tests need them: the shipped rules with entries of some lists replaced, compiled once each. */
import { createFindings } from "../rules/diagnostics.ts";
import { loadPack } from "../rules/load.ts";
import { RULE_LIMITS, readSource, type SourceFile } from "../rules/source.ts";

type Loaded = ReturnType<typeof loadPack>;

/** Packs by the lists that tests put in place of the shipped ones; each is compiled once. */
export interface Packs {
  load(lists: ReadonlyMap<string, string>): Loaded;
}

/** Compiles packs from rule and list files on demand. */
export function createPacks(files: readonly SourceFile[], set: Readonly<Record<string, string>>): Packs {
  const known = new Map<string, Loaded>();
  return {
    load(lists) {
      const key = JSON.stringify([...lists].sort());
      let found = known.get(key);
      if (found === undefined) {
        found = loadPack(withLists(files, lists), { set });
        known.set(key, found);
      }
      return found;
    },
  };
}

/** The files with other entries in the named lists. A list that the pack does not have stays unknown to it. */
function withLists(files: readonly SourceFile[], lists: ReadonlyMap<string, string>): SourceFile[] {
  if (lists.size === 0) return [...files];
  return files.map((file) => {
    const root = readSource(file, RULE_LIMITS, createFindings());
    const text = (key: string) => {
      const node = root?.byKey.get(key)?.value;
      return node?.kind === "scalar" ? node.text : undefined;
    };
    const id = text("id");
    const entries = id === undefined || text("schema") !== "list/v1" ? undefined : lists.get(id);
    if (entries === undefined) return file;
    const basis = text("basis");
    const head = `schema: list/v1\nid: ${id}\ntype: ${text("type")}\ntitle: given by a test\nversion: test\n`;
    return { path: file.path, text: `${head}${basis === undefined ? "" : `basis: ${basis}\n`}entries: ${entries}\n` };
  });
}
