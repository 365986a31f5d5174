/** Random states and the packs that they belong to. */

import fc from "fast-check";
import { ENTITY_KINDS } from "../../src/domain/entity.ts";
import { PURPOSES, RAILS } from "../../src/domain/tx.ts";
import { SEVERITIES } from "../../src/domain/vocabulary.ts";
import type { CompiledRule, Flow, Measure, MeasureKind, Pack, SubjectPlan } from "../../src/rules/plan.ts";
import { contributionsIn, seqsOf } from "../../src/screen/contributions.ts";
import { setCounted, setKey } from "../../src/screen/counted.ts";
import { KeySet } from "../../src/screen/key-set.ts";
import { CONTENT_HASH_MS } from "../../src/screen/recent-codec.ts";
import type { RecentEvent } from "../../src/screen/recent-event.ts";
import { RecentEvents } from "../../src/screen/recent-events.ts";
import { Slots } from "../../src/screen/slots.ts";
import type {
  AlertState,
  Bucket,
  EntityState,
  FlowState,
  KeyEntry,
  MeasureState,
  RuleState,
  SampleState,
  SentAlert,
} from "../../src/screen/state.ts";
import { entity, hash32, hitView, integer, markView, profile, record, text, time } from "../domain/view-arbitrary.ts";
import { testMeasure } from "./measure-oracle.ts";

export interface PlanNames {
  readonly measures: readonly { readonly definition: number; readonly kind: MeasureKind }[];
  readonly indicators: readonly { readonly id: string; readonly flow: number | undefined }[];
  readonly typologies: readonly string[];
  readonly samplers: readonly number[];
}

export const PLAN: PlanNames = {
  measures: [
    { definition: 0xffffffff, kind: "number" },
    { definition: 17, kind: "distinct" },
    { definition: 3, kind: "number" },
    { definition: 99, kind: "first_seen" },
    { definition: 12, kind: "split" },
    { definition: 44, kind: "distinct" },
  ],
  indicators: [
    { id: "HT-FUNNEL-02", flow: undefined },
    { id: "HT-DEPLETE-02", flow: 0xdeadbeef },
    { id: "TF-COLL-03", flow: 5 },
  ],
  typologies: ["HT-SX", "TF"],
  samplers: [77, 0xfffffff0],
};

/** Indexes of the measures that recent events tell: a sum and a set. */
const PLAIN = 2;
const SET = 5;

/** A pack as the codec sees it: definitions and ids, nothing to run. */
export function packOf(names: PlanNames): Pack {
  const flows: Flow[] = [];
  const measures: Measure[] = names.measures.map(({ definition, kind }, index) => ({
    ...testMeasure(kind, 3_600_000, 86_400_000),
    adds: index === PLAIN ? "amount" : index === SET ? "key" : "other",
    keySlot: index === SET ? 0 : -1,
    definition,
    slot: index,
    index,
  }));
  const indicators = names.indicators.map(({ id, flow }, slot) => {
    if (flow !== undefined) {
      flows.push({ slot: flows.length, definition: flow, withinMs: 1, steps: [], cancelOn: undefined });
    }
    return ruleOf(id, slot, flow === undefined ? undefined : flows.length - 1);
  });
  const samplers = names.samplers.map((definition, index) => ({
    slot: index,
    index,
    definition,
    subject: "account" as const,
    read: () => undefined,
    stepMs: 86_400_000,
    keep: 9,
    windowMs: 1,
  }));
  const account: SubjectPlan = {
    samplers,
    measures,
    indicators,
    typologies: names.typologies.map((id, i) => ruleOf(id, 50 + i)),
  };
  const none: SubjectPlan = { samplers: [], measures: [], indicators: [], typologies: [] };
  const subjects = Object.fromEntries(ENTITY_KINDS.map((kind) => [kind, kind === "account" ? account : none]));
  return {
    hash: "test",
    tenant: "test",
    baseCurrency: "EUR",
    rules: [...indicators, ...account.typologies],
    measures,
    aggregates: [],
    hitInputs: [],
    samplers,
    baselines: [],
    peers: [],
    flows,
    subjects: subjects as Pack["subjects"],
    horizonMs: 86_400_000,
  };
}

