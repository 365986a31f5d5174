/**
 * Packed form of a measure's state. A contribution of a recent event costs a bit where the event tells
 * its time and its value; keys name the event that showed them last.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { oneOf, readNumber, writeNumber } from "../domain/codec-parts.ts";
import type { TextList, TextTable } from "./codec-texts.ts";
import { CELLS, contributionsIn, newestIn, seqAt, timeAt, valueAt } from "./contributions.ts";
import { KeySet } from "./key-set.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { Bucket, KeyEntry, MeasureState } from "./state.ts";

// Flags of a measure.
const KEYED = 1;
const OVERFLOWED = 2;
const ALL_ONES = 4;
const SPLIT = 8;

/** How the recent contributions are told: by a bit or a distance each among the recent events, or in full. */
const PLACES = ["bits", "gaps", "listed"] as const;
type Place = (typeof PLACES)[number];
const VALUES = ["one", "amount", "listed"] as const;

// Flags of a key.
const SHOWN_BY_RECENT = 1;
const FIRST_IS_LAST = 2;
const FIRST_UNKNOWN = 4;
const FIRST_IN_SECONDS = 8;

const SECOND_MS = 1_000;

/** What measures are told relative to. */
export interface MeasureFrame {
  readonly recent: RecentEvents;
  /** Finite. */
  readonly origin: number;
}

/** Appends the state of one measure. */
export function encodeMeasure(writer: ByteWriter, state: MeasureState, frame: MeasureFrame, texts: TextTable): void {
  if (state.keys !== undefined) {
    writer.u8(KEYED | (state.overflowed ? OVERFLOWED : 0));
    encodeKeys(writer, state.keys, frame, texts);
    return;
  }
  const ones = areOnes(state.buckets) && [...(state.groups?.values() ?? [])].every(areOnes);
  const split = state.labels === undefined ? 0 : SPLIT;
  writer.u8((state.overflowed ? OVERFLOWED : 0) | (ones ? ALL_ONES : 0) | split);
  encodeContributions(writer, state, frame);
  encodeBuckets(writer, state.buckets, ones, frame.origin);
  if (state.labels === undefined || state.groups === undefined) return;
  for (const label of state.labels) texts.write(writer, label);
  writer.varint(state.groups.size);
  for (const [key, buckets] of state.groups) {
    texts.write(writer, key);
    encodeBuckets(writer, buckets, ones, frame.origin);
  }
}

function areOnes(buckets: readonly Bucket[]): boolean {
  return buckets.every((b) => b.sum === b.count && b.min === 1 && b.max === 1);
}

/** Reads the state of one measure. */
export function decodeMeasure(reader: ByteReader, frame: MeasureFrame, texts: TextList): MeasureState {
  const flags = reader.u8();
  const overflowed = (flags & OVERFLOWED) !== 0;
  if (flags & KEYED) {
    const keys = decodeKeys(reader, frame, texts);
    let newest = Number.NEGATIVE_INFINITY;
    for (const entry of keys.entries) newest = entry.lastTime;
    const none = { recent: [], labels: undefined, buckets: [], groups: undefined };
    return { ...none, keys, newest, overflowed };
  }
  const recent = decodeContributions(reader, frame);
  const ones = (flags & ALL_ONES) !== 0;
  const buckets = decodeBuckets(reader, ones, frame.origin);
  const split = (flags & SPLIT) !== 0;
  const labels = split ? Array.from({ length: contributionsIn(recent) }, () => texts.read(reader)) : undefined;
  const groups = split ? decodeGroups(reader, ones, frame.origin, texts) : undefined;
  return { recent, labels, buckets, groups, keys: undefined, newest: newestIn(recent), overflowed };
}

function decodeGroups(reader: ByteReader, ones: boolean, origin: number, texts: TextList): Map<string, Bucket[]> {
  const groups = new Map<string, Bucket[]>();
  for (let left = reader.count(2); left > 0; left -= 1) {
    const key = texts.read(reader);
    groups.set(key, decodeBuckets(reader, ones, origin));
  }
  return groups;
}

