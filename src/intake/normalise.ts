/**
 * From a checked movement to the flat `Tx` that rules read: times to epoch ms, amounts to minor units and to
 * the base currency, local hour, corridor, content hash. What the schema cannot say is decided here and
 * comes back as a reject.
 */
import type { Reject } from "../base/errors.ts";
import { AMOUNT_MINOR_MAX, DAY_MS, FUTURE_SKEW_MS, MINUTE_MS } from "../base/limits.ts";
import { currencyOf } from "../domain/currencies.ts";
import { type Minor, parseAmount, type Rates } from "../domain/money.ts";
import type { Movement } from "../domain/movement.ts";
import { formatTime, parseTime, statedOffsetMs, type Zones } from "../domain/time.ts";
import type { Tx, TxRelation, TxSide } from "../domain/tx.ts";
import { contentHash } from "./content-hash.ts";
import type { IntakeContext } from "./context.ts";
import { corridorFrom, corridorTo } from "./corridor.ts";
import {
  amountReject,
  currencyReject,
  futureReject,
  quoteCode,
  reject,
  timeReject,
  vocabularyReject,
} from "./refusal.ts";
import { normaliseSide, sideFault } from "./side.ts";

/**
 * Turns a movement that `checkMovement` accepted into a `Tx`. `asOf` (epoch ms) is the reference for times that
 * lie ahead: the record's own timestamp in a stream, the start of the run for files; undefined for no limit.
 */
export function normaliseMovement(movement: Movement, context: IntakeContext, asOf: number | undefined): Tx | Reject {
  const time = parseTime(movement.occurredAt);
  if (Number.isNaN(time)) return timeReject("occurredAt", movement.occurredAt);
  if (asOf !== undefined && time > asOf + FUTURE_SKEW_MS) return futureReject("occurredAt", time, asOf);
  const currency = currencyOf(movement.currency);
  if (currency === undefined) return currencyReject("currency", movement.currency);
  const amountMinor = parseAmount(movement.amount, currency);
  if (typeof amountMinor === "string") return amountReject("amount", amountMinor, movement.amount, movement.currency);
  if (amountMinor <= 0)
    return reject("BAD_AMOUNT", "amount", "an amount greater than zero", quoteCode(movement.amount));
  const amount = context.rates.toBase(amountMinor, movement.currency, time);
  if (amount !== undefined && amount > AMOUNT_MINOR_MAX) {
    return amountReject("amount", "range", movement.amount, movement.currency);
  }
  const fault =
    sideFault(movement.debtor, "debtor", movement.currency, context) ??
    sideFault(movement.creditor, "creditor", movement.currency, context) ??
    rareFault(movement, time, context);
  return fault ?? build(movement, time, amountMinor, amount, context);
}

/** What most movements do not carry. */
function rareFault(movement: Movement, time: number, context: IntakeContext): Reject | undefined {
  const { relation, charges, memoClasses, ultimateDebtor, ultimateCreditor } = movement;
  if (relation !== undefined) {
    const fault = relationFault(movement, relation, time);
    if (fault !== undefined) return fault;
  }
  if (charges !== undefined) {
    const fault = chargesFault(charges);
    if (fault !== undefined) return fault;
  }
  const allowed = context.vocabulary.memoClasses;
  if (memoClasses !== undefined && allowed !== undefined) {
    const index = memoClasses.findIndex((word) => !allowed.has(word));
    if (index >= 0) return vocabularyReject(`memoClasses.${index}`, memoClasses[index] ?? "", "memo class");
  }
  return (
    (ultimateDebtor && sideFault(ultimateDebtor, "ultimateDebtor", movement.currency, context)) ??
    (ultimateCreditor && sideFault(ultimateCreditor, "ultimateCreditor", movement.currency, context))
  );
}

