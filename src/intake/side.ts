/** One side of a movement: what it must name, and its flat form. */
import type { Reject } from "../base/errors.ts";
import { AMOUNT_MINOR_MAX } from "../base/limits.ts";
import { currencyOf } from "../domain/currencies.ts";
import { parseAmount, type Rates } from "../domain/money.ts";
import type { MovementSide } from "../domain/movement.ts";
import type { Link, TxSide } from "../domain/tx.ts";
import type { IntakeContext } from "./context.ts";
import { amountReject, currencyReject, reject, vocabularyReject } from "./refusal.ts";

/** What is wrong with a side, undefined when nothing is. `currency` is the movement's. */
export function sideFault(
  side: MovementSide,
  field: string,
  currency: string,
  context: IntakeContext,
): Reject | undefined {
  if (!namesItself(side))
    return reject("SCHEMA", `${field}.${IDENTIFIER[side.kind]}`, expectedIdentifier(side), "nothing");
  if (side.currency !== undefined && currencyOf(side.currency) === undefined) {
    return currencyReject(`${field}.currency`, side.currency);
  }
  const own = side.currency ?? currency;
  if (side.amount !== undefined) {
    const fault = amountFault(side.amount, `${field}.amount`, own, false);
    if (fault !== undefined) return fault;
  }
  if (side.balanceAfter !== undefined) {
    const fault = amountFault(side.balanceAfter, `${field}.balanceAfter`, own, true);
    if (fault !== undefined) return fault;
  }
  const word = side.merchant?.class;
  const allowed = context.vocabulary.merchantClasses;
  if (word === undefined || allowed === undefined || allowed.has(word)) return undefined;
  return vocabularyReject(`${field}.merchant.class`, word, "merchant class");
}

/** The flat form of a side that has no fault; every field, always in this order. */
export function normaliseSide(side: MovementSide, currency: string, time: number, rates: Rates): TxSide {
  const { merchant, institution } = side;
  return {
    own: side.own ?? false,
    kind: side.kind,
    account: side.account,
    party: side.party,
    card: side.card,
    wallet: side.wallet,
    partyType: side.partyType ?? "unknown",
    merchantId: merchant?.id,
    mcc: merchant?.mcc,
    merchantClass: merchant?.class,
    merchantCountry: merchant?.country,
    merchantPlace: merchant?.place,
    merchantOpens: merchant?.opens,
    institutionId: institution?.id,
    institutionCountry: institution?.country,
    institutionType: institution?.type,
    balanceAfter:
      side.balanceAfter === undefined ? undefined : balance(side.balanceAfter, side.currency ?? currency, time, rates),
    links: side.links ?? NO_LINKS,
    ref: side.ref,
  };
}

const NO_LINKS: readonly Link[] = [];

/** The field that a side of each kind is expected to name; a merchant and a person have more than one way. */
const IDENTIFIER = {
  account: "account",
  cash: "kind",
  card: "card",
  wallet: "wallet",
  merchant: "merchant.id",
  person: "party",
  internal: "kind",
} as const;

function namesItself(side: MovementSide): boolean {
  switch (side.kind) {
    case "account":
      return side.account !== undefined;
    case "card":
      return side.card !== undefined;
    case "wallet":
      return side.wallet !== undefined;
    case "merchant":
      return side.merchant?.id !== undefined || side.account !== undefined || side.party !== undefined;
    case "person":
      return side.party !== undefined || (side.links !== undefined && side.links.length > 0);
    default:
      return true;
  }
}

function expectedIdentifier(side: MovementSide): string {
  if (side.kind === "merchant") return "merchant.id, account or party of a side of kind merchant";
  if (side.kind === "person") return "party, or one of links, of a side of kind person";
  return `the ${side.kind} of a side of kind ${side.kind}`;
}

function amountFault(text: string, field: string, code: string, signed: boolean): Reject | undefined {
  const currency = currencyOf(code);
  if (currency === undefined) return currencyReject(field, code);
  const minor = parseAmount(text, currency, signed);
  return typeof minor === "string" ? amountReject(field, minor, text, code) : undefined;
}

/** Base currency minor units of a balance; undefined without a rate, or beyond what sums stay exact with. */
function balance(text: string, code: string, time: number, rates: Rates): number | undefined {
  const currency = currencyOf(code);
  if (currency === undefined) return undefined;
  const minor = parseAmount(text, currency, true);
  if (typeof minor === "string") return undefined;
  const base = rates.toBase(minor, code, time);
  return base !== undefined && Math.abs(base) <= AMOUNT_MINOR_MAX ? base : undefined;
}
