/** What an alert points to: other alerts that belong to it, and the customer on whom a case is opened. */
import { shortHash } from "../base/hash.ts";
import { ALERT_LINK_MS } from "../base/limits.ts";
import type { Alert } from "../domain/alert.ts";
import { type EntityKey, type EntityKind, kindOf, tokenOf } from "../domain/entity.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { CompiledRule } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import type { AlertState } from "./state.ts";
import { ruleOf } from "./subject-index.ts";

type Subject = Alert["subject"];

/**
 * No rule version, pack hash or transaction is in an alert's id: editing a threshold never duplicates an
 * open alert. Episodes start at least `suppress.for` apart, so the grid keeps ids unique.
 */
export function alertIdOf(tenant: string, rule: CompiledRule, entity: EntityKey, start: number): string {
  const cell = cellOf(rule, start);
  return `al_${shortHash([tenant, rule.id, kindOf(entity), tokenOf(entity), cell].join("\u0000"), 15)}`;
}

/** Line of the grid on which an episode starts. */
export function cellOf(rule: CompiledRule, start: number): number {
  return Math.floor(start / rule.suppressForMs);
}

/** Whether the alert of a broader typology ends `other`'s when it opens. */
export function endsNarrower(
  context: JudgeContext,
  rule: CompiledRule,
  other: CompiledRule,
  alert: AlertState,
): boolean {
  if (rule.typology?.supersedes.includes(other.id) !== true || alert.supersededBy !== undefined) return false;
  // A rule in shadow is only watched: it ends no alert that people work on.
  if (rule.status === "shadow" && other.status !== "shadow") return false;
  return context.now - alert.last <= other.suppressForMs;
}

/** Alerts that belong to this one, by relation; of two relations to one alert the first found stays. */
export function relatedOf(
  context: JudgeContext,
  rule: CompiledRule,
  alert: AlertState,
  hits: readonly HitView[],
  marks: readonly MarkView[],
): Alert["related"] {
  const related = new Map<string, string>();
  const add = (alertId: string | undefined, relation: string) => {
    if (alertId !== undefined && alertId !== alert.alertId && !related.has(alertId)) related.set(alertId, relation);
  };
  add(alert.previous, "previous");
  for (const other of context.index.typologies) addOwn(context, rule, alert, other, add);
  for (const hit of hits) {
    const raised = ruleOf(context.pack, hit.ruleId);
    if (raised?.typology === undefined) continue;
    add(alertIdOf(context.pack.tenant, raised, hit.root, hit.episodeStart), RELATION[hit.relation]);
  }
  for (const mark of marks) add(mark.alertId, mark.flow === "downstream" ? "upstream" : "downstream");
  return [...related]
    .map(([alertId, relation]) => ({ alertId, relation }))
    .sort((a, b) => (a.alertId < b.alertId ? -1 : 1));
}

/** How an alert whose hit was told here is related: a party's account, or the member of a link. */
const RELATION = { self: "same_subject", account: "same_party", member: "linked" } as const;

function addOwn(
  context: JudgeContext,
  rule: CompiledRule,
  alert: AlertState,
  other: { readonly rule: CompiledRule; readonly index: number },
  add: (alertId: string, relation: string) => void,
): void {
  const known = context.state.alerts.get(other.index);
  if (known === undefined || alert.start - known.last >= ALERT_LINK_MS) return;
  // What is only watched is no news on an alert that people work on.
  if (other.rule.status === "shadow" && rule.status !== "shadow") return;
  const opening = alert.contentHash === 0;
  const narrower = known.supersededBy === alert.alertId || (opening && endsNarrower(context, rule, other.rule, known));
  add(known.alertId, narrower ? "supersedes" : "same_subject");
}

/** Kinds of entity that nobody opens a case on, whoever holds what is seen there. */
const LINKS: readonly EntityKind[] = ["phone", "device", "address", "employer"];

/** The own entity nearest on the flow, where the pattern sits on one that is a link or not held here. */
export function openForOf(subject: Subject, hits: readonly HitView[], alert: AlertState): Subject | undefined {
  if (subject.own && !LINKS.includes(subject.kind)) return undefined;
  const own = hits.find((hit) => hit.rootOwn && !LINKS.includes(kindOf(hit.root)));
  if (own !== undefined) {
    const subject = { kind: kindOf(own.root), token: tokenOf(own.root), own: true };
    return own.rootRef === undefined ? subject : { ...subject, ref: own.rootRef };
  }
  const { payer } = alert;
  return payer === undefined ? undefined : { kind: kindOf(payer), token: tokenOf(payer), own: true };
}

/** The customer with whom an entity that is not held here moved money last. */
export function lastCustomer({ state }: JudgeContext): EntityKey | undefined {
  if (state.own) return undefined;
  const { recent } = state;
  for (let i = recent.length - 1; i >= 0; i -= 1) {
    const other = recent.otherAt(i);
    if (recent.isOtherOwn(i) && recent.isStanding(i) && other !== "") return other;
  }
  return undefined;
}
