/**
 * Which measures count which recent event. A plain measure, one that adds one, or the amount, or a key to a set, keeps
 * no list of its own: a bit says that the event counts there. Times, amounts, bits and hashes of the ids of all recent
 * events stand in one list of numbers, so that a reading or a look for a repeat runs over neighbours: over the events
 * one by one it waited for memory.
 */
import { fnv1a32 } from "../base/hash.ts";
import { appended, SHORT } from "../base/lists.ts";
import type { Measure } from "../rules/plan.ts";

/** What plain measures ask of the recent events of an entity, oldest first. */
export interface Counted {
  /**
   * Of each event its time (epoch ms), its amount (base currency minor units, NaN when unknown), hashes of the ids of
   * transaction and movement, and words of bits.
   */
  cells: number[];
  /** Numbers of one event. */
  readonly stride: number;
  /** By `Measure.keySlot`: the key that each event shows to sets, while some set counts it there. */
  keys: ((string | undefined)[] | undefined)[];
}

/** Cells before the bits. */
const TIME = 0;
const AMOUNT = 1;
const TX_ID = 2;
const MOVEMENT_ID = 3;
const BITS = 4;

/** For the measures of a subject, without events. */
export function newCounted(measures: number): Counted {
  return { cells: [], stride: BITS + ((measures + 31) >>> 5), keys: NO_KEYS };
}

const NO_KEYS: ((string | undefined)[] | undefined)[] = [];

/** How many events there are. */
export function eventsIn({ cells, stride }: Counted): number {
  return cells.length / stride;
}

/** Whether recent events tell all that this measure keeps of them. */
export function isPlain(measure: Measure): boolean {
  return measure.adds !== "other";
}

/** What of a recent event stands in its cells. */
export interface CountedEvent {
  readonly time: number;
  readonly amount: number;
  readonly txId: string;
  readonly movementId: string;
}

/** Adds an event that nothing counts yet. */
export function pushEvent(counted: Counted, event: CountedEvent): void {
  const { cells, stride, keys } = counted;
  const { time, amount, txId, movementId } = event;
  const hash = fnv1a32(txId);
  const movementHash = movementId === txId ? hash : fnv1a32(movementId);
  if (cells.length < SHORT * stride) {
    counted.cells = cells.concat([time, amount, hash, movementHash], noBits(stride - BITS));
  } else {
    cells.push(time, amount, hash, movementHash);
    for (let word = BITS; word < stride; word += 1) cells.push(0);
  }
  for (let slot = 0; slot < keys.length; slot += 1) {
    const column = keys[slot];
    if (column !== undefined) keys[slot] = appended(column, undefined);
  }
}

/** Words without a bit. */
function noBits(words: number): readonly number[] {
  NO_BITS[words] ??= new Array<number>(words).fill(0);
  return NO_BITS[words];
}

const NO_BITS: number[][] = [];

/** Takes the oldest event out. */
export function shiftEvent({ cells, stride, keys }: Counted): void {
  // `copyWithin` goes cell by cell: with 256 events it made an account a fifth dearer.
  cells.splice(0, stride);
  for (const column of keys) column?.shift();
}

/** Event time of event `i`, epoch ms. Of what one measure counts it never falls. */
export function timeAt({ cells, stride }: Counted, i: number): number {
  return cells[i * stride + TIME] as number;
}

/**
 * Index of the newest event up to `from` and not before `oldest` (epoch ms) whose transaction or movement may have an
 * id with one of these hashes; -1 without one. Events before one that is older than `oldest` are not looked at.
 */
export function findById(
  { cells, stride }: Counted,
  from: number,
  oldest: number,
  txHash: number,
  movementHash: number,
): number {
  for (let i = from, at = from * stride; i >= 0; i -= 1, at -= stride) {
    if ((cells[at + TIME] as number) < oldest) return -1;
    if (cells[at + TX_ID] === txHash || cells[at + MOVEMENT_ID] === movementHash) return i;
  }
  return -1;
}

/** Another amount for event `i`. */
export function setAmount({ cells, stride }: Counted, i: number, amount: number): void {
  cells[i * stride + AMOUNT] = amount;
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
export function isCounted({ cells, stride }: Counted, index: number, i: number): boolean {
  return ((cells[i * stride + wordOf(index)] as number) & bitOf(index)) !== 0;
}

/** The measure with this index counts event `i` from now on. */
export function setCounted({ cells, stride }: Counted, index: number, i: number): void {
  const at = i * stride + wordOf(index);
  cells[at] = (cells[at] as number) | bitOf(index);
}

/** The measure with this index counts event `i` no longer. */
export function clearCounted({ cells, stride }: Counted, index: number, i: number): void {
  const at = i * stride + wordOf(index);
  cells[at] = (cells[at] as number) & ~bitOf(index);
}

/** The key that event `i` shows. */
export function keyAt({ keys }: Counted, keySlot: number, i: number): string | undefined {
  return keys[keySlot]?.[i];
}

/** Notes the key that event `i` shows; undefined: none any more. */
export function setKey(counted: Counted, keySlot: number, i: number, key: string | undefined): void {
  columnOf(counted, keySlot)[i] = key;
}

function columnOf(counted: Counted, keySlot: number): (string | undefined)[] {
  const known = counted.keys[keySlot];
  if (known !== undefined) return known;
  if (counted.keys.length <= keySlot) {
    // One that grew by itself would keep room for seventeen.
    const longer = new Array<Counted["keys"][number]>(keySlot + 1).fill(undefined);
    for (const [slot, keys] of counted.keys.entries()) longer[slot] = keys;
    counted.keys = longer;
  }
  const column = new Array<string | undefined>(eventsIn(counted)).fill(undefined);
  counted.keys[keySlot] = column;
  return column;
}

/** What event `i` adds to a plain measure that counts it: a key counts as one. */
export function addedBy({ cells, stride }: Counted, { adds }: Measure, i: number): number {
  return adds === "amount" ? (cells[i * stride + AMOUNT] as number) : 1;
}

/** Index of the newest event that the measure with this index counts; -1 without one. */
export function newestCounted(counted: Counted, index: number): number {
  for (let i = eventsIn(counted) - 1; i >= 0; i -= 1) if (isCounted(counted, index, i)) return i;
  return -1;
}
