/**
 * What is kept of one entity: plain data, mutated only by the fold. `EntityState` is the fold of a
 * prefix of the entity's views; `Entity` adds the settled base, the tail and what was sent, so that a
 * late view can be put in its place (protocol.md section 5 of the design notes).
 */
import type { EntityKey, EntityKind } from "../domain/entity.ts";
import type { Profile } from "../domain/profile.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { Severity } from "../domain/vocabulary.ts";
import type { Act } from "../rules/plan.ts";
import type { KeySet } from "./key-set.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { Said } from "./said.ts";
import type { Slots } from "./slots.ts";
import type { Tail } from "./view-tail.ts";

/** Contributions older than the recent events, summed. Times are of the first and last contribution inside. */
export interface Bucket {
  first: number;
  last: number;
  count: number;
  sum: number;
  min: number;
  max: number;
}

/** One key of a distinct or first-seen measure. */
export interface KeyEntry {
  readonly key: string;
  /** NaN when it is not known any more. */
  firstTime: number;
  lastTime: number;
  /** Sequence number of the event that showed it last. */
  lastSeq: number;
}

export interface MeasureState {
  /** kinds number and split: contributions of recent events, oldest first, as `contributions.ts` keeps them. */
  recent: number[];
  /** kind split: the key of each. */
  readonly labels: string[] | undefined;
  /** kinds number and split: oldest first. Of a split: what came from parts that the cap has dropped. */
  readonly buckets: Bucket[];
  /** kind split: buckets of each part, the part that changed last at the end. */
  readonly groups: Map<string, Bucket[]> | undefined;
  /** kinds distinct and first_seen. */
  readonly keys: KeySet | undefined;
  /** Event time of the newest contribution that is kept in `recent` or `keys`; -Infinity when none is. */
  newest: number;
  /** The cap was reached: a distinct count is at least the cap, a part may have lost its oldest contributions. */
  overflowed: boolean;
}

/** A run of true judgements of one rule. */
export interface Episode {
  readonly start: number;
  last: number;
  /** Transaction of the judgement that opened it. */
  readonly txId: string;
}

/** Own hits of one indicator. */
export interface RuleState {
  /** Newest last, at most EPISODES_PER_RULE_MAX. */
  readonly episodes: Episode[];
  /** The newest episode is running. */
  running: boolean;
  /** Event time at which holders and links were last told. */
  toldAt: number;
}

/** Where an entity stands in one flow. Index k belongs to step k. */
export interface FlowState {
  /** Sequence number after which events of step k count; -1 while step k is not armed (step 0 always is). */
  readonly armedSeq: number[];
  readonly armedTime: number[];
  /** First and last event time of step k in this cycle; NaN before the first. */
  readonly first: number[];
  readonly last: number[];
  /** The last step was reached; the next event of step 0 begins a new cycle. */
  done: boolean;
  /** Event times of completions, newest last, at most COMPLETIONS_MAX. */
  readonly completions: number[];
}

/** A running or past alert episode of one typology. */
export interface AlertState {
  readonly alertId: string;
  readonly start: number;
  last: number;
  severity: Severity;
  score: number;
  families: string[];
  /** Event time as of which the alert's content was last built. */
  asOf: number;
  /** 32-bit hash of that content without its date. */
  contentHash: number;
  /**
   * That content as JSON, its date left empty: what a refold returns to when it takes back what was said since.
   * Undefined once nothing can change the alert any more.
   */
  said: string | undefined;
  /** Clauses of `alert_when` that held when it opened. */
  readonly openedBy: readonly string[];
  /** Families that joined when its severity rose last; those that it opened with before. */
  raisedBy: readonly string[];
  /** Id of the episode of the same typology before, when it is not long past. */
  readonly previous: string | undefined;
  /** The customer to open a case on, as of the opening, where the subject is not held here. */
  readonly payer: EntityKey | undefined;
  /** Alert that took over, when a broader typology did. */
  supersededBy: string | undefined;
}

/** Samples of one number for a base line: of the steps up to `lastStep`, oldest first; NaN where it was unknown. */
export interface SampleState {
  lastStep: number;
  values: readonly number[];
}

