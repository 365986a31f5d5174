/**
 * The one table of what a rule may read of a movement, its sides and the profile: name, type, class, text
 * for the reference, and how it is read. What is not here has no name in a rule.
 */
import {
  CHANNELS,
  INSTITUTION_TYPES,
  PARTY_TYPES,
  PURPOSES,
  RAILS,
  RELATION_KINDS,
  SIDE_KINDS,
  STAGES,
  type TxSide,
} from "../domain/tx.ts";
import { cellReader, distanceMetres } from "./cells.ts";
import type { Domain, FieldClass, Type, TypeName } from "./expression/types.ts";
import type { Context, Read } from "./plan.ts";

export interface Field {
  /** As written in the reference, such as `other.merchant.class`. */
  readonly name: string;
  readonly type: Type;
  readonly class: FieldClass;
  /** Says how money moved, as a scope does; no evidence by itself. */
  readonly neutral: boolean;
  /** Describes the customer: may lower a score or set a threshold, never raise. */
  readonly customer: boolean;
  /** Readable in rules against child exploitation only. */
  readonly childOnly: boolean;
  readonly doc: string;
  readonly read: Read<number> | Read<string> | Read<boolean>;
}

type Value = number | string | boolean | undefined;
type Row<C> = readonly [name: string, type: string, of: FieldClass, doc: string, read: (c: C) => Value];

/** Texts that a domain can hold; domains that are not here are open. */
export const VOCABULARIES: Readonly<Partial<Record<Domain, readonly string[]>>> = {
  rail: RAILS,
  channel: CHANNELS,
  purpose: PURPOSES,
  stage: STAGES,
  direction: ["in", "out"],
  side_kind: SIDE_KINDS,
  party_type: PARTY_TYPES,
  institution_type: INSTITUTION_TYPES,
  relation: RELATION_KINDS,
  initiator: ["debtor", "creditor", "institution"],
};

/** What stands for a side as one entity: account, else wallet, card, party, merchant; undefined for cash. */
export function sideId(side: TxSide): string | undefined {
  return side.account ?? side.wallet ?? side.card ?? side.party ?? side.merchantId;
}

const UNITS: ReadonlySet<string> = new Set(["money", "count", "ratio", "duration", "distance", "bool", "cell"]);
const NEUTRAL = new Set([
  "tx.rail",
  "tx.channel",
  "tx.stage",
  "tx.direction",
  "past.rail",
  "past.direction",
  "self.kind",
  "other.kind",
  "self.own",
]);
const CUSTOMER = new Set(["profile.segment", "profile.industry", "profile.occupation_group"]);

const TX_ROWS: readonly Row<Context>[] = [
  ["tx.id", "id", "act", "transaction id", (c) => c.tx?.id],
  ["tx.amount", "money", "money", "amount in the base currency, by the dated rates list", (c) => c.tx?.amount],
  ["tx.currency", "currency", "geography", "instructed currency", (c) => c.tx?.currency],
  ["tx.rail", "rail", "act", "how the money moved", (c) => c.tx?.rail],
  ["tx.purpose", "purpose", "behaviour", "why, by the purpose code", (c) => c.tx?.purpose],
  ["tx.channel", "channel", "act", "where the order was given", (c) => c.tx?.channel],
  ["tx.stage", "stage", "act", "attempted, authorised, booked or failed", (c) => c.tx?.stage],
  ["tx.direction", "direction", "act", "in or out, as the watched entity sees it", (c) => c.direction],
  ["tx.day", "day", "behaviour", "local day of the act (UTC where the zone is unknown)", readDay],
  ["tx.act.country", "country", "geography", "country of the act", (c) => c.tx?.actCountry],
  ["tx.act.place", "place", "geography", "town or area of the act", (c) => c.tx?.actPlace],
  ["tx.act.cell", "cell", "geography", "coarse coordinates of the act", (c) => c.tx?.actCell],
  ["tx.act.site", "id", "act", "branch, machine or till of the act", (c) => c.tx?.actSite],
  ["tx.act.white_label_atm", "bool", "act", "a cash machine of no bank", (c) => c.tx?.whiteLabelAtm],
  [
    "tx.act.distance",
    "distance",
    "geography",
    "way from the entity's act before, both with coordinates",
    readActDistance,
  ],
  [
    "tx.act.elapsed",
    "duration",
    "behaviour",
    "time since the entity's act before, both with coordinates",
    readActElapsed,
  ],
  ["tx.conductor", "id", "person", "person at the counter, when not a holder", (c) => c.tx?.conductor],
  ["tx.ip_country", "country", "geography", "country of the session's address", (c) => c.tx?.ipCountry],
  ["tx.ip_cell", "cell", "geography", "coarse coordinates of the session", (c) => c.tx?.ipCell],
  ["tx.device", "id", "behaviour", "device of the initiator", (c) => c.tx?.device],
  ["tx.travel.to", "country", "geography", "country that is travelled to", (c) => c.tx?.travelTo],
  ["tx.travel.nights", "count", "act", "nights that are booked", (c) => c.tx?.travelNights],
  ["tx.travel.travellers", "count", "act", "people that are booked for", (c) => c.tx?.travellers],
  ["tx.corridor_from", "country", "geography", "country where the money comes from", (c) => c.tx?.corridorFrom],
  ["tx.corridor_to", "country", "geography", "country where the money goes", (c) => c.tx?.corridorTo],
  ["tx.relation", "relation", "act", "refund, chargeback, reversal or settlement", (c) => c.tx?.relation?.kind],
  ["tx.initiator", "initiator", "act", "who gave the order", (c) => c.tx?.initiator],
];

