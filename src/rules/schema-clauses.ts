/** Clause trees and flows as they stand in a rule file. */
import type { Findings } from "./diagnostics.ts";
import { type AggregateSource, readAggregates } from "./schema-aggregates.ts";
import { RESERVED, readScope, type ScopeSource } from "./schema-parts.ts";
import {
  asItems,
  asMap,
  asScalar,
  checkKeys,
  checkName,
  integerAt,
  type Keys,
  scalarAt,
  single,
  wordAt,
} from "./shape.ts";
import type { MapNode, ScalarNode, SourceNode } from "./source.ts";

export type ClauseSource =
  | { readonly kind: "leaf"; readonly name: ScalarNode; readonly expression: ScalarNode }
  | {
      readonly kind: "all" | "any" | "not" | "at_least";
      readonly n: number;
      readonly children: readonly ClauseSource[];
      readonly node: SourceNode;
    };

export interface StepSource {
  readonly name: ScalarNode;
  readonly scope: ScopeSource | undefined;
  readonly where: ScalarNode | undefined;
  readonly keep: ReadonlyMap<string, AggregateSource>;
  readonly until: ClauseSource | undefined;
  readonly startsWithin: ScalarNode | undefined;
}

export interface FlowSource {
  readonly node: SourceNode;
  readonly within: ScalarNode | undefined;
  readonly steps: readonly StepSource[];
  readonly cancelOn: { readonly scope: ScopeSource | undefined; readonly where: ScalarNode | undefined } | undefined;
  /** A movement that was ordered from afar is at none of the places of any step, instead of at an unknown one. */
  readonly remoteCounts: boolean;
}

/** Bounds of one rule: the largest of the catalogue stays below a fifth of each. */
const CLAUSES_MAX = 120;
const CLAUSE_DEPTH_MAX = 8;
const STEPS_MAX = 6;

/** Reads a clause tree; the number of clauses is capped over the whole tree. */
export function readClause(node: SourceNode, findings: Findings): ClauseSource | undefined {
  const budget = { left: CLAUSES_MAX, told: false };
  return readClauseNode(node, budget, 0, findings);
}

interface Budget {
  left: number;
  told: boolean;
}

function readClauseNode(node: SourceNode, budget: Budget, depth: number, findings: Findings): ClauseSource | undefined {
  budget.left -= 1;
  if (budget.left < 0 || depth > CLAUSE_DEPTH_MAX) {
    const what = depth > CLAUSE_DEPTH_MAX ? `nest at most ${CLAUSE_DEPTH_MAX} levels` : `are at most ${CLAUSES_MAX}`;
    if (!budget.told) findings.add("E015", node, `the clauses of a rule ${what}`);
    budget.told = true;
    return undefined;
  }
  const entry = single(node, "a clause", findings);
  if (entry === undefined) return undefined;
  const { key, value } = entry;
  switch (key.text) {
    case "all":
    case "any":
      return branch(key.text, 0, node, readChildren(value, key.text, budget, depth, findings));
    case "not":
      return readNot(node, value, budget, depth, findings);
    case "at_least":
      return readAtLeast(node, value, budget, depth, findings);
    default:
      break;
  }
  if (!checkName(key, "a clause", findings)) return undefined;
  // A branch may carry a name for its reader: `- away: { any: [...] }`.
  if (value.kind === "map") return readNamedBranch(key, value, budget, depth, findings);
  const expression = asScalar(value, `the clause \`${key.text}\``, findings);
  return expression && { kind: "leaf", name: key, expression };
}

function readNamedBranch(
  name: ScalarNode,
  value: MapNode,
  budget: Budget,
  depth: number,
  findings: Findings,
): ClauseSource | undefined {
  const inner = value.entries[0]?.key.text ?? "";
  if (value.entries.length === 1 && BRANCHES.has(inner)) return readClauseNode(value, budget, depth + 1, findings);
  const hint = "`- name: expression`, or `- name: { any: [...] }`";
  findings.add("E012", value, `the clause \`${name.text}\` must be an expression or a branch`, hint);
  return undefined;
}

const BRANCHES: ReadonlySet<string> = new Set(["all", "any", "not", "at_least"]);

type BranchKind = "all" | "any" | "not" | "at_least";

function branch(kind: BranchKind, n: number, node: SourceNode, children: readonly ClauseSource[]): ClauseSource {
  return { kind, n, node, children };
}

