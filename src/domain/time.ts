/**
 * Time: RFC 3339 texts to epoch milliseconds and back, durations, and the local minute and day of an
 * act. Written by hand where every movement passes; calendars are proleptic Gregorian in UTC.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/limits.ts";

/** Local time of an act: minute of the day (-1 when unknown) and days since 1970-01-01. */
export interface LocalTime {
  readonly minute: number;
  readonly day: number;
}

/** Local times by IANA zone. Holds formatters and offsets, both bounded; make one for each pipeline. */
export interface Zones {
  /** Milliseconds that the zone is ahead of UTC at `timeMs`; undefined when no such zone is known. */
  offsetMs(zone: string, timeMs: number): number | undefined;
}

/** 2100-01-01T00:00:00Z, the end of the times that are taken. */
export const TIME_MAX_MS = 4_102_444_800_000;
/** Longest RFC 3339 text that is read: nanoseconds and an offset are 35 characters. */
export const TIME_TEXT_MAX = 40;

/**
 * Epoch ms of a strict RFC 3339 time (`2026-03-04T10:11:12.345+01:00`); NaN when it is none, lies outside
 * 1970..2100 or is a leap second. Fractions below a millisecond are cut off. `T` and `Z` may be lower case.
 */
export function parseTime(text: string): number {
  const length = text.length;
  if (length < 20 || length > TIME_TEXT_MAX) return Number.NaN;
  const separator = text.charCodeAt(10);
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || (separator !== 84 && separator !== 116))
    return Number.NaN;
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return Number.NaN;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const hour = two(text, 11);
  const minute = two(text, 14);
  const second = two(text, 17);
  // Comparisons written so that NaN, which `two` gives for anything but digits, fails them.
  if (!(year >= 1969 && year <= 2100 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)))
    return Number.NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN;
  let end = 19;
  let millis = 0;
  if (text.charCodeAt(19) === 46) {
    end = fractionEnd(text);
    if (end === 20) return Number.NaN;
    millis = fractionMillis(text, end);
  }
  const offset = offsetAt(text, end);
  const time =
    daysSinceEpoch(year, month, day) * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * 1000 + millis - offset;
  return time >= 0 && time < TIME_MAX_MS ? time : Number.NaN;
}

/**
 * Offset from UTC that a valid RFC 3339 text states, in ms; undefined for `Z` and `-00:00`, which by the
 * standard say nothing about local time.
 */
export function statedOffsetMs(text: string): number | undefined {
  const last = text.charCodeAt(text.length - 1);
  if (last === 90 || last === 122) return undefined;
  const from = text.length - 6;
  const offset = offsetAt(text, from);
  return offset === 0 && text.charCodeAt(from) === 45 ? undefined : offset;
}

/** `2026-03-04T10:11:12.345Z`; the fraction is left out when it is zero. */
export function formatTime(timeMs: number): string {
  const text = new Date(timeMs).toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text;
}

/** Days since 1970-01-01 of a calendar day that exists. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years begin in March, so that the leap day is the last; eras of 400 years have 146,097 days.
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Days of a month of a year. */
export function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Milliseconds of a duration such as `14d`, `2h30m`, `90s`: whole numbers of d, h, m, s, each at most once
 * and in this order, spaces between them allowed. Undefined when it is none or not a safe integer.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,9})\s*d)?\s*(?:(\d{1,9})\s*h)?\s*(?:(\d{1,9})\s*m)?\s*(?:(\d{1,9})\s*s)?$/.exec(text.trim());
  if (match === null || text.trim() === "") return undefined;
  const [days = "0", hours = "0", minutes = "0", seconds = "0"] = match.slice(1);
  const total = Number(days) * DAY_MS + Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * 1000;
  return Number.isSafeInteger(total) ? total : undefined;
}

