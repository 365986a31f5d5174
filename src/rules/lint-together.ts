/** Conditions that must hold at once: whether they leave anything over, and whether one of them adds nothing. */
import type { Findings } from "./diagnostics.ts";
import type { Comparing, Interval } from "./expression/intervals.ts";
import type { Ast } from "./expression/parser.ts";
import type { RuleSource } from "./schema.ts";
import type { ScalarNode } from "./source.ts";

/** One condition. */
export interface Leaf {
  /** The clause or filter that it stands in. */
  readonly name: ScalarNode;
  readonly node: ScalarNode;
  readonly ast: Ast;
}

/** A condition that bounds one term by a constant. */
export interface Constraint {
  readonly leaf: Leaf;
  /** What is bounded, without blanks. */
  readonly term: string;
  readonly operator: Comparing;
  /** The constant at the values of the file, and over the ranges of the parameters in it. */
  readonly value: Interval;
  readonly range: Interval;
}

/** Tells which of the conditions exclude each other and which are implied by another. */
export function checkTogether(
  constraints: readonly Constraint[],
  leaves: readonly Leaf[],
  rule: RuleSource,
  findings: Findings,
): void {
  constraints.forEach((later, index) => {
    for (const earlier of constraints.slice(0, index)) {
      if (earlier.term === later.term) checkPair(earlier, later, findings);
    }
  });
  checkTexts(leaves, rule, findings);
  checkRepeated(leaves, findings);
}

const LOWER: ReadonlySet<Comparing> = new Set([">", ">="]);
const UPPER: ReadonlySet<Comparing> = new Set(["<", "<="]);

function checkPair(earlier: Constraint, later: Constraint, findings: Findings): void {
  const [a, b] = LOWER.has(earlier.operator) ? [earlier, later] : [later, earlier];
  const at = later.leaf;
  const first = earlier.leaf.name.text;
  const same = first === at.name.text;
  const names = same ? `two conditions of \`${first}\`` : `\`${first}\` and \`${at.name.text}\``;
  if (LOWER.has(a.operator) && UPPER.has(b.operator)) {
    const open = a.operator === ">" || b.operator === "<";
    const excludes = (low: number, high: number): boolean => low > high || (open && low === high);
    if (excludes(a.value.least, b.value.most)) {
      findings.add("E051", at.node, `${names} can never hold together`, undefined, at.ast.start);
    } else if (excludes(a.range.most, b.range.least)) {
      const message = `${names} exclude each other for some values within the ranges of their parameters`;
      findings.add("W108", at.node, message, "let the ranges end before they meet", at.ast.start);
    }
    return;
  }
  const bothLower = LOWER.has(earlier.operator) && LOWER.has(later.operator);
  if (!bothLower && !(UPPER.has(earlier.operator) && UPPER.has(later.operator))) return;
  const implied = weaker(earlier, later, bothLower);
  const other = implied === earlier ? later : earlier;
  // While parameters can turn which of the two is the stronger, both have their use.
  if (overlap(earlier.range, later.range) && !samePoint(earlier.range, later.range)) return;
  const message = `this always holds where \`${other.leaf.name.text}\` does`;
  findings.add("W107", implied.leaf.node, message, "leave one of the two out", implied.leaf.ast.start);
}

function weaker(a: Constraint, b: Constraint, lower: boolean): Constraint {
  const strength = ({ value, operator }: Constraint): number =>
    (lower ? value.least : -value.most) + (operator === ">" || operator === "<" ? Number.EPSILON : 0);
  return strength(a) < strength(b) ? a : b;
}

function overlap(a: Interval, b: Interval): boolean {
  return a.least <= b.most && b.least <= a.most;
}

function samePoint(a: Interval, b: Interval): boolean {
  return a.least === a.most && b.least === b.most && a.least === b.least;
}

/** Two texts that one field should be at once, or one that the rule's scope leaves out. */
function checkTexts(leaves: readonly Leaf[], rule: RuleSource, findings: Findings): void {
  const wanted = new Map<string, { readonly allowed: readonly string[]; readonly name: string }>();
  for (const [field, words] of Object.entries(rule.scope ?? {})) {
    if (Array.isArray(words)) wanted.set(`tx.${field}`, { allowed: words, name: "scope" });
  }
  for (const leaf of leaves) {
    const asked = textsOf(leaf.ast);
    if (asked === undefined) continue;
    const before = wanted.get(asked.field);
    const allowed = asked.texts.filter((text) => before?.allowed.includes(text) !== false);
    if (before !== undefined && allowed.length === 0) {
      const other = before.name === "scope" ? "the rule's scope" : `\`${before.name}\``;
      findings.add("E051", leaf.node, `this can never hold together with ${other}`, undefined, leaf.ast.start);
    }
    wanted.set(asked.field, { allowed: allowed.length === 0 ? asked.texts : allowed, name: leaf.name.text });
  }
}

function textsOf(ast: Ast): { readonly field: string; readonly texts: readonly string[] } | undefined {
  if (ast.kind !== "binary" || ast.left.kind !== "path") return undefined;
  const field = ast.left.segments.map((segment) => segment.name).join(".");
  if (ast.operator === "==" && ast.right.kind === "text") return { field, texts: [ast.right.value] };
  if (ast.operator !== "in" || ast.right.kind !== "list") return undefined;
  return { field, texts: ast.right.items.flatMap((item) => (item.kind === "text" ? [item.value] : [])) };
}

function checkRepeated(leaves: readonly Leaf[], findings: Findings): void {
  const known = new Map<string, Leaf>();
  for (const leaf of leaves) {
    const text = leaf.node.text.slice(leaf.ast.start, leaf.ast.end).replace(/\s+/g, "");
    const other = known.get(text);
    if (other === undefined) known.set(text, leaf);
    else findings.add("W109", leaf.node, `\`${other.name.text}\` says the same`, undefined, leaf.ast.start);
  }
}
