/**
 * Which measures count which recent event. A plain measure, one that adds one, or the amount, or a key to a set, keeps
 * no list of its own: a bit among the cells of the event says that it counts there. So a reading runs over neighbours.
 */
import type { Measure } from "../rules/plan.ts";
import { BITS, type RecentEvents } from "./recent-events.ts";

/** Whether recent events tell all that this measure keeps of them. */
export function isPlain(measure: Measure): boolean {
  return measure.adds !== "other";
}

/** Where in the cells of an event the bit of the measure with this index stands, for loops over many events. */
export function wordOf(index: number): number {
  return BITS + (index >>> 5);
}

/** The bit of the measure with this index in its word. */
export function bitOf(index: number): number {
  return 1 << (index & 31);
}

/** Whether the measure with this index counts event `i`. */
export function isCounted({ cells, stride }: RecentEvents, index: number, i: number): boolean {
  return ((cells[i * stride + wordOf(index)] as number) & bitOf(index)) !== 0;
}

/** Whether the measure with this index counts no event: true is certain, false may be out of date. */
export function countsNone({ ever }: RecentEvents, index: number): boolean {
  const word = index >>> 5;
  return word >= ever.length || ((ever[word] as number) & bitOf(index)) === 0;
}

/** The measure with this index counts event `i` from now on. */
export function setCounted(recent: RecentEvents, index: number, i: number): void {
  setBits(recent, index >>> 5, bitOf(index), i);
}

/** The measures with these indexes (words of bits) count event `i` from now on. */
export function setAllCounted(recent: RecentEvents, words: readonly number[], i: number): void {
  for (let word = 0; word < words.length; word += 1) {
    const bits = words[word] as number; // word is within the array.
    if (bits !== 0) setBits(recent, word, bits, i);
  }
}

function setBits(recent: RecentEvents, word: number, bits: number, i: number): void {
  const { cells, stride } = recent;
  const at = i * stride + BITS + word;
  cells[at] = (cells[at] as number) | bits;
  if (recent.ever.length === 0) recent.ever = new Array<number>(stride - BITS).fill(0);
  recent.ever[word] = (recent.ever[word] as number) | bits;
}

/** Calls `each` with the index of every measure that counts event `i`, ascending. */
export function forEachCounting({ cells, stride }: RecentEvents, i: number, each: (index: number) => void): void {
  for (let word = BITS; word < stride; word += 1) {
    let bits = cells[i * stride + word] as number;
    while (bits !== 0) {
      const lowest = 31 - Math.clz32(bits & -bits);
      each((word - BITS) * 32 + lowest);
      bits &= bits - 1;
    }
  }
}

/** The measure with this index counts event `i` no longer. */
export function clearCounted({ cells, stride }: RecentEvents, index: number, i: number): void {
  const at = i * stride + wordOf(index);
  cells[at] = (cells[at] as number) & ~bitOf(index);
}

/** The key that event `i` shows. */
export function keyAt({ keys }: RecentEvents, keySlot: number, i: number): string | undefined {
  return keys[keySlot]?.[i];
}

/** Notes the key that event `i` shows; undefined: none any more. */
export function setKey(recent: RecentEvents, keySlot: number, i: number, key: string | undefined): void {
  columnOf(recent, keySlot)[i] = key;
}

function columnOf(recent: RecentEvents, keySlot: number): (string | undefined)[] {
  const known = recent.keys[keySlot];
  if (known !== undefined) return known;
  if (recent.keys.length <= keySlot) {
    // One that grew by itself would keep room for seventeen.
    const longer = new Array<RecentEvents["keys"][number]>(keySlot + 1).fill(undefined);
    for (const [slot, keys] of recent.keys.entries()) longer[slot] = keys;
    recent.keys = longer;
  }
  const column = new Array<string | undefined>(recent.length).fill(undefined);
  recent.keys[keySlot] = column;
  return column;
}

/** What event `i` adds to a plain measure that counts it: a key counts as one. */
export function addedBy(recent: RecentEvents, { adds }: Measure, i: number): number {
  return adds === "amount" ? recent.amountAt(i) : 1;
}

/** Index of the newest event that the measure with this index counts; -1 without one. */
export function newestCounted(recent: RecentEvents, index: number): number {
  if (countsNone(recent, index)) return -1;
  for (let i = recent.length - 1; i >= 0; i -= 1) if (isCounted(recent, index, i)) return i;
  return -1;
}
