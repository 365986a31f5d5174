/**
 * How large a rule is before it runs: the nodes of all its expressions and clause trees, each counted where it is
 * written. Expressions are bounded one by one, clauses over the whole rule; this is the sum of both.
 */
import { type Ast, parse } from "./expression/parser.ts";
import type { RuleSource } from "./schema.ts";
import type { AggregateSource } from "./schema-aggregates.ts";
import type { ClauseSource } from "./schema-clauses.ts";
import type { ScalarNode } from "./source.ts";

/** Nodes of a rule's syntax trees; what cannot be parsed counts as nothing. */
export function astSize(rule: RuleSource): number {
  const { flow, typology } = rule;
  const trees = [rule.when, typology?.alertWhen, ...(flow?.steps ?? []).map((step) => step.until)];
  const expressions: (ScalarNode | undefined)[] = [
    ...[...rule.filters.values(), ...rule.emit.values()].map(({ expression }) => expression),
    ...[...rule.aggregates.values()].flatMap(expressionsOf),
    ...[...rule.base.values(), ...rule.peer.values()].map(({ of }) => of),
    ...(flow?.steps ?? []).flatMap((step) => [step.where, ...[...step.keep.values()].flatMap(expressionsOf)]),
    flow?.cancelOn?.where,
    ...[...(typology?.indicators ?? []), ...(typology?.reductions ?? [])].map(({ when }) => when),
  ];
  const written = expressions.reduce((sum, node) => sum + nodesOf(node), 0);
  return trees.reduce((sum, tree) => sum + treeSize(tree), written);
}

function expressionsOf(aggregate: AggregateSource): (ScalarNode | undefined)[] {
  switch (aggregate.kind) {
    case "measured":
      return [aggregate.of, aggregate.where, aggregate.by];
    case "past":
      return [aggregate.of, aggregate.matching];
    case "completed":
      return [aggregate.of];
    case "quotient":
      return [aggregate.of, aggregate.over];
  }
}

/** A branch is a node, a leaf is as large as its expression. */
function treeSize(tree: ClauseSource | undefined): number {
  if (tree === undefined) return 0;
  if (tree.kind === "leaf") return nodesOf(tree.expression);
  return 1 + tree.children.reduce((sum, child) => sum + treeSize(child), 0);
}

function nodesOf(node: ScalarNode | undefined): number {
  const parsed = node && parse(node.text);
  return parsed?.ok === true ? count(parsed.ast) : 0;
}

/** Depth is bounded by the parser. */
function count(ast: Ast): number {
  switch (ast.kind) {
    case "binary":
      return 1 + count(ast.left) + count(ast.right);
    case "unary":
      return 1 + count(ast.operand);
    case "call":
      return 1 + ast.args.reduce((sum, arg) => sum + count(arg), 0);
    case "list":
      return 1 + ast.items.reduce((sum, item) => sum + count(item), 0);
    default:
      return 1;
  }
}
