/**
 * What compiling a pack gives: the contract between the rule language (which writes it) and
 * screening (which runs it). Closures read everything through `Context`; unknown is `undefined` and
 * three-valued (Kleene) logic carries it: a rule fires only on `true`.
 */
import type { EntityKey, EntityKind } from "../domain/entity.ts";
import type { Profile } from "../domain/profile.ts";
import type { Direction, Purpose, Rail, Tx, TxSide } from "../domain/tx.ts";
import type { View } from "../domain/view.ts";
import type { AlertClass, Crime, PartyRole, RuleStatus, Severity } from "../domain/vocabulary.ts";
import type { Baseline, PeerInput, Sampler } from "./plan-baselines.ts";

/** True, false, or unknown because an input is missing. */
export type Tri = boolean | undefined;
export type Read<T> = (c: Context) => T | undefined;
export type Test = (c: Context) => Tri;

/**
 * Units of numbers; texts and lists are not numbers. Money is base currency minor units, durations ms, distances m,
 * time of day minutes.
 */
export type Unit = "money" | "count" | "ratio" | "duration" | "distance" | "time_of_day" | "text";

/** An earlier movement of the entity, as `past.*` shows it to a filter. */
export interface PastEvent {
  readonly time: number;
  readonly incoming: boolean;
  /** Base currency minor units; NaN when unknown. */
  readonly amount: number;
  /** Far side as an entity key; empty for cash. */
  readonly other: EntityKey;
  readonly rail: Rail;
  readonly purpose: Purpose | undefined;
}

/** Time and place (`lat,lon`) at which somebody gave an order. */
export interface Act {
  readonly time: number;
  readonly cell: string;
}

/** What a closure may ask for. Screening implements it for the view being judged. */
export interface Context {
  readonly view: View;
  /** The watched entity. */
  readonly entity: EntityKey;
  /** Event time of the view, epoch ms. */
  readonly now: number;
  /** The movement and its sides as the entity sees them; undefined on views that are not movements. */
  readonly tx: Tx | undefined;
  readonly self: TxSide | undefined;
  readonly other: TxSide | undefined;
  readonly direction: Direction | undefined;
  /** Profile of the entity in force at `now`. */
  readonly profile: Profile | undefined;
  /** Value of an aggregate (slot of `Pack.aggregates`), unknown while it cannot be told. */
  agg(slot: number): number | undefined;
  /** Own base line (slot of `Pack.baselines`), unknown while too few samples are known. */
  base(slot: number): number | undefined;
  /** Whether `key` is in the distinct set behind an aggregate, within its window. */
  aggHas(slot: number, key: string): Tri;
  /** Count of a hit input (slot of `Pack.hitInputs`): never unknown. */
  hits(slot: number): number;
  /** A number over what the hits of an input carry (index in its `attrs`); unknown when none carries it. */
  hitAttr(slot: number, attr: number): number | undefined;
  /**
   * How long the entity has known `key` (slot of a `first_seen` measure), ms, 0 at the first contact;
   * unknown while the entity itself is new to Palermo and no profile says since when it exists.
   */
  knownFor(measure: number, key: string): number | undefined;
  /** Flow step attributes: slot of `Pack.flows`, step index. */
  flowTime(flow: number, step: number, which: "first" | "last"): number | undefined;
  /** The earlier movement that a `matching` filter is asked about; undefined outside of one. */
  readonly past: PastEvent | undefined;
  /** Where and when the entity acted before the judged movement, as far as it said where. */
  readonly priorAct: Act | undefined;
  /** Of the typology being judged. */
  readonly score: number;
  familyCount(): number;
  hasFamily(name: string): boolean;
}

/** Structured equality that indexes a rule: a view is a candidate when every given field contains its value. */
export interface Scope {
  readonly rail: readonly string[] | undefined;
  readonly direction: readonly Direction[] | undefined;
  readonly channel: readonly string[] | undefined;
  readonly purpose: readonly string[] | undefined;
  /** Default: booked and authorised. */
  readonly stage: readonly string[];
}

/** How a base measure keeps its contributions. */
/**
 * `split` keeps numbers together with the key that each belongs to, so that an aggregate can be asked for one key.
 */
export type MeasureKind = "number" | "distinct" | "first_seen" | "split";

/** One base measure `(kind, value or key, where, scope, subject)`; windows over it share its state. */
export interface Measure {
  /** Index in `Pack.measures`. */
  readonly slot: number;
  /** Index in the measures of its subject: where an entity's state keeps it. */
  readonly index: number;
  /** 32-bit hash of the definition: state is found by it, so that editing a threshold keeps state. */
  readonly definition: number;
  readonly kind: MeasureKind;
  readonly subject: EntityKind;
  readonly scope: Scope;
  readonly where: Test | undefined;
  /** kinds number and split: what it adds to sums; 1 when only counted. Undefined at run time: not counted. */
  readonly value: Read<number> | undefined;
  /**
   * What it keeps of a movement. Of 1, of the amount and of a key no list is kept: the recent movements tell them. A
   * set of first contacts and a split are `other`, as is any other number.
   */
  readonly adds: "one" | "amount" | "key" | "other";
  /** kind distinct and first_seen: whose key is counted once; kind split: to which part the contribution belongs. */
  readonly key: Read<string> | undefined;
  /** Number of its key among the different keys of the subject's measures; -1 without a key. */
  readonly keySlot: number;
  readonly cap: number;
  /** Longest window that reads it, ms; contributions older than this are dropped. */
  readonly windowMs: number;
  /** Shortest window that reads it, ms: buckets are at most 1/48 of it. */
  readonly windowMinMs: number;
}

