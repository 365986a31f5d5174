/** Empty states: every field present, so that states of one kind share one shape. */
import { NONE } from "../base/lists.ts";
import { type EntityKey, kindOf } from "../domain/entity.ts";
import type { Flow, SubjectPlan } from "../rules/plan.ts";
import { RecentEvents } from "./recent-events.ts";
import { Slots } from "./slots.ts";
import type { Entity, EntityParts, EntityState, FlowState, RuleState } from "./state.ts";
import { Tail } from "./view-tail.ts";

/** State of an entity that nothing is known of. */
export function newState(subject: SubjectPlan): EntityState {
  return {
    clock: Number.NEGATIVE_INFINITY,
    since: Number.POSITIVE_INFINITY,
    seq: 0,
    recent: new RecentEvents(subject.measures.length),
    act: undefined,
    openAuthorisations: 0,
    seen: undefined,
    tombstones: NONE,
    measures: Slots.NONE,
    warming: undefined,
    samples: new Array(subject.samplers.length).fill(undefined),
    rules: Slots.NONE,
    flows: Slots.NONE,
    alerts: Slots.NONE,
    hits: NONE,
    marks: NONE,
    passed: undefined,
    profiles: NONE,
    tellTo: NONE,
    counterparties: 0,
    victimUntil: Number.NEGATIVE_INFINITY,
    own: false,
    ref: undefined,
  };
}

/** An entity with the state that it begins with, and what is known of it besides; one shape for all. */
export function newEntity(key: EntityKey, work: EntityState, parts: Partial<EntityParts> = {}): Entity {
  const { base, tail = Tail.of(), sent = NONE } = parts;
  return { key, kind: kindOf(key), work, base, tail, sent, stored: undefined, shelf: undefined };
}

/** A rule that was never judged true. */
export function newRuleState(): RuleState {
  return { episodes: [], running: false, toldAt: Number.NEGATIVE_INFINITY };
}

/** A flow before its first event: only step 0 is armed. */
export function newFlowState(flow: Flow): FlowState {
  const n = flow.steps.length;
  return {
    armedSeq: new Array(n).fill(-1),
    armedTime: new Array(n).fill(Number.NaN),
    first: new Array(n).fill(Number.NaN),
    last: new Array(n).fill(Number.NaN),
    done: false,
    completions: [],
  };
}
