/** Three-valued (Kleene) logic: unknown is `undefined`, and only what no input could change is known. */
import type { Clause, Context, Test, Tri } from "./plan.ts";

/** False when either is false, true when both are true. */
export function and(a: Tri, b: Tri): Tri {
  if (a === false || b === false) return false;
  return a === undefined || b === undefined ? undefined : true;
}

/** True when either is true, false when both are false. */
export function or(a: Tri, b: Tri): Tri {
  if (a === true || b === true) return true;
  return a === undefined || b === undefined ? undefined : false;
}

export function not(a: Tri): Tri {
  return a === undefined ? undefined : !a;
}

/** Value of a clause tree. Children are judged in order and only as far as needed. */
export function evaluateClause(clause: Clause, c: Context): Tri {
  switch (clause.kind) {
    case "leaf":
      return clause.test(c);
    case "not": {
      const child = clause.children[0];
      return child === undefined ? undefined : not(evaluateClause(child, c));
    }
    case "all":
      return evaluateAll(clause.children, c);
    case "any":
      return evaluateAny(clause.children, c);
    case "at_least":
      return evaluateAtLeast(clause.n, clause.children, c);
  }
}

function evaluateAll(children: readonly Clause[], c: Context): Tri {
  let result: Tri = true;
  for (const child of children) {
    const value = evaluateClause(child, c);
    if (value === false) return false;
    if (value === undefined) result = undefined;
  }
  return result;
}

function evaluateAny(children: readonly Clause[], c: Context): Tri {
  let result: Tri = false;
  for (const child of children) {
    const value = evaluateClause(child, c);
    if (value === true) return true;
    if (value === undefined) result = undefined;
  }
  return result;
}

function evaluateAtLeast(n: number, children: readonly Clause[], c: Context): Tri {
  let holding = 0;
  let open = 0;
  let left = children.length;
  for (const child of children) {
    const value = evaluateClause(child, c);
    left -= 1;
    if (value === true) holding += 1;
    else if (value === undefined) open += 1;
    if (holding >= n) return true;
    if (holding + open + left < n) return false;
  }
  return undefined;
}

/** Conjunction of two tests; the second is not asked when the first is false. */
export function andTest(a: Test, b: Test): Test {
  return (c) => {
    const left = a(c);
    if (left === false) return false;
    const right = b(c);
    if (right === false) return false;
    return left === undefined || right === undefined ? undefined : true;
  };
}

/** Disjunction of two tests; the second is not asked when the first is true. */
export function orTest(a: Test, b: Test): Test {
  return (c) => {
    const left = a(c);
    if (left === true) return true;
    const right = b(c);
    if (right === true) return true;
    return left === undefined || right === undefined ? undefined : false;
  };
}

export function notTest(a: Test): Test {
  return (c) => {
    const value = a(c);
    return value === undefined ? undefined : !value;
  };
}
