/**
 * The context that compiled closures read: one object an engine, pointed at one view and one state
 * at a time. Aggregate values are remembered until the state changes (`touch`).
 */
import { FIRST_SEEN_WARM_MS, WINDOW_MAX_MS } from "../base/limits.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { Profile } from "../domain/profile.ts";
import type { Direction, Tx, TxSide } from "../domain/tx.ts";
import type { View } from "../domain/view.ts";
import type { Act, Aggregate, Context, HitInput, Measure, Pack, PastEvent, PastQuery, Tri } from "../rules/plan.ts";
import type { Sampler } from "../rules/plan-baselines.ts";
import { isPlain } from "./counted.ts";
import { reading } from "./measures.ts";
import { pastReading } from "./past-readings.ts";
import { isReadPlainly, measureOf, plainReading } from "./plain-readings.ts";
import { keyCounts } from "./readings.ts";
import { refinedReading } from "./refined-readings.ts";
import { baseReading } from "./samples.ts";
import { lastShown } from "./shown-keys.ts";
import type { EntityState } from "./state.ts";
import type { SubjectIndex } from "./subject-index.ts";

/** What scoring found so far, for `score.total`, `families.count` and `families.any`. */
export interface Scoring {
  total: number;
  readonly families: Map<string, { points: number; capped: boolean; indicators: string[] }>;
}

const NO_BOUND = { seq: -1, time: Number.NaN };
const NOTHING_YET = { seq: Number.MAX_SAFE_INTEGER, time: Number.POSITIVE_INFINITY };

export class JudgeContext implements Context {
  view!: View;
  entity: EntityKey = "";
  now = 0;
  tx: Tx | undefined;
  self: TxSide | undefined;
  other: TxSide | undefined;
  direction: Direction | undefined;
  state!: EntityState;
  index!: SubjectIndex;
  scoring: Scoring = { total: 0, families: new Map() };
  /** Told of each movement that a measure can neither count nor leave out. */
  unknownFilter: (measure: Measure) => void = () => {};

  /** What filters said of the movement that is counted, by their number. */
  readonly filterVerdicts: (Tri | "open")[] = [];
  /** Sequence number of the judged movement (a booking has that of its authorisation); -1: none is judged. */
  currentSeq = -1;
  past: PastEvent | undefined;
  /** Numbers over earlier movements, which nothing that is counted for the judged one changes. */
  private readonly pastValues = new Map<number, number | undefined>();
  priorAct: Act | undefined;

  readonly pack: Pack;
  /** Rule index of each flow, by flow slot. */
  private readonly flowRule: Int32Array;
  private readonly values: Float64Array;
  private readonly stamps: Float64Array;
  private generation = 0;

  constructor(pack: Pack) {
    this.pack = pack;
    this.values = new Float64Array(pack.aggregates.length);
    this.stamps = new Float64Array(pack.aggregates.length);
    this.flowRule = new Int32Array(pack.flows.length).fill(-1);
    for (const subject of Object.values(pack.subjects)) {
      subject.indicators.forEach((rule, i) => {
        if (rule.flow !== undefined) this.flowRule[rule.flow] = i;
      });
    }
  }

  get samplers(): readonly Sampler[] {
    return this.pack.subjects[this.index.kind].samplers;
  }

  /** Points the context at a view of an entity. */
  aim(state: EntityState, index: SubjectIndex, view: View, now: number): void {
    this.currentSeq = -1;
    this.priorAct = undefined;
    if (this.pastValues.size > 0) this.pastValues.clear();
    this.view = view;
    this.entity = view.entity;
    this.now = now;
    this.state = state;
    this.index = index;
    if (view.kind === "tx") {
      const incoming = view.direction === "in";
      this.tx = view.tx;
      this.self = incoming ? view.tx.creditor : view.tx.debtor;
      this.other = incoming ? view.tx.debtor : view.tx.creditor;
      this.direction = view.direction;
    } else {
      this.tx = undefined;
      this.self = undefined;
      this.other = undefined;
      this.direction = undefined;
    }
    this.touch();
  }

  /** Forgets remembered values: the state has changed. */
  touch(): void {
    this.generation++;
  }

  get profile(): Profile | undefined {
    return profileAt(this.state.profiles, this.now);
  }