function encodeContributions(writer: ByteWriter, state: MeasureState, frame: MeasureFrame): void {
  const { recent } = state;
  const count = contributionsIn(recent);
  writer.varint(count);
  if (count === 0) return;
  const at = placesIn(recent, frame);
  const place: Place = at === undefined ? "listed" : count * 8 > frame.recent.length ? "bits" : "gaps";
  const value = valueForm(recent, frame, at);
  writer.u8(PLACES.indexOf(place) | (VALUES.indexOf(value) << 2));
  if (at === undefined) encodeListed(writer, recent, frame.origin);
  else if (place === "bits") encodeBits(writer, at, frame.recent.length);
  else encodeGaps(writer, at);
  if (value === "listed") for (let i = 0; i < count; i += 1) writeNumber(writer, valueAt(recent, i));
}

/** Where the contributions stand among the recent events; undefined when one does not, or its time differs. */
function placesIn(recent: readonly number[], frame: MeasureFrame): number[] | undefined {
  const places: number[] = [];
  for (let next = 0; next < contributionsIn(recent); next += 1) {
    const at = frame.recent.placeOf(seqAt(recent, next));
    if (!isShown(frame, at, timeAt(recent, next))) return undefined;
    places.push(at);
  }
  return places;
}

/** Whether recent event `at` is there, and of this time. */
function isShown({ recent }: MeasureFrame, at: number, time: number): boolean {
  return at >= 0 && at < recent.length && recent.timeAt(at) === time;
}

function valueForm(
  recent: readonly number[],
  frame: MeasureFrame,
  at: readonly number[] | undefined,
): (typeof VALUES)[number] {
  const count = contributionsIn(recent);
  let ones = 0;
  while (ones < count && valueAt(recent, ones) === 1) ones += 1;
  if (ones === count) return "one";
  return at?.every((place, i) => frame.recent.amountAt(place) === valueAt(recent, i)) ? "amount" : "listed";
}

function encodeListed(writer: ByteWriter, recent: readonly number[], origin: number): void {
  let seq = 0;
  for (let i = 0; i < contributionsIn(recent); i += 1) {
    writer.zigzag(seqAt(recent, i) - seq);
    writer.zigzag(timeAt(recent, i) - origin);
    seq = seqAt(recent, i);
  }
}

function encodeBits(writer: ByteWriter, at: readonly number[], length: number): void {
  let next = 0;
  for (let start = 0; start < length; start += 8) {
    let bits = 0;
    while (next < at.length && (at[next] as number) < start + 8) {
      bits |= 1 << ((at[next] as number) - start);
      next += 1;
    }
    writer.u8(bits);
  }
}

function encodeGaps(writer: ByteWriter, at: readonly number[]): void {
  let before = -1;
  for (const place of at) {
    writer.varint(place - before - 1);
    before = place;
  }
}

function decodeContributions(reader: ByteReader, frame: MeasureFrame): number[] {
  const recent: number[] = [];
  const count = reader.varint();
  if (count === 0) return recent;
  const packed = reader.u8();
  const place = oneOf(reader, PLACES, packed & 3);
  const value = oneOf(reader, VALUES, packed >>> 2);
  if (place === "listed") {
    if (count > reader.length) reader.fail(`${count} contributions`);
    if (value === "amount") reader.fail("amounts of recent events");
    decodeListed(reader, count, frame.origin, recent);
  } else {
    const at = place === "bits" ? decodeBits(reader, frame.recent.length) : decodeGaps(reader, count);
    if (at.length !== count) reader.fail(`${count} contributions`);
    for (const one of at) {
      if (one >= frame.recent.length) reader.fail(`recent event ${one}`);
      const amount = value === "amount" ? frame.recent.amountAt(one) : 1;
      recent.push(frame.recent.seqAt(one), frame.recent.timeAt(one), amount);
    }
  }
  if (value === "listed") for (let i = 0; i < count; i += 1) recent[i * CELLS + 2] = readNumber(reader);
  return recent;
}

/** Each with the value 1. */
function decodeListed(reader: ByteReader, count: number, origin: number, recent: number[]): void {
  let seq = 0;
  for (let i = 0; i < count; i += 1) {
    seq += reader.zigzag();
    recent.push(seq, reader.zigzag() + origin, 1);
  }
}

function decodeBits(reader: ByteReader, length: number): number[] {
  const at: number[] = [];
  for (let start = 0; start < length; start += 8) {
    const bits = reader.u8();
    for (let bit = 0; bit < 8; bit += 1) if (bits & (1 << bit)) at.push(start + bit);
  }
  return at;
}

