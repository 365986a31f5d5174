/**
 * What an institution knows of its customers (`party/1`) after intake, and events without money.
 * Two kinds of record, both dated: a party and an account.
 */
import type { Link, PartyType } from "./tx.ts";

export const HOLDER_ROLES = ["holder", "joint", "signatory", "guardian", "beneficial_owner", "cardholder"] as const;
export type HolderRole = (typeof HOLDER_ROLES)[number];

export interface Holder {
  readonly party: string;
  readonly role: HolderRole;
  /** Epoch ms; undefined means without bound. */
  readonly from: number | undefined;
  readonly until: number | undefined;
}

export interface Profile {
  /** The entity described: `party:...` or `account:...`. */
  readonly entity: string;
  /** In force from this event time on, epoch ms. */
  readonly validFrom: number;
  readonly partyType: PartyType | undefined;
  readonly segment: string | undefined;
  readonly industry: string | undefined;
  readonly occupationGroup: string | undefined;
  /** `lat,lon` in degrees, coarse; only for distance. */
  readonly homeCell: string | undefined;
  /** IANA zone; only for the local hour. */
  readonly tz: string | undefined;
  readonly minor: boolean | undefined;
  /** Expected monthly turnover, base currency minor units. */
  readonly expectedMonthly: number | undefined;
  readonly links: readonly Link[];
  /** Known to the institution since, epoch ms. */
  readonly knownSince: number | undefined;
  /** Account records only. */
  readonly product: string | undefined;
  readonly currency: string | undefined;
  readonly opened: number | undefined;
  readonly holders: readonly Holder[];
  readonly cards: readonly string[];
}

export const EVENT_TYPES = ["login", "device_added", "address_changed", "card_added", "tick"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** `event/1`: something that happened to an entity without money. */
export interface EntityEvent {
  readonly id: string;
  readonly entity: string;
  readonly type: EventType;
  readonly time: number;
  readonly device: string | undefined;
  readonly country: string | undefined;
}
