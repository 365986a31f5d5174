/**
 * Builds the content of an alert from an entity's state: the subject, the red flags with their
 * evidence, marks, roles and handling. Neutral words only: a typology is named, nobody is accused.
 */
import { HOUR_MS } from "../base/limits.ts";
import type { Alert } from "../domain/alert.ts";
import { type EntityKey, kindOf, tokenOf } from "../domain/entity.ts";
import { toDecimal } from "../domain/money.ts";
import { formatTime } from "../domain/time.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { PartyRole } from "../domain/vocabulary.ts";
import type { CompiledRule, Context, Leaf, TypologyPlan } from "../rules/plan.ts";
import { type JudgeContext, matchingHits } from "./context.ts";
import type { AlertContent } from "./outputs.ts";
import { renderTemplate } from "./render.ts";
import type { AlertState } from "./state.ts";

type Party = Alert["parties"][number];
type Subject = Alert["subject"];

/** Victims come first: the queue and the clock of an alert in which somebody may be one. */
const VICTIM_SLA_HOURS = 24;
const VICTIM_NOTE =
  "A person in this pattern may be a victim. Do not name the account holder as the suspect, do not contact " +
  "the holder about the alert, and decide nothing on the account from this alert alone: a specialist looks first.";
const STANDARD_NOTE = "An alert is a reason to look, not a finding. No single indicator is enough.";

/** Content of an alert for the view that the context is aimed at; `context.scoring` is the typology's. */
export function alertContent(context: JudgeContext, rule: CompiledRule, alert: AlertState): AlertContent {
  const plan = rule.typology as TypologyPlan;
  const { state, pack } = context;
  const { hits, marks } = basisOf(context, plan);
  const victimPossible = state.victimUntil >= context.now || hits.some(({ hit }) => hit.victim);
  const subject = subjectOf(context);
  const openFor = subject.own ? undefined : nearestOwn(hits.map(({ hit }) => hit));
  return {
    schema: "alert/1",
    alertId: alert.alertId,
    ...(alert.supersededBy === undefined ? {} : { relatedAlertId: alert.supersededBy }),
    tenant: pack.tenant,
    status: rule.status === "shadow" ? "shadow" : "active",
    alertClass: plan.alertClass,
    typology: { id: rule.id, version: rule.version, title: rule.title, crime: rule.crime, sources: [...rule.sources] },
    packHash: pack.hash,
    subject,
    ...(openFor === undefined ? {} : { openFor }),
    parties: partiesOf(context, hits, marks, victimPossible),
    severity: alert.severity,
    score: alert.score,
    openedAt: formatTime(alert.start),
    updatedAt: formatTime(context.now),
    explanation: explanationOf(context, rule, hits),
    why: whyOf(context, plan),
    indicators: hits.map(({ hit, family }) => indicatorOf(context, hit, family)),
    marks: marks.map((mark) => markOf(mark, pack.baseCurrency)),
    cautions: cautionsOf(context, rule, hits),
    victimPossible,
    handling: {
      queue: victimPossible || plan.alertClass === "protected" ? "specialist" : "standard",
      doNotNameAsSubject: victimPossible,
      note: victimPossible ? VICTIM_NOTE : STANDARD_NOTE,
    },
    sla: {
      class: plan.sla.class,
      withinHours: victimPossible ? Math.min(VICTIM_SLA_HOURS, plan.sla.withinHours) : plan.sla.withinHours,
    },
    related: relatedOf(context, alert, marks),
  };
}

interface BasisHit {
  readonly hit: HitView;
  readonly family: string;
}

/** Hits and marks behind the families that scored, in a fixed order. */
function basisOf(context: JudgeContext, plan: TypologyPlan): { hits: BasisHit[]; marks: MarkView[] } {
  const hits = new Map<string, BasisHit>();
  const marks = new Map<string, MarkView>();
  const scored = new Set([...context.scoring.families.values()].flatMap((family) => family.indicators));
  for (const indicator of plan.indicators) {
    if (!scored.has(indicator.name)) continue;
    for (const slot of indicator.hitInputs) {
      const input = context.pack.hitInputs[slot];
      if (input === undefined) continue;
      for (const view of matchingHits(context.state, { ...input, count: "episodes" }, context.now).values()) {
        if (view.kind === "hit") {
          const family = indicator.geography ? "geography" : indicator.family;
          hits.set(`${view.ruleId}|${view.root}|${view.episodeStart}`, { hit: view, family });
        } else if (view.kind === "mark") {
          marks.set(`${view.ruleId}|${view.root}|${view.period}|${view.flow}`, view);
        }
      }
    }
  }
  const sorted = <T>(map: Map<string, T>): T[] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  return { hits: sorted(hits), marks: sorted(marks) };
}

function subjectOf(context: JudgeContext): Subject {
  const { state, entity } = context;
  const subject = { kind: kindOf(entity), token: tokenOf(entity), own: state.own || hasProfile(context) };
  return state.ref === undefined || !state.own ? subject : { ...subject, ref: state.ref };
}

/** A profile is what the institution knows of its own customers. */
function hasProfile(context: JudgeContext): boolean {
  return context.profile !== undefined;
}

