/** Hits and marks that an inline test gives, as the views that the watched entity would have been told. */
import { ENTITY_KINDS, type EntityKey, entityKey } from "../domain/entity.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { CompiledRule } from "../rules/plan.ts";
import { TEST_START } from "./events.ts";
import type { GivenTelling } from "./test-spec.ts";

/** A hit of another entity, as `entity` is told of it. */
export function hitView(telling: GivenTelling, rule: CompiledRule, entity: EntityKey): HitView {
  const time = TEST_START + telling.atMs;
  const root = keyOf(telling.from, "account:given");
  return {
    ...derived(telling, entity, root, time),
    kind: "hit",
    id: `${rule.id}|${root}|${time}`,
    ruleId: rule.id,
    root,
    rootOwn: true,
    rootRef: undefined,
    relation: "account",
    episodeStart: time,
    lastTrue: time,
    victim: mayBeVictim(rule),
    explanation: "given",
    evidence: [],
    attrs: [],
    crime: rule.crime,
  };
}

/** A mark that reached `entity` along money. */
export function markView(telling: GivenTelling, rule: CompiledRule, entity: EntityKey): MarkView {
  const time = TEST_START + telling.atMs;
  const root = keyOf(telling.from, `party:given-${rule.id}`);
  return {
    ...derived(telling, entity, root, time),
    kind: "mark",
    held: false,
    id: `${rule.id}|${root}|${time}|${telling.flow}`,
    ruleId: rule.id,
    crime: rule.crime,
    victim: mayBeVictim(rule),
    root,
    alertId: undefined,
    flow: telling.flow,
    distance: telling.distance,
    period: time,
    about: TEST_START + (telling.aboutMs ?? telling.atMs),
    amount: 100_000,
    viaTx: "given",
  };
}

function derived(telling: GivenTelling, entity: EntityKey, root: EntityKey, time: number) {
  const place = { entity, time, txId: `given-${telling.line}`, hop: 1, source: root, index: telling.line };
  return { ...place, off: false };
}

function mayBeVictim(rule: CompiledRule): boolean {
  return rule.selfMayBe.includes("victim") || rule.selfMayBe.includes("relative");
}

function keyOf(text: string | undefined, otherwise: EntityKey): EntityKey {
  if (text === undefined) return otherwise;
  return ENTITY_KINDS.some((kind) => text.startsWith(`${kind}:`)) ? text : entityKey("account", text);
}
