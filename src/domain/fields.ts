/**
 * The leaf formats that records from outside share (tokens, codes, places), once as zod types, which write
 * the errors and the published schema, and once as plain predicates for the hot path. A property test
 * holds the two against each other.
 */
import { z } from "zod";
import { isAmountText } from "./money.ts";
import { TIME_TEXT_MAX } from "./time.ts";

export const TOKEN_LENGTH_MAX = 128;
export const ZONE_LENGTH_MAX = 64;
export const LINKS_MAX = 16;
export const REFS_MAX = 16;
export const MEMO_CLASSES_MAX = 32;
export const CHARGES_MAX = 8;
export const HOLDERS_MAX = 64;
export const CARDS_MAX = 64;
/** Numbers of nights or travellers stay below 1,000, so that no number of a record is longer than its digits. */
export const SMALL_COUNT_MAX = 999;

/** An identifier or other short text: no control characters, no broken surrogates. */
export const tokenSchema = z
  .string()
  .min(1)
  .max(TOKEN_LENGTH_MAX)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "a text without control characters");
/** Decimal text; the currency decides how many decimals are allowed. */
export const amountSchema = z
  .string()
  .refine((text) => isAmountText(text), { message: 'a decimal text such as "12.50", without sign or exponent' })
  .meta({ pattern: "^(0|[1-9][0-9]*)(\\.[0-9]+)?$", maxLength: 48 });
/** The same with an optional minus. */
export const signedAmountSchema = z
  .string()
  .refine((text) => isAmountText(text, true), { message: 'a decimal text such as "-12.50", without exponent' })
  .meta({ pattern: "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$", maxLength: 48 });
export const currencySchema = z.string().regex(/^[A-Z0-9]{3,5}$/, "an ISO 4217 code or an asset code, upper case");
export const countrySchema = z.string().regex(/^[A-Z]{2}$/, "an ISO 3166-1 alpha-2 code, upper case");
export const mccSchema = z.string().regex(/^[0-9]{4}$/, "four digits (ISO 18245)");
/** Only its length is checked here: `parseTime` decides. */
export const timeSchema = z.string().min(1).max(TIME_TEXT_MAX).meta({ format: "date-time" });
export const zoneSchema = z
  .string()
  .max(ZONE_LENGTH_MAX)
  .regex(/^[A-Za-z0-9_+\-/]+$/, "an IANA zone name");
export const cellSchema = z
  .string()
  .refine(isCell, { message: 'degrees as "latitude,longitude", such as "52.5,13.4"' })
  .meta({ pattern: "^-?[0-9]{1,2}(\\.[0-9]{1,6})?,-?[0-9]{1,3}(\\.[0-9]{1,6})?$" });
export const smallCountSchema = z.int().min(0).max(SMALL_COUNT_MAX);

/** Whether a value is a token. `clean` says that the text it came from held nothing but printable ASCII. */
export function isToken(value: unknown, clean: boolean): value is string {
  if (typeof value !== "string" || value.length === 0 || value.length > TOKEN_LENGTH_MAX) return false;
  return clean || isPrintable(value);
}

export function isCurrencyCode(value: unknown): value is string {
  if (typeof value !== "string" || value.length < 3 || value.length > 5) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (!((code >= 65 && code <= 90) || (code >= 48 && code <= 57))) return false;
  }
  return true;
}

export function isCountry(value: unknown): value is string {
  return (
    typeof value === "string" && value.length === 2 && isUpper(value.charCodeAt(0)) && isUpper(value.charCodeAt(1))
  );
}

export function isMcc(value: unknown): value is string {
  return typeof value === "string" && value.length === 4 && /^[0-9]{4}$/.test(value);
}

export function isTimeText(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= TIME_TEXT_MAX;
}

export function isZoneText(value: unknown): value is string {
  return typeof value === "string" && value.length <= ZONE_LENGTH_MAX && /^[A-Za-z0-9_+\-/]+$/.test(value);
}

/** `lat,lon` in degrees, up to six decimals. */
export function isCell(value: unknown): value is string {
  if (typeof value !== "string" || value.length > 24) return false;
  const match = /^(-?[0-9]{1,2}(?:\.[0-9]{1,6})?),(-?[0-9]{1,3}(?:\.[0-9]{1,6})?)$/.exec(value);
  return match !== null && Math.abs(Number(match[1])) <= 90 && Math.abs(Number(match[2])) <= 180;
}

export function isSmallCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= SMALL_COUNT_MAX;
}

function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || (code >= 127 && code < 160)) return false;
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = text.charCodeAt(i + 1);
      if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
      i++;
    }
  }
  return true;
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90;
}
