/** What compiling a pack gives for base lines: numbers sampled in an entity's state, and numbers held against peers. */
import type { EntityKind } from "../domain/entity.ts";
import type { Read, Unit } from "./plan.ts";

/**
 * A number that is sampled in an entity's state at the end of each step of event time, for its own base line. Steps are
 * counted from 1970; a sample is taken before the first movement of a later step is counted.
 */
export interface Sampler {
  readonly slot: number;
  /** Index in the samplers of its subject. */
  readonly index: number;
  readonly definition: number;
  readonly subject: EntityKind;
  readonly read: Read<number>;
  readonly stepMs: number;
  /** Samples that are kept at most. */
  readonly keep: number;
  /** A sample whose window reaches further back than the entity's first movement is unknown. */
  readonly windowMs: number;
}

export const BASE_STATS = ["mean", "sd", "p50", "p95", "mad", "robust_z"] as const;
export type BaseStat = (typeof BASE_STATS)[number];

/** What is usual for an entity: a statistic of its samples in `(now - skipMs - overMs, now - skipMs]`. */
export interface Baseline {
  readonly slot: number;
  readonly sampler: number;
  readonly stat: BaseStat;
  readonly overMs: number;
  readonly skipMs: number;
  /** Unknown below this many samples. */
  readonly minSamples: number;
  /** The least value; of robust_z the least spread that it divides by. */
  readonly floor: number;
}

/** A number of a rule that is held against the entity's peers: what `palermo baseline` has to measure. */
export interface PeerInput {
  readonly rule: string;
  readonly name: string;
  /** The number, read at any moment. */
  readonly read: Read<number>;
  readonly subject: EntityKind;
  readonly group: PeerGroup;
  readonly percentile: number;
  readonly unit: Unit;
  /** Changes when the meaning of the number does. */
  readonly definition: string;
}

export const PEER_GROUPS = ["segment", "industry", "occupation_group", "product"] as const;
export type PeerGroup = (typeof PEER_GROUPS)[number];
