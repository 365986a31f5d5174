/**
 * Packed form of which plain measures count the recent events: the measures once, by the hash of their definition; the
 * few combinations that occur, a bit for each of those measures; and for each event the number of its combination.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import type { Measure } from "../rules/plan.ts";
import { read32, write32 } from "./codec-texts.ts";
import {
  areEqual,
  COUNTED_NOWHERE,
  type CountedIn,
  hasBit,
  isPlain,
  join,
  newWords,
  setCounted,
  share,
} from "./counted.ts";
import type { RecentEvent } from "./state.ts";

/** Appends it for the events of a state. */
export function encodeCounted(writer: ByteWriter, events: readonly RecentEvent[], measures: readonly Measure[]): void {
  const all = newWords(measures.length);
  const combinations: CountedIn[] = [];
  const numbers = new Map<CountedIn, number>();
  for (const { counted, reversed } of events) {
    if (reversed || counted.length === 0 || numbers.has(counted)) continue;
    // Combinations are shared, but not for ever: the same state must give the same bytes.
    let number = combinations.findIndex((known) => areEqual(known, counted)) + 1;
    if (number === 0) number = combinations.push(counted);
    numbers.set(counted, number);
    join(all, counted);
  }
  const named = measures.filter(({ index }) => hasBit(all, index));
  writer.varint(named.length);
  if (named.length === 0) return;
  for (const { definition } of named) write32(writer, definition);
  writer.varint(combinations.length);
  for (const counted of combinations) encodeBits(writer, counted, named);
  for (const { counted, reversed } of events) writer.varint(reversed ? 0 : (numbers.get(counted) ?? 0));
}

/** Reads it into `events`. `find` gives the index of the measure with a definition, -1 when there is none any more. */
export function decodeCounted(
  reader: ByteReader,
  events: readonly RecentEvent[],
  measures: readonly Measure[],
  find: (definition: number) => number,
): void {
  const named: number[] = [];
  for (let left = reader.count(4); left > 0; left -= 1) {
    const index = find(read32(reader));
    const measure = measures[index];
    named.push(measure !== undefined && isPlain(measure) ? index : -1);
  }
  if (named.length === 0) return;
  const combinations: CountedIn[] = [COUNTED_NOWHERE];
  for (let left = reader.count(1); left > 0; left -= 1) combinations.push(decodeBits(reader, named, measures.length));
  for (const event of events) {
    const number = reader.varint();
    event.counted = combinations[number] ?? reader.fail(`combination ${number} of measures`);
  }
}

function encodeBits(writer: ByteWriter, counted: CountedIn, named: readonly Measure[]): void {
  for (let start = 0; start < named.length; start += 8) {
    let bits = 0;
    for (let i = start; i < Math.min(start + 8, named.length); i += 1) {
      if (hasBit(counted, (named[i] as Measure).index)) bits |= 1 << (i - start);
    }
    writer.u8(bits);
  }
}

function decodeBits(reader: ByteReader, named: readonly number[], measures: number): CountedIn {
  const words = newWords(measures);
  for (let start = 0; start < named.length; start += 8) {
    const bits = reader.u8();
    for (let i = start; i < Math.min(start + 8, named.length); i += 1) {
      const index = named[i] as number; // i is within the array.
      if (bits & (1 << (i - start)) && index >= 0) setCounted(words, index);
    }
  }
  return share(words);
}
