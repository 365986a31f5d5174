/**
 * Hits: episodes of true judgements, kept where a rule on the same entity counts them and told to
 * holders and links where a rule there does. What is told is a view for the other entity.
 */
import { EPISODES_PER_RULE_MAX, PROLONG_EVERY_MS, RECEIVED_HITS_MAX, VICTIM_POSSIBLE_MS } from "../base/limits.ts";
import { changeable } from "../base/lists.ts";
import { kindOf } from "../domain/entity.ts";
import type { HitView } from "../domain/view.ts";
import type { CompiledRule } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { evidenceOf } from "./evidence.ts";
import { newRuleState } from "./new-state.ts";
import type { FoldSink } from "./outputs.ts";
import { renderTemplate } from "./render.ts";
import type { EntityState, Episode, RuleState } from "./state.ts";
import type { PreparedRule } from "./subject-index.ts";
import { targetsNow } from "./targets.ts";
import { forward, isVictimRole, ownHit } from "./tellings.ts";

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
  let cells = state.rules.get(prepared.index);
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
    state.rules = state.rules.set(prepared.index, cells);
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
  for (const target of targetsNow(context)) sink.view(forward(context, own, target, "account"));
}

/** Takes a told hit in: keeps it and, on a party, passes an account's hit on to the party's links. */
export function receiveHit(context: JudgeContext, hit: HitView, sink: FoldSink): void {
  keepHit(context.state, hit);
  if (hit.victim) extendVictim(context.state, hit.time);
  if (kindOf(context.entity) !== "party" || hit.relation !== "account") return;
  for (const target of targetsNow(context)) sink.view(forward(context, hit, target, "member"));
}

/** Keeps a hit, the newest telling of each episode, at most RECEIVED_HITS_MAX. */
export function keepHit(state: EntityState, hit: HitView): void {
  const hits = changeable(state.hits);
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
  state.hits = hits;
}

/** A victim is possible on this entity for half a year from `now` on. */
export function extendVictim(state: EntityState, now: number): void {
  state.victimUntil = Math.max(state.victimUntil, now + VICTIM_POSSIBLE_MS);
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