export type AggregateFunction =
  | "count"
  | "sum"
  | "min"
  | "max"
  | "avg"
  | "median"
  | "distinct"
  | "first_seen"
  | "last_seen"
  /** Share of the largest part in all parts; largest part. Kind split only. */
  | "top_share"
  | "max_of"
  /** Regularity, of contributions that are still known one by one. */
  | "gap_cv"
  | "same_day_of_month"
  | "equal_amount_share"
  /** How long money stays, and what share of it leaves soon; first in, first out. Past queries only. */
  | "dwell"
  | "passed_on";

/** A window other than `(now - windowMs, now]`. */
export type WindowShape =
  | { readonly kind: "last" }
  /** The newest `count` contributions. */
  | { readonly kind: "events"; readonly count: number }
  /** From `startOf(now)`, included, to now. */
  | { readonly kind: "calendar"; startOf(now: number): number }
  /** Back from now while no gap is longer than `gapMs`. */
  | { readonly kind: "burst"; readonly gapMs: number };

/** What only some aggregates ask for; those that do not are read on a shorter way. */
export interface AggregateRefinement {
  readonly window: WindowShape;
  /** False: only what came before the movement that is judged. */
  readonly current: boolean;
  /** Only the part with this key, which the judged movement names. Kind split only. */
  readonly part: Read<string> | undefined;
}

/** What is computed over the entity's recent movements one by one, without a measure. */
export interface PastQuery {
  readonly subject: EntityKind;
  /** Which of them count; it may read `past`. */
  readonly matching: Test | undefined;
  /** What each adds; 1 where undefined. */
  readonly value: Read<number> | undefined;
  readonly key: Read<string> | undefined;
  /** passed_on: how soon money must leave. */
  readonly withinMs: number;
}

/** A number over one measure and one window, shared by every rule that asks for the same. */
export interface Aggregate {
  readonly slot: number;
  /** -1 where `past` or `completed` says what is computed. */
  readonly measure: number;
  readonly past: PastQuery | undefined;
  /** Slot of the flow whose completions are counted. */
  readonly completed: number | undefined;
  readonly function: AggregateFunction;
  /** Window `(now - windowMs, now]`; Infinity for `ever`. With another window: how far it can reach back. */
  readonly windowMs: number;
  readonly refined: AggregateRefinement | undefined;
  /** A flow step's aggregate counts only what came after the step was armed. */
  readonly flow: { readonly flow: number; readonly step: number } | undefined;
  readonly unit: Unit;
}

/** Two sides of a comparison, for explanations and evidence. */
export interface Comparison {
  /** As written, such as `agg.people`. */
  readonly left: string;
  readonly operator: ">=" | ">" | "<=" | "<" | "==" | "!=" | "in";
  readonly right: string;
  readonly observed: Read<number | string>;
  readonly needed: Read<number | string>;
  readonly unit: Unit;
  /** Aggregates read on the left side; their contributions are the evidence. */
  readonly aggregates: readonly number[];
}

export interface Leaf {
  readonly kind: "leaf";
  readonly name: string;
  readonly text: string;
  readonly test: Test;
  /** Undefined for plain membership or boolean tests that compare nothing. */
  readonly comparison: Comparison | undefined;
  /** The clause rests on geography only (model.md section 6). */
  readonly geography: boolean;
}

export interface Branch {
  readonly kind: "all" | "any" | "not" | "at_least";
  /** For at_least. */
  readonly n: number;
  readonly children: readonly Clause[];
}

export type Clause = Leaf | Branch;

/** Where hits that a rule counts come from. */
export type HitFrom =
  | { readonly kind: "self" }
  /** Of accounts that the subject holds, and its own. */
  | { readonly kind: "accounts" }
  /** Of entities linked with the subject over a phone, address, device or employer. */
  | { readonly kind: "linked"; readonly via: EntityKind }
  | { readonly kind: "upstream"; readonly hops: number }
  | { readonly kind: "downstream"; readonly hops: number };

export interface HitInput {
  readonly slot: number;
  readonly name: string;
  /** Rule ids (indicators or typologies); a prefix ending in `*` has been resolved. */
  readonly of: readonly string[];
  readonly from: HitFrom;
  readonly lastMs: number;
  readonly count: "episodes" | "sources";
  /** What is computed of the values that the counted hits carry. */
  readonly attrs: readonly HitAttrInput[];
}