const PAST_ROWS: readonly Row<Context>[] = [
  ["past.amount", "money", "money", "amount of the earlier movement, base currency", readPastAmount],
  ["past.other", "id", "behaviour", "its far side as one entity, as other.id", readPastOther],
  ["past.direction", "direction", "act", "in or out", (c) => c.past && (c.past.incoming ? "in" : "out")],
  ["past.rail", "rail", "act", "how its money moved", (c) => c.past?.rail],
  ["past.purpose", "purpose", "behaviour", "its purpose code", (c) => c.past?.purpose],
  [
    "past.age",
    "duration",
    "behaviour",
    "how long before the judged movement it was",
    (c) => c.past && c.now - c.past.time,
  ],
];

const SIDE_ROWS: readonly Row<TxSide>[] = [
  ["id", "id", "behaviour", "the side as one entity: account, else wallet, card, party, merchant", sideId],
  ["own", "bool", "act", "held at this institution", (s) => s.own],
  ["kind", "side_kind", "act", "account, cash, card, wallet, merchant, person or internal", (s) => s.kind],
  ["account", "id", "behaviour", "account token", (s) => s.account],
  ["party", "id", "person", "party token", (s) => s.party],
  ["card", "id", "behaviour", "card token", (s) => s.card],
  ["wallet", "id", "behaviour", "wallet token", (s) => s.wallet],
  ["party_type", "party_type", "person", "person, business, npo, public or unknown", (s) => s.partyType],
  ["merchant.id", "id", "act", "merchant token", (s) => s.merchantId],
  ["merchant.mcc", "mcc", "act", "merchant category code (ISO 18245)", (s) => s.mcc],
  ["merchant.class", "merchant_class", "act", "merchant class of the vocabulary", (s) => s.merchantClass],
  ["merchant.country", "country", "geography", "country of the merchant", (s) => s.merchantCountry],
  ["merchant.place", "place", "geography", "town or area of the merchant", (s) => s.merchantPlace],
  ["institution.id", "institution", "geography", "institution of the side", (s) => s.institutionId],
  ["institution.country", "country", "geography", "country of the institution", (s) => s.institutionCountry],
  ["institution.type", "institution_type", "act", "bank, msb, vasp, psp or platform", (s) => s.institutionType],
  ["balance_after", "money", "money", "balance after the booking, base currency", (s) => s.balanceAfter],
];

const PROFILE_ROWS: readonly Row<Context>[] = [
  ["profile.type", "party_type", "person", "person, business, npo, public or unknown", (c) => c.profile?.partyType],
  ["profile.segment", "segment", "person", "segment of the vocabulary", (c) => c.profile?.segment],
  ["profile.industry", "industry", "person", "industry of the vocabulary", (c) => c.profile?.industry],
  [
    "profile.occupation_group",
    "occupation_group",
    "person",
    "occupation group of the vocabulary",
    (c) => c.profile?.occupationGroup,
  ],
  ["profile.home_cell", "cell", "geography", "coarse home area; only for distance", (c) => c.profile?.homeCell],
  ["profile.minor", "bool", "person", "under age; child-exploitation rules only", (c) => c.profile?.minor],
  ["profile.expected_monthly", "money", "money", "expected monthly turnover", (c) => c.profile?.expectedMonthly],
  ["profile.known_since", "duration", "person", "how long the institution knows the customer", readKnownSince],
  ["profile.opened", "duration", "behaviour", "how long ago the account was opened", readOpened],
  ["profile.age", "duration", "behaviour", "age of the account, else of the relationship", readAge],
  ["profile.product", "product", "behaviour", "product of the account", (c) => c.profile?.product],
];

