/**
 * Folding again: a view that came late, changed or was taken back gives the entity another tail. Both tails
 * are folded from the base, and only the difference of what they say is sent.
 */
import type { Alert } from "../domain/alert.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { AlertContent, Output } from "./outputs.ts";
import { newSaid, type Said } from "./said.ts";
import { type Successor, sendAlert, sendWithdrawal } from "./send.ts";
import { foldFromShelf } from "./shelf.ts";
import type { Entity } from "./state.ts";
import { ruleOf } from "./subject-index.ts";
import { baseState, type Core, foldTail } from "./tail.ts";
import { lastSaid } from "./typologies.ts";
import type { Tail } from "./view-tail.ts";

/** Gives the entity a new tail and sends what it says otherwise than the old one. */
export function refold(
  core: Core,
  entity: Entity,
  tail: Tail,
  cause: "late_event" | "correction" | "profile",
  out: Output[],
): void {
  const openBefore = new Set(entity.sent.flatMap(({ alertId, contentHash }) => (contentHash === 0 ? [] : [alertId])));
  const before = entity.shelf?.all ?? saidBy(core, entity);
  const after = foldFromShelf(core, entity, tail);
  for (const [id, view] of before.views) {
    if (!after.views.has(id)) out.push({ kind: "view", view: { ...view, off: true } });
  }
  for (const [id, view] of after.views) {
    const known = before.views.get(id);
    if (known === undefined || !sameTelling(known, view)) out.push({ kind: "view", view });
  }
  for (const [id, hit] of after.hits) if (!before.hits.has(id)) out.push({ kind: "hit", hit });
  for (const { content, hash } of inOrderOfOpening(core, new Map([...before.alerts, ...after.alerts]))) {
    if (after.alerts.has(content.alertId)) sendAlert(entity, content, hash, cause, out);
    else takeBack(core, entity, content, successor(core, content, after, openBefore), cause, out);
  }
}

/**
 * What the fold of a tail says first depends on where the tail begins, which is this worker's affair: consumers are
 * told in an order that does not.
 */
function inOrderOfOpening(core: Core, alerts: Said["alerts"]): { content: AlertContent; hash: number }[] {
  const slot = ({ content }: { content: AlertContent }) => ruleOf(core.pack, content.typology.id)?.slot ?? 0;
  const opened = ({ content }: { content: AlertContent }) => span(content)[0];
  return [...alerts.values()].sort((a, b) => opened(a) - opened(b) || slot(a) - slot(b));
}

function saidBy(core: Core, entity: Entity): Said {
  const said = newSaid();
  foldTail(core, entity, entity.tail.views(), said);
  return said;
}

/** Whether two tellings of one id say the same. */
export function sameTelling(a: HitView | MarkView, b: HitView | MarkView): boolean {
  if (a.kind === "mark") {
    return b.kind === "mark" && a.about === b.about && a.amount === b.amount && a.viaTx === b.viaTx;
  }
  return (
    b.kind === "hit" &&
    a.lastTrue === b.lastTrue &&
    a.explanation === b.explanation &&
    a.rootOwn === b.rootOwn &&
    a.rootRef === b.rootRef &&
    JSON.stringify(a.evidence) === JSON.stringify(b.evidence)
  );
}

/** An alert that the new tail no longer gives: back to what the base says of it, merged into another, or withdrawn. */
function takeBack(
  core: Core,
  entity: Entity,
  content: AlertContent,
  next: Successor | undefined,
  cause: Alert["cause"],
  out: Output[],
): void {
  const settled = baseState(core, entity)
    .alerts.values()
    .find((alert) => alert.alertId === content.alertId);
  if (settled === undefined) {
    sendWithdrawal(entity, content, next, cause, out);
    return;
  }
  const last = lastSaid(settled);
  if (last !== undefined) sendAlert(entity, last.content, last.hash, cause, out);
}

/** The alert of the same typology whose episode now takes in that of one that is gone. */
function successor(
  core: Core,
  gone: AlertContent,
  after: Said,
  openBefore: ReadonlySet<string>,
): Successor | undefined {
  const rule = ruleOf(core.pack, gone.typology.id);
  const [from, to] = span(gone);
  for (const { content } of after.alerts.values()) {
    if (content.typology.id !== gone.typology.id) continue;
    const [start, end] = span(content);
    const apartMs = Math.max(start - to, from - end);
    const { alertId } = content;
    if (apartMs <= (rule?.suppressForMs ?? 0)) return { alertId, merged: openBefore.has(alertId) };
  }
  return undefined;
}

function span(content: AlertContent): [start: number, end: number] {
  return [Date.parse(content.openedAt), Date.parse(content.updatedAt)];
}
