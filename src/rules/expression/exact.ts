/**
 * Comparisons that no rounding can turn: values that doubles cannot tell apart are compared as fractions of
 * big integers. Only values within a hair of each other take that way.
 */
import type { Read } from "../plan.ts";
import type { Checked, Comparer, Constant } from "./types.ts";

/** Relative distance below which doubles are not trusted; far above what a few operations lose. */
const CLOSE = 1e-12;

/** A comparison of two closures' values, decided exactly by the trees that they were made from. */
export function compareValues(
  operator: Comparer,
  left: number,
  right: number,
  exactly: () => number | undefined,
): boolean | undefined {
  const gap = Math.abs(left - right);
  if (gap > CLOSE * Math.max(Math.abs(left), Math.abs(right))) return holds(operator, left - right);
  const sign = exactly();
  return sign === undefined ? undefined : holds(operator, sign);
}

/** Whether `a operator b` holds when a - b has this sign. */
export function holds(operator: Comparer, sign: number): boolean {
  switch (operator) {
    case "==":
      return sign === 0;
    case "!=":
      return sign !== 0;
    case "<":
      return sign < 0;
    case "<=":
      return sign <= 0;
    case ">":
      return sign > 0;
    case ">=":
      return sign >= 0;
  }
}

/** Sign of a - b for two exact fractions with positive denominators. */
export function compareConstants(a: Constant, b: Constant): number {
  const left = a.numerator * b.denominator;
  const right = b.numerator * a.denominator;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Exact value of `a operator b`; undefined for a division by zero. */
export function combine(operator: "+" | "-" | "*" | "/", a: Constant, b: Constant): Constant | undefined {
  switch (operator) {
    case "+":
      return positive(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
    case "-":
      return positive(a.numerator * b.denominator - b.numerator * a.denominator, a.denominator * b.denominator);
    case "*":
      return positive(a.numerator * b.numerator, a.denominator * b.denominator);
    case "/":
      if (b.numerator === 0n) return undefined;
      return positive(a.numerator * b.denominator, a.denominator * b.numerator);
  }
}

/** Exact value of a double; undefined for what is not finite. */
export function fromNumber(value: number): Constant | undefined {
  if (!Number.isFinite(value)) return undefined;
  let scaled = value;
  let denominator = 1n;
  // A double is an integer over a power of two; multiplying by two is exact.
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(scaled), denominator };
}

/** The value of a parameter for the customer at hand; the general one where no segment is known. */
export function bySegment(tree: Checked & { kind: "by_segment" }): Read<Constant> {
  return (c) => tree.values.get(c.profile?.segment ?? "") ?? tree.otherwise;
}

/** Reads a leaf of a tree in the context at hand. */
export type LeafReader = <T>(leaf: Read<T>) => T | undefined;

/** Exact value of a numeric tree, given how its leaves are read. */
export function exactValue(tree: Checked, read: LeafReader): Constant | undefined {
  switch (tree.kind) {
    case "constant":
      return tree.value;
    case "by_segment":
      return read(bySegment(tree));
    case "number": {
      const value = read(tree.read);
      return value === undefined ? undefined : fromNumber(value);
    }
    case "negate": {
      const value = exactValue(tree.operand, read);
      return value && { numerator: -value.numerator, denominator: value.denominator };
    }
    case "arithmetic": {
      const left = exactValue(tree.left, read);
      const right = exactValue(tree.right, read);
      return left && right && combine(tree.operator, left, right);
    }
    default:
      return undefined;
  }
}

function positive(numerator: bigint, denominator: bigint): Constant {
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };
}
