/** Windows of aggregates: a time back, a number of events, a calendar period, a burst of activity. */
import { DAY_MS, HOUR_MS, RECENT_EVENTS_MAX, WINDOW_MAX_MS } from "../base/limits.ts";
import { createZones, daysSinceEpoch, type Zones } from "../domain/time.ts";
import { constantNumber } from "./expression/compile.ts";
import { describeType } from "./expression/types.ts";
import type { WindowShape } from "./plan.ts";
import type { RuleScope } from "./rule-scope.ts";
import type { CalendarPeriod, WindowSource } from "./schema-aggregates.ts";
import type { ScalarNode } from "./source.ts";

const WINDOW_HINT = "a duration such as 7d, or a parameter such as params.window";

/** A window as the plan wants it. */
export interface Window {
  /** How far back it can reach, ms; Infinity for `ever`. */
  readonly windowMs: number;
  /** The span from which the grain of buckets follows, ms. */
  readonly windowMinMs: number;
  readonly shape: WindowShape;
  readonly canonical: string;
}

/** Length of a window: a duration or `ever` (Infinity); undefined when at fault or missing. */
export function readDurationWindow(
  scope: RuleScope,
  node: ScalarNode | undefined,
  what: string,
  ever: boolean,
): number | undefined {
  const { findings } = scope.pack;
  if (node === undefined) return undefined;
  if (node.text === "ever") {
    if (ever) return Number.POSITIVE_INFINITY;
    findings.add("E050", node, "`ever` has no meaning here", WINDOW_HINT);
    return undefined;
  }
  const constant = scope.constant(node, `\`${what}\``);
  if (constant === undefined) return undefined;
  if (constant.type.name !== "duration") {
    findings.add("E027", node, `\`${what}\` is a duration, not ${describeType(constant.type)}`, WINDOW_HINT);
    return undefined;
  }
  const ms = constantNumber(constant.value);
  if (ms > 0 && ms <= WINDOW_MAX_MS) return ms;
  findings.add("E050", node, `a window is longer than 0 and at most ${WINDOW_MAX_MS / DAY_MS} days`);
  return undefined;
}

/** The window of an aggregate; undefined when at fault. `ever`: whether it may have no start. */
export function readWindow(scope: RuleScope, source: WindowSource, ever: boolean): Window | undefined {
  const { calendar, tz, burst, last } = source;
  if (tz !== undefined && calendar === undefined) {
    scope.pack.findings.add("E010", tz, "`tz` belongs to a calendar window", "calendar: day");
  }
  if (calendar !== undefined) return readCalendar(scope, calendar.period, tz);
  if (burst !== undefined) return readBurst(scope, burst);
  const count = last === undefined ? null : EVENTS.exec(last.text);
  if (last !== undefined && count !== null) return readEvents(scope, last, Number(count[1]));
  const windowMs = readDurationWindow(scope, last, "last", ever);
  return windowMs === undefined
    ? undefined
    : { windowMs, windowMinMs: windowMs, shape: { kind: "last" }, canonical: "" };
}

const EVENTS = /^(\d{1,9}) events?$/;

function readEvents(scope: RuleScope, node: ScalarNode, count: number): Window | undefined {
  if (count >= 1 && count <= RECENT_EVENTS_MAX) {
    const shape = { kind: "events", count } as const;
    return { windowMs: WINDOW_MAX_MS, windowMinMs: WINDOW_MAX_MS, shape, canonical: `newest ${count}` };
  }
  const message = `a window of events holds 1 to ${RECENT_EVENTS_MAX}: as many as an entity remembers one by one`;
  scope.pack.findings.add("E050", node, message);
  return undefined;
}

const BURST_MOST_DEFAULT_MS = 7 * DAY_MS;

function readBurst(scope: RuleScope, burst: NonNullable<WindowSource["burst"]>): Window | undefined {
  const gapMs = readDurationWindow(scope, burst.gap, "gap", false);
  const most = burst.most === undefined ? BURST_MOST_DEFAULT_MS : readDurationWindow(scope, burst.most, "most", false);
  if (gapMs === undefined || most === undefined) return undefined;
  if (gapMs > most) {
    scope.pack.findings.add("E050", burst.gap, "the gap is longer than the burst may be", "most: 30d");
    return undefined;
  }
  return { windowMs: most, windowMinMs: gapMs, shape: { kind: "burst", gapMs }, canonical: `burst ${gapMs}` };
}

/** Nominal length, and the longest that daylight saving and long months make of it. */
const PERIOD_MS: Readonly<Record<CalendarPeriod, { readonly least: number; readonly most: number }>> = {
  day: { least: DAY_MS, most: DAY_MS + 3 * HOUR_MS },
  week: { least: 7 * DAY_MS, most: 7 * DAY_MS + 3 * HOUR_MS },
  month: { least: 28 * DAY_MS, most: 31 * DAY_MS + 3 * HOUR_MS },
};

function readCalendar(scope: RuleScope, period: CalendarPeriod, tz: ScalarNode | undefined): Window | undefined {
  const zones = createZones();
  const zone = tz?.text ?? "UTC";
  if (tz !== undefined && zones.offsetMs(zone, 0) === undefined) {
    scope.pack.findings.add("E013", tz, "this is no zone of the IANA list", "such as Europe/Berlin");
    return undefined;
  }
  const shape: WindowShape = { kind: "calendar", startOf: (now) => startOfPeriod(period, zones, zone, now) };
  const { least, most } = PERIOD_MS[period];
  return { windowMs: most, windowMinMs: least, shape, canonical: `${period} ${zone}` };
}

/** First millisecond of the local day, week (from Monday) or month that `now` lies in. */
export function startOfPeriod(period: CalendarPeriod, zones: Zones, zone: string, now: number): number {
  const offset = zones.offsetMs(zone, now) ?? 0;
  const today = Math.floor((now + offset) / DAY_MS);
  const midnight = firstDay(period, today) * DAY_MS;
  // The offset at the start may differ from the one now; one look near the start finds it.
  return midnight - (zones.offsetMs(zone, midnight - offset) ?? 0);
}

/** Days since 1970 of the first day of the period of `today`. 1970-01-01 was a Thursday. */
function firstDay(period: CalendarPeriod, today: number): number {
  if (period === "day") return today;
  if (period === "week") return today - ((((today + 3) % 7) + 7) % 7);
  const date = new Date(today * DAY_MS);
  return daysSinceEpoch(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
