/**
 * Packed form of which plain measures count the recent events: the measures once, by the hash of their definition; the
 * few combinations that occur, a bit for each of those measures; for each event the number of its combination; and for
 * sets the keys that the event shows, each once although several sets count it.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import type { Measure } from "../rules/plan.ts";
import { read32, type TextList, type TextTable, write32 } from "./codec-texts.ts";
import { bitOf, isPlain, keyAt, setCounted, setKey, wordOf } from "./counted.ts";
import type { RecentEvents } from "./recent-events.ts";

/** Appends which numbers count the events of a state. */
export function encodeNumbers(writer: ByteWriter, recent: RecentEvents, measures: readonly Measure[]): void {
  const found = combine(recent, measures, masksOf(measures, recent.stride).numbers);
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
  const found = combine(recent, measures, masksOf(measures, recent.stride).sets);
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
  /** Cells of an event with nothing but the bits of these measures. */
  readonly combinations: readonly (readonly number[])[];
  /** Of each event: 0, or the number of its combination from 1. */
  readonly numbers: readonly number[];
}

/** Cells of an event with nothing but the bits of all measures that are numbers, and of all that are sets. */
interface Masks {
  readonly numbers: readonly number[];
  readonly sets: readonly number[];
}

/** Made once for the measures of a plan. */
function masksOf(measures: readonly Measure[], stride: number): Masks {
  const known = MASKS.get(measures);
  if (known !== undefined) return known;
  const maskOf = (isWanted: (measure: Measure) => boolean): number[] => {
    const mask = new Array<number>(stride).fill(0);
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

/** The combinations of some measures that occur, in the order in which they do. */
function combine({ cells, stride }: RecentEvents, measures: readonly Measure[], mask: readonly number[]): Combined {
  const all = new Array<number>(stride).fill(0);
  const combinations: number[][] = [];
  const known = new Map<number, number[]>();
  const numbers: number[] = [];
  for (let start = 0; start < cells.length; start += stride) {
    let hash = 0;
    let any = 0;
    for (let word = 0; word < stride; word += 1) {
      const bits = (cells[start + word] as number) & (mask[word] as number);
      hash = (Math.imul(hash, 31) + bits) | 0;
      any |= bits;
    }
    if (any === 0) {
      numbers.push(0);
      continue;
    }
    const alike = known.get(hash) ?? [];
    let number = alike.find((one) => isSame(combinations[one - 1] as number[], cells, start, mask));
    if (number === undefined) {
      const words = mask.map((wanted, word) => (cells[start + word] as number) & wanted);
      number = combinations.push(words);
      known.set(hash, [...alike, number]);
      for (let word = 0; word < stride; word += 1) all[word] = (all[word] as number) | (words[word] as number);
    }
    numbers.push(number);
  }
  return { named: measures.filter(({ index }) => hasBit(all, index)), combinations, numbers };
}

function isSame(words: readonly number[], cells: readonly number[], start: number, mask: readonly number[]): boolean {
  for (let word = 0; word < words.length; word += 1) {
    if (words[word] !== ((cells[start + word] as number) & (mask[word] as number))) return false;
  }
  return true;
}

function setBit(words: number[], index: number): void {
  words[wordOf(index)] = (words[wordOf(index)] as number) | bitOf(index);
}

function hasBit(words: readonly number[], index: number): boolean {
  return ((words[wordOf(index)] as number) & bitOf(index)) !== 0;
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
