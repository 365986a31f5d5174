/** What a rule may not say although it could be compiled: citations, cautions, words, proxies, missing tests. */
import type { RuleStatus } from "../domain/vocabulary.ts";
import { CITATIONS } from "./citations.ts";
import type { Findings } from "./diagnostics.ts";
import type { Weight } from "./expression/weight.ts";
import type { RuleScope } from "./rule-scope.ts";
import type { RuleSource } from "./schema.ts";
import { type ScalarNode, type SourceNode, shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";

/** `terrorist financing` names the crime, not a person. */
const JUDGING = /\b(traffickers?|terrorists?(?![\s-]+financing)|prostitutes?|victims?|illegal(?:ly)?)\b/i;

/** A rule in these states is judged. */
export function isInForce(status: RuleStatus): boolean {
  return status === "active" || status === "shadow";
}

/** Findings that need only the rule's own file. */
export function checkTexts(rule: RuleSource, findings: Findings): void {
  for (const { doc } of rule.sources) {
    if (CITATIONS.has(doc.text)) continue;
    const message = `\`${shorten(doc.text)}\` is not in the list of public documents`;
    findings.add("E042", doc, message, hintFor(doc.text, CITATIONS.keys()) ?? "cite a document that anyone can read");
  }
  const needed = rule.kind === "indicator" && isInForce(rule.status);
  if (rule.kind === "indicator" && rule.sources.length === 0) {
    findings.add("E043", rule.id, "a rule needs at least one source", "sources: [{ doc: FIN-2020-A008, point: ... }]");
  }
  if (needed && rule.cautions.length === 0) {
    findings.add("E043", rule.id, "a rule in force needs cautions", "cautions: [innocent cases that look the same]");
  }
  for (const text of [rule.title, rule.explain, ...rule.cautions]) if (text !== undefined) checkWords(text, findings);
  checkScope(rule, findings);
  checkTests(rule, findings);
}

/** A typology is judged on hits, which have no rail: its scope bounds what its own aggregates count, or nothing. */
function checkScope(rule: RuleSource, findings: Findings): void {
  const key = rule.root.byKey.get("scope")?.key;
  if (rule.kind !== "typology" || key === undefined) return;
  const counts = [...rule.aggregates.values()].some((one) => one.kind === "measured" && one.scope === undefined);
  if (counts) return;
  const message = "`scope` bounds nothing here: no aggregate of this typology counts movements by it";
  findings.add("E010", key, message, "hits are judged by the scope of their own rule; take it out");
}

function checkWords(node: ScalarNode, findings: Findings): void {
  const found = JUDGING.exec(node.text);
  if (found === null) return;
  const hint = "name the pattern and the role (payer, recipient, person at risk), not a verdict";
  findings.add("E044", node, `\`${found[0]}\` judges people; this text reaches an alert`, hint, found.index);
}

const TEST_KINDS = ["fires", "near_miss", "look_alike"] as const;

function checkTests(rule: RuleSource, findings: Findings): void {
  const node = rule.root.byKey.get("tests")?.value;
  if (node !== undefined && node.kind !== "seq") {
    findings.add("E012", node, "`tests` must be a list");
    return;
  }
  for (const item of node?.items ?? []) {
    if (item.kind !== "map") {
      findings.add("E012", item, "a test must be a mapping");
      continue;
    }
    checkTestKind(item.byKey.get("kind")?.value, item, findings);
  }
  if (!isInForce(rule.status)) return;
  const missing = missingTestKinds(rule);
  if (missing.length > 0) findings.add("W101", rule.id, `no inline test of kind ${missing.join(", ")}`);
}

/** The kinds of inline tests that a rule has none of. */
export function missingTestKinds(rule: RuleSource): string[] {
  const node = rule.root.byKey.get("tests")?.value;
  const kinds = new Set<string>();
  for (const item of node?.kind === "seq" ? node.items : []) {
    const kind = item.kind === "map" ? item.byKey.get("kind")?.value : undefined;
    if (kind?.kind === "scalar") kinds.add(kind.text);
  }
  return TEST_KINDS.filter((kind) => !kinds.has(kind));
}

function checkTestKind(kind: SourceNode | undefined, item: SourceNode, findings: Findings): void {
  if (kind === undefined) {
    findings.add("E011", item, "a test needs `kind`", `one of ${TEST_KINDS.join(", ")}`);
    return;
  }
  const text = kind.kind === "scalar" ? kind.text : "";
  if (!(TEST_KINDS as readonly string[]).includes(text))
    findings.add("E013", kind, `a test cannot be of kind \`${shorten(text)}\``, hintFor(text, TEST_KINDS));
}

/** Refuses an indicator that can hold by what is never enough alone. */
export function checkWeight(rule: RuleSource, weight: Weight, npo: boolean, findings: Findings): void {
  if (weight !== 1) return;
  const at = rule.when?.kind === "leaf" ? rule.when.expression : (rule.when?.node ?? rule.flow?.node ?? rule.id);
  if (npo) {
    const hint = "add a clause about what the money does";
    findings.add("E046", at, "this can hold by being a non-profit organisation alone", hint);
    return;
  }
  const hint = "add a clause about amount, counterparties or repetition (a count of at least 2)";
  findings.add("E045", at, "this can hold by geography alone", hint);
}

/** Warns of definitions that no expression names. */
export function checkUnused(rule: RuleSource, scope: RuleScope): void {
  const { findings } = scope.pack;
  const groups: [string, ReadonlyMap<string, { readonly name: ScalarNode }>][] = [
    ["param", rule.params],
    ["filter", rule.filters],
    ["aggregate", rule.aggregates],
    ["base", rule.base],
    ["peer", rule.peer],
    ["hits", rule.hits],
  ];
  for (const [kind, names] of groups) {
    for (const [name, { name: node }] of names) {
      if (!scope.used.has(`${kind} ${name}`)) findings.add("W102", node, `nothing uses \`${name}\``);
    }
  }
}
