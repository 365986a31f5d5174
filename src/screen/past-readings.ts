/**
 * Numbers over the entity's recent movements one by one: those that a filter finds like the judged one, how long money
 * stays and how much of it leaves soon. At most the recent events are looked at; evidence says when that was not all.
 */
import { RECENT_EVENTS_MAX } from "../base/limits.ts";
import type { Aggregate, Measure, PastQuery } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { type ReadingDetail, readingDetail } from "./reading-detail.ts";
import { reading } from "./readings.ts";
import { RecentCursor } from "./recent-cursor.ts";
import type { MeasureState } from "./state.ts";

/** Found movements as a measure, so that windows, functions and evidence are those of measures. */
interface Found extends MeasureState {
  readonly labels: string[];
}

/** The value; undefined when nothing is judged that could be compared, or it cannot be told. */
export function pastReading(context: JudgeContext, aggregate: Aggregate, query: PastQuery): number | undefined {
  if (query.subject !== context.index.kind) return undefined;
  if (isFlowOfMoney(aggregate)) return dwellOf(context, aggregate, query);
  const found = findPast(context, aggregate, query);
  if (found === undefined) return undefined;
  if (aggregate.function === "distinct") return new Set(found.labels).size;
  return reading(plain(found), NO_MEASURE, aggregate.function, context.now, aggregate.windowMs, -1);
}

/** The same number with what it rests on. */
export function pastDetail(context: JudgeContext, aggregate: Aggregate, query: PastQuery): ReadingDetail {
  const { now, state } = context;
  const value = pastReading(context, aggregate, query);
  const found = findPast(context, aggregate, isFlowOfMoney(aggregate) ? { ...query, value: undefined } : query);
  const fn = aggregate.function === "count" || aggregate.function === "last_seen" ? aggregate.function : "sum";
  const detail = readingDetail(
    found === undefined ? NOTHING : plain(found),
    NO_MEASURE,
    fn,
    now,
    aggregate.windowMs,
    -1,
  );
  const all = state.recent.length < RECENT_EVENTS_MAX || state.recent.timeAt(0) <= now - aggregate.windowMs;
  return { ...detail, value, exact: all };
}

function isFlowOfMoney(aggregate: Aggregate): boolean {
  return aggregate.function === "dwell" || aggregate.function === "passed_on";
}

function plain(found: MeasureState): MeasureState {
  return { ...found, labels: undefined };
}

/** The movements before the judged one that match it. */
function findPast(context: JudgeContext, aggregate: Aggregate, query: PastQuery): Found | undefined {
  const { state, currentSeq, now } = context;
  if (currentSeq < 0) return undefined;
  const found = {
    ...NOTHING,
    recent: [] as number[],
    labels: [] as string[],
  };
  const from = now - aggregate.windowMs;
  const { recent } = state;
  const cursor = new RecentCursor(recent);
  const end = Math.min(recent.length, recent.placeOf(currentSeq));
  for (cursor.i = 0; cursor.i < end; cursor.i += 1) {
    if (cursor.time <= from || !counts(context, cursor, query)) continue;
    const value = query.value === undefined ? 1 : asked(context, cursor, query.value);
    const key = query.key === undefined ? "" : asked(context, cursor, query.key);
    if (value === undefined || key === undefined) continue;
    found.recent.push(recent.seqAt(cursor.i), cursor.time, value);
    found.labels.push(key);
  }
  return found;
}

function counts(context: JudgeContext, cursor: RecentCursor, query: PastQuery): boolean {
  if (!cursor.recent.isStanding(cursor.i)) return false;
  return query.matching === undefined || asked(context, cursor, query.matching) === true;
}

/** Asks a closure about an earlier movement. */
function asked<T>(context: JudgeContext, cursor: RecentCursor, read: (c: JudgeContext) => T): T {
  context.past = cursor;
  const value = read(context);
  context.past = undefined;
  return value;
}

/**
 * First in, first out. dwell: mean time between in and out of the money that left within the window, weighted by
 * amount. passed_on: share of what came in within the window that has left within `withinMs`.
 */
function dwellOf(context: JudgeContext, aggregate: Aggregate, query: PastQuery): number | undefined {
  const { state, now } = context;
  const from = now - aggregate.windowMs;
  const waiting: { readonly time: number; left: number }[] = [];
  let first = 0;
  let cameIn = 0;
  let passedOn = 0;
  let left = 0;
  let weighted = 0;
  const cursor = new RecentCursor(state.recent);
  for (cursor.i = 0; cursor.i < state.recent.length; cursor.i += 1) {
    const { time, amount } = cursor;
    if (time > now) break;
    if (Number.isNaN(amount) || !counts(context, cursor, query)) continue;
    if (cursor.incoming) {
      waiting.push({ time, left: amount });
      if (time > from) cameIn += amount;
      continue;
    }
    let open = amount;
    while (open > 0 && first < waiting.length) {
      const oldest = waiting[first] as { readonly time: number; left: number }; // first is within the array.
      const part = Math.min(open, oldest.left);
      const stayed = time - oldest.time;
      if (time > from) {
        left += part;
        weighted += part * stayed;
      }
      if (oldest.time > from && stayed <= query.withinMs) passedOn += part;
      open -= part;
      oldest.left -= part;
      if (oldest.left <= 0) first += 1;
    }
  }
  if (aggregate.function === "dwell") return left > 0 ? weighted / left : undefined;
  return cameIn > 0 ? passedOn / cameIn : undefined;
}

const NOTHING: MeasureState = {
  recent: [],
  labels: undefined,
  buckets: [],
  groups: undefined,
  keys: undefined,
  newest: Number.NEGATIVE_INFINITY,
  overflowed: false,
};

/** Readings of plain numbers ask nothing of their measure. */
const NO_MEASURE: Measure = {
  slot: -1,
  index: -1,
  definition: 0,
  kind: "number",
  subject: "account",
  scope: { rail: undefined, direction: undefined, channel: undefined, purpose: undefined, stage: [] },
  where: undefined,
  value: undefined,
  key: undefined,
  keySlot: -1,
  cap: 0,
  windowMs: Number.POSITIVE_INFINITY,
  windowMinMs: Number.POSITIVE_INFINITY,
  adds: "other",
};
