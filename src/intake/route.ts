/**
 * Who is told of a record: one view for each entity on each side of a movement. Every entity that the
 * record names stands for itself; nothing is looked up. Routing depends on the record alone, never on the
 * rules, so that the log of views stays valid when rules change.
 */
import { type EntityKey, entityKey } from "../domain/entity.ts";
import type { EntityEvent, Profile } from "../domain/profile.ts";
import type { Direction, Tx, TxSide } from "../domain/tx.ts";
import type { EventView, ProfileView, TxView } from "../domain/view.ts";

/**
 * The views of a movement, numbered from 0: debtor side first. A record that posts one ledger only
 * (`books`) leaves the far side out when that side is held here too, because its own posting will come;
 * the two share a movement id, and so each entity counts the movement once.
 */
export function routeTx(tx: Tx): TxView[] {
  const views: TxView[] = [];
  const { debtor, creditor, books } = tx;
  const toSelf = debtor.party !== undefined && debtor.party === creditor.party;
  const deviceSide = tx.initiator === "creditor" || (tx.initiator === undefined && books === "creditor") ? "in" : "out";
  if (books !== "creditor" || !debtor.own) {
    tellSide(views, tx, debtor, "out", toSelf);
    if (tx.device !== undefined && deviceSide === "out") tellOnce(views, tx, `device:${tx.device}`, "out");
  }
  if (books !== "debtor" || !creditor.own) {
    tellSide(views, tx, creditor, "in", toSelf);
    if (tx.device !== undefined && deviceSide === "in") tellOnce(views, tx, `device:${tx.device}`, "in");
  }
  return views;
}

/** A profile is told to the entity that it describes. */
export function routeProfile(profile: Profile): ProfileView[] {
  const { entity, validFrom } = profile;
  return [{ kind: "profile", entity, time: validFrom, txId: "", hop: 0, source: "", index: 0, profile }];
}

/** An event is told to the entity that it happened to. */
export function routeEvent(event: EntityEvent): EventView[] {
  const { entity, id, time } = event;
  return [{ kind: "event", entity, time, txId: id, hop: 0, source: "", index: 0, event }];
}

/** Entities of one side. A transfer between accounts of one party is no news of the party, nor of its links. */
function tellSide(views: TxView[], tx: Tx, side: TxSide, direction: Direction, toSelf: boolean): void {
  if (side.account !== undefined) tell(views, tx, `account:${side.account}`, direction);
  if (side.card !== undefined) tell(views, tx, `card:${side.card}`, direction);
  if (side.wallet !== undefined) tell(views, tx, `wallet:${side.wallet}`, direction);
  if (side.merchantId !== undefined) tell(views, tx, `merchant:${side.merchantId}`, direction);
  if (toSelf) return;
  if (side.party !== undefined) tell(views, tx, `party:${side.party}`, direction);
  for (const { kind, token } of side.links) {
    // E-mail addresses are kept on the movement and are no entity of their own.
    if (kind !== "email") tellOnce(views, tx, entityKey(kind, token), direction);
  }
}

/** For entities that a side can name twice, such as a device that is both link and session. */
function tellOnce(views: TxView[], tx: Tx, entity: EntityKey, direction: Direction): void {
  for (const view of views) if (view.direction === direction && view.entity === entity) return;
  tell(views, tx, entity, direction);
}

function tell(views: TxView[], tx: Tx, entity: EntityKey, direction: Direction): void {
  const index = views.length;
  views.push({ kind: "tx", entity, time: tx.time, txId: tx.id, hop: 0, source: "", index, direction, tx });
}
