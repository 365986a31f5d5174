/**
 * Exceptions: the rule declares which fields one may go by, the operator's tuning says which values. A movement
 * that carries them does not make the rule fire; it still counts towards what the rule has counted.
 */
import { compileText } from "./expression/compile.ts";
import { describeType } from "./expression/types.ts";
import type { Clause, Leaf, Read } from "./plan.ts";
import { IN_FILTER, type RuleScope } from "./rule-scope.ts";
import type { RuleSource } from "./schema.ts";

/** Values by the name of the exception, each a tuple in the order of its fields. */
export type ExceptionValues = ReadonlyMap<string, readonly (readonly string[])[]>;

/** Checks the declared exceptions and gives a clause for each that has values: it holds where none is met. */
export function compileExceptions(source: RuleSource, scope: RuleScope, values: ExceptionValues): Clause[] {
  const clauses: Clause[] = [];
  for (const [name, { fields }] of source.exceptions) {
    const reads: Read<string>[] = [];
    for (const field of fields) {
      const tree = scope.check(field, IN_FILTER);
      if (tree.kind === "read_text" && tree.type.name === "text") reads.push(compileText(tree));
      else if (tree.type.name !== "error") {
        const hint = "such as other.id or profile.segment";
        scope.pack.findings.add(
          "E027",
          field,
          `an exception goes by a text field, not ${describeType(tree.type)}`,
          hint,
        );
      }
    }
    const tuples = values.get(name) ?? [];
    if (reads.length === fields.length && tuples.length > 0) clauses.push(exceptionClause(name, fields, reads, tuples));
  }
  return clauses;
}

function exceptionClause(
  name: string,
  fields: readonly { readonly text: string }[],
  reads: readonly Read<string>[],
  tuples: readonly (readonly string[])[],
): Clause {
  const known = new Set(tuples.map((tuple) => JSON.stringify(tuple)));
  const leaf: Leaf = {
    kind: "leaf",
    name: `except_${name}`,
    text: `not excepted by ${fields.map(({ text }) => text).join(", ")}`,
    // A value that is missing is in no exception: the rule stays as it is.
    test: (c) => !known.has(JSON.stringify(reads.map((read) => read(c) ?? null))),
    comparison: undefined,
    geography: false,
  };
  return leaf;
}

/** `clause` and all of `more`. */
export function withClauses(clause: Clause | undefined, more: readonly Clause[]): Clause | undefined {
  if (more.length === 0) return clause;
  return { kind: "all", n: 0, children: clause === undefined ? more : [clause, ...more] };
}
