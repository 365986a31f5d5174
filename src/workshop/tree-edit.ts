/** Edits of the tree of a rule file: each gives a new tree that shares what it did not change. */
import type { Entry, MapNode, ScalarNode, SeqNode, SourceNode } from "../rules/source.ts";

/** Keys of mappings and places in lists, from the root of a file. */
export type TreePath = readonly (string | number)[];

/** The tree with another node at `path`; undefined takes the entry or item away. */
export function replaceAt(root: MapNode, path: TreePath, node: SourceNode | undefined): MapNode {
  const changed = replace(root, path, node);
  // A path below the root leaves the root a mapping.
  return changed?.kind === "map" ? changed : root;
}

/** The node at `path`; undefined when there is none. */
export function nodeAt(root: SourceNode, path: TreePath): SourceNode | undefined {
  let node: SourceNode | undefined = root;
  for (const key of path) {
    if (node?.kind === "map" && typeof key === "string") node = node.byKey.get(key)?.value;
    else if (node?.kind === "seq" && typeof key === "number") node = node.items[key];
    else return undefined;
  }
  return node;
}

/** The same scalar with another text. Its place stays, so that messages still point at it. */
export function withText(node: ScalarNode, text: string): ScalarNode {
  return { ...node, text, quoted: node.quoted };
}

/** The mapping with one key renamed, and another value for it. */
export function renamed(map: MapNode, from: string, to: string, value: SourceNode): MapNode {
  const entries = map.entries.map((entry) => {
    return entry.key.text === from ? { key: withText(entry.key, to), value } : entry;
  });
  return mapOf(map, entries);
}

/** A mapping of one entry that stands where `place` stands. */
export function wrapped(key: string, value: SourceNode): MapNode {
  const { source, start, end } = value;
  const name: ScalarNode = { kind: "scalar", source, start, end, text: key, quoted: false };
  return mapOf({ kind: "map", source, start, end, entries: [], byKey: new Map() }, [{ key: name, value }]);
}

function replace(node: SourceNode, path: TreePath, value: SourceNode | undefined): SourceNode | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (node.kind === "map" && typeof key === "string") {
    const entries = node.entries.flatMap((entry) => {
      if (entry.key.text !== key) return [entry];
      const changed = replace(entry.value, rest, value);
      return changed === undefined ? [] : [{ ...entry, value: changed }];
    });
    return mapOf(node, entries);
  }
  if (node.kind === "seq" && typeof key === "number") {
    const items = node.items.flatMap((item, i) => (i === key ? (replace(item, rest, value) ?? []) : [item]));
    return { ...node, items } satisfies SeqNode;
  }
  return node;
}

function mapOf(map: MapNode, entries: readonly Entry[]): MapNode {
  return { ...map, entries, byKey: new Map(entries.map((entry) => [entry.key.text, entry])) };
}
