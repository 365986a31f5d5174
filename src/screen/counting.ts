/**
 * What a movement adds to the measures of an entity. Several rules ask for the same movements: a filter that measures
 * share is asked once for all of them, and those that only count or sum take the movement in together, as bits.
 */
import type { TxView } from "../domain/view.ts";
import type { Measure, Test, Tri } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { bitOf, isPlain, setAllCounted, setCounted } from "./counted.ts";
import { contribute, contributeLate, measureState } from "./measures.ts";
import { isBehind, show, showLate } from "./shown-keys.ts";

/** Measures that take a movement in together, or a single one. */
export interface CountingStep {
  readonly where: Test | undefined;
  /** Number of the filter among those of the steps; -1 without one. */
  readonly filter: number;
  readonly measures: readonly Measure[];
  /** Words of bits: the members that add one, and those that add the amount. Undefined for a single measure. */
  readonly bits: { readonly ones: readonly number[]; readonly amounts: readonly number[] } | undefined;
}

/**
 * The steps of some measures of a subject. A filter may read aggregates of measures before its own: those that add one
 * or the amount read nothing themselves, so they may be taken in where the first of them stands.
 */
export function countingSteps(measures: readonly Measure[]): readonly CountingStep[] {
  const drafts: Draft[] = [];
  const filters = new Map<Test, number>();
  const joined = new Map<Test | undefined, Measure[]>();
  for (const measure of measures) {
    const { where, adds } = measure;
    if (where !== undefined && !filters.has(where)) filters.set(where, filters.size);
    const filter = where === undefined ? -1 : (filters.get(where) as number);
    const isJoined = adds === "one" || adds === "amount";
    const members = isJoined ? joined.get(where) : undefined;
    if (members !== undefined) {
      members.push(measure);
      continue;
    }
    const draft = { where, filter, measures: [measure], isJoined };
    drafts.push(draft);
    if (isJoined) joined.set(where, draft.measures);
  }
  return drafts.map(({ isJoined, ...step }) => {
    const { measures: members } = step;
    const bits = { ones: wordsOf(members, "one"), amounts: wordsOf(members, "amount") };
    return { ...step, bits: isJoined ? bits : undefined };
  });
}

interface Draft extends Omit<CountingStep, "bits"> {
  readonly measures: Measure[];
  readonly isJoined: boolean;
}

/** Words of bits: the measures that add this. */
function wordsOf(measures: readonly Measure[], what: Measure["adds"]): number[] {
  const words: number[] = [];
  for (const { adds, index } of measures) {
    if (adds !== what) continue;
    while (words.length <= index >>> 5) words.push(0);
    words[index >>> 5] = (words[index >>> 5] as number) | bitOf(index);
  }
  return words;
}

/** The newest event, the movement that the context is aimed at, is taken in by every measure that counts it. */
export function contributeAll(context: JudgeContext, view: TxView): void {
  const { state, index } = context;
  const { measures, steps } = index.candidates(view.tx, view.direction);
  if (view.tx.time < state.clock) {
    // Only a tail that overflowed lets a movement come behind newer ones.
    for (const measure of measures) contributeOne(context, measure, contribution(context, measure));
    return;
  }
  const verdicts = context.filterVerdicts;
  verdicts.length = 0;
  for (const step of steps) {
    const counts = ask(context, step, verdicts);
    if (counts === undefined) for (const measure of step.measures) context.unknownFilter(measure);
    if (counts !== true) continue;
    const { bits } = step;
    if (bits === undefined) {
      const measure = step.measures[0] as Measure; // It is the one of the step.
      contributeOne(context, measure, measure.value === undefined ? 1 : measure.value(context));
      continue;
    }
    const newest = state.recent.length - 1;
    setAllCounted(state.recent, bits.ones, newest);
    if (!Number.isNaN(state.recent.amountAt(newest))) setAllCounted(state.recent, bits.amounts, newest);
    // A later measure's filter may read these.
    context.touch();
  }
}

function ask(context: JudgeContext, { where, filter }: CountingStep, verdicts: (Tri | "open")[]): Tri {
  if (where === undefined) return true;
  while (verdicts.length <= filter) verdicts.push("open");
  const known = verdicts[filter];
  if (known !== "open") return known;
  const counts = where(context);
  verdicts[filter] = counts;
  return counts;
}

function contributeOne(context: JudgeContext, measure: Measure, value: number | undefined): void {
  if (value === undefined) return;
  const { state } = context;
  const key = measure.key?.(context);
  if (measure.kind !== "number" && key === undefined) return;
  if (isPlain(measure)) count(context, measure, value, key);
  else {
    const event = { seq: context.currentSeq, time: state.recent.timeAt(state.recent.length - 1) };
    contribute(measureState(state, measure), measure, event, value, key);
  }
  // A later measure's filter may read this one.
  context.touch();
}

/** A movement that came later than is judged: the bucket of its time counts it. */
export function contributeAllLate(context: JudgeContext, view: TxView): void {
  const { state } = context;
  for (const measure of context.index.candidates(view.tx, view.direction).measures) {
    const value = contribution(context, measure);
    if (value === undefined) continue;
    const key = measure.key?.(context);
    if (measure.kind !== "number" && key === undefined) continue;
    if (measure.adds === "key") showLate(state, measure, key as string, view.tx.time, context.index.byKey);
    else contributeLate(measureState(state, measure), measure, view.tx.time, -1, value, key);
    context.touch();
  }
}

/** What the movement, which lies in the measure's scope, adds to it; undefined when it does not count there. */
export function contribution(context: JudgeContext, measure: Measure): number | undefined {
  if (measure.where !== undefined) {
    const counts = measure.where(context);
    if (counts === undefined) context.unknownFilter(measure);
    if (counts !== true) return undefined;
  }
  return measure.value === undefined ? 1 : measure.value(context);
}

/** Counts the newest event in a plain measure: as a late one where a newer event counts there already. */
function count({ state, index }: JudgeContext, measure: Measure, value: number, key: string | undefined): void {
  if (Number.isNaN(value)) return;
  const { recent } = state;
  const newest = recent.length - 1;
  const time = recent.timeAt(newest);
  const behind = isBehind(state, measure, time);
  if (key !== undefined) {
    if (behind) showLate(state, measure, key, time, index.byKey);
    else show(state, measure, key, index.byKey);
  } else if (behind)
    contributeLate(measureState(state, measure), measure, time, recent.seqAt(newest), value, undefined);
  else setCounted(recent, measure.index, newest);
}
