/**
 * Hits: episodes of true judgements, kept where a rule on the same entity counts them and told to
 * holders and links where a rule there does. What is told is a view for the other entity.
 */
import { fnv1a32, shortHash } from "../base/hash.ts";
import { EPISODES_PER_RULE_MAX, PROLONG_EVERY_MS, RECEIVED_HITS_MAX, VICTIM_POSSIBLE_MS } from "../base/limits.ts";
import { type EntityKey, entityKey, kindOf } from "../domain/entity.ts";
import type { Link } from "../domain/tx.ts";
import type { HitView } from "../domain/view.ts";
import type { CompiledRule } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { evidenceOf } from "./evidence.ts";
import { newRuleState } from "./new-state.ts";
import type { FoldSink } from "./outputs.ts";
import { renderTemplate } from "./render.ts";
import type { EntityState, Episode, RuleState } from "./state.ts";
import type { PreparedRule } from "./subject-index.ts";

/** Most entities that an entity's hits are told to; the newest stay. */
const TELL_TO_MAX = 16;
/** Evidence is kept with the newest hits only, so that a state value stays small. */
const HITS_WITH_EVIDENCE_MAX = 12;

/** Takes a judgement of an indicator into its episodes; returns the episode when hits changed. */
export function recordJudgement(
  context: JudgeContext,
  prepared: PreparedRule,
  holds: boolean | undefined,
  sink: FoldSink,
): Episode | undefined {
  const { state, now } = context;
  let cells = state.rules[prepared.index];
  if (holds !== true) {
    if (holds === false && cells?.running) {
      cells.running = false;
      const ended = cells.episodes[cells.episodes.length - 1];
      if (ended !== undefined) sink.hit(hitRecord(context, prepared, ended, "ended"));
    }
    return undefined;
  }
  if (cells === undefined) {
    cells = newRuleState();
    state.rules[prepared.index] = cells;
  }
  const { episode, opened } = runningEpisode(context, prepared.rule, cells);
  if (opened) sink.hit(hitRecord(context, prepared, episode, "opened"));
  if (!opened && now - cells.toldAt < PROLONG_EVERY_MS) return undefined;
  cells.toldAt = now;
  return episode;
}

/** Keeps the hit here and tells it to holders and links, as far as some rule counts it there. */
export function tellHit(context: JudgeContext, prepared: PreparedRule, episode: Episode, sink: FoldSink): void {
  if (isVictimRole(prepared.rule)) extendVictim(context.state, context.now);
  if (!prepared.recorded && !prepared.told) return;
  const own = ownHit(context, prepared, episode, evidenceOf(context, prepared));
  if (prepared.recorded) keepHit(context.state, own);
  if (!prepared.told) return;
  for (const target of context.state.tellTo) sink.view(forward(context, own, target, "account"));
}

/** Takes a told hit in: keeps it and, on a party, passes an account's hit on to the party's links. */
export function receiveHit(context: JudgeContext, hit: HitView, sink: FoldSink): void {
  keepHit(context.state, hit);
  if (hit.victim) extendVictim(context.state, hit.time);
  if (kindOf(context.entity) !== "party" || hit.relation !== "account") return;
  for (const target of context.state.tellTo) sink.view(forward(context, hit, target, "member"));
}

/**
 * Learns whom hits are told to (holders, links). A new one is told at once of the episodes that are
 * still known here, so that a link that comes after the hit is seen too.
 */
export function learnTellTo(
  context: JudgeContext,
  indicators: readonly PreparedRule[],
  party: string | undefined,
  links: readonly Link[],
  sink: FoldSink,
): void {
  const { state } = context;
  const kind = kindOf(context.entity);
  if (party !== undefined && kind !== "party") learn(entityKey("party", party));
  if (kind === "phone" || kind === "address" || kind === "device" || kind === "employer") return;
  for (const link of links) if (link.kind !== "email") learn(entityKey(link.kind, link.token));

  function learn(target: EntityKey): void {
    if (state.tellTo.includes(target)) return;
    state.tellTo.push(target);
    if (state.tellTo.length > TELL_TO_MAX) state.tellTo.shift();
    for (const prepared of indicators) {
      const episode = state.rules[prepared.index]?.episodes.at(-1);
      if (!prepared.told || episode === undefined) continue;
      const own = ownHit(context, prepared, episode, []);
      sink.view(forward(context, own, target, "account"));
    }
    for (const hit of state.hits) {
      if (hit.relation === "account" && kind === "party") sink.view(forward(context, hit, target, "member"));
    }
  }
}

/** Whether a holder of this account is known: then the holder, not the account, is judged as a party. */
export function holderKnown(state: EntityState): boolean {
  return state.tellTo.some((key) => key.startsWith("party:"));
}

/** Keeps a hit, the newest telling of each episode, at most RECEIVED_HITS_MAX. */
export function keepHit(state: EntityState, hit: HitView): void {
  const { hits } = state;
  const at = hits.findIndex(
    (known) => known.ruleId === hit.ruleId && known.root === hit.root && known.episodeStart === hit.episodeStart,
  );
  const evidence = at >= 0 && hit.evidence.length === 0 ? (hits[at] as HitView).evidence : hit.evidence;
  if (at >= 0) hits.splice(at, 1);
  hits.push(evidence === hit.evidence ? hit : { ...hit, evidence });
  if (hits.length > RECEIVED_HITS_MAX) hits.shift();
  const bare = hits.length - HITS_WITH_EVIDENCE_MAX - 1;
  const old = hits[bare];
  if (old !== undefined && old.evidence.length > 0) hits[bare] = { ...old, evidence: [] };
}

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

/** A victim is possible on this entity for half a year from `now` on. */
export function extendVictim(state: EntityState, now: number): void {
  state.victimUntil = Math.max(state.victimUntil, now + VICTIM_POSSIBLE_MS);
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

function runningEpisode(
  context: JudgeContext,
  rule: CompiledRule,
  cells: RuleState,
): { episode: Episode; opened: boolean } {
  const { now } = context;
  const newest = cells.episodes[cells.episodes.length - 1];
  if (newest !== undefined && cells.running && now - newest.last <= rule.suppressForMs) {
    newest.last = now;
    return { episode: newest, opened: false };
  }
  const episode: Episode = { start: now, last: now, txId: context.view.txId };
  cells.episodes.push(episode);
  if (cells.episodes.length > EPISODES_PER_RULE_MAX) cells.episodes.shift();
  cells.running = true;
  return { episode, opened: true };
}

function hitRecord(context: JudgeContext, prepared: PreparedRule, episode: Episode, event: "opened" | "ended") {
  const { rule } = prepared;
  return {
    schema: "hit/1" as const,
    ruleId: rule.id,
    version: rule.version,
    entity: context.entity,
    event,
    start: episode.start,
    last: episode.last,
    txId: context.view.txId,
    explanation: event === "opened" ? renderTemplate(rule.explain, context, context.pack.baseCurrency) : "",
  };
}
