/**
 * Unit literals: `3000 EUR`, `80%`, `2h30m`, `100 km`, `22:00`, `3`, `0.5`. Values are exact fractions of
 * integers; nothing is rounded when a literal is read.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/limits.ts";

export type LiteralUnit = "number" | "money" | "ratio" | "duration" | "distance" | "time_of_day";

/**
 * An exact value `numerator / denominator`: ms for durations, metres for distances, minutes of the day
 * for clock times, whole units (not minor ones) of `currency` for money.
 */
export interface Quantity {
  readonly unit: LiteralUnit;
  readonly numerator: bigint;
  readonly denominator: bigint;
  /** Of money only, else empty. */
  readonly currency: string;
}

export type ReadQuantity =
  | { readonly ok: true; readonly quantity: Quantity; readonly end: number }
  | { readonly ok: false; readonly message: string; readonly end: number };

/** Digits before and after the point together; products of two such values are still exact as bigints. */
const DIGITS_MAX = 15;

const NUMBER = /\d+(?:\.\d+)?/y;
const CLOCK = /(\d{1,2}):(\d{2})(?![\d:])/y;
const DURATION = /\d+(?:\.\d+)?[wdhms](?:\s?\d+(?:\.\d+)?[wdhms])*(?![A-Za-z0-9_])/y;
const DURATION_PART = /(\d+(?:\.\d+)?)([wdhms])/g;
const PERCENT = /\s?%/y;
const DISTANCE = /\s?km(?![A-Za-z0-9_])|\sm(?![A-Za-z0-9_])/y;
const CURRENCY = /\s?([A-Z]{3})(?![A-Za-z0-9_])/y;
const WORD_AFTER = /[A-Za-z_0-9.]/y;
const UNIT_MS: Readonly<Record<string, number>> = {
  w: 7 * DAY_MS,
  d: DAY_MS,
  h: HOUR_MS,
  m: MINUTE_MS,
  s: 1000,
};

/** Reads the unsigned literal that begins at `at`, where a digit stands. */
export function readQuantity(text: string, at: number): ReadQuantity {
  const clock = match(CLOCK, text, at);
  if (clock !== null) return readClock(clock, at);
  const duration = match(DURATION, text, at);
  if (duration !== null) return readDuration(duration[0], at);
  const number = match(NUMBER, text, at);
  if (number === null) return { ok: false, message: "a number is expected here", end: at };
  const digits = number[0];
  const end = at + digits.length;
  if (digits.replace(".", "").length > DIGITS_MAX) {
    return { ok: false, message: `a number has at most ${DIGITS_MAX} digits`, end };
  }
  const plain = fraction(digits);
  const percent = match(PERCENT, text, end);
  if (percent !== null) return quantity("ratio", plain.n, plain.d * 100n, end + percent[0].length);
  const distance = match(DISTANCE, text, end);
  if (distance !== null) {
    const metres = distance[0].trim() === "km" ? 1000n : 1n;
    return quantity("distance", plain.n * metres, plain.d, end + distance[0].length);
  }
  const currency = match(CURRENCY, text, end);
  if (currency !== null) {
    return quantity("money", plain.n, plain.d, end + currency[0].length, currency[1] ?? "");
  }
  if (match(WORD_AFTER, text, end) !== null) {
    const message = "a number is followed by letters that are no unit";
    return { ok: false, message, end };
  }
  return quantity("number", plain.n, plain.d, end);
}

/** Reads a whole text as one literal, with an optional minus sign; undefined when it is none. */
export function parseQuantity(text: string): Quantity | undefined {
  const trimmed = text.trim();
  const negative = trimmed.startsWith("-");
  const at = negative ? 1 : 0;
  if (!isDigit(trimmed, at)) return undefined;
  const read = readQuantity(trimmed, at);
  if (!read.ok || read.end !== trimmed.length) return undefined;
  return negative ? { ...read.quantity, numerator: -read.quantity.numerator } : read.quantity;
}

/** A duration such as `14d` or `2h30m` in ms; undefined when the text is none. */
export function parseDurationMs(text: string): number | undefined {
  const quantity = parseQuantity(text);
  return quantity?.unit === "duration" ? toNumber(quantity) : undefined;
}

/** Nearest double; exact for the integers that literals can hold. */
export function toNumber(value: { readonly numerator: bigint; readonly denominator: bigint }): number {
  return Number(value.numerator) / Number(value.denominator);
}

/** Whether an ASCII digit stands at `at`. */
export function isDigit(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return c >= 0x30 && c <= 0x39;
}

/** Sign of a - b, exactly. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const left = a.numerator * b.denominator;
  const right = b.numerator * a.denominator;
  return left < right ? -1 : left > right ? 1 : 0;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readClock(found: RegExpExecArray, at: number): ReadQuantity {
  const end = at + found[0].length;
  const hour = Number(found[1]);
  const minute = Number(found[2]);
  if (hour > 23 || minute > 59) return { ok: false, message: "a clock time is between 00:00 and 23:59", end };
  return quantity("time_of_day", BigInt(hour * 60 + minute), 1n, end);
}

function readDuration(found: string, at: number): ReadQuantity {
  const end = at + found.length;
  let numerator = 0n;
  let denominator = 1n;
  let lastUnit = Number.POSITIVE_INFINITY;
  for (const part of found.matchAll(DURATION_PART)) {
    const digits = part[1] ?? "";
    const unit = UNIT_MS[part[2] ?? ""] ?? 0;
    if (digits.replace(".", "").length > DIGITS_MAX - 6) {
      return { ok: false, message: "this duration is too long", end };
    }
    if (unit >= lastUnit) return { ok: false, message: "write the larger unit of a duration first", end };
    lastUnit = unit;
    const { n, d } = fraction(digits);
    numerator = numerator * d + n * BigInt(unit) * denominator;
    denominator *= d;
  }
  if (numerator % denominator !== 0n) {
    return { ok: false, message: "a duration is a whole number of milliseconds", end };
  }
  return quantity("duration", numerator / denominator, 1n, end);
}

function fraction(digits: string): { n: bigint; d: bigint } {
  const point = digits.indexOf(".");
  if (point === -1) return { n: BigInt(digits), d: 1n };
  const places = digits.length - point - 1;
  return { n: BigInt(digits.replace(".", "")), d: 10n ** BigInt(places) };
}

function quantity(unit: LiteralUnit, numerator: bigint, denominator: bigint, end: number, currency = ""): ReadQuantity {
  return { ok: true, quantity: { unit, numerator, denominator, currency }, end };
}
