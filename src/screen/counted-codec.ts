/**
 * Packed form of which plain measures count the recent events: the measures once, by the hash of their definition; the
 * few combinations that occur, a bit for each of those measures; for each event the number of its combination; and for
 * sets the keys that the event shows, each once although several sets count it.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import type { Measure } from "../rules/plan.ts";
import { read32, type TextList, type TextTable, write32 } from "./codec-texts.ts";
import { bitOf, isPlain, keyAt, setCounted, setKey } from "./counted.ts";
import { BITS, type RecentEvents } from "./recent-events.ts";

/** Appends which numbers count the events of a state. */
export function encodeNumbers(writer: ByteWriter, recent: RecentEvents, measures: readonly Measure[]): void {
  const found = combine(recent, measures, masksOf(measures, recent.stride - BITS).numbers);
  if (!encodeMeasures(writer, found)) return;
  for (const number of found.numbers) writer.varint(number);
}

/** Reads it into `recent`. `find` gives the index of the measure with a definition, -1 when there is none any more. */
export function decodeNumbers(
  reader: ByteReader,
  recent: RecentEvents,
  measures: readonly Measure[],
  find: (definition: number) => number,
): void {
  const named = decodeMeasures(reader, measures, find);
  if (named.length === 0) return;
  const combinations = decodeCombinations(reader, named.length);
  for (let i = 0; i < recent.length; i += 1) {
    const number = reader.varint();
    const members = combinations[number] ?? reader.fail(`combination ${number} of measures`);
    for (const member of members) count(recent, named[member] as number, i);
  }
}

/** Appends which keys the events of a state show to sets. */
export function encodeSets(
  writer: ByteWriter,
  recent: RecentEvents,
  measures: readonly Measure[],
  texts: TextTable,
): void {
  const found = combine(recent, measures, masksOf(measures, recent.stride - BITS).sets);
  if (!encodeMeasures(writer, found)) return;
  const { named, numbers } = found;
  const slots = [...new Set(named.map(({ keySlot }) => keySlot))];
  for (const { keySlot } of named) writer.varint(slots.indexOf(keySlot));
  const shownBy = found.combinations.map((words) =>
    slots.filter((slot) => named.some(({ keySlot, index }) => keySlot === slot && hasBit(words, index))),
  );
  writer.varint(numbers.reduce((count, number) => count + Math.min(number, 1), 0));
  let before = -1;
  numbers.forEach((number, i) => {
    if (number === 0) return;
    writer.varint(i - before - 1);
    writer.varint(number);
    for (const slot of shownBy[number - 1] ?? []) texts.write(writer, keyAt(recent, slot, i) as string);
    before = i;
  });
}

/** Reads it into `recent`; keys of measures that are no more are left out. */
export function decodeSets(
  reader: ByteReader,
  recent: RecentEvents,
  measures: readonly Measure[],
  find: (definition: number) => number,
  texts: TextList,
): void {
  const named = decodeMeasures(reader, measures, find);
  if (named.length === 0) return;
  const combinations = decodeCombinations(reader, named.length);
  const columns = named.map(() => reader.varint());
  // A key of which no measure is known any more goes nowhere.
  const slots = new Map<number, number>();
  named.forEach((index, member) => {
    if (index >= 0) slots.set(columns[member] as number, measures[index]?.keySlot ?? -1);
  });
  const shownBy = combinations.map((members) =>
    [...new Set(members.map((member) => columns[member] as number))].sort((a, b) => a - b),
  );
  let at = -1;
  for (let left = reader.count(2); left > 0; left -= 1) {
    at += reader.varint() + 1;
    if (at >= recent.length) reader.fail(`recent event ${at}`);
    const number = reader.varint();
    const members = combinations[number] ?? reader.fail(`combination ${number} of measures`);
    const known = members.map((member) => named[member] as number);
    for (const index of known) count(recent, index, at);
    for (const column of shownBy[number] ?? []) {
      const key = texts.read(reader);
      const slot = slots.get(column);
      const isShown = known.some((index) => index >= 0 && measures[index]?.keySlot === slot);
      if (slot !== undefined && isShown) setKey(recent, slot, at, key);
    }
  }
}

function count(recent: RecentEvents, index: number, i: number): void {
  if (index >= 0) setCounted(recent, index, i);
}

interface Combined {
  /** Measures that occur, in the order of the plan. */
  readonly named: readonly Measure[];
  /** Words of bits of an event, with nothing but those of these measures. */
  readonly combinations: readonly (readonly number[])[];
  /** Of each event: 0, or the number of its combination from 1. */
  readonly numbers: readonly number[];
}

