/**
 * Which measures count which recent event. A plain measure, one that adds one, or the amount, or a key to a set, keeps
 * no list of its own: a bit says that the event counts there. Bits, times, amounts and keys of all recent events stand
 * in columns, so that a reading runs over neighbouring numbers: over the events one by one it waited for memory.
 */
import type { Measure } from "../rules/plan.ts";

/** Columns over the recent events of an entity, all of one length, oldest first. */
export interface Counted {
  /** Event time, epoch ms. Of what one measure counts it never falls. */
  readonly times: number[];
  /** Base currency minor units; NaN when unknown. */
  readonly amounts: number[];
  /** Bit i of column w: the measure with index 32 w + i counts the event. */
  readonly bits: number[][];
  /** By `Measure.keySlot`: the key that the event shows to sets, while some set counts it there. */
  readonly keys: ((string | undefined)[] | undefined)[];
}

/** Columns for the measures of a subject, without events. */
export function newCounted(measures: number): Counted {
  return { times: [], amounts: [], bits: Array.from({ length: (measures + 31) >>> 5 }, () => []), keys: [] };
}

/** Whether recent events tell all that this measure keeps of them. */
export function isPlain(measure: Measure): boolean {
  return measure.adds !== "other";
}

/** Adds an event that nothing counts yet. */
export function pushEvent({ times, amounts, bits, keys }: Counted, time: number, amount: number): void {
  times.push(time);
  amounts.push(amount);
  for (const column of bits) column.push(0);
  for (const column of keys) column?.push(undefined);
}

/** Takes the oldest event out. */
export function shiftEvent({ times, amounts, bits, keys }: Counted): void {
  times.shift();
  amounts.shift();
  for (const column of bits) column.shift();
  for (const column of keys) column?.shift();
}

/** The column with the bit of the measure with this index, for loops over many events. */
export function bitsOf({ bits }: Counted, index: number): readonly number[] {
  return bits[index >>> 5] ?? NO_BITS;
}

const NO_BITS: readonly number[] = [];

/** The bit of the measure with this index in its column. */
export function bitOf(index: number): number {
  return 1 << (index & 31);
}

/** Whether the measure with this index counts event `i`. */
export function isCounted(counted: Counted, index: number, i: number): boolean {
  return ((bitsOf(counted, index)[i] as number) & bitOf(index)) !== 0;
}

/** The measure with this index counts event `i` from now on. */
export function setCounted({ bits }: Counted, index: number, i: number): void {
  const column = bits[index >>> 5] as number[]; // There is a column for every measure of the plan.
  column[i] = (column[i] as number) | bitOf(index);
}

/** The measure with this index counts event `i` no longer. */
export function clearCounted({ bits }: Counted, index: number, i: number): void {
  const column = bits[index >>> 5] as number[]; // There is a column for every measure of the plan.
  column[i] = (column[i] as number) & ~bitOf(index);
}

/** The key that event `i` shows. */
export function keyAt({ keys }: Counted, keySlot: number, i: number): string | undefined {
  return keys[keySlot]?.[i];
}

/** Notes the key that event `i` shows; undefined: none any more. */
export function setKey({ keys, times }: Counted, keySlot: number, i: number, key: string | undefined): void {
  let column = keys[keySlot];
  if (column === undefined) {
    while (keys.length <= keySlot) keys.push(undefined);
    column = new Array<string | undefined>(times.length).fill(undefined);
    keys[keySlot] = column;
  }
  column[i] = key;
}

/** What event `i` adds to a plain measure that counts it: a key counts as one. */
export function addedBy({ amounts }: Counted, { adds }: Measure, i: number): number {
  return adds === "amount" ? (amounts[i] as number) : 1;
}

/** Index of the newest event that a plain measure counts; -1 without one. */
export function newestCounted(counted: Counted, { index }: Measure): number {
  const column = bitsOf(counted, index);
  const bit = bitOf(index);
  for (let i = column.length - 1; i >= 0; i -= 1) if (((column[i] as number) & bit) !== 0) return i;
  return -1;
}
