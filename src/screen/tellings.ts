/**
 * What one entity tells others of itself: its hits as views for them, and the names by which a telling can be
 * repeated, changed or taken back.
 */
import { fnv1a32, shortHash } from "../base/hash.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { HitView } from "../domain/view.ts";
import type { CompiledRule } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { renderTemplate } from "./render.ts";
import type { Episode } from "./state.ts";
import type { PreparedRule } from "./subject-index.ts";

/**
 * Names one telling: what is told, to whom, and the view that caused it. The cause is part of it, so that a telling
 * that a refold moves to another cause is another telling: the old one is taken back and the new one sent.
 */
export function tellingId(context: JudgeContext, what: string, target: EntityKey): string {
  const { view, now } = context;
  const cause = [now, view.txId, view.hop, view.source, view.kind, view.index];
  return shortHash([what, context.entity, target, ...cause].join("\u0000"), 12);
}

/** Distinguishes derived views that agree in everything else; no arrival changes it. */
export function derivedIndex(slot: number, root: EntityKey, variant: number): number {
  return (slot * 2 + variant) * 0x100000 + (fnv1a32(root) & 0xfffff);
}

/** Whether a rule says that self may be a victim or the relative of one. */
export function isVictimRole(rule: CompiledRule): boolean {
  return rule.selfMayBe.includes("victim") || rule.selfMayBe.includes("relative");
}

/** The entity's own hit, as the view that holders would get. */
export function ownHit(
  context: JudgeContext,
  prepared: PreparedRule,
  episode: Episode,
  evidence: HitView["evidence"],
): HitView {
  const { rule } = prepared;
  const { state, view } = context;
  return {
    kind: "hit",
    entity: context.entity,
    time: context.now,
    txId: view.txId,
    hop: view.hop,
    source: context.entity,
    index: derivedIndex(rule.slot, context.entity, 0),
    id: tellingId(context, `${rule.id}|${episode.start}`, context.entity),
    off: false,
    ruleId: rule.id,
    root: context.entity,
    rootOwn: state.own,
    rootRef: state.ref,
    relation: "self",
    episodeStart: episode.start,
    lastTrue: episode.last,
    crime: rule.crime,
    victim: isVictimRole(rule),
    explanation: renderTemplate(rule.explain, context, context.pack.baseCurrency),
    evidence,
    attrs: rule.emit.flatMap(({ name, read }) => {
      const value = read(context);
      return value === undefined ? [] : [{ name, value }];
    }),
  };
}

/** The hit as told on to `target`: judged at the time of what caused the telling, never before it. */
export function forward(
  context: JudgeContext,
  hit: HitView,
  target: EntityKey,
  relation: HitView["relation"],
): HitView {
  const { view, now, entity } = context;
  const place = { entity: target, time: now, txId: view.txId, hop: view.hop + 1, source: entity };
  const id = tellingId(context, `${hit.ruleId}|${hit.root}|${hit.episodeStart}`, target);
  return { ...hit, ...place, relation, id };
}
