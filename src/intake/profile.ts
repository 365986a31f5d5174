/** `party/1` and `event/1` records after their schema: to `Profile` and `EntityEvent`. Not a hot path. */
import type { Reject } from "../base/errors.ts";
import { AMOUNT_MINOR_MAX, FUTURE_SKEW_MS } from "../base/limits.ts";
import { currencyOf } from "../domain/currencies.ts";
import { entityKey } from "../domain/entity.ts";
import type { EventRecord } from "../domain/event-record.ts";
import { parseAmount } from "../domain/money.ts";
import type { PartyRecord } from "../domain/party-record.ts";
import type { EntityEvent, Holder, Profile } from "../domain/profile.ts";
import { parseTime } from "../domain/time.ts";
import type { FieldVocabulary, IntakeContext } from "./context.ts";
import { amountReject, currencyReject, futureReject, timeReject, vocabularyReject } from "./refusal.ts";

/** Turns a record that its schema accepted into a profile. `asOf` as in `normaliseMovement`. */
export function normaliseParty(
  record: PartyRecord,
  context: IntakeContext,
  asOf: number | undefined,
): Profile | Reject {
  const account = "account" in record ? record : undefined;
  const fault = timesFault(record, asOf) ?? vocabularyFault(record, context.vocabulary) ?? moneyFault(record);
  if (fault !== undefined) return fault;
  const validFrom = parseTime(record.validFrom);
  return {
    entity: "account" in record ? entityKey("account", record.account) : entityKey("party", record.party),
    validFrom,
    partyType: record.partyType,
    segment: record.segment,
    industry: record.industry,
    occupationGroup: record.occupationGroup,
    homeCell: record.homeCell,
    tz: record.tz,
    minor: record.minor,
    expectedMonthly: expectedMonthly(record, validFrom, context),
    links: record.links ?? [],
    knownSince: optionalTime(record.knownSince),
    product: account?.product,
    currency: account?.currency,
    opened: optionalTime(account?.opened),
    holders: (account?.holders ?? []).map(
      (holder): Holder => ({
        party: holder.party,
        role: holder.role,
        from: optionalTime(holder.from),
        until: optionalTime(holder.until),
      }),
    ),
    cards: account?.cards ?? [],
  };
}

/** Turns a record that its schema accepted into an event. */
export function normaliseEvent(record: EventRecord, asOf: number | undefined): EntityEvent | Reject {
  const time = parseTime(record.occurredAt);
  if (Number.isNaN(time)) return timeReject("occurredAt", record.occurredAt);
  if (asOf !== undefined && time > asOf + FUTURE_SKEW_MS) return futureReject("occurredAt", time, asOf);
  return {
    id: record.eventId,
    entity: entityKey(record.entity.kind, record.entity.token),
    type: record.type,
    time,
    device: record.session?.device,
    country: record.act?.country ?? record.session?.ipCountry,
  };
}

function timesFault(record: PartyRecord, asOf: number | undefined): Reject | undefined {
  const times: [string, string | undefined][] = [
    ["validFrom", record.validFrom],
    ["knownSince", record.knownSince],
  ];
  if ("account" in record) {
    times.push(["opened", record.opened]);
    for (const [index, holder] of (record.holders ?? []).entries()) {
      times.push([`holders.${index}.from`, holder.from], [`holders.${index}.until`, holder.until]);
    }
  }
  for (const [field, text] of times) {
    if (text !== undefined && Number.isNaN(parseTime(text))) return timeReject(field, text);
  }
  const from = parseTime(record.validFrom);
  return asOf !== undefined && from > asOf + FUTURE_SKEW_MS ? futureReject("validFrom", from, asOf) : undefined;
}

function vocabularyFault(record: PartyRecord, vocabulary: FieldVocabulary): Reject | undefined {
  const words = [
    ["segment", record.segment, vocabulary.segments, "segment"],
    ["industry", record.industry, vocabulary.industries, "industry"],
    ["occupationGroup", record.occupationGroup, vocabulary.occupationGroups, "occupation group"],
  ] as const;
  for (const [field, word, allowed, what] of words) {
    if (word !== undefined && allowed !== undefined && !allowed.has(word)) return vocabularyReject(field, word, what);
  }
  return undefined;
}

function moneyFault(record: PartyRecord): Reject | undefined {
  if ("account" in record && record.currency !== undefined && currencyOf(record.currency) === undefined) {
    return currencyReject("currency", record.currency);
  }
  const { expectedMonthly } = record;
  if (expectedMonthly === undefined) return undefined;
  const currency = currencyOf(expectedMonthly.currency);
  if (currency === undefined) return currencyReject("expectedMonthly.currency", expectedMonthly.currency);
  const minor = parseAmount(expectedMonthly.amount, currency);
  if (typeof minor !== "string") return undefined;
  return amountReject("expectedMonthly.amount", minor, expectedMonthly.amount, expectedMonthly.currency);
}

function expectedMonthly(record: PartyRecord, time: number, context: IntakeContext): number | undefined {
  const currency = record.expectedMonthly && currencyOf(record.expectedMonthly.currency);
  if (record.expectedMonthly === undefined || currency === undefined) return undefined;
  const minor = parseAmount(record.expectedMonthly.amount, currency);
  if (typeof minor === "string") return undefined;
  const base = context.rates.toBase(minor, currency.code, time);
  return base !== undefined && base <= AMOUNT_MINOR_MAX ? base : undefined;
}

function optionalTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTime(text);
}
