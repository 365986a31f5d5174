/**
 * What a rule must find in the data before it can fire at all: movements of a kind, and fields that are filled.
 * Thresholds play no part; a rule whose needs are not met is unknown for ever and looks quiet.
 */
import type { Ast } from "./expression/parser.ts";
import { FIELDS, foldName } from "./fields.ts";
import { expressionOf } from "./lint-bounds.ts";
import type { Context, Read, Scope } from "./plan.ts";
import { planScope } from "./rule-scope.ts";
import type { RuleSource } from "./schema.ts";
import type { AggregateSource } from "./schema-aggregates.ts";
import type { ClauseSource } from "./schema-clauses.ts";
import type { ScopeSource } from "./schema-parts.ts";
import type { ScalarNode } from "./source.ts";

/** A condition on data. */
export type Need =
  | { readonly kind: "all" | "any"; readonly parts: readonly Need[] }
  /** A value that some movement of the scope must carry; no `read`: some movement of the scope. */
  | {
      readonly kind: "seen";
      readonly label: string;
      readonly scope: Scope;
      readonly read: Read<unknown> | undefined;
    }
  /** Hits of one of these rules; `PREFIX-*` stands for those that begin so. */
  | { readonly kind: "hits"; readonly of: readonly string[] };

const NOTHING: Need = { kind: "all", parts: [] };

interface Place {
  readonly rule: RuleSource;
  readonly scope: Scope;
  /** Names being looked into: a definition that needs itself needs nothing more. */
  readonly open: ReadonlySet<string>;
  /** Below a `not`: what must be false. */
  readonly negated?: boolean;
}

/** What an indicator needs; of a typology, what each scored indicator needs, of which any will do. */
export function needsOf(rule: RuleSource): Need {
  const scope = planScope(rule.scope);
  const place: Place = { rule, scope, open: new Set() };
  if (rule.typology !== undefined) {
    const scored = rule.typology.indicators.map(({ when }) => needOfText(when, place));
    const hits = [...rule.hits.values()].map((hit): Need => ({ kind: "hits", of: hit.of.map(({ text }) => text) }));
    return { kind: "any", parts: scored.length > 0 ? scored : hits };
  }
  const steps = rule.flow?.steps.map((step): Need => {
    const inStep = { ...place, scope: planScope(step.scope) };
    const kept = [...step.keep.values()].map((source) => needOfAggregate(source, inStep));
    return all([movement(step.scope), needOfText(step.where, inStep), ...kept, needOfClause(step.until, inStep)]);
  });
  return all([...(rule.flow === undefined ? [movement(rule.scope)] : (steps ?? [])), needOfClause(rule.when, place)]);
}

function all(parts: readonly Need[]): Need {
  return { kind: "all", parts };
}

function movement(scope: ScopeSource | undefined): Need {
  const words = Object.entries(scope ?? {}).flatMap(([key, values]) =>
    Array.isArray(values) ? [`${key} ${values.join(" or ")}`] : [],
  );
  const label = words.length === 0 ? "movements" : `movements with ${words.join(", ")}`;
  return { kind: "seen", label, scope: planScope(scope), read: undefined };
}

function needOfClause(clause: ClauseSource | undefined, place: Place): Need {
  if (clause === undefined) return NOTHING;
  if (clause.kind === "leaf") return needOfText(clause.expression, place);
  const inside = clause.kind === "not" ? { ...place, negated: place.negated !== true } : place;
  const parts = clause.children.map((child) => needOfClause(child, inside));
  return { kind: clause.kind === "any" || clause.kind === "at_least" ? "any" : "all", parts };
}

function needOfText(node: ScalarNode | undefined, place: Place): Need {
  const ast = node && expressionOf(node.text);
  return ast === undefined ? NOTHING : needOfAst(ast, place);
}

function needOfAst(ast: Ast, place: Place): Need {
  switch (ast.kind) {
    case "path":
      return needOfPath(
        ast.segments.map((segment) => segment.name),
        place,
      );
    case "call":
      return needOfCall(ast, place);
    case "unary":
      return needOfAst(ast.operand, ast.operator === "!" ? { ...place, negated: place.negated !== true } : place);
    case "binary": {
      const small = smallSide(ast, place);
      if (small !== undefined && isZeroOfNothing(small, place)) {
        return needOfAst(small === ast.left ? ast.right : ast.left, place);
      }
      const parts = [needOfAst(ast.left, place), needOfAst(ast.right, place)];
      return { kind: ast.operator === "||" ? "any" : "all", parts };
    }
    default:
      return NOTHING;
  }
}

/** The side of an ordering that must be the smaller one for the clause to help. */
function smallSide(ast: Ast & { kind: "binary" }, { negated }: Place): Ast | undefined {
  const { operator, left, right } = ast;
  if (operator === "<" || operator === "<=") return negated === true ? right : left;
  if (operator === ">" || operator === ">=") return negated === true ? left : right;
  return undefined;
}

