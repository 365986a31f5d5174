/**
 * Times of foreign records to RFC 3339: epoch seconds and milliseconds, day numbers, and written patterns
 * such as `yyyy/MM/dd HH:mm`. What comes out still passes the strict parser of `domain/time.ts`.
 */
import { DAY_MS } from "../base/limits.ts";
import { formatTime, parseTime } from "../domain/time.ts";

/** Reads one text; undefined when it is not of the format. */
export type TimeReader = (text: string) => string | undefined;

export interface TimeFormat {
  /** `rfc3339`, `epoch_s`, `epoch_ms`, `day`, or a pattern of yyyy MM dd HH mm ss SSS. */
  readonly format: string;
  /** Date of day number 0, epoch ms; for `day` only. */
  readonly startMs: number | undefined;
  /** Offset that pattern times are in, such as `+01:00`; UTC without one. */
  readonly offset: string | undefined;
}

/** Compiles a format; a text says what is wrong with it. */
export function compileTimeFormat({ format, startMs, offset }: TimeFormat): TimeReader | string {
  if (offset !== undefined && !/^[+-]\d{2}:\d{2}$/.test(offset)) return 'an offset is written "+01:00"';
  switch (format) {
    case "rfc3339":
      return (text) => (Number.isNaN(parseTime(text)) ? undefined : text);
    case "epoch_s":
      return (text) => fromEpoch(text, 1000);
    case "epoch_ms":
      return (text) => fromEpoch(text, 1);
    case "day":
      if (startMs === undefined) return "`day` needs `start`, the date of day number 0";
      return (text) => (/^\d{1,6}$/.test(text) ? fromMs(startMs + Number(text) * DAY_MS) : undefined);
    default:
      return compilePattern(format, offset ?? "Z");
  }
}

const PARTS = ["yyyy", "MM", "dd", "HH", "mm", "ss", "SSS"] as const;
type Part = (typeof PARTS)[number];

function fromEpoch(text: string, scale: number): string | undefined {
  return /^\d{1,13}$/.test(text) ? fromMs(Number(text) * scale) : undefined;
}

function fromMs(time: number): string | undefined {
  return time < 253_402_300_800_000 ? formatTime(time) : undefined;
}

function compilePattern(format: string, offset: string): TimeReader | string {
  const order: Part[] = [];
  const source = format.replace(/yyyy|SSS|MM|dd|HH|mm|ss|[A-Za-z]|[^A-Za-z]/g, (piece) => {
    const part = PARTS.find((known) => known === piece);
    if (part === undefined) return piece === "T" || /[^A-Za-z]/.test(piece) ? escapeLiteral(piece) : "(?!)";
    order.push(part);
    return `(\\d{${part.length}})`;
  });
  if (source.includes("(?!)")) return "a pattern has yyyy MM dd HH mm ss SSS, digits apart from them, and signs";
  for (const part of ["yyyy", "MM", "dd"] as const) {
    if (!order.includes(part)) return `a pattern needs ${part}`;
  }
  if (new Set(order).size !== order.length) return "a pattern names each part once";
  const pattern = new RegExp(`^${source}$`);
  return (text) => {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const read = (part: Part, missing: string): string => match[order.indexOf(part) + 1] ?? missing;
    const day = `${read("yyyy", "")}-${read("MM", "")}-${read("dd", "")}`;
    const millis = order.includes("SSS") ? `.${read("SSS", "")}` : "";
    const clock = order.includes("HH") ? read("HH", "00") : "00";
    const minute = order.includes("mm") ? read("mm", "00") : "00";
    const second = order.includes("ss") ? read("ss", "00") : "00";
    const time = `${day}T${clock}:${minute}:${second}${millis}${offset}`;
    return Number.isNaN(parseTime(time)) ? undefined : time;
  };
}

function escapeLiteral(piece: string): string {
  return piece.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
