/**
 * A movement after intake: flat, every field present, times in epoch ms, amounts in minor units.
 * The outside form is `movement.ts` (`tx/1`); rules read this one. Flat records of one shape keep
 * field reads monomorphic, which the rules pass depends on.
 */
import type { EntityKind } from "./entity.ts";

export const RAILS = [
  "transfer",
  "direct_debit",
  "p2p",
  "card",
  "cash",
  "cheque",
  "remittance",
  "crypto",
  "load",
  "internal",
] as const;
export type Rail = (typeof RAILS)[number];

export const PURPOSES = [
  "wage",
  "benefit",
  "pension",
  "loan",
  "fee",
  "rent",
  "tax",
  "charity",
  "family",
  "study",
  "trade",
  "other",
] as const;
export type Purpose = (typeof PURPOSES)[number];

export const CHANNELS = ["branch", "atm", "pos", "online", "mobile", "agent", "phone", "chain"] as const;
export type Channel = (typeof CHANNELS)[number];

export const STAGES = ["attempted", "authorised", "booked", "failed"] as const;
export type Stage = (typeof STAGES)[number];

export const SIDE_KINDS = ["account", "cash", "card", "wallet", "merchant", "person", "internal"] as const;
export type SideKind = (typeof SIDE_KINDS)[number];

export const PARTY_TYPES = ["person", "business", "npo", "public", "unknown"] as const;
export type PartyType = (typeof PARTY_TYPES)[number];

export const INSTITUTION_TYPES = ["bank", "msb", "vasp", "psp", "platform"] as const;
export type InstitutionType = (typeof INSTITUTION_TYPES)[number];

export const RELATION_KINDS = ["refund", "chargeback", "reversal", "settles"] as const;
export type RelationKind = (typeof RELATION_KINDS)[number];

export const LINK_KINDS = ["phone", "email", "address", "device", "employer"] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

export const REF_KINDS = ["employee", "invoice", "mandate", "booking", "end_to_end", "campaign"] as const;
export type RefKind = (typeof REF_KINDS)[number];

/** Minor units of a currency: a safe integer, or a bigint where an asset has many decimals. */
export type Minor = number | bigint;

export interface Link {
  readonly kind: LinkKind;
  readonly token: string;
}

export interface TxSide {
  readonly own: boolean;
  readonly kind: SideKind;
  readonly account: string | undefined;
  readonly party: string | undefined;
  readonly card: string | undefined;
  readonly wallet: string | undefined;
  readonly partyType: PartyType;
  readonly merchantId: string | undefined;
  readonly mcc: string | undefined;
  readonly merchantClass: string | undefined;
  readonly merchantCountry: string | undefined;
  readonly merchantPlace: string | undefined;
  readonly merchantOpens: string | undefined;
  readonly institutionId: string | undefined;
  readonly institutionCountry: string | undefined;
  readonly institutionType: InstitutionType | undefined;
  /** Balance after the booking, base currency minor units. */
  readonly balanceAfter: number | undefined;
  readonly links: readonly Link[];
  /** The institution's own reference; echoed in alerts for own sides only. */
  readonly ref: string | undefined;
}

export interface TxRelation {
  readonly kind: RelationKind;
  /** Transaction id of the original. */
  readonly of: string;
  /** Event time of the original, epoch ms; always known for a reversal. */
  readonly time: number | undefined;
}

export interface Tx {
  readonly id: string;
  /** Joins the records of one movement; equals `id` when the feed gave none. */
  readonly movementId: string;
  /** Event time, epoch ms UTC. */
  readonly time: number;
  /** Minute of the local day at the place of the act, 0..1439; -1 when zone or hour is unknown. */
  readonly localMinute: number;
  /** Day number (days since 1970-01-01) in local time, in UTC when the zone is unknown. */
  readonly localDay: number;
  readonly stage: Stage;
  readonly rail: Rail;
  readonly purpose: Purpose | undefined;
  readonly channel: Channel | undefined;
  /** Instructed amount in minor units of `currency`. */
  readonly amountMinor: Minor;
  readonly currency: string;
  /** Base currency minor units by the dated rates list; undefined when no rate is known. */
  readonly amount: number | undefined;
  readonly debtor: TxSide;
  readonly creditor: TxSide;
  readonly ultimateDebtor: TxSide | undefined;
  readonly ultimateCreditor: TxSide | undefined;
  readonly books: "both" | "debtor" | "creditor";
  readonly relation: TxRelation | undefined;
  readonly initiator: "debtor" | "creditor" | "institution" | undefined;
  readonly actCountry: string | undefined;
  readonly actPlace: string | undefined;
  readonly actCell: string | undefined;
  readonly actSite: string | undefined;
  readonly whiteLabelAtm: boolean | undefined;
  readonly device: string | undefined;
  readonly ipCountry: string | undefined;
  readonly ipCell: string | undefined;
  readonly conductor: string | undefined;
  readonly refs: readonly { readonly kind: RefKind; readonly token: string }[];
  readonly travelTo: string | undefined;
  readonly travelNights: number | undefined;
  readonly travellers: number | undefined;
  readonly memoClasses: readonly string[];
  /** Countries of the two ends, from place, else institution; never from residence. */
  readonly corridorFrom: string | undefined;
  readonly corridorTo: string | undefined;
  /** 32-bit hash of the content, to tell a repeat from a conflict. */
  readonly contentHash: number;
}

export type Direction = "in" | "out";

/** The role in which an entity takes part in one transaction. */
export interface TxRole {
  readonly kind: EntityKind;
  readonly direction: Direction;
}