/** A number over one emitted value of the hits that are counted. */
export interface HitAttrInput {
  readonly name: string;
  readonly function: "sum" | "max" | "distinct";
  /** Name under which the hits carry it. */
  readonly of: string;
}

export interface FlowStep {
  readonly name: string;
  readonly scope: Scope;
  readonly where: Test | undefined;
  /** Slots of the aggregates kept by this step. */
  readonly aggregates: readonly number[];
  readonly until: Clause;
  /** Of the latest event of the step before; undefined: within the flow's own bound. */
  readonly startsWithinMs: number | undefined;
}

/** Ordered steps within a bound. Partial state is a fixed number of cells. */
export interface Flow {
  readonly slot: number;
  readonly definition: number;
  readonly withinMs: number;
  readonly steps: readonly FlowStep[];
  readonly cancelOn: { readonly scope: Scope; readonly where: Test | undefined } | undefined;
}

export interface SourceCitation {
  readonly doc: string;
  readonly point: string;
}

/** One scored indicator of a typology. */
export interface ScoredIndicator {
  readonly name: string;
  readonly family: string;
  readonly when: Test;
  readonly points: Read<number>;
  /** Hit inputs that `when` reads: their episodes are the evidence. */
  readonly hitInputs: readonly number[];
  readonly geography: boolean;
}

export interface TypologyPlan {
  readonly indicators: readonly ScoredIndicator[];
  /** Points that one family can give at most; Infinity when not capped. */
  readonly familyCap: number;
  readonly reductions: readonly { readonly name: string; readonly points: number; readonly when: Test }[];
  readonly alertWhen: Clause;
  /** Least score of each severity, ascending; below the first an alert is `low`. */
  readonly bands: readonly { readonly severity: Severity; readonly score: number }[];
  readonly alertClass: AlertClass;
  readonly sla: { readonly class: string; readonly withinHours: number };
  /** Narrower typologies that end as superseded when this opens on the same subject over the same hits. */
  readonly supersedes: readonly string[];
}

/** `{...}` parts of an explanation: text, or a value with its unit. */
export type TemplatePart =
  | string
  | { readonly text: string; readonly unit: Unit; readonly read: Read<number | string> };

export interface CompiledRule {
  readonly slot: number;
  readonly id: string;
  readonly version: number;
  readonly kind: "indicator" | "typology";
  readonly title: string;
  readonly crime: Crime;
  readonly status: RuleStatus;
  readonly subject: EntityKind;
  /** Views of movements on which the rule is judged; undefined: every movement (typology: none). */
  readonly scope: Scope | undefined;
  /**
   * Indicator without flow: the clause tree. With flow: extra clauses, judged when the flow completes; may be
   * undefined.
   */
  readonly when: Clause | undefined;
  readonly flow: number | undefined;
  readonly hitInputs: readonly number[];
  /** Aggregates that the rule names, for traces and evidence: name as written -> slot. */
  readonly aggregates: readonly { readonly name: string; readonly slot: number }[];
  readonly typology: TypologyPlan | undefined;
  /** What its hits carry for the rules that count them. */
  readonly emit: readonly { readonly name: string; readonly read: Read<number | string> }[];
  readonly explain: readonly TemplatePart[];
  readonly cautions: readonly string[];
  readonly sources: readonly SourceCitation[];
  /** Lists that its expressions name, by id. */
  readonly lists: readonly { readonly id: string; readonly version: string }[];
  readonly selfMayBe: readonly PartyRole[];
  readonly otherMayBe: readonly PartyRole[];
  /** An episode ends when this passes without a true judgement. */
  readonly suppressForMs: number;
  /** The rule is unknown while Palermo has seen the entity for less than this and no profile is older. */
  readonly minHistoryMs: number;
  /** How far hits of this rule must travel along money because some rule reads them there. */
  readonly marks: { readonly downstream: number; readonly upstream: number };
}

/** Everything of one entity kind, ready for the fold. */
export interface SubjectPlan {
  readonly samplers: readonly Sampler[];
  /** In the order in which contributions are made: a filter may read aggregates of earlier measures. */
  readonly measures: readonly Measure[];
  readonly indicators: readonly CompiledRule[];
  readonly typologies: readonly CompiledRule[];
}

/** A compiled pack: rules, their shared measures and the lists they read. */
export interface Pack {
  /** sha-256 (hex) of rules and lists in their semantic form. */
  readonly hash: string;
  readonly tenant: string;
  readonly baseCurrency: string;
  readonly rules: readonly CompiledRule[];
  readonly measures: readonly Measure[];
  readonly aggregates: readonly Aggregate[];
  readonly hitInputs: readonly HitInput[];
  readonly samplers: readonly Sampler[];
  readonly baselines: readonly Baseline[];
  readonly peers: readonly PeerInput[];
  readonly flows: readonly Flow[];
  readonly subjects: Readonly<Record<EntityKind, SubjectPlan>>;
  /** H: the longest window of any measure, hit input, flow or suppression, ms. */
  readonly horizonMs: number;
}
