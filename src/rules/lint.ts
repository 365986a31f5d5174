/**
 * What is sound and yet no good: clauses that can never hold or always do, also at an end of a
 * parameter's range, clauses that contradict or imply each other, definitions that stand twice, severities
 * that no score reaches. Bounds come from interval arithmetic; what they do not decide is not told.
 */
import type { Findings } from "./diagnostics.ts";
import { boundsOf, type Comparing, decided, type Interval, isComparing } from "./expression/intervals.ts";
import type { Ast } from "./expression/parser.ts";
import { expressionOf, type ParamBounds, type ParamValues, paramBounds, ruleBounds } from "./lint-bounds.ts";
import { type Constraint, checkTogether, type Leaf } from "./lint-together.ts";
import type { RuleSource } from "./schema.ts";
import type { ClauseSource } from "./schema-clauses.ts";
import { nodeText } from "./semantic-hash.ts";
import type { ScalarNode, SourceNode } from "./source.ts";

/** Looks at every rule; the rules themselves need not be sound. */
export function lintRules(rules: readonly RuleSource[], findings: Findings): void {
  for (const rule of rules) {
    const lint = { rule, params: paramBounds(rule), findings };
    for (const tree of treesOf(rule)) lintTree(lint, tree);
    for (const filter of rule.filters.values()) lintConjunction(lint, leavesOfFilter(filter.name, filter.expression));
    lintTwice(rule, findings);
    lintBands(lint);
  }
}

interface Lint {
  readonly rule: RuleSource;
  readonly params: ReadonlyMap<string, ParamBounds>;
  readonly findings: Findings;
}

function treesOf(rule: RuleSource): ClauseSource[] {
  const steps = rule.flow?.steps.map((step) => step.until) ?? [];
  return [rule.when, rule.typology?.alertWhen, ...steps].filter((tree) => tree !== undefined);
}

/** Leaves that must hold together are looked at together; those below `any`, `not` and `at_least` one by one. */
function lintTree(lint: Lint, tree: ClauseSource): void {
  const together: Leaf[] = [];
  const gather = (node: ClauseSource): void => {
    if (node.kind === "leaf") {
      const ast = expressionOf(node.expression.text);
      if (ast !== undefined) together.push({ name: node.name, node: node.expression, ast });
    } else if (node.kind === "all") for (const child of node.children) gather(child);
    else for (const child of node.children) lintTree(lint, child);
  };
  gather(tree);
  lintConjunction(lint, together);
}

/** The conditions that a filter joins with `&&`. */
function leavesOfFilter(name: ScalarNode, node: ScalarNode): Leaf[] {
  const ast = expressionOf(node.text);
  const flat = (part: Ast): Ast[] =>
    part.kind === "binary" && part.operator === "&&" ? [...flat(part.left), ...flat(part.right)] : [part];
  return ast === undefined ? [] : flat(ast).map((part) => ({ name, node, ast: part }));
}

function lintConjunction(lint: Lint, leaves: readonly Leaf[]): void {
  const values = new Map([...lint.params].map(([name, { value }]) => [name, value]));
  const open: Constraint[] = [];
  for (const leaf of leaves) {
    const { ast } = leaf;
    if (ast.kind !== "binary" || !isComparing(ast.operator)) continue;
    const outcome = outcomeOf(lint, ast, ast.operator, values);
    if (outcome === "never") {
      lint.findings.add("E051", leaf.node, `this can never hold: ${sidesOf(lint, leaf, values)}`, undefined, ast.start);
    } else if (outcome === "always") {
      lint.findings.add("W107", leaf.node, `this always holds: ${sidesOf(lint, leaf, values)}`, undefined, ast.start);
    } else {
      lintRange(lint, leaf, ast, ast.operator, values);
      const constraint = constraintOf(lint, leaf, ast, ast.operator, values);
      if (constraint !== undefined) open.push(constraint);
    }
  }
  checkTogether(open, leaves, lint.rule, lint.findings);
}

type Comparison = Ast & { kind: "binary" };

function outcomeOf(lint: Lint, ast: Comparison, operator: Comparing, values: ParamValues) {
  const leaf = ruleBounds(lint.rule, values);
  const left = boundsOf(ast.left, leaf);
  const right = boundsOf(ast.right, leaf);
  return left && right && decided(operator, left, right);
}

