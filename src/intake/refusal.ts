/**
 * Why a record was refused, in words: the first finding of its zod schema as a `Reject` with a stable code.
 * Runs only for records that are rejected. What stood in a field is shown only where the field takes codes,
 * times or amounts; of identifiers and texts no more than type and length is told.
 */
import type { z } from "zod";
import type { Reject, RejectCode } from "../base/errors.ts";
import { AMOUNT_MINOR_MAX, FUTURE_SKEW_MS } from "../base/limits.ts";
import { currencyOf } from "../domain/currencies.ts";
import type { AmountFault } from "../domain/money.ts";
import { formatTime } from "../domain/time.ts";

/** Builds a reject. */
export function reject(code: RejectCode, field: string, expected: string, found: string): Reject {
  return { code, field, expected, found };
}

/** Tells a reject from whatever else a step of intake gives; no record of ours has both fields. */
export function isReject(value: object): value is Reject {
  return "code" in value && "expected" in value;
}

/** The first finding of `schema` about `value`; undefined when the schema accepts it. */
export function schemaReject(schema: z.ZodType, value: unknown): Reject | undefined {
  const result = schema.safeParse(value);
  if (result.success) return undefined;
  const issue = result.error.issues[0];
  if (issue === undefined) return reject("SCHEMA", "", "a record of a known schema", describe(value));
  const path = [...issue.path];
  if (issue.code === "unrecognized_keys") {
    const field = fieldPath([...path, issue.keys[0] ?? ""]);
    return reject(
      "SCHEMA",
      field,
      "no such field: remove it, or map it to one that the schema has",
      "an unknown field",
    );
  }
  const found = valueAt(value, path);
  return reject(codeFor(path, found), fieldPath(path), expectation(issue), describeAt(path, found, issue.code));
}

/** Reject of a text that is no time of the accepted range. */
export function timeReject(field: string, text: string): Reject {
  const expected = 'a time such as "2026-03-04T10:11:12Z" or with an offset, from 1970 to 2099, without leap seconds';
  return reject("BAD_TIME", field, expected, quoteCode(text));
}

/** Reject of a time ahead of the reference. */
export function futureReject(field: string, time: number, asOf: number): Reject {
  const expected = `a time not later than ${formatTime(asOf + FUTURE_SKEW_MS)}`;
  return reject("FAR_FUTURE", field, expected, formatTime(time));
}

/** Reject of a currency code that the table does not have. */
export function currencyReject(field: string, code: string): Reject {
  return reject("UNKNOWN_CURRENCY", field, "an ISO 4217 code or a known asset code", quoteCode(code));
}

/** Reject of a text that is no amount of its currency. */
export function amountReject(field: string, fault: AmountFault, text: string, code: string): Reject {
  const decimals = currencyOf(code)?.decimals ?? 2;
  const expected =
    fault === "decimals"
      ? `at most ${decimals} decimals in ${code}`
      : fault === "range"
        ? `an amount below ${AMOUNT_MINOR_MAX} minor units`
        : 'a decimal text such as "12.50", without sign or exponent';
  return reject("BAD_AMOUNT", field, expected, quoteCode(text));
}

/** Reject of a word that the vocabulary does not have. */
export function vocabularyReject(field: string, word: string, what: string): Reject {
  return reject(
    "UNKNOWN_VOCABULARY",
    field,
    `a ${what} of rules/vocabulary.yaml: add it there or map it`,
    quoteCode(word),
  );
}

/** Type and size of a value, without its content. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "string") return value === "" ? "an empty text" : `a text of ${value.length} characters`;
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}

/** A short code, time or amount as it stood, in quotes; anything longer or with spaces by its size only. */
export function quoteCode(value: string): string {
  return /^[A-Za-z0-9_.,:+\-/]{1,40}$/.test(value) ? `"${value}"` : describe(value);
}

const AMOUNT_FIELDS = new Set(["amount", "balanceAfter"]);
const TIME_FIELDS = new Set(["occurredAt", "departs", "validFrom", "knownSince", "opened", "from", "until"]);
const CODE_FIELDS = new Set([
  ...AMOUNT_FIELDS,
  ...TIME_FIELDS,
  "currency",
  "country",
  "ipCountry",
  "mcc",
  "cell",
  "ipCell",
  "homeCell",
  "tz",
]);
const FIELD_PATH_MAX = 120;

type Issue = z.core.$ZodIssue;

function codeFor(path: readonly PropertyKey[], found: unknown): RejectCode {
  const last = String(path.at(-1));
  if (typeof found !== "string") return "SCHEMA";
  if (AMOUNT_FIELDS.has(last)) return "BAD_AMOUNT";
  if (last === "currency") return "UNKNOWN_CURRENCY";
  return TIME_FIELDS.has(last) ? "BAD_TIME" : "SCHEMA";
}

/** What a limit counts, by the kind of value. */
const LENGTH_UNITS: ReadonlyMap<string, string> = new Map([
  ["string", " characters"],
  ["array", " items"],
]);

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `a ${issue.expected}`;
    case "invalid_value":
      return issue.values.length === 1
        ? `"${String(issue.values[0])}"`
        : `one of ${issue.values.map(String).join(", ")}`;
    case "too_big":
      return `at most ${issue.maximum}${LENGTH_UNITS.get(issue.origin) ?? ""}`;
    case "too_small":
      return issue.origin === "string" ? "a text that is not empty" : `at least ${issue.minimum}`;
    default:
      return issue.message;
  }
}

function describeAt(path: readonly PropertyKey[], found: unknown, code: Issue["code"]): string {
  if (typeof found !== "string") return typeof found === "number" ? `the number ${found}` : describe(found);
  return code === "invalid_value" || CODE_FIELDS.has(String(path.at(-1))) ? quoteCode(found) : describe(found);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current;
}

/** Dotted path; hostile names are shortened and stripped of what is not printable. */
function fieldPath(path: readonly PropertyKey[]): string {
  const text = path
    .map(String)
    .join(".")
    .replace(/[^\x20-\x7e]/g, "?");
  return text.length > FIELD_PATH_MAX ? `${text.slice(0, FIELD_PATH_MAX)}...` : text;
}
