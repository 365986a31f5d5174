/** How often each clause of a pack held, did not hold and was unknown, while data were screened with it. */
import type { Clause, CompiledRule, Leaf, Pack, SubjectPlan } from "../rules/plan.ts";

export interface ClauseTally {
  readonly ruleId: string;
  readonly clause: string;
  readonly text: string;
  held: number;
  failed: number;
  unknown: number;
}

/** The pack with a tally at every clause. Clauses are asked whether or not an earlier one has decided. */
export function tallyClauses(pack: Pack): { readonly pack: Pack; readonly tallies: readonly ClauseTally[] } {
  const tallies: ClauseTally[] = [];
  const watch = (rule: CompiledRule, clause: Clause): Clause => {
    const leaves = leavesOf(clause).map((leaf) => {
      const { name, text, test } = leaf;
      return { tally: { ruleId: rule.id, clause: name, text, held: 0, failed: 0, unknown: 0 }, test };
    });
    for (const { tally } of leaves) tallies.push(tally);
    const probe: Leaf = {
      kind: "leaf",
      name: "tally",
      text: "",
      test: (c) => {
        for (const { tally, test } of leaves) {
          const value = test(c);
          if (value === true) tally.held += 1;
          else if (value === false) tally.failed += 1;
          else tally.unknown += 1;
        }
        return true;
      },
      comparison: undefined,
      geography: false,
    };
    return { kind: "all", n: 0, children: [probe, clause] };
  };
  const watched = new Map(pack.rules.map((rule) => [rule.id, watchRule(rule, watch)]));
  const own = (rule: CompiledRule): CompiledRule => watched.get(rule.id) ?? rule;
  const subjects = Object.fromEntries(
    Object.entries(pack.subjects).map(([kind, plan]: [string, SubjectPlan]) => [
      kind,
      { ...plan, indicators: plan.indicators.map(own), typologies: plan.typologies.map(own) },
    ]),
  ) as unknown as Pack["subjects"];
  return { pack: { ...pack, rules: pack.rules.map(own), subjects }, tallies };
}

function watchRule(rule: CompiledRule, watch: (rule: CompiledRule, clause: Clause) => Clause): CompiledRule {
  const { when, typology } = rule;
  return {
    ...rule,
    when: when && watch(rule, when),
    typology: typology && { ...typology, alertWhen: watch(rule, typology.alertWhen) },
  };
}

function leavesOf(clause: Clause): Leaf[] {
  return clause.kind === "leaf" ? [clause] : clause.children.flatMap(leavesOf);
}
