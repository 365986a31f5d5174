/** Reading mappings key by key: each helper records what is wrong with a value and gives `undefined` back. */
import type { Diagnostic } from "../base/errors.ts";
import type { Findings } from "./diagnostics.ts";
import { parseQuantity, toNumber } from "./literals.ts";
import { type MapNode, type ScalarNode, type SourceNode, shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";

/** Longest text that a person writes into one key. */
export const TEXT_MAX = 2_000;
/** Most entries of any list or mapping inside a rule. */
export const ENTRIES_MAX = 200;

/** What a key of a mapping may be: required ones must be there. */
export type Keys = Readonly<Record<string, "required" | "optional">>;

/** A diagnostic without its place, for callers that have one. */
export type Message = Pick<Diagnostic, "code" | "message" | "hint">;

/** Reports unknown and missing keys; `what` names the mapping, such as `a rule`. */
export function checkKeys(map: MapNode, keys: Keys, what: string, findings: Findings): void {
  for (const { key } of map.entries) {
    if (Object.hasOwn(keys, key.text)) continue;
    const inText = key.text.includes(" ")
      ? "a comma or colon inside { } begins a key; put the text in quotes"
      : undefined;
    const hint = inText ?? hintFor(key.text, Object.keys(keys));
    findings.add("E010", key, `${what} has no key \`${shorten(key.text)}\``, hint);
  }
  for (const [name, need] of Object.entries(keys)) {
    if (need === "required" && !map.byKey.has(name)) findings.add("E011", map, `${what} needs \`${name}\``);
  }
}

/** The node as a mapping. */
export function asMap(node: SourceNode, what: string, findings: Findings): MapNode | undefined {
  if (node.kind === "map") return node;
  findings.add("E012", node, `${what} must be a mapping`, "write `key: value` pairs or { key: value }");
  return undefined;
}

/** The node as one text. */
export function asScalar(node: SourceNode, what: string, findings: Findings): ScalarNode | undefined {
  if (node.kind !== "scalar") {
    findings.add("E012", node, `${what} must be a single value, not a ${node.kind === "map" ? "mapping" : "list"}`);
    return undefined;
  }
  if (node.text.length > TEXT_MAX) {
    findings.add("E015", node, `${what} has ${node.text.length} characters; the most is ${TEXT_MAX}`);
    return undefined;
  }
  if (node.text === "" && !node.quoted) {
    findings.add("E012", node, `${what} has no value`);
    return undefined;
  }
  return node;
}

/** The node's items; one value stands for a list of one where `single` allows it. */
export function asItems(node: SourceNode, what: string, findings: Findings, single: boolean): readonly SourceNode[] {
  if (node.kind === "seq") {
    if (node.items.length > ENTRIES_MAX) {
      findings.add("E015", node, `${what} has ${node.items.length} entries; the most is ${ENTRIES_MAX}`);
      return [];
    }
    return node.items;
  }
  if (single) return [node];
  findings.add("E012", node, `${what} must be a list`, "write [a, b] or lines that begin with `- `");
  return [];
}

/** Value of a key as one text. */
export function scalarAt(map: MapNode, key: string, findings: Findings): ScalarNode | undefined {
  const entry = map.byKey.get(key);
  return entry && asScalar(entry.value, `\`${key}\``, findings);
}

/** Value of a key from a closed set. */
export function wordAt<T extends string>(
  map: MapNode,
  key: string,
  words: readonly T[],
  findings: Findings,
): T | undefined {
  const node = scalarAt(map, key, findings);
  return node && asWord(node, `\`${key}\``, words, findings);
}

/** A scalar from a closed set. */
export function asWord<T extends string>(
  node: ScalarNode,
  what: string,
  words: readonly T[],
  findings: Findings,
): T | undefined {
  const found = words.find((word) => word === node.text);
  if (found === undefined) {
    findings.add("E013", node, `${what} cannot be \`${shorten(node.text)}\``, hintFor(node.text, words));
  }
  return found;
}

/** One word or a list of words from a closed set; undefined when the key is missing or nothing in it is good. */
export function wordsAt<T extends string>(
  map: MapNode,
  key: string,
  words: readonly T[],
  findings: Findings,
): readonly T[] | undefined {
  const entry = map.byKey.get(key);
  if (entry === undefined) return undefined;
  const out: T[] = [];
  for (const item of asItems(entry.value, `\`${key}\``, findings, true)) {
    const node = asScalar(item, `an entry of \`${key}\``, findings);
    const word = node && asWord(node, `\`${key}\``, words, findings);
    if (word !== undefined && !out.includes(word)) out.push(word);
  }
  return out.length === 0 ? undefined : out;
}

/** Value of a key as a whole number within bounds. */
export function integerAt(
  map: MapNode,
  key: string,
  least: number,
  most: number,
  findings: Findings,
): number | undefined {
  const node = scalarAt(map, key, findings);
  if (node === undefined) return undefined;
  const quantity = node.quoted ? undefined : parseQuantity(node.text);
  const value = quantity?.unit === "number" ? toNumber(quantity) : Number.NaN;
  if (!Number.isInteger(value)) {
    findings.add("E016", node, `\`${key}\` must be a whole number`);
    return undefined;
  }
  if (value < least || value > most) {
    findings.add("E017", node, `\`${key}\` must be between ${least} and ${most}`);
    return undefined;
  }
  return value;
}

/** Value of a key as a duration in ms within bounds. */
export function durationAt(
  map: MapNode,
  key: string,
  mostMs: number,
  findings: Findings,
): { readonly ms: number; readonly node: ScalarNode } | undefined {
  const node = scalarAt(map, key, findings);
  if (node === undefined) return undefined;
  const quantity = parseQuantity(node.text);
  if (quantity?.unit !== "duration") {
    findings.add("E016", node, `\`${key}\` must be a duration`, "such as 7d, 36h, 2h30m");
    return undefined;
  }
  const ms = toNumber(quantity);
  if (ms <= 0 || ms > mostMs) {
    findings.add("E017", node, `\`${key}\` must be more than 0 and at most ${mostMs / 86_400_000} days`);
    return undefined;
  }
  return { ms, node };
}

/** Value of a key as a day `yyyy-MM-dd`, epoch ms of its start in UTC. */
export function dayAt(map: MapNode, key: string, findings: Findings): number | undefined {
  const node = scalarAt(map, key, findings);
  if (node === undefined) return undefined;
  const time = /^\d{4}-\d{2}-\d{2}$/.test(node.text) ? Date.parse(`${node.text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== node.text) {
    findings.add("E016", node, `\`${key}\` must be a day such as 2027-06-30`);
    return undefined;
  }
  return time;
}

const NAME = /^[a-z][a-z0-9_]{0,39}$/;

/** Whether a key may name a parameter, filter, aggregate, step or clause; a finding says why not. */
export function checkName(node: ScalarNode, what: string, findings: Findings): boolean {
  if (NAME.test(node.text)) return true;
  const hint = "lower-case letters, digits and underscores, beginning with a letter, at most 40 characters";
  findings.add("E014", node, `\`${shorten(node.text)}\` cannot name ${what}`, hint);
  return false;
}

/** The key and value of a mapping with exactly one key, as clauses and scored indicators are written. */
export function single(
  node: SourceNode,
  what: string,
  findings: Findings,
): { key: ScalarNode; value: SourceNode } | undefined {
  if (node.kind !== "map") {
    findings.add("E012", node, `${what} needs a name`, "write `- name: ...`");
    return undefined;
  }
  const [first, second] = node.entries;
  if (first === undefined || second !== undefined) {
    const at = second?.key ?? node;
    findings.add("E012", at, `${what} has exactly one name`, "begin each with its own `- `");
    return undefined;
  }
  return first;
}