function sidesOf(lint: Lint, leaf: Leaf, values: ParamValues): string {
  const { ast, node } = leaf;
  if (ast.kind !== "binary") return "";
  const bounds = ruleBounds(lint.rule, values);
  const told = (part: Ast): string => {
    const { least, most } = boundsOf(part, bounds) ?? { least: 0, most: 0 };
    const text = `\`${node.text.slice(part.start, part.end)}\``;
    if (least === most) return `${text} is ${least}`;
    if (most === Number.POSITIVE_INFINITY) return `${text} is at least ${least}`;
    return `${text} is between ${least} and ${most}`;
  };
  const sides = [ast.left, ast.right].filter((part) => part.kind !== "quantity");
  return sides.map(told).join(", ");
}

/** A rule that is dead at an end of a parameter's range; that a clause is off there may be what its author wants. */
function lintRange(lint: Lint, leaf: Leaf, ast: Comparison, operator: Comparing, values: ParamValues): void {
  for (const [name, { range }] of lint.params) {
    for (const end of [range.least, range.most]) {
      const outcome = outcomeOf(lint, ast, operator, new Map([...values, [name, { least: end, most: end }]]));
      if (outcome !== "never") continue;
      const source = lint.rule.params.get(name);
      const text = end === range.least ? source?.least?.text : source?.most?.text;
      const at = end === range.least ? source?.least : source?.most;
      lint.findings.add(
        "W108",
        at ?? leaf.node,
        `with \`${name}\` at ${text} the clause \`${leaf.name.text}\` never holds`,
      );
    }
  }
}

/** A comparison of one term with a constant, as a bound of that term. */
function constraintOf(
  lint: Lint,
  leaf: Leaf,
  ast: Comparison,
  operator: Comparing,
  values: ParamValues,
): Constraint | undefined {
  const text = (part: Ast): string => leaf.node.text.slice(part.start, part.end).replace(/\s+/g, "");
  const constant = (part: Ast, at: ParamValues): Interval | undefined =>
    boundsOf(part, (name) => {
      const [root, param] = name.kind === "path" ? name.segments.map((segment) => segment.name) : [];
      return root === "params" && param !== undefined ? at.get(param) : undefined;
    });
  const ranges = new Map([...lint.params].map(([name, { range }]) => [name, range]));
  const right = constant(ast.right, values);
  if (right !== undefined) {
    return { leaf, term: text(ast.left), operator, value: right, range: constant(ast.right, ranges) ?? right };
  }
  const left = constant(ast.left, values);
  if (left === undefined) return undefined;
  const turned = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" } as const;
  const range = constant(ast.left, ranges) ?? left;
  return { leaf, term: text(ast.right), operator: turned[operator], value: left, range };
}

/** Definitions that say the same under two names. */
function lintTwice(rule: RuleSource, findings: Findings): void {
  for (const [key, what] of [
    ["aggregates", "aggregates"],
    ["filters", "filters"],
    ["hits", "hit inputs"],
  ] as const) {
    const map = rule.root.byKey.get(key)?.value;
    const known = new Map<string, string>();
    for (const entry of map?.kind === "map" ? map.entries : []) {
      const text = definitionText(entry.value);
      const other = known.get(text);
      if (other === undefined) known.set(text, entry.key.text);
      else findings.add("W109", entry.key, `the ${what} \`${other}\` and \`${entry.key.text}\` are the same`);
    }
  }
}

function definitionText(node: SourceNode): string {
  return node.kind === "scalar" ? node.text.replace(/\s+/g, "") : nodeText(node);
}

/** Severities above what all indicators together can score. */
function lintBands({ rule, findings }: Lint): void {
  const { typology } = rule;
  if (typology === undefined || typology.indicators.length === 0) return;
  const byFamily = new Map<string, number>();
  for (const { family, points } of typology.indicators) {
    const value = Number(points?.text);
    if (!Number.isFinite(value) || family === undefined) return;
    const sum = (byFamily.get(family.text) ?? 0) + value;
    byFamily.set(family.text, Math.min(sum, typology.familyCap ?? Number.POSITIVE_INFINITY));
  }
  const most = [...byFamily.values()].reduce((sum, points) => sum + points, 0);
  const severity = rule.root.byKey.get("severity")?.value;
  for (const band of typology.bands) {
    if (band.score <= most) continue;
    const at = severity?.kind === "map" ? severity.byKey.get(band.severity)?.value : undefined;
    const hint = "lower it, or leave the severity out";
    findings.add("W110", at ?? rule.id, `no alert can be ${band.severity}: all indicators together give ${most}`, hint);
  }
}