function ruleOf(id: string, slot: number, flow?: number): CompiledRule {
  return {
    slot,
    id,
    version: 1,
    kind: "indicator",
    title: id,
    crime: "nexus",
    status: "active",
    subject: "account",
    scope: undefined,
    when: undefined,
    flow,
    hitInputs: [],
    aggregates: [],
    typology: undefined,
    emit: [],
    explain: [],
    cautions: [],
    sources: [],
    lists: [],
    selfMayBe: [],
    otherMayBe: [],
    suppressForMs: 1,
    minHistoryMs: 0,
    marks: { downstream: 0, upstream: 0 },
  };
}

const oddTime = fc.oneof(time, fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY));
const value = fc.oneof(fc.constant(1), integer, fc.constantFrom(0.25, -0));
const hash48 = fc.nat(2 ** 48 - 1);

const recentEvent: fc.Arbitrary<RecentEvent> = record({
  time,
  txId: fc.oneof(
    text,
    fc.integer({ min: 1, max: 99_999 }).map((n) => `tx-2026-${n}`),
  ),
  movementId: text,
  incoming: fc.boolean(),
  amount: fc.oneof(integer, fc.constantFrom(Number.NaN, -0, 1.5)),
  other: fc.oneof(fc.constant(""), entity),
  otherOwn: fc.boolean(),
  rail: fc.constantFrom(...RAILS),
  purpose: fc.option(fc.constantFrom(...PURPOSES), { nil: undefined }),
  moved: fc.boolean(),
  contentHash: hash32,
  open: fc.boolean(),
  reversed: fc.boolean(),
  settledBy: fc.oneof(fc.constant(""), text),
});

interface Shape {
  readonly seconds: boolean;
  readonly ownIds: boolean;
}

type Numbered = RecentEvent & { readonly seq: number };

const FIRST_SEQ = 7;

function recentOf(events: readonly RecentEvent[], clock: number, shape: Shape): Numbered[] {
  const sorted = [...events].sort((a, b) => a.time - b.time);
  return sorted.map((event, i) => {
    const at = shape.seconds ? Math.floor(event.time / 1_000) * 1_000 : event.time;
    const movementId = shape.ownIds ? event.movementId : event.txId;
    // What the packed form does not keep: hashes that nothing can be compared with any more.
    const contentHash = at >= clock - CONTENT_HASH_MS ? event.contentHash : 0;
    return { ...event, seq: FIRST_SEQ + i, time: at, movementId, contentHash };
  });
}

/** Some of the events count in the sum, some show a key to the set. */
function countedOf(recent: readonly Numbered[]): fc.Arbitrary<RecentEvents> {
  const { length } = recent;
  const one = fc.record({ sums: fc.boolean(), key: fc.option(text, { nil: undefined }) });
  return fc.array(one, { minLength: length, maxLength: length }).map((all) => {
    const counted = new RecentEvents(PLAN.measures.length);
    for (const event of recent) counted.push(event.seq, event);
    for (const [i, { sums, key }] of all.entries()) {
      if (sums) setCounted(counted, PLAIN, i);
      if (key === undefined) continue;
      setCounted(counted, SET, i);
      setKey(counted, 0, i, key);
    }
    return counted;
  });
}

const bucket: fc.Arbitrary<Bucket> = fc
  .tuple(time, fc.nat(9_999), fc.integer({ min: 1, max: 9 }), value, value, value)
  .map(([first, span, count, sum, min, max]) => ({ first, last: first + span, count, sum, min, max }));
const onesBucket: fc.Arbitrary<Bucket> = fc
  .tuple(time, fc.nat(9_999), fc.integer({ min: 1, max: 9 }))
  .map(([first, span, count]) => ({ first, last: first + span, count, sum: count, min: 1, max: 1 }));

type Pick3 = "one" | "amount" | "own";