/** Words with the bits of all measures that are numbers, and of all that are sets. */
interface Masks {
  readonly numbers: readonly number[];
  readonly sets: readonly number[];
}

/** Made once for the measures of a plan. */
function masksOf(measures: readonly Measure[], words: number): Masks {
  const known = MASKS.get(measures);
  if (known !== undefined) return known;
  const maskOf = (isWanted: (measure: Measure) => boolean): number[] => {
    const mask = new Array<number>(words).fill(0);
    for (const measure of measures) if (isWanted(measure)) setBit(mask, measure.index);
    return mask;
  };
  const masks = {
    numbers: maskOf(({ adds }) => adds === "one" || adds === "amount"),
    sets: maskOf(({ adds }) => adds === "key"),
  };
  MASKS.set(measures, masks);
  return masks;
}

const MASKS = new WeakMap<readonly Measure[], Masks>();

/**
 * The combinations of some measures that occur, in the order in which they do. There are few, and an event is mostly
 * counted like the one before it, so that is asked first.
 */
function combine({ cells, stride }: RecentEvents, measures: readonly Measure[], mask: readonly number[]): Combined {
  const all = new Array<number>(mask.length).fill(0);
  const combinations: number[][] = [];
  const numbers: number[] = [];
  let last = 0;
  for (let start = BITS; start < cells.length; start += stride) {
    if (!isCombination(combinations[last - 1], cells, start, mask)) {
      last = numberOf(combinations, cells, start, mask);
      if (last > combinations.length) {
        const words = mask.map((wanted, word) => (cells[start + word] as number) & wanted);
        combinations.push(words);
        for (let word = 0; word < words.length; word += 1) all[word] = (all[word] as number) | (words[word] as number);
      }
    }
    numbers.push(last);
  }
  return { named: measures.filter(({ index }) => hasBit(all, index)), combinations, numbers };
}

/** 0 where no measure counts the event, else the number of its combination, which may be the next one. */
function numberOf(combinations: number[][], cells: readonly number[], start: number, mask: readonly number[]): number {
  if (isCombination(undefined, cells, start, mask)) return 0;
  const known = combinations.findIndex((words) => isCombination(words, cells, start, mask));
  return (known < 0 ? combinations.length : known) + 1;
}

/** Whether the event whose words begin at `start` is counted like this; undefined: by no measure. */
function isCombination(
  words: readonly number[] | undefined,
  cells: readonly number[],
  start: number,
  mask: readonly number[],
): boolean {
  for (let word = 0; word < mask.length; word += 1) {
    const wanted = words === undefined ? 0 : words[word];
    if (((cells[start + word] as number) & (mask[word] as number)) !== wanted) return false;
  }
  return true;
}

function setBit(words: number[], index: number): void {
  words[index >>> 5] = (words[index >>> 5] as number) | bitOf(index);
}

function hasBit(words: readonly number[], index: number): boolean {
  return ((words[index >>> 5] as number) & bitOf(index)) !== 0;
}

/** Appends measures and combinations; false when there are none. */
function encodeMeasures(writer: ByteWriter, { named, combinations }: Combined): boolean {
  writer.varint(named.length);
  if (named.length === 0) return false;
  for (const { definition } of named) write32(writer, definition);
  writer.varint(combinations.length);
  for (const words of combinations) {
    for (let start = 0; start < named.length; start += 8) {
      let packed = 0;
      for (let i = start; i < Math.min(start + 8, named.length); i += 1) {
        if (hasBit(words, (named[i] as Measure).index)) packed |= 1 << (i - start);
      }
      writer.u8(packed);
    }
  }
  return true;
}

/** Indexes of the measures, -1 for one that is no more. */
function decodeMeasures(
  reader: ByteReader,
  measures: readonly Measure[],
  find: (definition: number) => number,
): number[] {
  const named: number[] = [];
  for (let left = reader.count(4); left > 0; left -= 1) {
    const index = find(read32(reader));
    const measure = measures[index];
    named.push(measure !== undefined && isPlain(measure) ? index : -1);
  }
  return named;
}

/** For each combination its members, as positions in the list of measures; combination 0 has none. */
function decodeCombinations(reader: ByteReader, measures: number): number[][] {
  const combinations: number[][] = [[]];
  for (let left = reader.count(1); left > 0; left -= 1) {
    const members: number[] = [];
    for (let start = 0; start < measures; start += 8) {
      const packed = reader.u8();
      for (let i = start; i < Math.min(start + 8, measures); i += 1) if (packed & (1 << (i - start))) members.push(i);
    }
    combinations.push(members);
  }
  return combinations;
}