function decodeGaps(reader: ByteReader, count: number): number[] {
  if (count > reader.length) reader.fail(`${count} contributions`);
  const at: number[] = [];
  let place = -1;
  for (let i = 0; i < count; i += 1) {
    place += reader.varint() + 1;
    at.push(place);
  }
  return at;
}

function encodeBuckets(writer: ByteWriter, buckets: readonly Bucket[], ones: boolean, origin: number): void {
  writer.varint(buckets.length);
  let time = origin;
  for (const bucket of buckets) {
    writer.zigzag(bucket.first - time);
    writer.varint(bucket.last - bucket.first);
    writer.varint(bucket.count);
    time = bucket.last;
    if (ones) continue;
    writeNumber(writer, bucket.sum);
    if (bucket.count === 1 && bucket.min === bucket.sum && bucket.max === bucket.sum) {
      writer.u8(1);
      continue;
    }
    writer.u8(0);
    writeNumber(writer, bucket.min);
    writeNumber(writer, bucket.max);
  }
}

function decodeBuckets(reader: ByteReader, ones: boolean, origin: number): Bucket[] {
  const length = reader.count(3);
  const buckets: Bucket[] = [];
  let time = origin;
  for (let i = 0; i < length; i += 1) {
    const first = time + reader.zigzag();
    const last = first + reader.varint();
    const count = reader.varint();
    time = last;
    if (ones) {
      buckets.push({ first, last, count, sum: count, min: 1, max: 1 });
      continue;
    }
    const sum = readNumber(reader);
    const single = reader.u8() === 1;
    const min = single ? sum : readNumber(reader);
    const max = single ? sum : readNumber(reader);
    buckets.push({ first, last, count, sum, min, max });
  }
  return buckets;
}

function encodeKeys(writer: ByteWriter, keys: KeySet, frame: MeasureFrame, texts: TextTable): void {
  writer.varint(keys.size);
  for (const entry of keys.entries) {
    const at = frame.recent.placeOf(entry.lastSeq);
    const shown = isShown(frame, at, entry.lastTime);
    const first = firstFlag(entry);
    writer.u8((shown ? SHOWN_BY_RECENT : 0) | first);
    texts.write(writer, entry.key);
    if (shown) {
      writer.varint(frame.recent.length - 1 - at);
    } else {
      writer.zigzag(entry.lastSeq);
      writer.zigzag(entry.lastTime - frame.origin);
    }
    if (first === FIRST_IN_SECONDS) writer.varint((entry.lastTime - entry.firstTime) / SECOND_MS);
    else if (first === 0) writer.zigzag(entry.lastTime - entry.firstTime);
  }
}

function decodeKeys(reader: ByteReader, frame: MeasureFrame, texts: TextList): KeySet {
  const count = reader.count(3);
  const keys = new KeySet();
  for (let i = 0; i < count; i += 1) {
    const flags = reader.u8();
    const key = texts.read(reader);
    let lastSeq: number;
    let lastTime: number;
    if (flags & SHOWN_BY_RECENT) {
      const at = frame.recent.length - 1 - reader.varint();
      if (at < 0) reader.fail(`recent event ${at}`);
      lastSeq = frame.recent.seqAt(at);
      lastTime = frame.recent.timeAt(at);
    } else {
      lastSeq = reader.zigzag();
      lastTime = reader.zigzag() + frame.origin;
    }
    keys.push({ key, firstTime: readFirst(reader, flags, lastTime), lastTime, lastSeq });
  }
  return keys;
}

/** How the first time of a key is told. */
function firstFlag(entry: KeyEntry): number {
  if (Number.isNaN(entry.firstTime)) return FIRST_UNKNOWN;
  const knownMs = entry.lastTime - entry.firstTime;
  if (knownMs === 0) return FIRST_IS_LAST;
  return knownMs > 0 && knownMs % SECOND_MS === 0 ? FIRST_IN_SECONDS : 0;
}

function readFirst(reader: ByteReader, flags: number, lastTime: number): number {
  if (flags & FIRST_UNKNOWN) return Number.NaN;
  if (flags & FIRST_IS_LAST) return lastTime;
  return lastTime - (flags & FIRST_IN_SECONDS ? reader.varint() * SECOND_MS : reader.zigzag());
}
