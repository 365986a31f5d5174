/**
 * Which measures count a recent event. A measure that adds one, or the amount, keeps no list of its own: the event
 * says that it counts there, by a bit for each measure, and the few combinations that occur are shared by all events.
 */
import type { Measure } from "../rules/plan.ts";
import type { RecentEvent } from "./state.ts";

/** Bit i of word w: the measure with index 32 w + i. Never changed once an event holds it. */
export type CountedIn = readonly number[];

export const COUNTED_NOWHERE: CountedIn = [];

/** Whether recent events tell all that this measure counts of them. */
export function isPlain(measure: Measure): boolean {
  return measure.kind === "number" && measure.adds !== "other";
}

/** Words for the measures of one subject, all empty. */
export function newWords(measures: number): number[] {
  return new Array<number>((measures + 31) >>> 5).fill(0);
}

/** Notes that the measure with this index counts. */
export function setCounted(words: number[], index: number): void {
  words[index >>> 5] = (words[index >>> 5] as number) | (1 << (index & 31));
}

/** Whether the measure with this index counts. */
export function hasBit(words: CountedIn, index: number): boolean {
  const word = index >>> 5;
  return word < words.length && ((words[word] as number) & (1 << (index & 31))) !== 0;
}

/** Adds the measures of `more` to `words`. */
export function join(words: number[], more: CountedIn): void {
  for (let w = 0; w < more.length; w += 1) words[w] = (words[w] as number) | (more[w] as number);
}

/** Whether the measure with this index counts the event. One that was taken out again counts nowhere. */
export function isCounted({ counted, reversed }: RecentEvent, index: number): boolean {
  return !reversed && hasBit(counted, index);
}

/** What the event adds to a plain measure that counts it. */
export function addedBy(event: RecentEvent, measure: Measure): number {
  return measure.adds === "one" ? 1 : event.amount;
}

/** Event time of the newest event that the measure with this index counts; -Infinity without one. */
export function newestCounted(events: readonly RecentEvent[], index: number): number {
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const event = events[i] as RecentEvent; // i is within the array.
    if (isCounted(event, index)) return event.time;
  }
  return Number.NEGATIVE_INFINITY;
}

/** Hashes of combinations kept for sharing; with more all are forgotten, which only costs memory. */
const SHARED_MAX = 4_096;
const shared = new Map<number, CountedIn[]>();

/** An equal list that other events hold too; `words` may be used again. */
export function share(words: readonly number[]): CountedIn {
  let hash = words.length;
  let any = 0;
  for (const word of words) {
    hash = (Math.imul(hash, 31) + word) | 0;
    any |= word;
  }
  if (any === 0) return COUNTED_NOWHERE;
  const alike = shared.get(hash);
  for (const known of alike ?? []) if (areEqual(known, words)) return known;
  const own = words.slice();
  if (alike !== undefined) alike.push(own);
  else {
    if (shared.size >= SHARED_MAX) shared.clear();
    shared.set(hash, [own]);
  }
  return own;
}

/** Whether both hold the same measures. */
export function areEqual(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
