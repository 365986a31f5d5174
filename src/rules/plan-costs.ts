/**
 * What a pack costs before it runs: rules -> aggregates -> base measures -> cells and bytes for one entity at the
 * worst, and how far a window may reach too far back. `palermo rules plan` prints it.
 */
import { BUCKETS_PER_WINDOW, MINUTE_MS, RECENT_EVENTS_MAX, SEEN_IDS_MAX, WINDOW_MAX_MS } from "../base/limits.ts";
import { ENTITY_KINDS, type EntityKind } from "../domain/entity.ts";
import { astSize } from "./ast-size.ts";
import type { Aggregate, Clause, CompiledRule, Measure, MeasureKind, Pack } from "./plan.ts";
import type { RuleSource } from "./schema.ts";

/** One rule: what it asks for. */
export interface RuleCost {
  readonly id: string;
  readonly subject: EntityKind;
  /** Leaves of its clause trees, scored indicators and flow steps. */
  readonly clauses: number;
  /** Nodes of all its expressions and clause trees; 0 where the files are not given. */
  readonly nodes: number;
  /** Aggregates by the name that the rule has for them. */
  readonly aggregates: readonly { readonly name: string; readonly slot: number }[];
  /** Rules that share at least one of its aggregates. */
  readonly sharedWith: readonly string[];
}

/** One aggregate: a number over a base measure. */
export interface AggregateCost {
  readonly slot: number;
  readonly function: string;
  /** Such as `14d`, `newest 10`, `calendar`, `burst`, `ever`. */
  readonly window: string;
  /** Slot of the base measure; undefined for what is computed over recent movements. */
  readonly measure: number | undefined;
  /** At most this much before the window's start is counted once events are no longer recent, ms. */
  readonly errorMs: number;
  readonly usedBy: readonly string[];
}

/** One base measure: what is stored of it at the worst. */
export interface MeasureCost {
  readonly slot: number;
  readonly subject: EntityKind;
  readonly kind: MeasureKind;
  readonly windowMs: number;
  /** Aggregates that read it. */
  readonly aggregates: number;
  /** Contributions, buckets or keys at most. */
  readonly cells: number;
  readonly bytes: number;
}

/** One entity kind: an entity that has everything at its cap. */
export interface SubjectCost {
  readonly kind: EntityKind;
  readonly rules: number;
  readonly measures: number;
  readonly cells: number;
  /** Of the measures and samples. */
  readonly bytes: number;
  /** Together with recent movements and remembered ids. */
  readonly entityBytes: number;
}

export interface PackCosts {
  readonly rules: readonly RuleCost[];
  readonly aggregates: readonly AggregateCost[];
  readonly measures: readonly MeasureCost[];
  /** Kinds that some rule watches. */
  readonly subjects: readonly SubjectCost[];
}

/** Bytes of one stored thing at the worst: a varint of a safe integer takes 8, a token is taken to have 26. */
const BYTES = { contribution: 12, bucket: 42, key: 40, label: 2, token: 28, sample: 9, recent: 84, seen: 12 } as const;

/** Costs of a compiled pack, of the rules as they were read. Pure: the same pack gives the same numbers. */
export function planOf(pack: Pack, sources: readonly RuleSource[] = []): PackCosts {
  const sizes = new Map(sources.map((source) => [source.id.text, astSize(source)]));
  const usedBy = new Map<number, string[]>();
  for (const rule of pack.rules) {
    for (const slot of new Set(rule.aggregates.map((one) => one.slot))) {
      usedBy.set(slot, [...(usedBy.get(slot) ?? []), rule.id]);
    }
  }
  const aggregates = pack.aggregates.map((aggregate) => aggregateCost(aggregate, usedBy.get(aggregate.slot) ?? []));
  const readers = (slot: number): number => aggregates.filter((aggregate) => aggregate.measure === slot).length;
  const measures = pack.measures.map((measure) => measureCost(measure, readers(measure.slot)));
  return {
    rules: pack.rules.map((rule) => ruleCost(rule, usedBy, sizes.get(rule.id) ?? 0)),
    aggregates,
    measures,
    subjects: ENTITY_KINDS.map((kind) => subjectCost(pack, kind, measures)).filter((cost) => cost.rules > 0),
  };
}

function ruleCost(rule: CompiledRule, usedBy: ReadonlyMap<number, readonly string[]>, nodes: number): RuleCost {
  const others = rule.aggregates.flatMap(({ slot }) => usedBy.get(slot) ?? []);
  const scored = rule.typology === undefined ? 0 : rule.typology.indicators.length + rule.typology.reductions.length;
  const trees = [rule.when, rule.typology?.alertWhen].filter((tree) => tree !== undefined);
  return {
    id: rule.id,
    subject: rule.subject,
    clauses: scored + trees.reduce((sum, tree) => sum + leaves(tree), 0),
    nodes,
    aggregates: rule.aggregates,
    sharedWith: [...new Set(others)].filter((id) => id !== rule.id).sort(),
  };
}

