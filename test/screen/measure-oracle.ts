/** A measure that remembers everything and scans it: what the real one is compared with. */
import type { EntityKind } from "../../src/domain/entity.ts";
import type { Measure, MeasureKind } from "../../src/rules/plan.ts";
import {
  contribute,
  contributeLate,
  evict,
  expire,
  newMeasureState,
  removeContribution,
} from "../../src/screen/measures.ts";
import type { MeasureState } from "../../src/screen/state.ts";

export interface Contribution {
  readonly seq: number;
  readonly time: number;
  readonly value: number;
  readonly key: string;
  readonly late: boolean;
}

export type Step =
  | { readonly kind: "add"; readonly gapMs: number; readonly value: number; readonly key: string }
  | { readonly kind: "late"; readonly backMs: number; readonly value: number; readonly key: string }
  | { readonly kind: "remove"; readonly pick: number }
  | { readonly kind: "expire" };

export interface Run {
  readonly measure: Measure;
  readonly state: MeasureState;
  /** Everything that counts, in order of arrival. */
  readonly all: Contribution[];
  readonly recent: number[];
  now: number;
  seq: number;
}

export function testMeasure(kind: MeasureKind, windowMinMs: number, windowMs: number, cap = 64): Measure {
  return {
    slot: 0,
    index: 0,
    definition: 7,
    kind,
    subject: "account" satisfies EntityKind,
    scope: { rail: undefined, direction: undefined, channel: undefined, purpose: undefined, stage: ["booked"] },
    where: undefined,
    value: undefined,
    adds: "other",
    key: undefined,
    keySlot: -1,
    cap,
    windowMs,
    windowMinMs,
  };
}

export function newRun(measure: Measure): Run {
  return { measure, state: newMeasureState(measure), all: [], recent: [], now: 0, seq: 0 };
}

/** Plays one step into the measure and into the list; at most `capacity` events stay recent. */
export function play(run: Run, step: Step, capacity: number): void {
  const { measure, state } = run;
  if (step.kind === "expire" || step.kind === "remove") {
    if (step.kind === "expire") expire(state, measure, run.now);
    else removeOne(run, step.pick);
    return;
  }
  const time = step.kind === "add" ? run.now + step.gapMs : Math.max(0, run.now - step.backMs);
  const late = step.kind === "late" && time < run.now;
  const seq = run.seq;
  run.seq += 1;
  run.now = Math.max(run.now, time);
  run.all.push({ seq, time, value: step.value, key: step.key, late });
  if (late) {
    contributeLate(state, measure, time, seq, step.value, step.key);
    return;
  }
  contribute(state, measure, { seq, time }, step.value, step.key);
  run.recent.push(seq);
  while (run.recent.length > capacity) evict(state, measure, run.recent.shift() as number);
}

/** Contributions with time in `(from, to]` after `afterSeq`. */
export function scan(run: Run, from: number, to: number, afterSeq = -1): Contribution[] {
  return run.all.filter((c) => c.time > from && c.time <= to && c.seq > afterSeq);
}

function removeOne(run: Run, pick: number): void {
  // What left the longest window may be gone already and cannot be reversed.
  const known = run.all.filter((c) => c.time > run.now - run.measure.windowMs);
  const one = known[pick % Math.max(1, known.length)];
  if (one === undefined) return;
  const seq = run.recent.includes(one.seq) ? one.seq : -1;
  removeContribution(run.state, run.measure, seq, one.time, one.value);
  run.all.splice(run.all.indexOf(one), 1);
}