function readChildren(
  value: SourceNode,
  what: string,
  budget: Budget,
  depth: number,
  findings: Findings,
): ClauseSource[] {
  if (value.kind === "seq" && value.items.length > CLAUSES_MAX) {
    findings.add("E015", value, `the clauses of a rule are at most ${CLAUSES_MAX}`);
    return [];
  }
  const out: ClauseSource[] = [];
  for (const item of asItems(value, `\`${what}\``, findings, false)) {
    const child = readClauseNode(item, budget, depth + 1, findings);
    if (child !== undefined) out.push(child);
  }
  if (value.kind === "seq" && value.items.length === 0) findings.add("E012", value, `\`${what}\` needs a clause`);
  return out;
}

function readNot(
  node: SourceNode,
  value: SourceNode,
  budget: Budget,
  depth: number,
  findings: Findings,
): ClauseSource | undefined {
  const items = value.kind === "seq" ? value.items : [value];
  const [first, second] = items;
  if (first === undefined || second !== undefined) {
    findings.add("E012", value, "`not` takes one clause", "put several under `not: { any: [...] }`");
    return undefined;
  }
  const child = readClauseNode(first, budget, depth + 1, findings);
  return child && branch("not", 0, node, [child]);
}

function readAtLeast(
  node: SourceNode,
  value: SourceNode,
  budget: Budget,
  depth: number,
  findings: Findings,
): ClauseSource | undefined {
  const map = asMap(value, "`at_least`", findings);
  if (map === undefined) return undefined;
  checkKeys(map, { n: "required", of: "required" }, "`at_least`", findings);
  const of = map.byKey.get("of")?.value;
  const children = of === undefined ? [] : readChildren(of, "of", budget, depth, findings);
  const n = integerAt(map, "n", 1, Math.max(1, of?.kind === "seq" ? of.items.length : CLAUSES_MAX), findings);
  return n === undefined ? undefined : branch("at_least", n, node, children);
}

export const STEP_KEYS: Keys = {
  scope: "optional",
  where: "optional",
  keep: "optional",
  until: "required",
  starts_within: "optional",
};

export const FLOW_KEYS: Keys = { within: "required", steps: "required", cancel_on: "optional", remote: "optional" };
export const REMOTE_WORDS = ["counts"] as const;

/** Reads `flow`. */
export function readFlow(node: SourceNode, findings: Findings): FlowSource | undefined {
  const map = asMap(node, "`flow`", findings);
  if (map === undefined) return undefined;
  checkKeys(map, FLOW_KEYS, "`flow`", findings);
  const list = map.byKey.get("steps")?.value;
  const steps: StepSource[] = [];
  for (const item of list === undefined ? [] : asItems(list, "`steps`", findings, false)) {
    const step = readStep(item, steps, findings);
    if (step !== undefined) steps.push(step);
  }
  if (list?.kind === "seq" && (list.items.length < 2 || list.items.length > STEPS_MAX)) {
    findings.add("E012", list, `a flow has 2 to ${STEPS_MAX} steps`);
  }
  const cancel = map.byKey.get("cancel_on")?.value;
  const cancelMap = cancel && asMap(cancel, "`cancel_on`", findings);
  if (cancelMap !== undefined) checkKeys(cancelMap, { scope: "optional", where: "optional" }, "`cancel_on`", findings);
  return {
    node,
    within: scalarAt(map, "within", findings),
    steps,
    cancelOn: cancelMap && {
      scope: readScope(cancelMap.byKey.get("scope")?.value, findings),
      where: scalarAt(cancelMap, "where", findings),
    },
    remoteCounts: wordAt(map, "remote", REMOTE_WORDS, findings) !== undefined,
  };
}

function readStep(item: SourceNode, before: readonly StepSource[], findings: Findings): StepSource | undefined {
  const entry = single(item, "a step", findings);
  if (entry === undefined || !checkName(entry.key, "a step", findings)) return undefined;
  if (RESERVED.has(entry.key.text)) {
    findings.add("E014", entry.key, `\`${entry.key.text}\` means something else in an expression`);
    return undefined;
  }
  if (before.some((step) => step.name.text === entry.key.text)) {
    findings.add("E002", entry.key, `two steps are named \`${entry.key.text}\``);
    return undefined;
  }
  const map = asMap(entry.value, `the step \`${entry.key.text}\``, findings);
  if (map === undefined) return undefined;
  checkKeys(map, STEP_KEYS, `the step \`${entry.key.text}\``, findings);
  const until = map.byKey.get("until")?.value;
  const startsWithin = scalarAt(map, "starts_within", findings);
  if (startsWithin !== undefined && before.length === 0) {
    findings.add("E010", startsWithin, "the first step follows none; `starts_within` has no meaning here");
  }
  return {
    name: entry.key,
    scope: readScope(map.byKey.get("scope")?.value, findings),
    where: scalarAt(map, "where", findings),
    keep: readAggregates(map.byKey.get("keep")?.value, "keep", findings),
    until: until && readClause(until, findings),
    startsWithin,
  };
}
