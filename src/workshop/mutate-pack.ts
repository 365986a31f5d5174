/**
 * Mutants that no rule file can say, because a check refuses them or the units would not fit: a weight of zero,
 * a red flag that never counts, a sum in place of a count. They are made on the compiled pack.
 */
import type { Aggregate, CompiledRule, Measure, Pack, TypologyPlan } from "../rules/plan.ts";
import { lineAndColumn, type MapNode, type SourceNode } from "../rules/source.ts";
import type { Mutant } from "./mutants.ts";
import { rebuildPack } from "./rebuild-pack.ts";
import { nodeAt } from "./tree-edit.ts";

type Transform = (pack: Pack) => Pack | undefined;

/** The mutants of one rule that are made on its compiled form. */
export function packMutants(root: MapNode): Mutant[] {
  const id = nodeAt(root, ["id"]);
  if (id?.kind !== "scalar") return [];
  return [...scoreMutants(root, id.text), ...aggregateMutants(root, id.text)];
}

function scoreMutants(root: MapNode, id: string): Mutant[] {
  const found: Mutant[] = [];
  for (const { name, place } of entriesOf(nodeAt(root, ["scoring", "indicators"]))) {
    const change = (edit: (one: TypologyPlan["indicators"][number]) => TypologyPlan["indicators"][number]) =>
      ofTypology(id, (plan) => {
        return { ...plan, indicators: plan.indicators.map((one) => (one.name === name ? edit(one) : one)) };
      });
    found.push(
      made(
        "weight",
        place,
        `points of ${name} -> 0`,
        change((one) => ({ ...one, points: () => 0 })),
      ),
    );
    const never = change((one) => ({ ...one, when: () => false }));
    found.push(made("dropped clause", place, `${name} never scores`, never));
  }
  for (const { name, place } of entriesOf(nodeAt(root, ["scoring", "reduce"]))) {
    const without = ofTypology(id, (plan) => {
      return { ...plan, reductions: plan.reductions.filter((one) => one.name !== name) };
    });
    found.push(made("dropped clause", place, `${name} never lowers the score`, without));
  }
  return found;
}

function aggregateMutants(root: MapNode, id: string): Mutant[] {
  const found: Mutant[] = [];
  const look = (node: SourceNode | undefined, prefix: string): void => {
    for (const { key, value } of node?.kind === "map" ? node.entries : []) {
      if (value.kind !== "map") continue;
      const name = `${prefix}.${key.text}`;
      const { byKey } = value;
      if (byKey.has("sum")) found.push(made("aggregate", key, `${name}: sum -> count`, counted(id, name)));
      else if (byKey.has("count")) found.push(made("aggregate", key, `${name}: count -> sum`, summed(id, name)));
    }
  };
  look(nodeAt(root, ["aggregates"]), "agg");
  const steps = nodeAt(root, ["flow", "steps"]);
  for (const step of steps?.kind === "seq" ? steps.items : []) {
    const [entry] = step.kind === "map" ? step.entries : [];
    if (entry !== undefined) look(nodeAt(entry.value, ["keep"]), entry.key.text);
  }
  return found;
}

/** A sum that counts its contributions. */
function counted(id: string, name: string): Transform {
  return ofAggregate(id, name, (pack, aggregate) => {
    return withAggregate(pack, { ...aggregate, function: "count" });
  });
}

/** A count that adds amounts up. Other aggregates over the same events keep counting them. */
function summed(id: string, name: string): Transform {
  return ofAggregate(id, name, (pack, aggregate) => {
    const measures = pack.measures.map((measure): Measure => {
      return measure.slot === aggregate.measure ? { ...measure, value: (c) => c.tx?.amount, adds: "amount" } : measure;
    });
    return rebuildPack(withAggregate(pack, { ...aggregate, function: "sum" }), { measures });
  });
}

function withAggregate(pack: Pack, changed: Aggregate): Pack {
  return rebuildPack(pack, { aggregates: pack.aggregates.map((one) => (one.slot === changed.slot ? changed : one)) });
}

function ofAggregate(id: string, name: string, edit: (pack: Pack, aggregate: Aggregate) => Pack): Transform {
  return (pack) => {
    const slot = pack.rules.find((rule) => rule.id === id)?.aggregates.find((one) => one.name === name)?.slot;
    const aggregate = slot === undefined ? undefined : pack.aggregates[slot];
    return aggregate === undefined ? undefined : edit(pack, aggregate);
  };
}

function ofTypology(id: string, edit: (plan: TypologyPlan) => TypologyPlan): Transform {
  return (pack) => {
    const rules = pack.rules.map((rule): CompiledRule => {
      return rule.id === id && rule.typology !== undefined ? { ...rule, typology: edit(rule.typology) } : rule;
    });
    return rebuildPack(pack, { rules });
  };
}

function entriesOf(list: SourceNode | undefined): { name: string; place: SourceNode }[] {
  const items = list?.kind === "seq" ? list.items : [];
  return items.flatMap((item) => {
    const [entry] = item.kind === "map" ? item.entries : [];
    return entry === undefined ? [] : [{ name: entry.key.text, place: entry.key }];
  });
}

function made(operator: Mutant["operator"], place: SourceNode, change: string, transform: Transform): Mutant {
  const { line } = lineAndColumn(place.source, place.start);
  return { operator, line, change, literals: [], root: undefined, transform };
}
