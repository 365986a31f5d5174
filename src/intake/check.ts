/**
 * The check of `tx/1` on the hot path: by hand, without allocation, accepting exactly what the zod schema
 * of `domain/movement.ts` accepts (a property test holds them together). Instead of true it gives the
 * length of the shortest JSON text that the value can have: a text of just that length has no room for a
 * repeated key, which is how `decode.ts` rules repeats out without scanning the text again.
 */
import {
  CHARGES_MAX,
  isCell,
  isCountry,
  isCurrencyCode,
  isMcc,
  isSmallCount,
  isTimeText,
  isToken,
  isZoneText,
  LINKS_MAX,
  MEMO_CLASSES_MAX,
  REFS_MAX,
} from "../domain/fields.ts";
import { isAmountText } from "../domain/money.ts";
import { BEARERS, BOOKS, INITIATORS, TIME_PRECISIONS } from "../domain/movement.ts";
import {
  CHANNELS,
  INSTITUTION_TYPES,
  LINK_KINDS,
  PARTY_TYPES,
  PURPOSES,
  RAILS,
  REF_KINDS,
  RELATION_KINDS,
  SIDE_KINDS,
  STAGES,
} from "../domain/tx.ts";

/** What a value that is not accepted gives. */
export const REFUSED = -1;

/**
 * Length of the shortest JSON text of `value`, or `REFUSED` when `tx/1` does not accept it. `clean` says that
 * the text it was parsed from is ASCII without backslash and DEL, so that no string in it can hold a
 * control character or half a surrogate pair.
 */
export function checkMovement(value: unknown, clean: boolean): number {
  if (!isRecord(value)) return REFUSED;
  // One comma or brace for each member and one brace more; each key has two quotes and a colon.
  let length = 1;
  for (const key in value) {
    const part = movementMember(key, value[key], clean);
    if (part < 0) return REFUSED;
    length += key.length + 4 + part;
  }
  const complete =
    value.schema !== undefined &&
    value.txId !== undefined &&
    value.occurredAt !== undefined &&
    value.rail !== undefined &&
    value.amount !== undefined &&
    value.currency !== undefined &&
    value.debtor !== undefined &&
    value.creditor !== undefined;
  return complete ? length : REFUSED;
}

interface JsonRecord {
  readonly [key: string]: unknown;
}

const PRECISION_SET = new Set<unknown>(TIME_PRECISIONS);
const STAGE_SET = new Set<unknown>(STAGES);
const RAIL_SET = new Set<unknown>(RAILS);
const PURPOSE_SET = new Set<unknown>(PURPOSES);
const CHANNEL_SET = new Set<unknown>(CHANNELS);
const BOOKS_SET = new Set<unknown>(BOOKS);
const BEARER_SET = new Set<unknown>(BEARERS);
const INITIATOR_SET = new Set<unknown>(INITIATORS);
const SIDE_SET = new Set<unknown>(SIDE_KINDS);
const PARTY_SET = new Set<unknown>(PARTY_TYPES);
const INSTITUTION_SET = new Set<unknown>(INSTITUTION_TYPES);
const LINK_SET = new Set<unknown>(LINK_KINDS);
const REF_SET = new Set<unknown>(REF_KINDS);
const RELATION_SET = new Set<unknown>(RELATION_KINDS);

/** Least length of one member's value, or REFUSED; unknown names are refused. */
function movementMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "schema":
      return value === "tx/1" ? 6 : REFUSED;
    case "txId":
    case "movementId":
    case "conductor":
      return token(value, clean);
    case "occurredAt":
      return text(value, isTimeText(value));
    case "amount":
      return amount(value, false);
    case "currency":
      return text(value, isCurrencyCode(value));
    case "rail":
      return text(value, RAIL_SET.has(value));
    case "debtor":
    case "creditor":
    case "ultimateDebtor":
    case "ultimateCreditor":
      return members(value, clean, sideMember, "kind", undefined);
    case "stage":
      return text(value, STAGE_SET.has(value));
    case "channel":
      return text(value, CHANNEL_SET.has(value));
    case "purpose":
      return text(value, PURPOSE_SET.has(value));
    case "timePrecision":
      return text(value, PRECISION_SET.has(value));
    case "tz":
      return text(value, isZoneText(value));
    case "books":
      return text(value, BOOKS_SET.has(value));
    case "initiator":
      return text(value, INITIATOR_SET.has(value));
    case "act":
      return members(value, clean, actMember, undefined, undefined);
    case "session":
      return members(value, clean, sessionMember, undefined, undefined);
    case "relation":
      return members(value, clean, relationMember, "kind", "of");
    case "charges":
      return list(value, clean, CHARGES_MAX, charge);
    case "refs":
      return list(value, clean, REFS_MAX, ref);
    case "travel":
      return members(value, clean, travelMember, undefined, undefined);
    case "memoClasses":
      return list(value, clean, MEMO_CLASSES_MAX, token);
    case "labels":
      return members(value, clean, labelMember, undefined, undefined);
    default:
      return REFUSED;
  }
}

function sideMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "kind":
      return text(value, SIDE_SET.has(value));
    case "own":
      return flag(value);
    case "account":
    case "party":
    case "card":
    case "wallet":
    case "ref":
      return token(value, clean);
    case "partyType":
      return text(value, PARTY_SET.has(value));
    case "institution":
      return members(value, clean, institutionMember, undefined, undefined);
    case "merchant":
      return members(value, clean, merchantMember, undefined, undefined);
    case "amount":
      return amount(value, false);
    case "currency":
      return text(value, isCurrencyCode(value));
    case "balanceAfter":
      return amount(value, true);
    case "links":
      return list(value, clean, LINKS_MAX, link);
    default:
      return REFUSED;
  }
}

function merchantMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "id":
    case "class":
    case "place":
    case "opens":
      return token(value, clean);
    case "mcc":
      return text(value, isMcc(value));
    case "country":
      return text(value, isCountry(value));
    default:
      return REFUSED;
  }
}

function institutionMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "id":
      return token(value, clean);
    case "country":
      return text(value, isCountry(value));
    case "type":
      return text(value, INSTITUTION_SET.has(value));
    default:
      return REFUSED;
  }
}

function actMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "country":
      return text(value, isCountry(value));
    case "place":
    case "site":
      return token(value, clean);
    case "cell":
      return text(value, isCell(value));
    case "tz":
      return text(value, isZoneText(value));
    case "whiteLabelAtm":
      return flag(value);
    default:
      return REFUSED;
  }
}

function sessionMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "device":
      return token(value, clean);
    case "ipCountry":
      return text(value, isCountry(value));
    case "ipCell":
      return text(value, isCell(value));
    default:
      return REFUSED;
  }
}

function relationMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "kind":
      return text(value, RELATION_SET.has(value));
    case "of":
      return token(value, clean);
    case "occurredAt":
      return text(value, isTimeText(value));
    default:
      return REFUSED;
  }
}

function travelMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "to":
      return token(value, clean);
    case "nights":
    case "travellers":
      return smallCount(value);
    case "departs":
      return text(value, isTimeText(value));
    default:
      return REFUSED;
  }
}

function labelMember(key: string, value: unknown, clean: boolean): number {
  switch (key) {
    case "story":
      return token(value, clean);
    case "suspicious":
      return flag(value);
    default:
      return REFUSED;
  }
}

function chargeMember(key: string, value: unknown): number {
  switch (key) {
    case "amount":
      return amount(value, false);
    case "currency":
      return text(value, isCurrencyCode(value));
    case "bearer":
      return text(value, BEARER_SET.has(value));
    default:
      return REFUSED;
  }
}

function linkMember(key: string, value: unknown, clean: boolean): number {
  return key === "kind" ? text(value, LINK_SET.has(value)) : key === "token" ? token(value, clean) : REFUSED;
}

function refMember(key: string, value: unknown, clean: boolean): number {
  return key === "kind" ? text(value, REF_SET.has(value)) : key === "token" ? token(value, clean) : REFUSED;
}

function charge(value: unknown, clean: boolean): number {
  const length = members(value, clean, chargeMember, "amount", "currency");
  return length < 0 || (value as JsonRecord).bearer === undefined ? REFUSED : length;
}

function link(value: unknown, clean: boolean): number {
  return members(value, clean, linkMember, "kind", "token");
}

function ref(value: unknown, clean: boolean): number {
  return members(value, clean, refMember, "kind", "token");
}

type MemberCheck = (key: string, value: unknown, clean: boolean) => number;

/** Least length of an object whose members `check` accepts and that has the members named. */
function members(
  value: unknown,
  clean: boolean,
  check: MemberCheck,
  first: string | undefined,
  second: string | undefined,
): number {
  if (!isRecord(value)) return REFUSED;
  let length = 1;
  for (const key in value) {
    const part = check(key, value[key], clean);
    if (part < 0) return REFUSED;
    length += key.length + 4 + part;
  }
  if (first !== undefined && value[first] === undefined) return REFUSED;
  if (second !== undefined && value[second] === undefined) return REFUSED;
  return length;
}

function list(value: unknown, clean: boolean, most: number, check: (item: unknown, clean: boolean) => number): number {
  if (!Array.isArray(value) || value.length > most) return REFUSED;
  let length = 1;
  for (const item of value) {
    const part = check(item, clean);
    if (part < 0) return REFUSED;
    length += part + 1;
  }
  return length;
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function token(value: unknown, clean: boolean): number {
  return isToken(value, clean) ? value.length + 2 : REFUSED;
}

function text(value: unknown, accepted: boolean): number {
  return accepted ? (value as string).length + 2 : REFUSED;
}

function amount(value: unknown, signed: boolean): number {
  return typeof value === "string" && isAmountText(value, signed) ? value.length + 2 : REFUSED;
}

function flag(value: unknown): number {
  return value === true ? 4 : value === false ? 5 : REFUSED;
}

/** Below 1,000 no JSON number is shorter than its digits. */
function smallCount(value: unknown): number {
  return isSmallCount(value) ? (value < 10 ? 1 : value < 100 ? 2 : 3) : REFUSED;
}
