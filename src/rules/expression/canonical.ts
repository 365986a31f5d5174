/**
 * One text for all ways of writing the same expression: parameters by their value, operands that may be
 * swapped in order. Equal texts mean equal meaning, so measures are merged and hashed by it.
 */
import type { Checked, Constant } from "./types.ts";

/** Canonical text of a checked tree. */
export function canonical(tree: Checked): string {
  switch (tree.kind) {
    case "constant":
      return reduced(tree.value.numerator, tree.value.denominator);
    case "by_segment": {
      const values = [...tree.values].map(([segment, value]) => `${segment}:${fraction(value)}`);
      return `by_segment(${[...values.sort(), fraction(tree.otherwise)].join(",")})`;
    }
    case "constant_text":
      return JSON.stringify(tree.value);
    case "constant_truth":
      return String(tree.value);
    case "texts":
    case "set":
    case "number":
    case "read_text":
    case "truth":
      return tree.canonical;
    case "list":
      return `list:${tree.id}`;
    case "side":
      return tree.side;
    case "not":
      return tree.operand.kind === "not" ? canonical(tree.operand.operand) : `!(${canonical(tree.operand)})`;
    case "negate":
      return `-(${canonical(tree.operand)})`;
    case "logic": {
      const operands = flatten(tree, tree.operator).map(canonical).sort();
      return `(${[...new Set(operands)].join(` ${tree.operator} `)})`;
    }
    case "compare":
      return comparison(tree);
    case "in": {
      const remote = tree.remoteCounts === true ? ", remote counts" : "";
      return `(${canonical(tree.left)} in ${canonical(tree.right)}${remote})`;
    }
    case "arithmetic":
      return arithmetic(tree);
    case "error":
      return "?";
  }
}

/** Canonical text of a set of texts. */
export function canonicalTexts(values: readonly string[]): string {
  return JSON.stringify([...new Set(values)].sort());
}

function comparison(tree: Checked & { kind: "compare" }): string {
  const left = canonical(tree.left);
  const right = canonical(tree.right);
  switch (tree.operator) {
    case "==":
      return left < right ? `(${left} == ${right})` : `(${right} == ${left})`;
    case "!=":
      return left < right ? `!((${left} == ${right}))` : `!((${right} == ${left}))`;
    case ">":
      return `(${right} < ${left})`;
    case ">=":
      return `(${right} <= ${left})`;
    default:
      return `(${left} ${tree.operator} ${right})`;
  }
}

function arithmetic(tree: Checked & { kind: "arithmetic" }): string {
  const parts = [canonical(tree.left), canonical(tree.right)];
  if (tree.operator === "+" || tree.operator === "*") parts.sort();
  return `(${parts.join(` ${tree.operator} `)})`;
}

function flatten(tree: Checked, operator: "&&" | "||"): Checked[] {
  if (tree.kind !== "logic" || tree.operator !== operator) return [tree];
  return [...flatten(tree.left, operator), ...flatten(tree.right, operator)];
}

function fraction(value: Constant): string {
  return reduced(value.numerator, value.denominator);
}

function reduced(numerator: bigint, denominator: bigint): string {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? "0" : `${numerator / a}/${denominator / a}`;
}