function nearestOwn(hits: readonly HitView[]): Subject | undefined {
  const own = hits.find((hit) => hit.rootOwn);
  if (own === undefined) return undefined;
  const subject = { kind: kindOf(own.root), token: tokenOf(own.root), own: true };
  return own.rootRef === undefined ? subject : { ...subject, ref: own.rootRef };
}

function partiesOf(
  context: JudgeContext,
  hits: readonly BasisHit[],
  marks: readonly MarkView[],
  victimPossible: boolean,
): Party[] {
  const found = new Map<EntityKey, Party>();
  const add = (key: EntityKey, role: PartyRole, basis: string) => {
    const known = found.get(key);
    // Victim before any other role: a person is protected on doubt.
    if (known !== undefined && (known.role === "victim" || role !== "victim")) return;
    found.set(key, { kind: kindOf(key), token: tokenOf(key), role, confidence: "low", basis });
  };
  if (victimPossible) add(context.entity, "victim", "a rule whose subject may be a victim, within 180 days");
  for (const { hit } of hits) {
    const roles = ruleOf(context, hit.ruleId)?.selfMayBe ?? [];
    for (const role of roles.length === 0 ? (["unknown"] as const) : roles) add(hit.root, role, hit.ruleId);
  }
  for (const mark of marks) add(mark.root, "unknown", `${mark.ruleId}, ${mark.distance} hops ${mark.flow}`);
  if (!found.has(context.entity)) add(context.entity, "unknown", "subject of the alert");
  return [...found.values()].sort((a, b) => (`${a.kind}:${a.token}` < `${b.kind}:${b.token}` ? -1 : 1));
}

function explanationOf(context: JudgeContext, rule: CompiledRule, hits: readonly BasisHit[]): string {
  const own = renderTemplate(rule.explain, context, context.pack.baseCurrency);
  if (own !== "") return own;
  const families = [...context.scoring.families.keys()].sort().join(", ");
  const flags = hits.length === 1 ? "1 red flag" : `${hits.length} red flags`;
  return `${rule.title}: ${flags} in ${context.scoring.families.size} families (${families}).`;
}

function whyOf(context: JudgeContext, plan: TypologyPlan): Alert["why"] {
  const families = [...context.scoring.families].map(([name, { points, indicators }]) => ({
    name,
    points,
    indicators,
  }));
  return {
    families: families.sort((a, b) => (a.name < b.name ? -1 : 1)),
    reductions: plan.reductions
      .filter((reduction) => reduction.when(context) === true)
      .map(({ name, points }) => ({ name, points })),
    clauses: trueLeaves(plan.alertWhen, context).map((leaf) => leaf.name),
  };
}

function trueLeaves(clause: TypologyPlan["alertWhen"], context: Context): Leaf[] {
  if (clause.kind === "leaf") return clause.test(context) === true ? [clause] : [];
  return clause.kind === "not" ? [] : clause.children.flatMap((child) => trueLeaves(child, context));
}

function indicatorOf(context: JudgeContext, hit: HitView, family: string): Alert["indicators"][number] {
  const rule = ruleOf(context, hit.ruleId);
  return {
    ruleId: hit.ruleId,
    version: rule?.version ?? 0,
    title: rule?.title ?? hit.ruleId,
    source: { kind: kindOf(hit.root), token: tokenOf(hit.root) },
    family,
    first: formatTime(hit.episodeStart),
    last: formatTime(hit.lastTrue),
    explanation: hit.explanation,
    sources: [...(rule?.sources ?? [])],
    cautions: [...(rule?.cautions ?? [])],
    evidence: [...hit.evidence],
  };
}

function markOf(mark: MarkView, baseCurrency: string): Alert["marks"][number] {
  return {
    ruleId: mark.ruleId,
    crime: mark.crime,
    root: { kind: kindOf(mark.root), token: tokenOf(mark.root) },
    ...(mark.alertId === undefined ? {} : { alertId: mark.alertId }),
    flow: mark.flow,
    distance: mark.distance,
    about: formatTime(mark.about),
    amount: toDecimal(mark.amount, baseCurrency),
    viaTx: mark.viaTx,
  };
}

function cautionsOf(context: JudgeContext, rule: CompiledRule, hits: readonly BasisHit[]): string[] {
  const all = new Set(rule.cautions);
  for (const { hit } of hits) for (const caution of ruleOf(context, hit.ruleId)?.cautions ?? []) all.add(caution);
  return [...all].sort();
}

function relatedOf(context: JudgeContext, alert: AlertState, marks: readonly MarkView[]): Alert["related"] {
  const related = new Map<string, string>();
  if (alert.previous !== undefined) related.set(alert.previous, "continues");
  for (const other of context.state.alerts) {
    if (other !== undefined && other.alertId !== alert.alertId && alert.start - other.last < 24 * 90 * HOUR_MS) {
      if (!related.has(other.alertId)) related.set(other.alertId, "same_subject");
    }
  }
  for (const mark of marks) {
    if (mark.alertId !== undefined) related.set(mark.alertId, mark.flow === "downstream" ? "upstream" : "downstream");
  }
  return [...related]
    .map(([alertId, relation]) => ({ alertId, relation }))
    .sort((a, b) => (a.alertId < b.alertId ? -1 : 1));
}

function ruleOf(context: JudgeContext, id: string): CompiledRule | undefined {
  return context.pack.rules.find((rule) => rule.id === id);
}
