/**
 * Judges typologies: scores families from hits, marks and aggregates, keeps the alert's episode, and
 * gives the content of an alert whenever what it rests on has changed.
 */
import { fnv1a32 } from "../base/hash.ts";
import { ALERT_BYTES_MAX, ALERT_EPISODE_MAX_MS, ALERT_LINK_MS } from "../base/limits.ts";
import { type EntityKey, kindOf } from "../domain/entity.ts";
import { formatTime } from "../domain/time.ts";
import { SEVERITIES, type Severity } from "../domain/vocabulary.ts";
import type { CompiledRule, TypologyPlan } from "../rules/plan.ts";
import { alertContent, trueClauses } from "./alert-content.ts";
import { alertIdOf, cellOf, endsNarrower, lastCustomer } from "./alert-links.ts";
import { type JudgeContext, matchingHits, type Scoring } from "./context.ts";
import { extendVictim, keepHit } from "./hits.ts";
import { markAccounts, markOwnFlows } from "./marks.ts";
import type { AlertContent, FoldSink } from "./outputs.ts";
import type { AlertState } from "./state.ts";
import { clauseTest, type PreparedRule } from "./subject-index.ts";
import { holderKnown, targetsNow } from "./targets.ts";
import { forward, isVictimRole, ownHit } from "./tellings.ts";

/** Judges the given typologies in order; one that opens an alert is a hit for those after it. */
export function judgeTypologies(
  context: JudgeContext,
  typologies: readonly PreparedRule[],
  tests: AlertTests,
  sink: FoldSink,
): void {
  for (const prepared of typologies) {
    if (prepared.standIn && holderKnown(context)) continue;
    judgeTypology(context, prepared, tests, sink);
  }
}

/** `alert_when` of each typology as a test, compiled once an engine. */
export type AlertTests = ReadonlyMap<string, ReturnType<typeof clauseTest>>;

/** Compiles the `alert_when` trees of all typologies. */
export function alertTests(rules: readonly CompiledRule[]): AlertTests {
  return new Map(
    rules.flatMap((rule) => (rule.typology ? [[rule.id, clauseTest(rule.typology.alertWhen)] as const] : [])),
  );
}

/** Scores a typology for the view that the context is aimed at. */
export function scoreOf(context: JudgeContext, plan: TypologyPlan): Scoring {
  const families: Scoring["families"] = new Map();
  for (const indicator of plan.indicators) {
    if (indicator.when(context) !== true) continue;
    // Geography is one family, whatever the author calls its parts.
    const name = indicator.geography ? "geography" : indicator.family;
    const family = families.get(name) ?? { points: 0, capped: false, indicators: [] };
    const points = family.points + Math.round(indicator.points(context) ?? 0);
    family.points = Math.min(plan.familyCap, points);
    family.capped ||= points > plan.familyCap;
    family.indicators.push(indicator.name);
    families.set(name, family);
  }
  let total = 0;
  for (const family of families.values()) total += family.points;
  for (const reduction of plan.reductions) if (reduction.when(context) === true) total += reduction.points;
  return { total: Math.max(0, total), families };
}

/** Severity of a score: the highest band reached, `low` below the first. */
export function severityOf(plan: TypologyPlan, score: number): Severity {
  let severity: Severity = "low";
  for (const band of plan.bands) if (score >= band.score) severity = band.severity;
  return severity;
}

function judgeTypology(context: JudgeContext, prepared: PreparedRule, tests: AlertTests, sink: FoldSink): void {
  const { rule } = prepared;
  const plan = rule.typology;
  const test = tests.get(rule.id);
  if (plan === undefined || test === undefined) return;
  context.scoring = scoreOf(context, plan);
  if (context.scoring.families.size === 0 || test(context) !== true) return;
  const before = context.state.alerts.get(prepared.index);
  if (before !== undefined && takenOver(context, rule, before)) return;
  if (isVictimRole(rule)) extendVictim(context.state, context.now);
  const alert = continues(context, rule, before) ? (before as AlertState) : openAlert(context, rule, before);
  const opened = alert !== before;
  context.state.alerts = context.state.alerts.set(prepared.index, alert);
  alert.last = context.now;
  alert.score = context.scoring.total;
  const families = [...context.scoring.families.keys()].sort();
  const severity = higher(alert.severity, severityOf(plan, alert.score));
  if (opened || severity !== alert.severity) alert.raisedBy = joined(families, alert.families);
  alert.severity = severity;
  alert.families = families;
  if (say(context, rule, alert, sink)) afterAlert(context, prepared, alert, opened, sink);
}

/** Families that are new; all, where the same families have grown. */
function joined(families: readonly string[], before: readonly string[]): readonly string[] {
  const found = families.filter((family) => !before.includes(family));
  return found.length === 0 ? families : found;
}

/** Says what an alert has come to, unless that was said before: as of when alone is no news. */
function say(context: JudgeContext, rule: CompiledRule, alert: AlertState, sink: FoldSink): boolean {
  const { content, said } = withinBounds(alertContent(context, rule, alert));
  const hash = fnv1a32(said) || 1;
  if (hash === alert.contentHash) return false;
  alert.contentHash = hash;
  alert.asOf = context.now;
  alert.said = said;
  sink.alert(content, saidHash(alert));
  return true;
}