  agg(slot: number): number | undefined {
    if (this.stamps[slot] === this.generation) {
      const value = this.values[slot] as number;
      return Number.isNaN(value) ? undefined : value;
    }
    const value = this.readAggregate(slot);
    this.stamps[slot] = this.generation;
    this.values[slot] = value === undefined ? Number.NaN : value;
    return value;
  }

  base(slot: number): number | undefined {
    const baseline = this.pack.baselines[slot];
    const sampler = baseline === undefined ? undefined : this.pack.samplers[baseline.sampler];
    if (baseline === undefined || sampler === undefined || sampler.subject !== this.index.kind) return undefined;
    return baseReading(this, sampler, baseline);
  }

  aggHas(slot: number, key: string): boolean | undefined {
    const aggregate = this.aggregate(slot);
    const measure = this.pack.measures[aggregate.measure];
    if (measure === undefined || measure.subject !== this.index.kind) return undefined;
    const { seq, time } = this.flowBound(aggregate);
    const known = isPlain(measure)
      ? lastShown(this.state, measure, key)
      : this.state.measures.get(measure.index)?.keys?.get(key);
    if (known !== undefined && keyCounts(known, this.now - aggregate.windowMs, this.now, seq)) return true;
    return this.isWarming(measure, aggregate, time) ? undefined : false;
  }

  knownFor(slot: number, key: string): number | undefined {
    const measure = this.pack.measures[slot];
    if (measure === undefined || measure.subject !== this.index.kind) return undefined;
    const state = this.state.measures.get(measure.index);
    const entry = state?.keys?.get(key);
    if (state === undefined || entry === undefined) return undefined;
    // A set that lost keys cannot tell a new counterparty from a forgotten one.
    if (Number.isNaN(entry.firstTime)) return undefined;
    const begun = this.state.warming?.get(measure.index);
    if (entry.firstTime - (begun ?? this.state.since) >= FIRST_SEEN_WARM_MS) return this.now - entry.firstTime;
    const opened = begun === undefined ? this.existsSince() : undefined;
    if (opened !== undefined && opened >= this.state.since - FIRST_SEEN_WARM_MS) return this.now - entry.firstTime;
    // Met while Palermo was still new to the entity: known at least this long.
    const known = this.now - entry.firstTime;
    return known >= FIRST_SEEN_WARM_MS ? known : undefined;
  }

  /** Since when the entity exists, by its profile. */
  existsSince(): number | undefined {
    const profile = this.profile;
    return profile?.opened ?? profile?.knownSince;
  }

  hits(slot: number): number {
    const input = this.pack.hitInputs[slot];
    return input === undefined ? 0 : matchingHits(this.state, input, this.now).size;
  }

  hitAttr(slot: number, attr: number): number | undefined {
    const input = this.pack.hitInputs[slot];
    const asked = input?.attrs[attr];
    if (input === undefined || asked === undefined) return undefined;
    const found: (number | string)[] = [];
    for (const view of matchingHits(this.state, input, this.now).values()) {
      if (view.kind !== "hit") continue;
      for (const { name, value } of view.attrs) if (name === asked.of) found.push(value);
    }
    if (found.length === 0) return undefined;
    if (asked.function === "distinct") return new Set(found).size;
    const numbers = found.filter((value) => typeof value === "number");
    return asked.function === "sum" ? numbers.reduce((a, b) => a + b, 0) : Math.max(...numbers);
  }

  flowTime(flow: number, step: number, which: "first" | "last"): number | undefined {
    const state = this.state.flows.get(this.flowRule[flow] ?? -1);
    const time = state?.[which][step];
    return time === undefined || Number.isNaN(time) ? undefined : time;
  }

  get score(): number {
    return this.scoring.total;
  }

  familyCount(): number {
    return this.scoring.families.size;
  }

  hasFamily(name: string): boolean {
    return this.scoring.families.has(name);
  }

  /** Sequence number and event time after which a flow step's aggregate counts; -1 outside flows. */
  flowBound(aggregate: Aggregate): { readonly seq: number; readonly time: number } {
    if (aggregate.flow === undefined) return NO_BOUND;
    const state = this.state.flows.get(this.flowRule[aggregate.flow.flow] ?? -1);
    const { step } = aggregate.flow;
    const seq = state?.armedSeq[step] ?? -1;
    // A step that is not armed has counted nothing.
    if (seq < 0 && step > 0) return NOTHING_YET;
    return { seq, time: state?.armedTime[step] ?? Number.NaN };
  }