function numberState(recent: readonly Numbered[]): fc.Arbitrary<MeasureState> {
  const chosen = fc.array(fc.boolean(), { minLength: recent.length, maxLength: recent.length });
  const buckets = fc.oneof(fc.array(bucket, { maxLength: 4 }), fc.array(onesBucket, { maxLength: 4 }));
  return fc
    .tuple(chosen, fc.constantFrom<Pick3>("one", "amount", "own"), value, buckets, fc.nat(9), fc.boolean())
    .map(([which, pick, own, all, strange, overflowed]) => {
      const events = recent.filter((_, i) => which[i]);
      const values = events.map((e) => (pick === "amount" ? e.amount : pick === "one" ? 1 : own));
      // Now and then the times differ from the events', so that they must be told in full.
      const times = events.map((e, i) => (strange === 0 && i === 0 ? e.time - 1 : e.time));
      const newest = times[times.length - 1] ?? Number.NEGATIVE_INFINITY;
      const sorted = [...all].sort((a, b) => a.first - b.first);
      const cells = events.flatMap((e, i) => [e.seq, times[i] as number, values[i] as number]);
      const none = { labels: undefined, groups: undefined, keys: undefined };
      return { recent: cells, buckets: sorted, ...none, newest, overflowed };
    });
}

/** What is left to keep of a plain measure. */
const bucketState: fc.Arbitrary<MeasureState> = fc
  .tuple(fc.array(bucket, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([all, overflowed]) => ({
    recent: [],
    labels: undefined,
    buckets: [...all].sort((a, b) => a.first - b.first),
    groups: undefined,
    keys: undefined,
    newest: Number.NEGATIVE_INFINITY,
    overflowed,
  }));

function splitState(recent: readonly Numbered[]): fc.Arbitrary<MeasureState> {
  const groups = fc.array(fc.tuple(text, fc.array(fc.oneof(bucket, onesBucket), { maxLength: 2 })), { maxLength: 3 });
  return fc
    .tuple(numberState(recent), fc.array(text, { minLength: 1, maxLength: 3 }), groups)
    .map(([state, names, all]) => {
      const seqs = seqsOf(state.recent, 0, contributionsIn(state.recent));
      const labels = seqs.map((seq) => names[seq % names.length] ?? "");
      return { ...state, labels, groups: new Map(all) };
    });
}

function keyedState(recent: readonly Numbered[]): fc.Arbitrary<MeasureState> {
  const entry = fc.tuple(text, oddTime, time, fc.integer({ min: -1, max: 200 }), fc.nat(3), fc.nat());
  return fc.tuple(fc.array(entry, { maxLength: 6 }), fc.boolean()).map(([entries, overflowed]) => {
    const found = entries.map(([key, first, last, seq, mode, pick]): KeyEntry => {
      const shown = recent.length > 0 && mode > 0 ? recent[pick % recent.length] : undefined;
      const lastTime = shown?.time ?? last;
      return { key, firstTime: mode === 2 ? lastTime : finiteOrNaN(first), lastTime, lastSeq: shown?.seq ?? seq };
    });
    const once = new Map(found.map((one) => [one.key, one]));
    const keys = KeySet.of([...once.values()].sort((a, b) => a.lastTime - b.lastTime));
    const newest = keys.entries.at(-1)?.lastTime ?? Number.NEGATIVE_INFINITY;
    const none = { recent: [], labels: undefined, buckets: [], groups: undefined };
    return { ...none, keys, newest, overflowed };
  });
}

function finiteOrNaN(one: number): number {
  return Number.isFinite(one) ? one : Number.NaN;
}

const ruleState: fc.Arbitrary<RuleState> = record({
  episodes: fc.array(record({ start: time, last: time, txId: text }), { maxLength: 3 }),
  running: fc.boolean(),
  toldAt: oddTime,
});

const flowState: fc.Arbitrary<FlowState> = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: -1, max: 999 }), oddTime, oddTime, oddTime), { maxLength: 3 }),
    fc.boolean(),
    fc.array(time, { maxLength: 3 }),
  )
  .map(([steps, done, completions]) => ({
    armedSeq: steps.map((s) => s[0]),
    armedTime: steps.map((s) => s[1]),
    first: steps.map((s) => s[2]),
    last: steps.map((s) => s[3]),
    done,
    completions,
  }));

const sampleState: fc.Arbitrary<SampleState> = record({
  lastStep: integer,
  values: fc.array(fc.oneof(value, fc.constant(Number.NaN)), { maxLength: 9 }),
});

