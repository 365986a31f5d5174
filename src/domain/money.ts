/**
 * Money: integer minor units inside, exact decimal strings outside, no floating point in between.
 * Amounts of one currency become amounts of the base currency by a dated list of rates, rounded half
 * to even, with a bigint only where a product leaves the safe integers.
 */
import { AMOUNT_MINOR_MAX } from "../base/limits.ts";
import { type Currency, currencyOf } from "./currencies.ts";
import type { Minor } from "./tx.ts";

export type { Minor } from "./tx.ts";

/** Turns amounts into the base currency. */
export interface Rates {
  /** ISO 4217 code of the base currency. */
  readonly base: string;
  /**
   * Minor units of the base currency for minor units of `currency` on the day of `timeMs` (epoch ms);
   * undefined when no rate is known. The result is an integer, exact to half a minor unit.
   */
  toBase(amountMinor: Minor, currency: string, timeMs: number): number | undefined;
}

/** Rates in force from a day on: units of currency per one unit of the base currency, as decimal strings. */
export interface RatesEntry {
  /** `yyyy-MM-dd`, UTC. */
  readonly from: string;
  readonly rates: Readonly<Record<string, string>>;
}

/** Why a text is no amount of a currency. */
export type AmountFault = "grammar" | "decimals" | "range";

/** Longest text of an amount: 15 digits for whole units, 18 for decimals, a point and some zeros. */
const AMOUNT_TEXT_MAX = 48;
/** Digits that a double holds exactly whatever they are. */
const SAFE_DIGITS = 15;
/** Crypto assets: as many whole units as fiat may have minor ones. */
const ASSET_WHOLE_MAX = BigInt(AMOUNT_MINOR_MAX);

/**
 * Minor units of a decimal text, or why it is none. The grammar is `digits[.digits]` without sign,
 * exponent or needless leading zeros; decimals beyond the currency's are taken only if they are zero.
 * With `signed` one leading minus is allowed (balances).
 */
export function parseAmount(text: string, currency: Currency, signed = false): Minor | AmountFault {
  if (!isAmountText(text, signed)) return "grammar";
  const negative = text.charCodeAt(0) === 45;
  const start = negative ? 1 : 0;
  const length = text.length;
  let point = -1;
  let whole = 0;
  for (let i = start; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0) whole = whole * 10 + digit;
    else point = i;
  }
  const wholeEnd = point < 0 ? length : point;
  const decimals = point < 0 ? 0 : length - point - 1;
  if (decimals > currency.decimals && !onlyZeros(text, point + 1 + currency.decimals)) return "decimals";
  if (wholeEnd - start + Math.max(decimals, currency.decimals) > SAFE_DIGITS) {
    return parseLong(text, start, wholeEnd, point, currency, negative);
  }
  const minor = whole * (POWERS[currency.decimals - decimals] ?? 1);
  return sign(decimals <= currency.decimals ? minor : whole / (POWERS[decimals - currency.decimals] ?? 1), negative);
}

/** Whether a text follows the grammar of amounts, of whatever currency. */
export function isAmountText(text: string, signed = false): boolean {
  const length = text.length;
  const start = signed && text.charCodeAt(0) === 45 ? 1 : 0;
  if (length === start || length > AMOUNT_TEXT_MAX) return false;
  let point = -1;
  for (let i = start; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) continue;
    if (digit !== -2 || point >= 0 || i === start) return false;
    point = i;
  }
  if (point === length - 1) return false;
  return (point < 0 ? length : point) - start === 1 || text.charCodeAt(start) !== 48;
}

/** Minor units as a decimal string with all of the currency's decimals: 270000 EUR gives `2700.00`. */
export function toDecimal(minor: Minor, currency: string): string {
  const decimals = currencyOf(currency)?.decimals ?? 2;
  const negative = minor < 0;
  const digits = integerText(minor).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const text = decimals === 0 ? whole : `${whole}.${digits.slice(digits.length - decimals)}`;
  return negative && /[1-9]/.test(digits) ? `-${text}` : text;
}

/** Minor units for people: `2,700.00 EUR`. A fraction of a minor unit (an average) is rounded half to even. */
export function formatMoney(minor: Minor, currency: string): string {
  const [whole = "", decimals] = toDecimal(minor, currency).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return decimals === undefined ? `${grouped} ${currency}` : `${grouped}.${decimals} ${currency}`;
}

/**
 * Builds rates from a dated list. For each currency the latest entry that names it and is not after the
 * day applies; before its first, the first. Throws RangeError for an unknown base, a bad date or a rate
 * that is not a positive decimal; the message names the entry.
 */
