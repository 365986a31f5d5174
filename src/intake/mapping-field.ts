/**
 * One field of a mapping: where its text comes from and what is done to it, compiled to a function. A field
 * that finds nothing is left out; whether that is allowed the record's schema decides.
 */
import type { RecordPlace } from "./context.ts";
import { type FieldType, readCell } from "./record-fields.ts";
import type { TimeReader } from "./time-format.ts";

/** Why a text could not be taken: what was expected of it, and the text. */
export interface FieldFault {
  readonly expected: string;
  readonly found: string;
}

/** Value for the field, undefined when it is left out. */
export type FieldReader = (source: unknown, place: RecordPlace) => FieldValue | FieldFault | undefined;
export type FieldValue = string | boolean | number;

/** What a mapping says about one field, read and checked. */
export interface FieldSpec {
  readonly type: FieldType;
  readonly text: TextReader;
  readonly when: Condition | undefined;
  readonly map: ReadonlyMap<string, string> | undefined;
  /** For texts that `map` does not have. */
  readonly otherwise: string | undefined;
  /** For records in which the source is missing or empty. */
  readonly fallback: string | undefined;
  readonly decimal: "." | "," | undefined;
  readonly absolute: boolean;
  /** The text counts minor units of so many decimals. */
  readonly minorUnits: number | undefined;
  readonly time: TimeReader | undefined;
}

export interface Condition {
  readonly text: TextReader;
  readonly values: ReadonlySet<string>;
  /** True: the text must be among the values; false: it must not. */
  readonly among: boolean;
}

/** Text out of a foreign record; undefined when it is missing or empty. */
export type TextReader = (source: unknown, place: RecordPlace) => string | FieldFault | undefined;

/** Compiles a field. */
export function compileField(spec: FieldSpec): FieldReader {
  const { type, text, when, map, fallback } = spec;
  return (source, place) => {
    if (when !== undefined && !holds(when, source, place)) return undefined;
    let value = text(source, place);
    if (isFault(value)) return value;
    if (value === undefined) return fallback === undefined ? undefined : cell(fallback, type);
    if (map !== undefined) {
      const mapped = map.get(value) ?? spec.otherwise;
      if (mapped === undefined)
        return { expected: `one of ${[...map.keys()].join(", ")}, or \`otherwise\``, found: value };
      return cell(mapped, type);
    }
    value = convert(spec, value);
    return isFault(value) ? value : cell(value, type);
  };
}

/** Reads a column or a dotted JSON path. A column whose name has dots in it is found as it is written. */
export function pathReader(path: string): TextReader {
  const segments = path.split(".");
  return (source) => {
    if (isRecord(source) && Object.hasOwn(source, path)) return textOf(source[path]);
    let current: unknown = source;
    for (const segment of segments) {
      if (typeof current !== "object" || current === null || !Object.hasOwn(current, segment)) return undefined;
      current = (current as Readonly<Record<string, unknown>>)[segment];
    }
    return textOf(current);
  };
}

/**
 * Reads a template: texts between braces are paths, `{row}` and `{line}` the position in the file, with
 * `{row:8}` filled up with zeros to 8 digits. Undefined when a path finds nothing.
 */
export function templateReader(template: string): TextReader {
  const parts = template.split(/(\{[^{}]*\})/).map((part): TextReader => {
    if (!part.startsWith("{")) return () => part;
    const inner = part.slice(1, -1);
    const position = /^(row|line)(?::(\d{1,2}))?$/.exec(inner);
    if (position === null) return pathReader(inner);
    return positionReader(position[1] === "row" ? "row" : "line", Number(position[2] ?? "0"));
  });
  return (source, place) => {
    let text = "";
    for (const part of parts) {
      const value = part(source, place);
      if (value === undefined || isFault(value)) return value;
      text += value;
    }
    return text;
  };
}

export function isFault(value: unknown): value is FieldFault {
  return typeof value === "object";
}

function positionReader(name: "row" | "line", digits: number): TextReader {
  return (_, place) => {
    const position = place[name];
    if (position !== undefined) return String(position).padStart(digits, "0");
    return { expected: `a template without {${name}}: records of a topic have no ${name}`, found: "no position" };
  };
}

function holds(when: Condition, source: unknown, place: RecordPlace): boolean {
  const text = when.text(source, place);
  return when.values.has(typeof text === "string" ? text : "") === when.among;
}

function cell(text: string, type: FieldType): FieldValue | FieldFault {
  return readCell(text, type) ?? { expected: type === "integer" ? "a whole number" : "true or false", found: text };
}

function convert(spec: FieldSpec, text: string): string | FieldFault {
  let value = text;
  if (spec.decimal !== undefined || spec.absolute) {
    const plain = plainDecimal(value, spec.decimal ?? ".", spec.absolute);
    if (plain === undefined)
      return { expected: `a number with "${spec.decimal ?? "."}" before the decimals`, found: text };
    value = plain;
  }
  if (spec.minorUnits !== undefined) {
    if (!/^-?\d{1,30}$/.test(value)) return { expected: "a whole number of minor units", found: text };
    value = shiftDecimals(value, spec.minorUnits);
  }
  if (spec.time !== undefined) {
    const time = spec.time(value);
    if (time === undefined) return { expected: "a time in the format of the mapping", found: text };
    value = time;
  }
  return value;
}

/** Takes out grouping signs and needless zeros: `1.234,50` becomes `1234.50`. */
function plainDecimal(text: string, decimal: "." | ",", absolute: boolean): string | undefined {
  const group = decimal === "," ? /[.\s']/g : /[,\s']/g;
  const match = /^([+-]?)0*(\d+)(?:\.(\d+))?$/.exec(text.replace(group, "").replace(",", "."));
  if (match === null) return undefined;
  const [, sign, whole = "", fraction] = match;
  const digits = fraction === undefined ? whole : `${whole}.${fraction}`;
  return sign === "-" && !absolute ? `-${digits}` : digits;
}

function shiftDecimals(text: string, decimals: number): string {
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text
    .slice(sign.length)
    .replace(/^0+(?=\d)/, "")
    .padStart(decimals + 1, "0");
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

function textOf(value: unknown): string | FieldFault | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") {
    const trimmed = value.trim();
    return trimmed === "" ? undefined : trimmed;
  }
  if (typeof value === "object")
    return { expected: "a single value", found: Array.isArray(value) ? "a list" : "an object" };
  return String(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