const alertState: fc.Arbitrary<AlertState> = record({
  alertId: text,
  start: time,
  last: time,
  severity: fc.constantFrom(...SEVERITIES),
  score: fc.integer({ min: -500, max: 500 }),
  families: fc.array(text, { maxLength: 3 }),
  asOf: time,
  contentHash: hash32,
  said: fc.option(text, { nil: undefined }),
  openedBy: fc.array(text, { maxLength: 3 }),
  raisedBy: fc.array(text, { maxLength: 3 }),
  previous: fc.option(text, { nil: undefined }),
  payer: fc.option(text, { nil: undefined }),
  supersededBy: fc.option(text, { nil: undefined }),
});

export const sentAlert: fc.Arbitrary<SentAlert> = record({
  alertId: text,
  revision: fc.nat(),
  contentHash: hash32,
  severity: fc.constantFrom(...SEVERITIES),
  score: fc.integer(),
  families: fc.array(text, { maxLength: 3 }),
  time,
});

function slotsOf<T>(items: fc.Arbitrary<readonly (T | undefined)[]>): fc.Arbitrary<Slots<T>> {
  return items.map((all) => Slots.of(all));
}

function maybe<T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(one, { nil: undefined, freq: 3 });
}

/** A state of an account under `packOf(PLAN)`. */
export const state: fc.Arbitrary<EntityState> = fc
  .tuple(
    fc.array(recentEvent, { maxLength: 12 }),
    fc.oneof({ weight: 5, arbitrary: time }, { weight: 1, arbitrary: fc.constant(Number.NEGATIVE_INFINITY) }),
    record<Shape>({ seconds: fc.boolean(), ownIds: fc.boolean() }),
  )
  .chain(([events, clock, shape]) => {
    const recent = recentOf(events, clock, shape);
    return record<EntityState>({
      clock: fc.constant(clock),
      since: fc.oneof(time, fc.constant(Number.POSITIVE_INFINITY)),
      seq: fc.nat(),
      recent: countedOf(recent),
      act: fc.option(record({ time, cell: text }), { nil: undefined }),
      openAuthorisations: fc.nat(9),
      seen: fc
        .array(fc.tuple(hash48, time), { maxLength: 3 })
        .map((seen) => (seen.length === 0 ? undefined : new Map(seen))),
      tombstones: fc.array(hash48, { maxLength: 3 }),
      measures: slotsOf(
        fc.tuple(
          maybe(numberState(recent)),
          maybe(keyedState(recent)),
          maybe(bucketState),
          maybe(keyedState(recent)),
          maybe(splitState(recent)),
          maybe(keyedState(recent)),
        ),
      ),
      warming: fc
        .uniqueArray(fc.tuple(fc.nat(3), time), { selector: ([index]) => index, maxLength: 3 })
        .map((entries) => (entries.length === 0 ? undefined : new Map(entries))),
      samples: fc.array(maybe(sampleState), { minLength: 2, maxLength: 2 }),
      rules: slotsOf(fc.array(maybe(ruleState), { minLength: 3, maxLength: 3 })),
      flows: slotsOf(fc.tuple(fc.constant(undefined), maybe(flowState), maybe(flowState))),
      alerts: slotsOf(
        fc.array(
          maybe(alertState).map(
            (alert) => alert && { ...alert, said: clock - alert.last <= 1 ? alert.said : undefined },
          ),
          { minLength: 2, maxLength: 2 },
        ),
      ),
      hits: fc.array(hitView, { maxLength: 1 }),
      marks: fc.array(markView, { maxLength: 1 }),
      passed: fc.array(hash48, { maxLength: 3 }).map((passed) => (passed.length === 0 ? undefined : new Set(passed))),
      profiles: fc.array(profile, { maxLength: 2 }),
      tellTo: fc.array(entity, { maxLength: 2 }),
      counterparties: fc.nat(201),
      victimUntil: fc.oneof(time, fc.constant(Number.NEGATIVE_INFINITY)),
      own: fc.boolean(),
      ref: fc.option(text, { nil: undefined }),
    });
  });