/** A duration for people, largest unit first: `14 d`, `2 h 30 min`, `45 s`. Parts below a second are cut off. */
export function formatDuration(durationMs: number): string {
  const sign = durationMs < 0 ? "-" : "";
  let rest = Math.floor(Math.abs(durationMs) / 1000);
  const parts: string[] = [];
  for (const [unit, seconds] of DURATION_UNITS) {
    const count = Math.floor(rest / seconds);
    if (count > 0) parts.push(`${count} ${unit}`);
    rest -= count * seconds;
  }
  return parts.length === 0 ? "0 s" : sign + parts.join(" ");
}

/** Local minute and day of a time at an offset. */
export function localTime(timeMs: number, offsetMs: number): LocalTime {
  const local = timeMs + offsetMs;
  const day = Math.floor(local / DAY_MS);
  return { minute: Math.floor((local - day * DAY_MS) / MINUTE_MS), day };
}

/** Makes a bounded cache of zone offsets. Names that are no zone are remembered too, so hostile ones stay cheap. */
export function createZones(): Zones {
  const zones = new Map<string, ZoneCache | undefined>();
  return {
    offsetMs(zone, timeMs) {
      let cache = zones.get(zone);
      if (cache === undefined) {
        if (zones.has(zone)) return undefined;
        if (zones.size >= ZONES_MAX) zones.clear();
        cache = createZoneCache(zone);
        zones.set(zone, cache);
        if (cache === undefined) return undefined;
      }
      return cachedOffset(cache, timeMs);
    },
  };
}

const DURATION_UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** There are about 600 zone names with their aliases; an institution meets a few dozen. */
const ZONES_MAX = 1_024;
/** Offsets change at whole quarters of an hour since 1972, so a quarter has one offset, or is looked at twice. */
const SLOT_MS = 15 * MINUTE_MS;
const SLOTS = 1_024;

interface ZoneCache {
  readonly format: Intl.DateTimeFormat;
  /** Quarter of an hour since 1970 that a slot holds, -1 when free. */
  readonly quarters: Int32Array;
  readonly offsets: Int32Array;
}

function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function fractionEnd(text: string): number {
  let end = 20;
  while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  return end;
}

function fractionMillis(text: string, end: number): number {
  let millis = 0;
  for (let i = 20; i < 23; i++) millis = millis * 10 + (i < end ? text.charCodeAt(i) - 48 : 0);
  return millis;
}

/** Offset that starts at `from` and must end the text, in ms; NaN when it is none. */
function offsetAt(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === 90 || first === 122) return text.length === from + 1 ? 0 : Number.NaN;
  if ((first !== 43 && first !== 45) || text.length !== from + 6 || text.charCodeAt(from + 3) !== 58) return Number.NaN;
  const hours = two(text, from + 1);
  const minutes = two(text, from + 4);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  const offset = hours * HOUR_MS + minutes * MINUTE_MS;
  return first === 45 && offset !== 0 ? -offset : offset;
}

function createZoneCache(zone: string): ZoneCache | undefined {
  // Bare offsets such as "+01:00" are zones to some runtimes and none to others: IANA names only.
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(zone)) return undefined;
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    return { format, quarters: new Int32Array(SLOTS).fill(-1), offsets: new Int32Array(SLOTS) };
  } catch {
    return undefined;
  }
}

function cachedOffset(cache: ZoneCache, timeMs: number): number {
  const quarter = Math.floor(timeMs / SLOT_MS);
  const slot = quarter & (SLOTS - 1);
  if (cache.quarters[slot] === quarter) return cache.offsets[slot] as number;
  const offset = zoneOffset(cache.format, timeMs);
  const start = quarter * SLOT_MS;
  if (zoneOffset(cache.format, start) === offset && zoneOffset(cache.format, start + SLOT_MS - 1) === offset) {
    cache.quarters[slot] = quarter;
    cache.offsets[slot] = offset;
  }
  return offset;
}

/** The runtime writes the offset as `GMT`, `GMT+05:30` or, for old times, `GMT-00:44:30`. */
function zoneOffset(format: Intl.DateTimeFormat, timeMs: number): number {
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(format.format(timeMs));
  if (match === null || match[1] === undefined) return 0;
  const [, sign, hours, minutes, seconds = "0"] = match;
  const offset = Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * 1000;
  return sign === "-" ? -offset : offset;
}
