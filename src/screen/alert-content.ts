/**
 * Builds the content of an alert from an entity's state: the subject, the red flags with their
 * evidence, marks, roles and handling. Neutral words only: a typology is named, nobody is accused.
 */
import type { Alert } from "../domain/alert.ts";
import { type EntityKey, entityKey, kindOf, tokenOf } from "../domain/entity.ts";
import { filingHints } from "../domain/filing.ts";
import { toDecimal } from "../domain/money.ts";
import { narrativeDraft } from "../domain/narrative.ts";
import { formatTime } from "../domain/time.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { PartyRole } from "../domain/vocabulary.ts";
import type { CompiledRule, Context, Leaf, TypologyPlan } from "../rules/plan.ts";
import { openForOf, relatedOf } from "./alert-links.ts";
import { type JudgeContext, matchingHits } from "./context.ts";
import type { AlertContent } from "./outputs.ts";
import { renderTemplate } from "./render.ts";
import type { AlertState } from "./state.ts";
import { ruleOf } from "./subject-index.ts";

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
  const views = hits.map(({ hit }) => hit);
  const subject = subjectOf(context);
  const openFor = openForOf(subject, views, alert);
  const farRoles = openFor === undefined ? [] : farRolesOf(context, hits, openFor);
  const isVictim = state.victimUntil >= context.now || views.some((hit) => hit.victim);
  // The customer whose case it becomes is protected as the subject is.
  const victimPossible = isVictim || farRoles.some(({ role }) => role === "victim" || role === "relative");
  const indicators = hits.map(({ hit, family }) => indicatorOf(context, hit, family));
  const cited = [...rule.sources, ...indicators.flatMap(({ sources }) => sources)].map(({ doc }) => doc);
  const told = marks.map((mark) => markOf(mark, pack.baseCurrency));
  const { id, version, title, crime } = rule;
  const typology = { id, version, title, crime, sources: [...rule.sources] };
  return {
    schema: "alert/1",
    alertId: alert.alertId,
    ...(alert.supersededBy === undefined ? {} : { relatedAlertId: alert.supersededBy }),
    tenant: pack.tenant,
    status: rule.status === "shadow" ? "shadow" : "active",
    alertClass: plan.alertClass,
    typology,
    packHash: pack.hash,
    lists: listsOf(context, rule, views),
    subject,
    ...(openFor === undefined ? {} : { openFor }),
    parties: partiesOf(context, { hits, marks, isVictim, openFor, farRoles }),
    severity: alert.severity,
    score: alert.score,
    openedAt: formatTime(alert.start),
    updatedAt: formatTime(context.now),
    explanation: explanationOf(context, rule, hits),
    why: whyOf(context, plan, alert),
    indicators,
    marks: told,
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
    filing: filingHints(rule.crime, cited, victimPossible),
    narrativeDraft: narrativeDraft({
      ...{ typology, subject, victimPossible, indicators, marks: told, openedAt: formatTime(alert.start) },
      ...(openFor === undefined ? {} : { openFor }),
    }),
    related: relatedOf(context, rule, alert, views, marks),
  };
}

/** Lists that the typology or a rule behind one of the hits looks things up in. */
function listsOf(context: JudgeContext, rule: CompiledRule, hits: readonly HitView[]): AlertContent["lists"] {
  const rules = [rule, ...hits.map((hit) => ruleOf(context.pack, hit.ruleId))];
  const all = new Map(rules.flatMap((one) => one?.lists ?? []).map((list) => [list.id, list]));
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map((list) => ({ ...list }));
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

interface FarRole {
  readonly role: PartyRole;
  readonly basis: string;
}

/** What the customer on the far side of an entity's own hits may be, as their rules say of the far side. */
function farRolesOf(context: JudgeContext, hits: readonly BasisHit[], { kind, token }: Subject): FarRole[] {
  const key = entityKey(kind, token);
  return hits
    .filter(({ hit }) => hit.root === context.entity && hit.root !== key)
    .flatMap(({ hit }) =>
      (ruleOf(context.pack, hit.ruleId)?.otherMayBe ?? []).map((role) => ({
        role,
        basis: `far side of ${hit.ruleId}`,
      })),
    );
}

interface Involved {
  readonly hits: readonly BasisHit[];
  readonly marks: readonly MarkView[];
  /** Of the subject. */
  readonly isVictim: boolean;
  readonly openFor: Subject | undefined;
  readonly farRoles: readonly FarRole[];
}

function partiesOf(context: JudgeContext, { hits, marks, isVictim, openFor, farRoles }: Involved): Party[] {
  const found = new Map<EntityKey, Party>();
  const add = (key: EntityKey, role: PartyRole, basis: string) => {
    const known = found.get(key);
    // Victim before any other role: a person is protected on doubt.
    if (known !== undefined && (known.role === "victim" || role !== "victim")) return;
    found.set(key, { kind: kindOf(key), token: tokenOf(key), role, confidence: "low", basis });
  };
  if (isVictim) add(context.entity, "victim", "a rule whose subject may be a victim, within 180 days");
  for (const { hit } of hits) {
    const roles = ruleOf(context.pack, hit.ruleId)?.selfMayBe ?? [];
    for (const role of roles.length === 0 ? (["unknown"] as const) : roles) add(hit.root, role, hit.ruleId);
  }
  for (const mark of marks) {
    const basis = `${mark.ruleId}, ${mark.distance} hops ${mark.flow}`;
    for (const role of ruleOf(context.pack, mark.ruleId)?.selfMayBe ?? []) add(mark.root, role, basis);
    add(mark.root, "unknown", basis);
  }
  if (openFor !== undefined) {
    const key = entityKey(openFor.kind, openFor.token);
    for (const { role, basis } of farRoles) add(key, role, basis);
    add(key, "unknown", "customer nearest on the flow");
  }
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

function whyOf(context: JudgeContext, plan: TypologyPlan, alert: AlertState): Alert["why"] {
  const families = [...context.scoring.families].map(([name, { points, capped, indicators }]) => ({
    name,
    points,
    capped,
    indicators,
  }));
  return {
    families: families.sort((a, b) => (a.name < b.name ? -1 : 1)),
    reductions: plan.reductions
      .filter((reduction) => reduction.when(context) === true)
      .map(({ name, points }) => ({ name, points })),
    clauses: trueLeaves(plan.alertWhen, context).map((leaf) => leaf.name),
    openedBy: [...alert.openedBy],
    raisedBy: [...alert.raisedBy],
  };
}

/** Names of the clauses of a typology's `alert_when` that hold now. */
export function trueClauses({ typology }: CompiledRule, context: Context): string[] {
  return typology === undefined ? [] : trueLeaves(typology.alertWhen, context).map((leaf) => leaf.name);
}

function trueLeaves(clause: TypologyPlan["alertWhen"], context: Context): Leaf[] {
  if (clause.kind === "leaf") return clause.test(context) === true ? [clause] : [];
  return clause.kind === "not" ? [] : clause.children.flatMap((child) => trueLeaves(child, context));
}

function indicatorOf(context: JudgeContext, hit: HitView, family: string): Alert["indicators"][number] {
  const rule = ruleOf(context.pack, hit.ruleId);
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
  for (const { hit } of hits) for (const caution of ruleOf(context.pack, hit.ruleId)?.cautions ?? []) all.add(caution);
  return [...all].sort();
}