function leaves(clause: Clause): number {
  return clause.kind === "leaf" ? 1 : clause.children.reduce((sum, child) => sum + leaves(child), 0);
}

function aggregateCost(aggregate: Aggregate, usedBy: readonly string[]): AggregateCost {
  const { slot, windowMs, measure } = aggregate;
  const window = aggregate.refined?.window;
  // Recent movements, completions and the newest events are looked at one by one.
  const oneByOne = measure < 0 || window?.kind === "events" || windowMs === Number.POSITIVE_INFINITY;
  return {
    slot,
    function: aggregate.completed === undefined ? aggregate.function : "completed",
    window: windowText(aggregate),
    measure: measure < 0 ? undefined : measure,
    errorMs: oneByOne ? 0 : Math.floor(windowMs / BUCKETS_PER_WINDOW),
    usedBy,
  };
}

function windowText(aggregate: Aggregate): string {
  const window = aggregate.refined?.window;
  const before = aggregate.refined?.current === false ? ", before" : "";
  if (window?.kind === "events") return `newest ${window.count}${before}`;
  if (window?.kind === "calendar") return `calendar${before}`;
  if (window?.kind === "burst") return `burst${before}`;
  return `${aggregate.windowMs === Number.POSITIVE_INFINITY ? "ever" : durationText(aggregate.windowMs)}${before}`;
}

function durationText(ms: number): string {
  const hours = ms / (60 * MINUTE_MS);
  if (hours % 24 === 0) return `${hours / 24}d`;
  return Number.isInteger(hours) ? `${hours}h` : `${Math.round(ms / MINUTE_MS)}m`;
}

/** Buckets of one measure at most: 96 for the shortest window and for each doubling of age, and some unmerged ones. */
function bucketsMost(measure: Measure): number {
  const longest = Math.min(measure.windowMs, WINDOW_MAX_MS);
  const shortest = Math.min(measure.windowMinMs, longest);
  const doublings = Math.ceil(Math.log2(Math.max(1, longest / shortest)));
  return Math.max(UNMERGED, 2 * BUCKETS_PER_WINDOW * (1 + doublings) + doublings + 1);
}

const UNMERGED = 192;

function measureCost(measure: Measure, aggregates: number): MeasureCost {
  const { slot, subject, kind, windowMs, cap } = measure;
  const shared = { slot, subject, kind, windowMs, aggregates };
  if (kind === "distinct") {
    // Keys that recent events show, and beside them as many as the cap whose last event is recent no longer.
    const shown = RECENT_EVENTS_MAX * (BYTES.label + BYTES.token);
    return { ...shared, cells: RECENT_EVENTS_MAX + cap, bytes: shown + cap * (BYTES.key + BYTES.token) };
  }
  if (kind === "first_seen") {
    return { ...shared, cells: RECENT_EVENTS_MAX, bytes: RECENT_EVENTS_MAX * (BYTES.key + BYTES.token) };
  }
  const recent = RECENT_EVENTS_MAX * BYTES.contribution;
  const buckets = bucketsMost(measure);
  if (kind === "number")
    return { ...shared, cells: RECENT_EVENTS_MAX + buckets, bytes: recent + buckets * BYTES.bucket };
  const parts = (cap + 1) * buckets;
  const labels = RECENT_EVENTS_MAX * BYTES.label + (RECENT_EVENTS_MAX + cap) * BYTES.token;
  return { ...shared, cells: RECENT_EVENTS_MAX + parts, bytes: recent + labels + parts * BYTES.bucket };
}

function subjectCost(pack: Pack, kind: EntityKind, all: readonly MeasureCost[]): SubjectCost {
  const plan = pack.subjects[kind];
  const measures = all.filter((measure) => measure.subject === kind);
  const samples = plan.samplers.reduce((sum, sampler) => sum + sampler.keep, 0);
  const bytes = measures.reduce((sum, measure) => sum + measure.bytes, 0) + samples * BYTES.sample;
  return {
    kind,
    rules: plan.indicators.length + plan.typologies.length,
    measures: measures.length,
    cells: measures.reduce((sum, measure) => sum + measure.cells, 0) + samples,
    bytes,
    entityBytes: bytes + RECENT_EVENTS_MAX * BYTES.recent + SEEN_IDS_MAX * BYTES.seen,
  };
}
