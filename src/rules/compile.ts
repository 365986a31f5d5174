/** One rule: from its file to what screening runs. */
import { checkTexts, checkUnused, checkWeight } from "./check.ts";
import { compileClause } from "./clauses.ts";
import { compileExceptions, type ExceptionValues, withClauses } from "./exceptions.ts";
import { compileShown } from "./expression/compile.ts";
import { type Checked, CLASS_BITS, describeType, type Type, unitOf } from "./expression/types.ts";
import { larger, type Weight } from "./expression/weight.ts";
import { compileFlow } from "./flow.ts";
import { type RuleIndex, resolveHitInputs } from "./hits.ts";
import { namedLists } from "./list-lookups.ts";
import { type Override, resolveParams } from "./params.ts";
import type { CompiledRule, Flow, HitInput, Read, SourceCitation, TemplatePart } from "./plan.ts";
import { IN_CLAUSE, IN_TEXT, type PackScope, planScope, type RuleScope } from "./rule-scope.ts";
import type { RuleSource } from "./schema.ts";
import { createRuleScope } from "./scope.ts";
import { compileTemplate } from "./template.ts";
import { compileTypology } from "./typology.ts";

/** What the rules of a pack share while they are compiled. */
export interface PackDraft extends PackScope {
  readonly flows: Flow[];
  readonly hitInputs: HitInput[];
}

/** What stands outside of a rule's file and changes it. */
export interface RuleChanges {
  readonly overrides: readonly Override[];
  readonly exceptions: ExceptionValues;
}

/** A rule without its place in the pack and without marks, which depend on all rules. */
export type RuleDraft = Omit<CompiledRule, "slot" | "marks">;

export interface CompileResult {
  /** Undefined when the rule is at fault. */
  readonly rule: RuleDraft | undefined;
  /** The rule can hold by geography and nothing else. */
  readonly geography: boolean;
  /** Types of what its hits carry. */
  readonly emitted: ReadonlyMap<string, Type>;
}

/** Compiles one rule; every fault is a finding. Rules whose hits it counts must have been compiled. */
export function compileRule(
  source: RuleSource,
  draft: PackDraft,
  index: RuleIndex,
  changes: RuleChanges,
): CompileResult {
  const errorsBefore = draft.findings.errors;
  checkTexts(source, draft.findings);
  const params = resolveParams(draft, source.params, changes.overrides);
  const scope = createRuleScope(draft, source, params);
  const hitInputs = resolveHitInputs(source, scope, draft.hitInputs, index);
  const errorsBeforeClauses = draft.findings.errors;
  if (source.flow !== undefined) scope.flow = draft.flows.length;
  const flow = source.flow && compileFlow(source.flow, draft.flows.length, scope);
  if (flow !== undefined) draft.flows.push(flow.flow);
  const when = source.when && compileClause(source.when, scope, IN_CLAUSE);
  const exceptions = compileExceptions(source, scope, changes.exceptions);
  const wholeClauses = draft.findings.errors === errorsBeforeClauses;
  const others = {
    typologyIds: index.typologyIds,
    victimPossible: hitInputs.some((input) => input.of.some((id) => index.victimPossible(id))),
  };
  const typology = source.typology && compileTypology(source, source.typology, scope, hitInputs, others);
  const aggregates = scope.resolveAll();
  const emit = compileEmit(source, scope);
  const emitted = new Map(emit.map(({ name, type }) => [name, type]));
  const explain = compileExplanation(source, scope);
  // What a faulty expression would have named looks unused.
  if (draft.findings.errors === errorsBefore) checkUnused(source, scope);
  let geography = false;
  if (source.kind === "indicator") {
    const weight: Weight = larger(when?.weight ?? 0, flow?.weight ?? 0);
    // Clauses at fault are left out of the tree: what remains would look weaker than the rule is.
    if (wholeClauses) checkWeight(source, weight, when?.npo === true || flow?.npo === true, draft.findings);
    geography = [when, flow].some((part) => part?.geography === true);
    geography &&= [when, flow].every((part) => part === undefined || part.geography || part.weight === 0);
  }
  if (draft.findings.errors > errorsBefore) return { rule: undefined, geography, emitted };
  const named = [...aggregates].flatMap(([name, tree]) => (tree.kind === "number" ? slotsOf(`agg.${name}`, tree) : []));
  return {
    geography,
    emitted,
    rule: {
      id: source.id.text,
      version: source.version,
      kind: source.kind,
      title: source.title?.text ?? "",
      crime: source.crime,
      status: source.status,
      subject: source.subject,
      scope: source.kind === "indicator" ? planScope(source.scope) : undefined,
      when: withClauses(when?.clause, exceptions),
      flow: flow?.flow.slot,
      hitInputs: hitInputs.map((input) => input.slot),
      aggregates: [...named, ...(flow?.aggregates ?? [])],
      typology,
      emit: emit.map(({ name, read }) => ({ name, read })),
      explain,
      cautions: inherit(
        source.cautions.map((node) => node.text),
        hitInputs,
        (id) => index.cautions(id),
      ),
      sources: citations(source, hitInputs, index),
      lists: namedLists(source, draft.lists),
      selfMayBe: source.selfMayBe,
      otherMayBe: source.otherMayBe,
      suppressForMs: source.suppressForMs,
      minHistoryMs: source.minHistoryMs,
    },
  };
}

