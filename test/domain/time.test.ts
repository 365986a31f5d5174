import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createZones,
  daysSinceEpoch,
  formatDuration,
  formatTime,
  localTime,
  parseDuration,
  parseTime,
  statedOffsetMs,
  TIME_MAX_MS,
} from "../../src/domain/time.ts";

const anyTime = fc.integer({ min: 0, max: TIME_MAX_MS - 1 });

describe("parseTime", () => {
  test.each([
    ["1970-01-01T00:00:00Z", 0],
    ["2026-03-04T10:11:12Z", Date.UTC(2026, 2, 4, 10, 11, 12)],
    ["2026-03-04t10:11:12z", Date.UTC(2026, 2, 4, 10, 11, 12)],
    ["2026-03-04T10:11:12.3Z", Date.UTC(2026, 2, 4, 10, 11, 12, 300)],
    ["2026-03-04T10:11:12.345999999Z", Date.UTC(2026, 2, 4, 10, 11, 12, 345)],
    ["2026-03-04T10:11:12+05:30", Date.UTC(2026, 2, 4, 4, 41, 12)],
    ["2026-03-04T10:11:12-00:00", Date.UTC(2026, 2, 4, 10, 11, 12)],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["1969-12-31T23:00:00-02:00", Date.UTC(1970, 0, 1, 1)],
    ["2000-02-29T23:59:59.999Z", Date.UTC(2000, 1, 29, 23, 59, 59, 999)],
  ])("%s", (text, time) => {
    expect(parseTime(text)).toBe(time);
  });

  test.each([
    "",
    "2026-03-04",
    "2026-03-04T10:11:12",
    "2026-03-04 10:11:12Z",
    "2026-02-29T10:11:12Z",
    "2100-02-28T10:11:12Z",
    "2026-13-01T10:11:12Z",
    "2026-00-01T10:11:12Z",
    "2026-04-31T10:11:12Z",
    "2026-03-04T24:00:00Z",
    "2026-03-04T10:60:12Z",
    "2016-12-31T23:59:60Z",
    "1969-12-31T23:59:59Z",
    "2026-03-04T10:11:12.Z",
    "2026-03-04T10:11:12+0530",
    "2026-03-04T10:11:12+24:00",
    "2026-03-04T10:11:12Zx",
    "2026-03-04T10:11:12+05:30x",
    "20x6-03-04T10:11:12Z",
    "２026-03-04T10:11:12Z",
    `2026-03-04T10:11:12.${"0".repeat(30)}Z`,
  ])("%j is no time", (text) => {
    expect(parseTime(text)).toBeNaN();
  });

  test("agrees with the runtime on every time and offset", () => {
    fc.assert(
      fc.property(
        anyTime,
        fc.integer({ min: -1439, max: 1439 }),
        fc.integer({ min: 0, max: 9 }),
        (time, offset, digits) => {
          const text = written(time, offset, digits);
          const cut = digits >= 3 ? time : Math.floor(time / 10 ** (3 - digits)) * 10 ** (3 - digits);
          expect(parseTime(text)).toBe(cut);
        },
      ),
      { seed: 3 },
    );
  });

  test("what formatTime writes is read back", () => {
    fc.assert(
      fc.property(anyTime, (time) => {
        expect(parseTime(formatTime(time))).toBe(time);
      }),
      { seed: 4 },
    );
    expect(formatTime(0)).toBe("1970-01-01T00:00:00Z");
    expect(formatTime(1)).toBe("1970-01-01T00:00:00.001Z");
  });
});

test("a stated offset is local time, Z and -00:00 say nothing about it", () => {
  const at = (offset: string) => statedOffsetMs(`2026-03-04T10:11:12${offset}`);
  expect([at("Z"), at("z"), at("-00:00"), at("+00:00"), at("+05:30"), at("-08:00")]).toEqual([
    undefined,
    undefined,
    undefined,
    0,
    19_800_000,
    -28_800_000,
  ]);
});

test("daysSinceEpoch agrees with the runtime", () => {
  fc.assert(
    fc.property(anyTime, (time) => {
      const date = new Date(time);
      const days = daysSinceEpoch(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
      expect(days).toBe(Math.floor(time / 86_400_000));
    }),
    { seed: 6 },
  );
});

test("localTime on both sides of midnight", () => {
  expect(localTime(Date.UTC(2026, 0, 1, 23, 30), 3_600_000)).toEqual({ minute: 30, day: 20_455 });
  expect(localTime(0, -60_000)).toEqual({ minute: 1439, day: -1 });
});

describe("createZones", () => {
  test("agrees with the runtime's own local time, also around changes of the clock", () => {
    const zones = createZones();
    const names = ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "UTC"];
    const near = fc
      .record({
        year: fc.integer({ min: 1972, max: 2037 }),
        day: fc.integer({ min: 0, max: 365 }),
        minute: fc.nat(1440),
      })
      .map(({ year, day, minute }) => Date.UTC(year, 0, 1 + day, 0, minute));
    const repeated = fc.array(near, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...names), repeated, (zone, times) => {
        for (const time of [...times, ...times]) expect(zones.offsetMs(zone, time)).toBe(runtimeOffset(zone, time));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  test("every quarter of an hour of a day on which the clock changes", () => {
    const zones = createZones();
    for (let minute = 0; minute < 1440; minute += 5) {
      const time = Date.UTC(2026, 2, 29, 0, minute);
      expect(zones.offsetMs("Europe/Berlin", time)).toBe(minute >= 60 ? 7_200_000 : 3_600_000);
    }
  });

  test("names that are no zone are unknown, however many there are", () => {
    const zones = createZones();
    for (let i = 0; i < 3000; i++) expect(zones.offsetMs(`Nowhere/Place${i}`, 0)).toBeUndefined();
    for (const name of ["", "+01:00", "Europe/Berlin; rm", "__proto__"])
      expect(zones.offsetMs(name, 0)).toBeUndefined();
    expect(zones.offsetMs("Europe/Berlin", 0)).toBe(3_600_000);
  });
});

describe("durations", () => {
  test.each([
    ["14d", 14 * 86_400_000],
    ["2h30m", 9_000_000],
    ["72h", 72 * 3_600_000],
    ["90s", 90_000],
    ["1d 2h", 93_600_000],
    ["0s", 0],
  ])("%s", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each(["", "d", "5", "5w", "30m2h", "-1d", "1.5h", "1d1d", "9999999999d"])("%j is no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [14 * 86_400_000, "14 d"],
    [9_000_000, "2 h 30 min"],
    [45_999, "45 s"],
    [0, "0 s"],
    [-3_600_000, "-1 h"],
  ])("%s ms is %s", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

/** RFC 3339 with the given offset in minutes and digits of the fraction, by the runtime. */
function written(time: number, offsetMinutes: number, digits: number): string {
  const iso = new Date(time + offsetMinutes * 60_000).toISOString();
  const fraction = digits === 0 ? "" : `.${iso.slice(20, 23).padEnd(9, "0").slice(0, digits)}`;
  const absolute = Math.abs(offsetMinutes);
  const pad = (value: number) => String(value).padStart(2, "0");
  const offset = `${offsetMinutes < 0 ? "-" : "+"}${pad(Math.floor(absolute / 60))}:${pad(absolute % 60)}`;
  return `${iso.slice(0, 19)}${fraction}${offset}`;
}

/** From the local date and time that the runtime writes, a way that the code under test does not take. */
function runtimeOffset(zone: string, time: number): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(time);
  const get = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(get("year"), get("month") - 1, get("day"), get("hour"), get("minute"), get("second"));
  return local - Math.floor(time / 1000) * 1000;
}
