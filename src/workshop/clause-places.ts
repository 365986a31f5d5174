/**
 * Where the parts of a rule stand in its file, by the names that a compiled rule has for them: clauses, scored
 * indicators, reductions, filters of aggregates and steps.
 */
import type { RuleSource } from "../rules/schema.ts";
import type { AggregateSource } from "../rules/schema-aggregates.ts";
import type { ClauseSource } from "../rules/schema-clauses.ts";
import { lineAndColumn, type ScalarNode } from "../rules/source.ts";

/** A part of a rule: its text and its line. */
export interface RulePart {
  readonly text: string;
  readonly line: number;
}

/** Parts of one rule by kind and name, such as `filter agg.people` or `clause when.people`. */
export type RuleParts = ReadonlyMap<string, RulePart>;

/** Collects the parts of a rule. */
export function partsOf(rule: RuleSource): RuleParts {
  const parts = new Map<string, RulePart>();
  const add = (key: string, node: ScalarNode | undefined): void => {
    if (node !== undefined) parts.set(key, { text: node.text, line: lineOf(node) });
  };
  for (const [name, aggregate] of rule.aggregates) add(`filter agg.${name}`, whereOf(rule, aggregate));
  for (const step of rule.flow?.steps ?? []) {
    add(`filter ${step.name.text}`, filterOf(rule, step.where));
    for (const [name, kept] of step.keep) {
      add(`filter ${step.name.text}.${name}`, whereOf(rule, kept) ?? filterOf(rule, step.where));
    }
    leaves(step.until, step.name.text, add);
  }
  add("cancel cancel_on", filterOf(rule, rule.flow?.cancelOn?.where));
  leaves(rule.when, "when", add);
  leaves(rule.typology?.alertWhen, "alert_when", add);
  for (const scored of rule.typology?.indicators ?? []) add(`indicator ${scored.name.text}`, scored.when);
  for (const scored of rule.typology?.reductions ?? []) add(`reduction ${scored.name.text}`, scored.when);
  return parts;
}

/** Line (1-based) of a node in its file. */
export function lineOf(node: ScalarNode): number {
  return lineAndColumn(node.source, node.start).line;
}

function whereOf(rule: RuleSource, aggregate: AggregateSource): ScalarNode | undefined {
  return aggregate.kind === "measured" ? filterOf(rule, aggregate.where) : undefined;
}

/** A filter that is named stands where it is defined. */
function filterOf(rule: RuleSource, where: ScalarNode | undefined): ScalarNode | undefined {
  return where && (rule.filters.get(where.text.trim())?.expression ?? where);
}

function leaves(clause: ClauseSource | undefined, tree: string, add: (key: string, node: ScalarNode) => void): void {
  if (clause === undefined) return;
  if (clause.kind === "leaf") add(`clause ${tree}.${clause.name.text}`, clause.expression);
  else for (const child of clause.children) leaves(child, tree, add);
}