interface Emitted {
  readonly name: string;
  readonly type: Type;
  readonly read: Read<number | string>;
}

/** What a hit carries: numbers and texts of behaviour or money, never of a place, a person or a customer. */
function compileEmit(source: RuleSource, scope: RuleScope): Emitted[] {
  const out: Emitted[] = [];
  for (const [name, { expression }] of source.emit) {
    const tree = scope.check(expression, IN_CLAUSE);
    if (tree.type.name === "error") continue;
    const barred = CLASS_BITS.geography | CLASS_BITS.npo | CLASS_BITS.customer | CLASS_BITS.person;
    if (unitOf(tree.type) === undefined || (tree.type.name === "text" && (tree.classes & barred) !== 0)) {
      const hint = "a number, or a text such as other.id or tx.purpose";
      scope.pack.findings.add("E027", expression, `a hit cannot carry ${describeType(tree.type)}`, hint);
      continue;
    }
    out.push({ name, type: tree.type, read: compileShown(tree) });
  }
  return out;
}

function slotsOf(name: string, tree: Checked): { name: string; slot: number }[] {
  const slot = tree.aggregates[0];
  return slot === undefined ? [] : [{ name, slot }];
}

function compileExplanation(source: RuleSource, scope: RuleScope): readonly TemplatePart[] {
  if (source.explain !== undefined) return compileTemplate(source.explain, scope, IN_TEXT);
  const title = source.title?.text ?? "";
  if (source.kind === "indicator") return [`${title}.`];
  return [
    `${title}: `,
    { text: "families.count", unit: "count", read: (c) => c.familyCount() },
    " independent kinds of red flags, ",
    { text: "score.total", unit: "count", read: (c) => c.score },
    " points.",
  ];
}

/** A typology that names none of its own says what the rules that it counts say. */
function inherit(
  own: readonly string[],
  hitInputs: readonly HitInput[],
  of: (id: string) => readonly string[],
): string[] {
  if (own.length > 0) return [...own];
  const all = hitInputs.flatMap((input) => input.of.flatMap((id) => of(id)));
  return [...new Set(all)];
}

function citations(source: RuleSource, hitInputs: readonly HitInput[], index: RuleIndex): SourceCitation[] {
  const own = source.sources.map(({ doc, point }) => ({ doc: doc.text, point: point.text }));
  if (own.length > 0) return own;
  const all = hitInputs.flatMap((input) => input.of.flatMap((id) => index.sources(id)));
  return [...new Map(all.map((citation) => [`${citation.doc} ${citation.point}`, citation])).values()];
}