export interface EntityState {
  /** Newest event time folded; -Infinity before the first view. */
  clock: number;
  /** First event time folded; +Infinity before the first movement. */
  since: number;
  /** Next sequence number. */
  seq: number;
  /** The newest movements, with what plain measures count of them. */
  readonly recent: RecentEvents;
  /** Where and when the entity last gave an order, as far as a movement said where. */
  act: Act | undefined;
  /** How many of `recent` are open authorisations. */
  openAuthorisations: number;
  /**
   * 48-bit hashes of ids that `recent` does not hold, with event time; in the order in which they came. Undefined:
   * none.
   */
  seen: Map<number, number> | undefined;
  /** Reversals whose original was not there: 48-bit hashes of transaction ids. */
  tombstones: readonly number[];
  /** By `Measure.index`; of plain measures only what recent events do not tell (`plain-readings.ts`). */
  measures: Slots<MeasureState>;
  /**
   * Measures that a change of the pack began or widened, by `Measure.index`: event time from which on every
   * contribution was counted. Undefined when all measures know all that their windows reach.
   */
  warming: ReadonlyMap<number, number> | undefined;
  /** By `Sampler.index`. */
  readonly samples: (SampleState | undefined)[];
  /** By index of the rule in the subject's indicators. */
  rules: Slots<RuleState>;
  /** By index in the flows of the subject's indicators (same index as `rules`). */
  flows: Slots<FlowState>;
  /** By index of the typology in the subject's typologies. */
  alerts: Slots<AlertState>;
  /** Newest last: hits told by other entities, at most RECEIVED_HITS_MAX. */
  hits: readonly HitView[];
  /** Newest last: marks, least distance per root, at most MARK_ROOTS_MAX roots. */
  marks: readonly MarkView[];
  /**
   * Marks already passed on: 48-bit hashes of root, rule, period, flow and counterparty, oldest first. Undefined:
   * none.
   */
  passed: Set<number> | undefined;
  /** Profile versions by `validFrom`, oldest first, those of the future included; long replaced ones are dropped. */
  profiles: readonly Profile[];
  /** Holder and links that movements named, newest last: own hits are told to them and to those of the profile. */
  tellTo: readonly EntityKey[];
  /** Known counterparties, for the hub test; saturates at HUB_COUNTERPARTIES + 1. */
  counterparties: number;
  /** A victim is possible until this event time. */
  victimUntil: number;
  /** The entity is held at this institution, with its own reference where known. */
  own: boolean;
  ref: string | undefined;
}

/** What a consumer was last told of one alert. */
export interface SentAlert {
  readonly alertId: string;
  revision: number;
  /** Hash of the content without revision, event, cause and changes; 0 when withdrawn. */
  contentHash: number;
  severity: Severity;
  score: number;
  families: string[];
  /** Event time of the last sending, for trimming. */
  time: number;
}

/** One entity, ready to take the next view. */
export interface Entity {
  readonly key: EntityKey;
  readonly kind: EntityKind;
  /** Fold of base and tail. */
  work: EntityState;
  /** Fold of everything before the tail, as `packState` gives it; undefined: nothing came before. */
  base: string | undefined;
  /** Views since the base in total order, at most TAIL_EVENTS_MAX. */
  tail: Tail;
  /** What was told of alerts, newest last. */
  sent: readonly SentAlert[];
  /** What a store holds of it, so that what came since can be put behind that; undefined: not known. */
  stored: StoredForm | undefined;
  /** Where the tail can be folded again from, beside its beginning; undefined: no view came late lately. */
  shelf: Shelf | undefined;
}

/** The fold of the first views of a tail, put aside. */
export interface Shelf {
  readonly views: number;
  /** As `packState` gives it. */
  readonly state: string;
  /** Which views of the tail a reversal took out when the state was put aside. */
  readonly reversed: ReadonlySet<number>;
  /** What those views said. */
  readonly said: Said;
  /** What all views of the tail have said. */
  readonly all: Said;
}

/** What of a stored entity is not computed anew. */
export interface EntityParts {
  readonly base: string | undefined;
  readonly tail: Tail;
  readonly sent: readonly SentAlert[];
}

/** Tells by identity whether an entity only grew at its end: everything else puts a new object in the place of one. */
export interface StoredForm {
  readonly base: string | undefined;
  readonly tail: Tail;
  readonly sent: readonly SentAlert[];
  /** Views of the tail that are stored. */
  readonly views: number;
  /** Those of them whose fold is stored too. */
  readonly folded: number;
}
