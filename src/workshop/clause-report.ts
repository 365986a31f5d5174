/** Clause trees with their values: what each leaf saw, what it needed, and how near it is to holding. */
import type { Clause, Comparison, Leaf, Tri } from "../rules/plan.ts";
import type { JudgeContext } from "../screen/context.ts";
import { renderValue } from "../screen/render.ts";

export interface LeafReport {
  readonly kind: "leaf";
  readonly name: string;
  readonly text: string;
  readonly value: Tri;
  /** As alerts show them, in the unit of the clause; undefined for a yes-or-no question. */
  readonly observed: string | undefined;
  readonly operator: Comparison["operator"] | undefined;
  readonly needed: string | undefined;
  /** Observed over needed (or the other way round for an upper bound), 0 to 1 below the line, more above it. */
  readonly ratio: number | undefined;
}

export interface BranchReport {
  readonly kind: "all" | "any" | "not" | "at_least";
  readonly n: number;
  readonly value: Tri;
  readonly children: readonly ClauseReport[];
}

export type ClauseReport = LeafReport | BranchReport;

/** Values of a tree for the view that the context is aimed at. Every leaf is judged, whatever decides before it. */
export function reportClause(clause: Clause, context: JudgeContext): ClauseReport {
  if (clause.kind === "leaf") return reportLeaf(clause, context);
  const children = clause.children.map((child) => reportClause(child, context));
  return { kind: clause.kind, n: clause.n, value: branchValue(clause.kind, clause.n, children), children };
}

/** 1 where the tree holds, less the farther it is from holding. */
export function closenessOf(report: ClauseReport): number {
  if (report.value === true) return 1;
  if (report.kind === "leaf") return report.value === undefined ? 0 : Math.min(report.ratio ?? 0, 0.999);
  const parts = report.children.map(closenessOf).sort((a, b) => b - a);
  switch (report.kind) {
    case "not":
      return 0;
    case "any":
      return parts[0] ?? 0;
    case "at_least":
      return mean(parts.slice(0, report.n));
    case "all":
      return mean(parts);
  }
}

function mean(parts: readonly number[]): number {
  return parts.length === 0 ? 0 : parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

function reportLeaf(leaf: Leaf, context: JudgeContext): LeafReport {
  const { name, text, comparison } = leaf;
  const value = leaf.test(context);
  const base = { kind: "leaf" as const, name, text, value };
  if (comparison === undefined) {
    return { ...base, observed: undefined, operator: undefined, needed: undefined, ratio: undefined };
  }
  const observed = comparison.observed(context);
  const needed = comparison.needed(context);
  const currency = context.pack.baseCurrency;
  return {
    ...base,
    observed: renderValue(observed, comparison.unit, currency),
    operator: comparison.operator,
    needed: renderValue(needed, comparison.unit, currency),
    ratio: ratioOf(comparison.operator, observed, needed),
  };
}

function ratioOf(operator: Comparison["operator"], observed: unknown, needed: unknown): number | undefined {
  if (typeof observed !== "number" || typeof needed !== "number") return undefined;
  if (operator === ">=" || operator === ">") return divided(observed, needed);
  if (operator === "<=" || operator === "<") return divided(needed, observed);
  return undefined;
}

function divided(part: number, whole: number): number | undefined {
  return whole > 0 && part >= 0 ? part / whole : undefined;
}

function branchValue(kind: BranchReport["kind"], n: number, children: readonly ClauseReport[]): Tri {
  const values = children.map(({ value }) => value);
  const yes = values.filter((value) => value === true).length;
  const open = values.filter((value) => value === undefined).length;
  switch (kind) {
    case "not":
      return values[0] === undefined ? undefined : !values[0];
    case "all":
      return values.includes(false) ? false : open > 0 ? undefined : true;
    case "any":
      return atLeast(1, yes, open);
    case "at_least":
      return atLeast(n, yes, open);
  }
}

function atLeast(n: number, yes: number, open: number): Tri {
  if (yes >= n) return true;
  return yes + open >= n ? undefined : false;
}

/** Leaves that keep a tree from holding: `people: 3 of 4`. */
export function falseLeaves(report: ClauseReport): string[] {
  if (report.value === true) return [];
  if (report.kind !== "leaf") return report.children.flatMap(falseLeaves);
  const { name, text, value, observed, needed } = report;
  const seen = observed === undefined || needed === undefined ? text : `${observed} of ${needed}`;
  return [`${name}: ${value === undefined ? "unknown" : seen}`];
}