  private readPast(aggregate: Aggregate, query: PastQuery): number | undefined {
    const { slot } = aggregate;
    if (this.pastValues.has(slot)) return this.pastValues.get(slot);
    const value = pastReading(this, aggregate, query);
    this.pastValues.set(slot, value);
    return value;
  }

  /** How often a flow was completed within the window. */
  private completions(flow: number, windowMs: number): number {
    const times = this.state.flows.get(this.flowRule[flow] ?? -1)?.completions ?? [];
    return times.filter((time) => time > this.now - windowMs && time <= this.now).length;
  }

  private aggregate(slot: number): Aggregate {
    const aggregate = this.pack.aggregates[slot];
    if (aggregate === undefined) throw new Error(`invariant broken: pack has no aggregate ${slot}`);
    return aggregate;
  }

  /** Some of what the window (or the flow step armed at `armedTime`) reaches back to came before the measure began. */
  private isWarming(measure: Measure, aggregate: Aggregate, armedTime: number): boolean {
    const since = this.state.warming?.get(measure.index);
    if (since === undefined) return false;
    const from = this.now - Math.min(aggregate.windowMs, WINDOW_MAX_MS);
    return since > (armedTime > from ? armedTime : from);
  }

  private readAggregate(slot: number): number | undefined {
    const aggregate = this.aggregate(slot);
    if (aggregate.past !== undefined) return this.readPast(aggregate, aggregate.past);
    if (aggregate.completed !== undefined) return this.completions(aggregate.completed, aggregate.windowMs);
    const measure = this.pack.measures[aggregate.measure];
    // A party's typology judged on a stand-in account cannot read the party's aggregates.
    if (measure === undefined || measure.subject !== this.index.kind) return undefined;
    const { seq, time } = this.flowBound(aggregate);
    if (this.isWarming(measure, aggregate, time)) return undefined;
    if (isPlain(measure) && isReadPlainly(this.state, measure, aggregate)) {
      return plainReading(this.state, measure, aggregate, this.now, this.currentSeq, seq, time);
    }
    const state = measureOf(this.state, measure);
    if (state === undefined) {
      const { function: fn, refined } = aggregate;
      // A movement that names no part asks of none.
      if (refined?.part !== undefined && refined.part(this) === undefined) return undefined;
      return fn === "count" || fn === "sum" || fn === "distinct" ? 0 : undefined;
    }
    if (aggregate.refined !== undefined) return refinedReading(this, state, measure, aggregate);
    return reading(state, measure, aggregate.function, this.now, aggregate.windowMs, seq, time);
  }
}

/** The version in force at `time` of profiles sorted by date. */
export function profileAt(profiles: readonly Profile[], time: number): Profile | undefined {
  for (let i = profiles.length - 1; i >= 0; i--) {
    const profile = profiles[i];
    if (profile !== undefined && profile.validFrom <= time) return profile;
  }
  return undefined;
}

/**
 * Hits and marks that a hit input counts, as `distinct thing -> its view`: episodes by rule, root and
 * start, or sources by root.
 */
export function matchingHits(state: EntityState, input: HitInput, now: number): Map<string, View> {
  const found = new Map<string, View>();
  const since = now - input.lastMs;
  const { from } = input;
  if (from.kind === "upstream" || from.kind === "downstream") {
    // Money from upstream brings marks that travel downstream, and the other way round.
    const flow = from.kind === "upstream" ? "downstream" : "upstream";
    for (const mark of state.marks) {
      if (mark.flow !== flow || mark.distance < 1 || mark.distance > from.hops) continue;
      if (mark.time <= since || mark.time > now || !input.of.includes(mark.ruleId)) continue;
      found.set(input.count === "sources" ? mark.root : `${mark.ruleId}|${mark.root}|${mark.period}`, mark);
    }
    return found;
  }
  for (const hit of state.hits) {
    if (hit.lastTrue <= since || hit.lastTrue > now || !input.of.includes(hit.ruleId)) continue;
    if (from.kind === "self" && hit.relation !== "self") continue;
    if (from.kind === "linked" && !hit.source.startsWith(from.via)) continue;
    found.set(input.count === "sources" ? hit.root : `${hit.ruleId}|${hit.root}|${hit.episodeStart}`, hit);
  }
  return found;
}
