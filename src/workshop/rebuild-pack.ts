/** A compiled pack with some of its parts replaced: every table that holds them is made anew. */
import { ENTITY_KINDS, type EntityKind } from "../domain/entity.ts";
import type { CompiledRule, Flow, Measure, Pack, SubjectPlan } from "../rules/plan.ts";

/** Parts that take the place of a pack's own, by slot. */
export interface PackParts {
  readonly rules?: readonly CompiledRule[];
  readonly measures?: readonly Measure[];
  readonly aggregates?: Pack["aggregates"];
  readonly flows?: readonly Flow[];
}

/** The pack with these parts. */
export function rebuildPack(pack: Pack, parts: PackParts): Pack {
  const { rules = pack.rules, measures = pack.measures } = parts;
  const ruleOf = (rule: CompiledRule): CompiledRule => rules[rule.slot] as CompiledRule;
  const subjects = {} as Record<EntityKind, SubjectPlan>;
  for (const kind of ENTITY_KINDS) {
    const plan = pack.subjects[kind];
    subjects[kind] = {
      ...plan,
      measures: plan.measures.map((measure) => measures[measure.slot] as Measure),
      indicators: plan.indicators.map(ruleOf),
      typologies: plan.typologies.map(ruleOf),
    };
  }
  return { ...pack, ...parts, subjects };
}
