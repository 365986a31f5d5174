/** Clause trees: each leaf is one comparison, membership or yes-no question, with what evidence shows of it. */
import { compileShown, compileTest } from "./expression/compile.ts";
import type { Ast } from "./expression/parser.ts";
import { type Checked, CLASS_BITS, type Comparer, describeType, unitOf } from "./expression/types.ts";
import { isGeography, larger, raisesByProfile, type Weight, weightOf } from "./expression/weight.ts";
import type { Clause, Comparison, Leaf } from "./plan.ts";
import type { Place, RuleScope } from "./rule-scope.ts";
import type { ClauseSource } from "./schema-clauses.ts";
import type { ScalarNode } from "./source.ts";

/** A compiled tree and the least that must have been seen for it to hold. */
export interface WeighedClause {
  readonly clause: Clause;
  readonly weight: Weight;
  /** It can hold by geography, however often repeated, and nothing else. */
  readonly geography: boolean;
  /** Something in it asks for a non-profit organisation. */
  readonly npo: boolean;
}

/** Compiles a clause tree; undefined when nothing of it is sound. Names of leaves must differ. */
export function compileClause(source: ClauseSource, scope: RuleScope, place: Place): WeighedClause | undefined {
  return compileNode(source, scope, place, new Set(), true);
}

function compileNode(
  source: ClauseSource,
  scope: RuleScope,
  place: Place,
  names: Set<string>,
  positive: boolean,
): WeighedClause | undefined {
  if (source.kind === "leaf") return compileLeaf(source.name, source.expression, scope, place, names, positive);
  const children: WeighedClause[] = [];
  for (const child of source.children) {
    const compiled = compileNode(child, scope, place, names, source.kind === "not" ? !positive : positive);
    if (compiled !== undefined) children.push(compiled);
  }
  if (children.length === 0) return undefined;
  return {
    clause: { kind: source.kind, n: source.n, children: children.map((child) => child.clause) },
    weight: branchWeight(source.kind, source.n, children),
    geography: branchGeography(source.kind, children),
    npo: children.some((child) => child.npo),
  };
}

function branchWeight(kind: string, n: number, children: readonly WeighedClause[]): Weight {
  const sorted = children.map((child) => child.weight).sort((a, b) => a - b);
  if (kind === "any") return sorted[0] ?? 0;
  if (kind === "at_least") return sorted[Math.min(n, sorted.length) - 1] ?? 0;
  return sorted.reduce<Weight>(larger, 0);
}

function branchGeography(kind: string, children: readonly WeighedClause[]): boolean {
  const some = children.some((child) => child.geography);
  if (kind === "all") return some && children.every((child) => child.geography || child.weight === 0);
  return some;
}

function compileLeaf(
  name: ScalarNode,
  node: ScalarNode,
  scope: RuleScope,
  place: Place,
  names: Set<string>,
  positive: boolean,
): WeighedClause | undefined {
  const { findings } = scope.pack;
  if (names.has(name.text)) findings.add("E002", name, `two clauses are named \`${name.text}\``);
  names.add(name.text);
  const ast = scope.parse(node);
  if (ast === undefined) return undefined;
  const joined = findLogic(ast);
  if (joined !== undefined) {
    const hint = "write one line for each condition under `all:` or `any:`, or name a filter";
    findings.add("E023", node, `a clause is one condition: no \`${joined.operator}\` here`, hint, joined.operatorAt);
  }
  const tree = scope.checkAst(ast, node, place);
  if (tree.type.name === "error") return undefined;
  if (tree.type.name !== "bool") {
    findings.add(
      "E027",
      node,
      `a clause is a truth value, not ${describeType(tree.type)}`,
      "compare it with something",
    );
    return undefined;
  }
  if (!place.lowering && raisesByProfile(tree, positive)) {
    const hint = "ask what the customer is not, or lower the score under `scoring.reduce`";
    findings.add("E052", node, "a word of the customer profile may not count towards a hit", hint);
  }
  const leaf: Leaf = {
    kind: "leaf",
    name: name.text,
    text: node.text,
    test: compileTest(tree),
    comparison: compareOf(ast, tree, node.text),
    geography: isGeography(tree),
  };
  return {
    clause: leaf,
    weight: weightOf(tree),
    geography: leaf.geography,
    npo: (tree.classes & CLASS_BITS.npo) !== 0,
  };
}

function findLogic(ast: Ast): (Ast & { kind: "binary" }) | undefined {
  switch (ast.kind) {
    case "binary":
      if (ast.operator === "&&" || ast.operator === "||") return ast;
      return findLogic(ast.left) ?? findLogic(ast.right);
    case "unary":
      return findLogic(ast.operand);
    case "call":
      for (const arg of ast.args) {
        const found = findLogic(arg);
        if (found !== undefined) return found;
      }
      return undefined;
    default:
      return undefined;
  }
}

const INVERSE = { "==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<" } as const;
const MIRROR = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

/** The two sides of a leaf that compares, as evidence shows them: what was observed on the left. */
function compareOf(ast: Ast, tree: Checked, text: string): Comparison | undefined {
  if (ast.kind === "unary" && tree.kind === "not") {
    const inner = compareOf(ast.operand, tree.operand, text);
    return inner && inner.operator !== "in" ? { ...inner, operator: INVERSE[inner.operator] } : undefined;
  }
  // A leaf that names a filter has its tree from another text: nothing to show of it here.
  if (ast.kind !== "binary" || (tree.kind !== "compare" && tree.kind !== "in")) return undefined;
  const unit = unitOf(tree.left.type) ?? unitOf(tree.right.type);
  if (unit === undefined) return undefined;
  const written = (part: Ast): string => text.slice(part.start, part.end);
  const flipped = tree.left.kind === "constant" || tree.left.kind === "constant_text";
  const [left, right] = flipped ? [tree.right, tree.left] : [tree.left, tree.right];
  const [leftAst, rightAst] = flipped ? [ast.right, ast.left] : [ast.left, ast.right];
  const rightText = written(rightAst);
  const operator: Comparer | "in" = tree.kind === "in" ? "in" : flipped ? MIRROR[tree.operator] : tree.operator;
  return {
    left: written(leftAst),
    operator,
    right: rightText,
    observed: compileShown(left),
    needed: tree.kind === "in" ? () => rightText : compileShown(right),
    unit: unitOf(left.type) ?? unit,
    aggregates: left.aggregates,
  };
}
