/** Revisions: what a consumer is told of an alert, against what it was told before. */
import type { Alert } from "../domain/alert.ts";
import { SEVERITIES } from "../domain/vocabulary.ts";
import type { AlertContent, Output } from "./outputs.ts";
import type { Entity, SentAlert } from "./state.ts";

/** Alerts whose revisions an entity remembers; the newest stay. */
const SENT_MAX = 32;

/** What was last told of an alert. */
export function sentOf(entity: Entity, alertId: string): SentAlert | undefined {
  return entity.sent.find((sent) => sent.alertId === alertId);
}

/** Sends the next revision of an alert, unless the same content was sent last; `hash` as in `FoldSink`. */
export function sendAlert(
  entity: Entity,
  content: AlertContent,
  hash: number,
  cause: Alert["cause"],
  out: Output[],
): void {
  const before = sentOf(entity, content.alertId);
  if (before?.contentHash === hash) return;
  const superseded = content.relatedAlertId !== undefined;
  const event = eventOf(content, before, superseded);
  const changes = before === undefined ? [] : changesOf(content, before);
  const revision = (before?.revision ?? 0) + 1;
  remember(entity, content, revision, hash);
  const alert = { ...content, revision, event, cause: superseded ? ("supersede" as const) : cause, changes };
  out.push({ kind: "alert", alert });
}

/** The alert of the same typology that covers what a withdrawn one covered. */
export interface Successor {
  readonly alertId: string;
  /** It was open before: two episodes have become one. */
  readonly merged: boolean;
}

/** Tells that the data no longer bear an alert; the record keeps its evidence and names the alert in its stead. */
export function sendWithdrawal(
  entity: Entity,
  content: AlertContent,
  successor: Successor | undefined,
  cause: Alert["cause"],
  out: Output[],
): void {
  const before = sentOf(entity, content.alertId);
  if (before === undefined || before.contentHash === 0) return;
  const merged = successor?.merged ?? false;
  const changes = [successor?.merged ? `one episode with ${successor.alertId}` : "the data no longer bear this alert"];
  const revision = before.revision + 1;
  remember(entity, content, revision, 0);
  const related = successor === undefined ? {} : { relatedAlertId: successor.alertId };
  const event = merged ? "superseded" : "withdrawn";
  out.push({ kind: "alert", alert: { ...content, ...related, revision, event, cause, changes } });
}

function eventOf(content: AlertContent, before: SentAlert | undefined, superseded: boolean): Alert["event"] {
  if (superseded) return "superseded";
  if (before === undefined || before.contentHash === 0) return "opened";
  return SEVERITIES.indexOf(content.severity) > SEVERITIES.indexOf(before.severity) ? "escalated" : "updated";
}

function changesOf(content: AlertContent, before: SentAlert): string[] {
  const changes: string[] = [];
  if (before.contentHash === 0) changes.push("opened again after it was withdrawn");
  if (content.severity !== before.severity) changes.push(`severity ${before.severity} -> ${content.severity}`);
  if (content.score !== before.score) changes.push(`score ${before.score} -> ${content.score}`);
  const families = content.why.families.map((family) => family.name);
  for (const name of families) if (!before.families.includes(name)) changes.push(`family ${name} joined`);
  for (const name of before.families) if (!families.includes(name)) changes.push(`family ${name} left`);
  if (content.relatedAlertId !== undefined) changes.push(`superseded by ${content.relatedAlertId}`);
  return changes.length === 0 ? ["new evidence"] : changes;
}

function remember(entity: Entity, content: AlertContent, revision: number, hash: number): void {
  const sent: SentAlert = {
    alertId: content.alertId,
    revision,
    contentHash: hash,
    severity: content.severity,
    score: content.score,
    families: content.why.families.map((family) => family.name),
    time: Date.parse(content.updatedAt),
  };
  entity.sent = [...entity.sent.filter((known) => known.alertId !== content.alertId), sent].slice(-SENT_MAX);
}