function buildFields(): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  const add = (row: Row<Context>): void => {
    const [name, type, of, doc, read] = row;
    fields.set(foldName(name), {
      name,
      type: toType(type),
      class: of,
      neutral: NEUTRAL.has(name),
      customer: CUSTOMER.has(name),
      childOnly: name === "profile.minor",
      doc,
      read: read as Field["read"],
    });
  };
  for (const row of TX_ROWS) add(row);
  for (const [name, type, of, doc, read] of SIDE_ROWS) {
    add([`self.${name}`, type, of, `own side: ${doc}`, (c) => (c.self === undefined ? undefined : read(c.self))]);
    add([`other.${name}`, type, of, `far side: ${doc}`, (c) => (c.other === undefined ? undefined : read(c.other))]);
  }
  add(["self.party_type", "party_type", "person", "own side: its type, else the profile's", readSelfType]);
  for (const row of PROFILE_ROWS) add(row);
  for (const row of PAST_ROWS) add(row);
  return fields;
}

/** Every field by its folded name. */
export const FIELDS: ReadonlyMap<string, Field> = buildFields();

/** Fields are found whatever their case and underscores: `balanceAfter` is `balance_after`. */
export function foldName(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

const PROTECTED: ReadonlySet<string> = new Set([
  "nationality",
  "citizenship",
  "religion",
  "faith",
  "ethnicity",
  "ethnic",
  "race",
  "tribe",
  "caste",
  "skin",
  "sex",
  "gender",
  "orientation",
  "immigration",
  "asylum",
  "residence",
  "surname",
  "forename",
  "language",
  "birth",
  "birthplace",
  "birthdate",
  "dob",
  "disability",
  "politics",
  "origin",
]);
const PROTECTED_FOLDED: ReadonlySet<string> = new Set([
  "homecountry",
  "immigrationstatus",
  "dateofbirth",
  "lastname",
  "firstname",
  "mothertongue",
]);

/** Whether a name asks for a protected attribute or a plain stand-in for one. */
export function isProtectedName(name: string): boolean {
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[._-]+/);
  const parts = name.split(".").map(foldName);
  return words.some((w) => PROTECTED.has(w)) || parts.some((part) => PROTECTED_FOLDED.has(part));
}

function toType(type: string): Type {
  if (UNITS.has(type)) return { name: type as TypeName, domain: "any" };
  return { name: "text", domain: type as Domain };
}

function readPastAmount(c: Context): number | undefined {
  return c.past === undefined || Number.isNaN(c.past.amount) ? undefined : c.past.amount;
}

function readPastOther(c: Context): string | undefined {
  const key = c.past?.other;
  return key === undefined || key === "" ? undefined : key.slice(key.indexOf(":") + 1);
}

const fromCell = cellReader((c) => c.priorAct?.cell);
const toCell = cellReader((c) => c.tx?.actCell);

function readActDistance(c: Context): number | undefined {
  const from = fromCell(c);
  const to = from === undefined ? undefined : toCell(c);
  return from === undefined || to === undefined ? undefined : distanceMetres(from, to);
}

function readActElapsed(c: Context): number | undefined {
  return c.priorAct === undefined || c.tx?.actCell === undefined ? undefined : c.now - c.priorAct.time;
}

function readDay(c: Context): string | undefined {
  return c.tx === undefined ? undefined : String(c.tx.localDay);
}

function readSelfType(c: Context): string | undefined {
  if (c.self === undefined) return c.profile?.partyType;
  return c.self.partyType === "unknown" ? (c.profile?.partyType ?? "unknown") : c.self.partyType;
}

function readKnownSince(c: Context): number | undefined {
  const since = c.profile?.knownSince;
  return since === undefined ? undefined : c.now - since;
}

function readOpened(c: Context): number | undefined {
  const opened = c.profile?.opened;
  return opened === undefined ? undefined : c.now - opened;
}

function readAge(c: Context): number | undefined {
  return readOpened(c) ?? readKnownSince(c);
}