/** A reversal carries the original's id and time (amount and sides are the record's own). */
function relationFault(
  movement: Movement,
  relation: NonNullable<Movement["relation"]>,
  time: number,
): Reject | undefined {
  if (relation.of === movement.txId) {
    return reject("BAD_RELATION", "relation.of", "the id of another transaction", "the record's own id");
  }
  if (relation.occurredAt === undefined) {
    if (relation.kind !== "reversal") return undefined;
    return reject("BAD_RELATION", "relation.occurredAt", "the time of the transaction that is reversed", "nothing");
  }
  const original = parseTime(relation.occurredAt);
  if (Number.isNaN(original)) return timeReject("relation.occurredAt", relation.occurredAt);
  if (original <= time) return undefined;
  return reject("BAD_RELATION", "relation.occurredAt", "a time not after this record's own", formatTime(original));
}

function chargesFault(charges: NonNullable<Movement["charges"]>): Reject | undefined {
  for (const [index, charge] of charges.entries()) {
    const currency = currencyOf(charge.currency);
    if (currency === undefined) return currencyReject(`charges.${index}.currency`, charge.currency);
    const minor = parseAmount(charge.amount, currency);
    if (typeof minor === "string")
      return amountReject(`charges.${index}.amount`, minor, charge.amount, charge.currency);
  }
  return undefined;
}

const NO_REFS: Tx["refs"] = [];
const NO_CLASSES: readonly string[] = [];

/** Every field, always in this order: all transactions share one hidden class. */
function build(
  movement: Movement,
  time: number,
  amountMinor: Minor,
  amount: number | undefined,
  context: IntakeContext,
): Tx {
  const { act, session, travel } = movement;
  const offset = localOffset(movement, time, context.zones);
  const local = time + (offset ?? 0);
  const day = Math.floor(local / DAY_MS);
  const minuteKnown = offset !== undefined && movement.timePrecision !== "day";
  return {
    id: movement.txId,
    movementId: movement.movementId ?? movement.txId,
    time,
    localMinute: minuteKnown ? Math.floor((local - day * DAY_MS) / MINUTE_MS) : -1,
    localDay: day,
    stage: movement.stage ?? "booked",
    rail: movement.rail,
    purpose: movement.purpose,
    channel: movement.channel,
    amountMinor,
    currency: movement.currency,
    amount,
    debtor: normaliseSide(movement.debtor, movement.currency, time, context.rates),
    creditor: normaliseSide(movement.creditor, movement.currency, time, context.rates),
    ultimateDebtor: optionalSide(movement.ultimateDebtor, movement.currency, time, context.rates),
    ultimateCreditor: optionalSide(movement.ultimateCreditor, movement.currency, time, context.rates),
    books: movement.books ?? "both",
    relation: movement.relation === undefined ? undefined : relationOf(movement.relation),
    initiator: movement.initiator,
    actCountry: act?.country,
    actPlace: act?.place,
    actCell: act?.cell,
    actSite: act?.site,
    whiteLabelAtm: act?.whiteLabelAtm,
    device: session?.device,
    ipCountry: session?.ipCountry,
    ipCell: session?.ipCell,
    conductor: movement.conductor,
    refs: movement.refs ?? NO_REFS,
    travelTo: travel?.to,
    travelNights: travel?.nights,
    travellers: travel?.travellers,
    memoClasses: movement.memoClasses ?? NO_CLASSES,
    corridorFrom: corridorFrom(movement),
    corridorTo: corridorTo(movement),
    contentHash: contentHash(movement, time, amountMinor),
  };
}

function optionalSide(
  side: Movement["debtor"] | undefined,
  currency: string,
  time: number,
  rates: Rates,
): TxSide | undefined {
  return side === undefined ? undefined : normaliseSide(side, currency, time, rates);
}

function relationOf(relation: NonNullable<Movement["relation"]>): TxRelation {
  const { kind, of, occurredAt } = relation;
  return { kind, of, time: occurredAt === undefined ? undefined : parseTime(occurredAt) };
}

/** The zone of the act, of the record, else the offset that the time itself states. */
function localOffset(movement: Movement, time: number, zones: Zones): number | undefined {
  const zone = movement.act?.tz ?? movement.tz;
  const offset = zone === undefined ? undefined : zones.offsetMs(zone, time);
  return offset ?? statedOffsetMs(movement.occurredAt);
}
