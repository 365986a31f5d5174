/** The identity of a pack: what its files mean, whatever their order, comments, key order and paths. */
import { sha256Hex } from "../base/hash.ts";
import type { MapNode, SourceNode } from "./source.ts";

/** Keys that change nothing that is screened or told. */
const SILENT_RULE_KEYS: ReadonlySet<string> = new Set("tests owner author approvedBy effectiveFrom retired".split(" "));
/** Keys that may change without a new version: the way from draft to retired leaves the rule itself as it is. */
const UNLOCKED_RULE_KEYS: ReadonlySet<string> = new Set([...SILENT_RULE_KEYS, "version", "status"]);
const SILENT_LIST_KEYS: ReadonlySet<string> = new Set(["owner", "reviewBy"]);

/** Of what `packHash` gives: it must rise when the same files would get another hash, for hashes outlive a program. */
export const PACK_HASH_VERSION = 1;

/** sha-256 (hex) over rules and lists in their sorted semantic form, and the overrides in force. */
export function packHash(
  rules: readonly MapNode[],
  lists: readonly MapNode[],
  overrides: readonly { readonly key: string; readonly value: string }[],
): string {
  const parts = [
    ...rules.map((root) => `rule ${semanticText(root, SILENT_RULE_KEYS, false)}`),
    ...lists.map((root) => `list ${semanticText(root, SILENT_LIST_KEYS, true)}`),
    ...overrides.map(({ key, value }) => `set ${JSON.stringify([key, value.trim()])}`),
  ];
  return sha256Hex(parts.sort().join("\n"));
}

/** sha-256 (hex) of one rule as it screens and tells, whatever its version and status. */
export function ruleHash(root: MapNode): string {
  return sha256Hex(semanticText(root, UNLOCKED_RULE_KEYS, false));
}

function semanticText(root: MapNode, silent: ReadonlySet<string>, unordered: boolean): string {
  const entries = root.entries
    .filter(({ key }) => !silent.has(key.text))
    .map(({ key, value }) => {
      const sorted = unordered && key.text === "entries" && value.kind === "seq";
      const text = sorted ? `[${value.items.map(nodeText).sort().join(",")}]` : nodeText(value);
      return `${JSON.stringify(key.text)}:${text}`;
    });
  return `{${entries.sort().join(",")}}`;
}

/** A node as text that does not depend on the order of its keys. */
export function nodeText(node: SourceNode): string {
  switch (node.kind) {
    case "scalar":
      return JSON.stringify(node.text);
    case "seq":
      return `[${node.items.map(nodeText).join(",")}]`;
    case "map":
      return `{${node.entries
        .map(({ key, value }) => `${JSON.stringify(key.text)}:${nodeText(value)}`)
        .sort()
        .join(",")}}`;
  }
}