/** Content that fits a message, and the same as JSON without its date: the oldest evidence goes first. */
function withinBounds(whole: AlertContent): { readonly content: AlertContent; readonly said: string } {
  for (let content = whole; ; ) {
    const said = JSON.stringify({ ...content, updatedAt: "" });
    if (said.length * BYTES_PER_UNIT_MAX <= SAID_BYTES_MAX || utf8Length(said) <= SAID_BYTES_MAX)
      return { content, said };
    const [oldest] = content.indicators
      .filter(({ evidence }) => evidence.length > 0)
      .sort((a, b) => (a.last === b.last ? 0 : a.last < b.last ? -1 : 1));
    if (oldest === undefined) return { content, said };
    const indicators = content.indicators.map((one) => (one === oldest ? { ...one, evidence: [] } : one));
    content = { ...content, indicators };
  }
}

/** What sending adds: revision, event, cause, changes. */
const SENDING_BYTES = 8 * 1_024;
const SAID_BYTES_MAX = ALERT_BYTES_MAX - SENDING_BYTES;
const BYTES_PER_UNIT_MAX = 3;

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** What an alert said last, and its hash; undefined when that is no longer known. */
export function lastSaid(alert: AlertState): { readonly content: AlertContent; readonly hash: number } | undefined {
  if (alert.said === undefined) return undefined;
  const content = { ...(JSON.parse(alert.said) as AlertContent), updatedAt: formatTime(alert.asOf) };
  return { content, hash: saidHash(alert) };
}

/** As of when is part of it: a refold may find that the same was to be said earlier. */
function saidHash(alert: AlertState): number {
  return fnv1a32(`${alert.contentHash} ${alert.asOf}`) || 1;
}

/** An alert is a hit for other typologies, marks the money, and ends narrower alerts over the same hits. */
function afterAlert(
  context: JudgeContext,
  prepared: PreparedRule,
  alert: AlertState,
  opened: boolean,
  sink: FoldSink,
): void {
  const { rule } = prepared;
  const { state } = context;
  if (prepared.recorded || prepared.told) {
    const hit = ownHit(context, prepared, { start: alert.start, last: alert.last, txId: context.view.txId }, []);
    if (prepared.recorded) keepHit(state, hit);
    if (prepared.told) {
      for (const target of targetsNow(context)) sink.view(forward(context, hit, target, "account"));
    }
  }
  markOwnFlows(context, rule, alert.start, alert.alertId, sink);
  markAccounts(context, rule, alert.start, alert.alertId, accountsBehind(context, rule), sink);
  if (opened) supersede(context, rule, alert, sink);
}

/** Accounts, cards and wallets on which the hits behind a typology were seen. */
function accountsBehind(context: JudgeContext, rule: CompiledRule): EntityKey[] {
  const found = new Set<EntityKey>();
  for (const slot of rule.hitInputs) {
    const input = context.pack.hitInputs[slot];
    if (input === undefined) continue;
    for (const view of matchingHits(context.state, input, context.now).values()) {
      if (view.kind !== "hit" || view.root === context.entity) continue;
      const kind = kindOf(view.root);
      if (kind === "account" || kind === "wallet" || kind === "card") found.add(view.root);
    }
  }
  return [...found].sort();
}

function supersede(context: JudgeContext, rule: CompiledRule, alert: AlertState, sink: FoldSink): void {
  if (rule.typology === undefined || rule.typology.supersedes.length === 0) return;
  for (const other of context.index.typologies) {
    const state = context.state.alerts.get(other.index);
    if (state === undefined || !endsNarrower(context, rule, other.rule, state)) continue;
    state.supersededBy = alert.alertId;
    const saved = context.scoring;
    if (other.rule.typology !== undefined) context.scoring = scoreOf(context, other.rule.typology);
    say(context, other.rule, state, sink);
    context.scoring = saved;
  }
}

function continues(context: JudgeContext, rule: CompiledRule, alert: AlertState | undefined): boolean {
  if (alert === undefined || alert.supersededBy !== undefined) return false;
  return context.now - alert.last <= rule.suppressForMs && context.now - alert.start < ALERT_EPISODE_MAX_MS;
}

/**
 * Whether another typology has taken an alert over and still stands for what is seen. Until the grid's next line a new
 * episode would bear the id of the one that was taken over.
 */
function takenOver(context: JudgeContext, rule: CompiledRule, alert: AlertState): boolean {
  if (alert.supersededBy === undefined) return false;
  if (cellOf(rule, context.now) === cellOf(rule, alert.start)) return true;
  const { alerts } = context.state;
  const broader = context.index.typologies.find(({ index }) => alerts.get(index)?.alertId === alert.supersededBy);
  if (broader === undefined) return false;
  return context.now - (alerts.get(broader.index) as AlertState).last <= broader.rule.suppressForMs;
}

function openAlert(context: JudgeContext, rule: CompiledRule, before: AlertState | undefined): AlertState {
  const recent = before !== undefined && context.now - before.last < ALERT_LINK_MS;
  return {
    alertId: alertIdOf(context.pack.tenant, rule, context.entity, context.now),
    start: context.now,
    last: context.now,
    severity: "low",
    score: 0,
    families: [],
    openedBy: trueClauses(rule, context),
    raisedBy: [],
    asOf: context.now,
    contentHash: 0,
    said: undefined,
    previous: recent ? before.alertId : undefined,
    supersededBy: undefined,
    payer: lastCustomer(context),
  };
}

function higher(a: Severity, b: Severity): Severity {
  return SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b;
}