export function createRates(base: string, entries: readonly RatesEntry[]): Rates {
  const baseCurrency = currencyOf(base);
  if (baseCurrency === undefined) throw new RangeError(`base currency ${base} is not in the currency table`);
  const steps = new Map<string, RateStep[]>();
  const ordered = [...entries].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  for (const entry of ordered) {
    const from = dayStart(entry.from);
    for (const [code, rate] of Object.entries(entry.rates)) {
      const currency = currencyOf(code);
      if (currency === undefined)
        throw new RangeError(`rates from ${entry.from}: ${code} is not in the currency table`);
      const list = steps.get(code) ?? [];
      steps.set(code, list);
      list.push(rateStep(from, rate, currency, baseCurrency, `${code} from ${entry.from}`));
    }
  }
  return {
    base,
    toBase(amountMinor, currency, timeMs) {
      if (currency === base) return Number(amountMinor);
      const list = steps.get(currency);
      return list === undefined ? undefined : convert(amountMinor, stepAt(list, timeMs));
    },
  };
}

interface RateStep {
  readonly from: number;
  /** Base minor units per minor unit of the currency, as a reduced fraction. */
  readonly numerator: bigint;
  readonly denominator: bigint;
  /** The same as doubles where both are safe, else 0. */
  readonly safeNumerator: number;
  readonly safeDenominator: number;
}

const POWERS = Array.from({ length: 19 }, (_, power) => 10 ** power);

function sign(minor: number, negative: boolean): number {
  return negative && minor !== 0 ? -minor : minor;
}

function onlyZeros(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) if (text.charCodeAt(i) !== 48) return false;
  return true;
}

/** More digits than a double surely holds: the same with a bigint, back to a number when it is safe. */
function parseLong(
  text: string,
  start: number,
  wholeEnd: number,
  point: number,
  currency: Currency,
  negative: boolean,
): Minor | AmountFault {
  const fraction = point < 0 ? "" : text.slice(point + 1, point + 1 + currency.decimals);
  const whole = BigInt(text.slice(start, wholeEnd));
  const minor = BigInt(text.slice(start, wholeEnd) + fraction.padEnd(currency.decimals, "0"));
  if (currency.fiat ? minor > BigInt(AMOUNT_MINOR_MAX) : whole > ASSET_WHOLE_MAX) return "range";
  const signed = negative ? -minor : minor;
  return minor <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(signed) : signed;
}

/** Digits of the absolute value, fractions of a minor unit rounded half to even. */
function integerText(minor: Minor): string {
  if (typeof minor === "bigint") return String(minor < 0n ? -minor : minor);
  const absolute = Math.abs(minor);
  const floor = Math.floor(absolute);
  const rest = absolute - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  return BigInt(rounded).toString();
}

function dayStart(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) {
    throw new RangeError(`rates from ${text}: the date must be a day such as 2026-01-31`);
  }
  return time;
}

function rateStep(from: number, rate: string, currency: Currency, base: Currency, name: string): RateStep {
  if (!/^\d{1,15}(\.\d{1,18})?$/.test(rate) || !/[1-9]/.test(rate)) {
    throw new RangeError(`rate of ${name}: "${rate}" must be a positive decimal such as "1.10"`);
  }
  const [whole = "", fraction = ""] = rate.split(".");
  const numerator = 10n ** BigInt(base.decimals + fraction.length);
  const denominator = BigInt(whole + fraction) * 10n ** BigInt(currency.decimals);
  const divisor = greatestCommonDivisor(numerator, denominator);
  const top = numerator / divisor;
  const bottom = denominator / divisor;
  const safe = top <= BigInt(Number.MAX_SAFE_INTEGER) && bottom <= BigInt(Number.MAX_SAFE_INTEGER);
  return {
    from,
    numerator: top,
    denominator: bottom,
    safeNumerator: safe ? Number(top) : 0,
    safeDenominator: safe ? Number(bottom) : 0,
  };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function stepAt(steps: readonly RateStep[], timeMs: number): RateStep {
  let found = steps[0] as RateStep;
  for (const step of steps) if (step.from <= timeMs) found = step;
  return found;
}

function convert(amountMinor: Minor, step: RateStep): number {
  if (typeof amountMinor === "number" && step.safeNumerator > 0) {
    const absolute = Math.abs(amountMinor);
    const product = absolute * step.safeNumerator;
    // The remainder is exact while every product stays a safe integer; the quotient may be one off.
    if (product <= Number.MAX_SAFE_INTEGER / 2) {
      let quotient = Math.floor(product / step.safeDenominator);
      let rest = product - quotient * step.safeDenominator;
      if (rest < 0) {
        quotient -= 1;
        rest += step.safeDenominator;
      } else if (rest >= step.safeDenominator) {
        quotient += 1;
        rest -= step.safeDenominator;
      }
      const half = step.safeDenominator - rest;
      if (rest > half || (rest === half && quotient % 2 === 1)) quotient += 1;
      return amountMinor < 0 && quotient !== 0 ? -quotient : quotient;
    }
  }
  return convertLong(BigInt(amountMinor), step);
}

function convertLong(amountMinor: bigint, step: RateStep): number {
  const negative = amountMinor < 0n;
  const product = (negative ? -amountMinor : amountMinor) * step.numerator;
  let quotient = product / step.denominator;
  const twice = (product - quotient * step.denominator) * 2n;
  if (twice > step.denominator || (twice === step.denominator && quotient % 2n === 1n)) quotient += 1n;
  return Number(negative ? -quotient : quotient);
}
