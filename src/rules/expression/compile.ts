/**
 * Checked trees become closures over `Context`. Each closure does one thing and calls at most two others,
 * so that engines keep them monomorphic; a missing input is `undefined` and stays so.
 */
import { andTest, notTest, orTest } from "../logic.ts";
import type { Context, Read, Test } from "../plan.ts";
import { bySegment, compareConstants, compareValues, exactValue, holds, type LeafReader } from "./exact.ts";
import type { Checked, Comparer, Constant } from "./types.ts";

/** Value of a numeric tree; never NaN or infinite. */
export function compileNumber(tree: Checked): Read<number> {
  switch (tree.kind) {
    case "constant": {
      const value = constantNumber(tree.value);
      return () => value;
    }
    case "by_segment": {
      const choose = bySegment(tree);
      const numbers = new Map([...tree.values.values(), tree.otherwise].map((value) => [value, constantNumber(value)]));
      return (c) => numbers.get(choose(c) ?? tree.otherwise);
    }
    case "number":
      return tree.read;
    case "negate": {
      const operand = compileNumber(tree.operand);
      return (c) => {
        const value = operand(c);
        return value === undefined ? undefined : 0 - value;
      };
    }
    case "arithmetic":
      return compileArithmetic(tree);
    default:
      return unknown;
  }
}

/** Value of a text tree. */
export function compileText(tree: Checked): Read<string> {
  if (tree.kind === "constant_text") {
    const { value } = tree;
    return () => value;
  }
  return tree.kind === "read_text" ? tree.read : unknown;
}

/** Truth of a boolean tree. */
export function compileTest(tree: Checked): Test {
  switch (tree.kind) {
    case "constant_truth": {
      const { value } = tree;
      return () => value;
    }
    case "truth":
      return tree.test;
    case "not":
      return notTest(compileTest(tree.operand));
    case "logic": {
      const left = compileTest(tree.left);
      const right = compileTest(tree.right);
      return tree.operator === "&&" ? andTest(left, right) : orTest(left, right);
    }
    case "compare":
      return compileComparison(tree);
    case "in":
      return compileMembership(tree);
    default:
      return unknown;
  }
}

/** Value of any tree that can be shown. */
export function compileShown(tree: Checked): Read<number | string> {
  switch (tree.type.name) {
    case "text":
    case "cell":
      return compileText(tree);
    case "bool":
    case "list":
    case "set":
    case "side":
    case "error":
      return unknown;
    default:
      return compileNumber(tree);
  }
}

/** Nearest double of an exact constant. */
export function constantNumber(value: Constant): number {
  return Number(value.numerator) / Number(value.denominator);
}

function unknown(): undefined {
  return undefined;
}

function compileArithmetic(tree: Checked & { kind: "arithmetic" }): Read<number> {
  const scaled = compileScaled(tree);
  if (scaled !== undefined) return scaled;
  const left = compileNumber(tree.left);
  const right = compileNumber(tree.right);
  const two = (combine: (a: number, b: number) => number | undefined): Read<number> => {
    return (c) => {
      const a = left(c);
      if (a === undefined) return undefined;
      const b = right(c);
      return b === undefined ? undefined : combine(a, b);
    };
  };
  switch (tree.operator) {
    case "+":
      return two((a, b) => a + b);
    case "-":
      return two((a, b) => a - b);
    case "*":
      return two((a, b) => a * b);
    case "/":
      return two((a, b) => (b === 0 ? undefined : a / b));
  }
}

/** `x * constant` and `x / constant`: one multiplication, then one division, so that 80% of 5 is 4. */
function compileScaled(tree: Checked & { kind: "arithmetic" }): Read<number> | undefined {
  if (tree.operator !== "*" && tree.operator !== "/") return undefined;
  let factor: Constant | undefined;
  let scaled = tree.left;
  if (tree.right.kind === "constant") factor = tree.right.value;
  else if (tree.operator === "*" && tree.left.kind === "constant") {
    factor = tree.left.value;
    scaled = tree.right;
  }
  if (factor === undefined) return undefined;
  const divide = tree.operator === "/";
  if (divide && factor.numerator === 0n) return unknown;
  const up = Number(divide ? factor.denominator : factor.numerator);
  const down = Number(divide ? factor.numerator : factor.denominator);
  const read = compileNumber(scaled);
  return (c) => {
    const value = read(c);
    return value === undefined ? undefined : (value * up) / down;
  };
}

function compileComparison(tree: Checked & { kind: "compare" }): Test {
  const { left, right, operator } = tree;
  if (left.type.name === "bool") return compileTruthEquality(tree);
  if (left.type.name === "text") return compileTextEquality(tree);
  if (left.kind === "constant" && right.kind === "constant") {
    const value = holds(operator, compareConstants(left.value, right.value));
    return () => value;
  }
  if (isPlain(left) && right.kind === "constant" && isPlain(right)) {
    return againstConstant(operator, compileNumber(left), constantNumber(right.value));
  }
  if (isPlain(left) && isPlain(right)) return againstValue(operator, compileNumber(left), compileNumber(right));
  return exactComparison(tree);
}