/** Of nothing these are 0, which is as small as it gets: a clause that bounds them from above asks for no data. */
function isZeroOfNothing(ast: Ast, { rule }: Place): boolean {
  const [root, name] = ast.kind === "path" ? ast.segments.map((segment) => segment.name) : [];
  const source = root === "agg" ? rule.aggregates.get(name ?? "") : undefined;
  return source?.kind === "measured" && ["count", "sum", "distinct"].includes(source.word);
}

function needOfPath(path: readonly string[], place: Place): Need {
  const [root = "", name] = path;
  const { rule } = place;
  if (name === undefined) return named(`filter ${root}`, place, (inner) => needOfFilter(root, inner));
  if (root === "agg") {
    return named(`aggregate ${name}`, place, (inner) => needOfAggregate(rule.aggregates.get(name), inner));
  }
  if (root === "hits") return { kind: "hits", of: rule.hits.get(name)?.of.map(({ text }) => text) ?? [] };
  const field = FIELDS.get(foldName(path.join(".")));
  if (field === undefined) return NOTHING;
  const acted = /^tx\.act\.(distance|elapsed)$/.test(field.name) ? FIELDS.get("tx.act.cell") : undefined;
  return seen(acted?.name ?? field.name, place, (acted ?? field).read);
}

function named(key: string, place: Place, need: (place: Place) => Need): Need {
  return place.open.has(key) ? NOTHING : need({ ...place, open: new Set([...place.open, key]) });
}

function needOfFilter(name: string, place: Place): Need {
  return needOfText(place.rule.filters.get(name)?.expression, place);
}

function needOfAggregate(source: AggregateSource | undefined, place: Place): Need {
  switch (source?.kind) {
    case "measured": {
      const scope = source.scope === undefined ? place.scope : planScope(source.scope);
      const own = { ...place, scope, negated: false };
      const moved = source.scope === undefined ? NOTHING : movement(source.scope);
      const of = source.of.text === "events" ? NOTHING : needOfText(source.of, own);
      return all([moved, needOfText(source.where, own), of, needOfText(source.by, own)]);
    }
    case "quotient":
      return all([needOfText(source.of, place), needOfText(source.over, place)]);
    default:
      return NOTHING;
  }
}

function seen(label: string, { scope }: Place, read: Read<unknown>): Need {
  return { kind: "seen", label, scope, read };
}

/** Functions that read what their arguments do not name. */
const IMPLICIT: Readonly<Record<string, readonly [label: string, read: Read<unknown>]>> = {
  local_hour_in: ["tz (with the time of day)", (c) => (c.tx !== undefined && c.tx.localMinute >= 0 ? true : undefined)],
  in_corridor: ["countries of both sides", (c) => c.tx?.corridorFrom ?? c.tx?.corridorTo],
  has_class: ["memoClasses", (c) => c.tx?.memoClasses[0]],
  faster_than: ["tx.act.cell", (c) => c.tx?.actCell],
};
const ASKS_NOTHING: ReadonlySet<string> = new Set(["known", "during", "matches_any", "families.any"]);

function needOfCall(ast: Ast & { kind: "call" }, place: Place): Need {
  if (ASKS_NOTHING.has(ast.name)) return NOTHING;
  const implicit = Object.hasOwn(IMPLICIT, ast.name) ? IMPLICIT[ast.name] : undefined;
  if (implicit !== undefined) return seen(implicit[0], place, implicit[1]);
  const words = ast.args.map((arg) => (arg.kind === "path" ? (arg.segments[0]?.name ?? "") : ""));
  if (ast.name === "ref") {
    return seen(`refs of kind ${words[0]}`, place, (c) => c.tx?.refs.find(({ kind }) => kind === words[0]));
  }
  if (ast.name === "linked") {
    const side = (c: Context) => (words[0] === "other" ? c.other : c.self);
    return seen(`links of kind ${words[1]}`, place, (c) => side(c)?.links.find(({ kind }) => kind === words[1]));
  }
  return all(ast.args.map((arg) => needOfAst(arg, place)));
}

/** Looks at every need for a value, each once. */
export function valueNeeds(need: Need, visit: (need: Need & { kind: "seen" }) => void): void {
  if (need.kind === "seen") visit(need);
  else if (need.kind !== "hits") for (const part of need.parts) valueNeeds(part, visit);
}

/** What is missing of a need, told by labels; empty when it is met. `met` judges values, `fires` rule ids. */
export function missingOf(
  need: Need,
  met: (need: Need & { kind: "seen" }) => boolean,
  fires: (id: string) => boolean,
): string[] {
  switch (need.kind) {
    case "seen":
      return met(need) ? [] : [need.label];
    case "hits":
      return need.of.some(fires) ? [] : [`hits of ${need.of.join(", ")}`];
    case "all": {
      // Without a movement of the kind nothing of it can be filled: that alone is told.
      const moves = need.parts.filter((part) => part.kind === "seen" && part.read === undefined && !met(part));
      const parts = moves.length > 0 ? moves : need.parts;
      return [...new Set(parts.flatMap((part) => missingOf(part, met, fires)))];
    }
    case "any": {
      const missing = need.parts.map((part) => missingOf(part, met, fires));
      return missing.some((labels) => labels.length === 0) || missing.length === 0 ? [] : [...new Set(missing.flat())];
    }
  }
}
