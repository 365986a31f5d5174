/** Interval arithmetic over expressions: between which bounds a value lies, and what that decides of a comparison. */
import { compareQuantities, type Quantity, toNumber } from "../literals.ts";
import type { Ast, BinaryOperator } from "./parser.ts";

/** Least and greatest value, both included; infinite where nothing is known. */
export interface Interval {
  readonly least: number;
  readonly most: number;
}

export const ANY: Interval = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
export const NOT_NEGATIVE: Interval = { least: 0, most: Number.POSITIVE_INFINITY };

/** Bounds of names and calls; undefined: not a number, or nothing is known of it. */
export type BoundsOf = (ast: Ast & { kind: "path" | "call" }) => Interval | undefined;

/** Bounds of an expression; undefined for what is no number or contains something unknown. */
export function boundsOf(ast: Ast, leaf: BoundsOf): Interval | undefined {
  switch (ast.kind) {
    case "quantity":
      return point(toNumber(ast.quantity));
    case "path":
    case "call":
      return leaf(ast);
    case "unary": {
      const operand = ast.operator === "-" ? boundsOf(ast.operand, leaf) : undefined;
      return operand && { least: 0 - operand.most, most: 0 - operand.least };
    }
    case "binary": {
      const left = boundsOf(ast.left, leaf);
      const right = boundsOf(ast.right, leaf);
      return left && right && combine(ast.operator, left, right);
    }
    default:
      return undefined;
  }
}

/** The interval of one value. */
export function point(value: number): Interval {
  return { least: value, most: value };
}

function combine(operator: BinaryOperator, a: Interval, b: Interval): Interval | undefined {
  switch (operator) {
    case "+":
      return { least: a.least + b.least, most: a.most + b.most };
    case "-":
      return { least: a.least - b.most, most: a.most - b.least };
    case "*":
      return corners(a, b, (x, y) => (x === 0 || y === 0 ? 0 : x * y));
    case "/":
      if (b.least <= 0 && b.most >= 0) return ANY;
      return corners(a, b, (x, y) => (Number.isFinite(y) ? x / y : 0));
    default:
      return undefined;
  }
}

function corners(a: Interval, b: Interval, of: (x: number, y: number) => number): Interval {
  const values = [of(a.least, b.least), of(a.least, b.most), of(a.most, b.least), of(a.most, b.most)];
  return { least: Math.min(...values), most: Math.max(...values) };
}

export type Comparing = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** Whether an operator compares. */
export function isComparing(operator: BinaryOperator): operator is Comparing {
  return ["<", "<=", ">", ">=", "==", "!="].includes(operator);
}

/** What bounds decide about `a operator b`: it always holds, it never does, or neither (undefined). */
export function decided(operator: Comparing, a: Interval, b: Interval): "always" | "never" | undefined {
  switch (operator) {
    case ">=":
      return apart(b, a, false) ? "always" : apart(a, b, true) ? "never" : undefined;
    case ">":
      return apart(b, a, true) ? "always" : apart(a, b, false) ? "never" : undefined;
    case "<=":
      return decided(">=", b, a);
    case "<":
      return decided(">", b, a);
    case "==":
      return apart(a, b, true) || apart(b, a, true) ? "never" : isPoint(a) && isPoint(b) ? "always" : undefined;
    case "!=":
      return apart(a, b, true) || apart(b, a, true) ? "always" : isPoint(a) && isPoint(b) ? "never" : undefined;
  }
}

/** Whether all of `a` is below all of `b`, or at most equal where `strictly` is not asked for. */
function apart(a: Interval, b: Interval, strictly: boolean): boolean {
  const gap = b.least - a.most;
  // Sums and products of doubles are off by less than this: what is that near is not called decided.
  const near = 1e-9 * Math.max(1, Math.abs(a.most), Math.abs(b.least));
  if (Number.isNaN(gap)) return false;
  return strictly ? gap > (Number.isFinite(near) ? near : 0) : gap >= 0;
}

function isPoint(a: Interval): boolean {
  return a.least === a.most;
}

/** Values between two literals of one unit; undefined when they are of different units or the wrong way round. */
export function between(a: Quantity, b: Quantity): Interval | undefined {
  if (a.unit !== b.unit || compareQuantities(a, b) > 0) return undefined;
  return { least: toNumber(a), most: toNumber(b) };
}