/** Whether the closure of a tree gives its exact value: nothing was computed on the way. */
function isPlain(tree: Checked): boolean {
  if (tree.kind === "number") return true;
  if (tree.kind !== "constant") return false;
  return tree.value.denominator === 1n && Number.isSafeInteger(Number(tree.value.numerator));
}

function againstConstant(operator: Comparer, read: Read<number>, constant: number): Test {
  const on = (test: (value: number) => boolean): Test => {
    return (c) => {
      const value = read(c);
      return value === undefined ? undefined : test(value);
    };
  };
  switch (operator) {
    case ">=":
      return (c) => {
        const value = read(c);
        return value === undefined ? undefined : value >= constant;
      };
    case ">":
      return on((value) => value > constant);
    case "<=":
      return on((value) => value <= constant);
    case "<":
      return on((value) => value < constant);
    case "==":
      return on((value) => value === constant);
    case "!=":
      return on((value) => value !== constant);
  }
}

function againstValue(operator: Comparer, left: Read<number>, right: Read<number>): Test {
  return (c) => {
    const a = left(c);
    if (a === undefined) return undefined;
    const b = right(c);
    return b === undefined ? undefined : holds(operator, a < b ? -1 : a > b ? 1 : 0);
  };
}

function exactComparison(tree: Checked & { kind: "compare" }): Test {
  const left = compileNumber(tree.left);
  const right = compileNumber(tree.right);
  return (c) => {
    const a = left(c);
    if (a === undefined) return undefined;
    const b = right(c);
    if (b === undefined) return undefined;
    return compareValues(tree.operator, a, b, () => exactSign(tree, c, a - b, Math.max(Math.abs(a), Math.abs(b))));
  };
}

/** Sign of left - right: of the exact values, or of the doubles where one of them was rounded before it got here. */
function exactSign(
  tree: Checked & { kind: "compare" },
  c: Context,
  difference: number,
  size: number,
): number | undefined {
  let isRounded = false;
  const read: LeafReader = (leaf) => {
    const value = leaf(c);
    // Counts, money and times are integers; a share of 14 in 20 comes as the double nearest to 0.7, which is below it.
    if (typeof value === "number" && !Number.isInteger(value)) isRounded = true;
    return value;
  };
  const left = exactValue(tree.left, read);
  const right = exactValue(tree.right, read);
  if (left === undefined || right === undefined) return undefined;
  if (!isRounded) return compareConstants(left, right);
  return Math.abs(difference) <= ROUNDING * size ? 0 : Math.sign(difference);
}

/** What a division and one more operation may lose, relative to the value. */
const ROUNDING = 4 * Number.EPSILON;

function compileTextEquality(tree: Checked & { kind: "compare" }): Test {
  const same = tree.operator === "==";
  const constant = tree.right.kind === "constant_text" ? tree.right : tree.left;
  if (constant.kind === "constant_text") {
    const { value } = constant;
    const read = compileText(constant === tree.right ? tree.left : tree.right);
    return (c) => {
      const text = read(c);
      return text === undefined ? undefined : (text === value) === same;
    };
  }
  const left = compileText(tree.left);
  const right = compileText(tree.right);
  return (c) => {
    const a = left(c);
    if (a === undefined) return undefined;
    const b = right(c);
    return b === undefined ? undefined : (a === b) === same;
  };
}

function compileTruthEquality(tree: Checked & { kind: "compare" }): Test {
  const same = tree.operator === "==";
  const left = compileTest(tree.left);
  const right = compileTest(tree.right);
  return (c) => {
    const a = left(c);
    const b = right(c);
    return a === undefined || b === undefined ? undefined : (a === b) === same;
  };
}

/** Ordered without being anywhere that the institution can tell. */
function isRemote({ tx }: Context): boolean {
  const channel = tx?.channel;
  return channel === "online" || channel === "mobile" || channel === "phone" || channel === "chain";
}

function compileMembership(tree: Checked & { kind: "in" }): Test {
  const read = compileText(tree.left);
  if (tree.right.kind === "set") {
    const { slot } = tree.right;
    const remoteCounts = tree.remoteCounts === true;
    return (c) => {
      const text = read(c);
      if (text !== undefined) return c.aggHas(slot, text);
      return remoteCounts && isRemote(c) ? false : undefined;
    };
  }
  if (tree.right.kind !== "texts") return unknown;
  const values = new Set(tree.right.values);
  return (c) => {
    const text = read(c);
    return text === undefined ? undefined : values.has(text);
  };
}
