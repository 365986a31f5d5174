/**
 * Packed form of the state of an entity, the base of what a store keeps (entity-codec.ts). Measures are found again by
 * the hash of their definition, rules and flows by their ids: after an edit of the pack, what is still the same keeps
 * its state, what vanished is dropped and what is new starts empty. The same state gives the same bytes.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { fnv1a32 } from "../base/hash.ts";
import { NONE } from "../base/lists.ts";
import { writeTexts } from "../domain/codec-parts.ts";
import type { EntityKind } from "../domain/entity.ts";
import { decodeProfile, encodeProfile } from "../domain/profile-codec.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import { decodeView, encodeView } from "../domain/view-codec.ts";
import type { Measure, Pack } from "../rules/plan.ts";
import { read32, read48, readTime, TextList, TextTable, write32, write48, writeTime } from "./codec-texts.ts";
import { decodeNumbers, decodeSets, encodeNumbers, encodeSets } from "./counted-codec.ts";
import { decodeMeasure, encodeMeasure, type MeasureFrame } from "./measure-codec.ts";
import { newState } from "./new-state.ts";
import { decodeRecent, encodeRecent } from "./recent-codec.ts";
import { decodeAlert, decodeFlow, decodeRule, encodeAlert, encodeFlow, encodeRule } from "./rule-codec.ts";
import { decodeSamples, encodeSamples } from "./sample-codec.ts";
import type { EntityState, MeasureState } from "./state.ts";

/** Version of the packed form; a change of layout needs the next one. */
export const STATE_VERSION = 7;

const OWN = 1;
const HAS_REF = 2;
const HAS_CLOCK = 4;
const HAS_ACT = 8;
const HAS_WARMING = 16;

/** Appends a state, told relative to the plan that `pack` has for `kind`. */
export function encodeState(writer: ByteWriter, state: EntityState, pack: Pack, kind: EntityKind): void {
  const origin = Number.isFinite(state.clock) ? state.clock : 0;
  const texts = new TextTable();
  writer.u8(STATE_VERSION);
  const flags = (state.own ? OWN : 0) | (state.ref === undefined ? 0 : HAS_REF);
  const act = state.act === undefined ? 0 : HAS_ACT;
  const warming = state.warming === undefined ? 0 : HAS_WARMING;
  writer.u8(flags | act | warming | (Number.isFinite(state.clock) ? HAS_CLOCK : 0));
  if (Number.isFinite(state.clock)) writer.zigzag(state.clock);
  if (state.ref !== undefined) writer.text(state.ref);
  if (state.act !== undefined) {
    writer.zigzag(state.act.time - origin);
    writer.text(state.act.cell);
  }
  writeTime(writer, state.since, origin);
  writeTime(writer, state.victimUntil, origin);
  writer.varint(state.seq);
  writer.varint(state.openAuthorisations);
  writer.varint(state.counterparties);
  encodeRecent(writer, state.recent, state.clock, texts);
  writer.varint(state.seen?.size ?? 0);
  for (const [hash, time] of state.seen ?? []) {
    write48(writer, hash);
    writer.zigzag(time - origin);
  }
  writer.varint(state.tombstones.length);
  for (const hash of state.tombstones) write48(writer, hash);
  encodePlanned(writer, state, pack, kind, origin, texts);
  writer.varint(state.hits.length);
  for (const hit of state.hits) encodeView(writer, hit);
  writer.varint(state.marks.length);
  for (const mark of state.marks) encodeView(writer, mark);
  writer.varint(state.passed?.size ?? 0);
  for (const hash of state.passed ?? []) write48(writer, hash);
  writer.varint(state.profiles.length);
  for (const profile of state.profiles) encodeProfile(writer, profile);
  writeTexts(writer, state.tellTo);
  if (state.warming !== undefined) encodeWarming(writer, state.warming, pack.subjects[kind].measures, origin);
}

/** Reads a state. Throws a RangeError on bytes that are none, or of another version. */
export function decodeState(reader: ByteReader, pack: Pack, kind: EntityKind): EntityState {
  const version = reader.u8();
  if (version !== STATE_VERSION) reader.fail(`state of version ${STATE_VERSION}, but one of ${version},`);
  const texts = new TextList();
  // Filled in place: every state has one shape, and what runs over states is fast only on one.
  const state: Mutable<EntityState> = newState(pack.subjects[kind]);
  const flags = reader.u8();
  if (flags & HAS_CLOCK) state.clock = reader.zigzag();
  const origin = Number.isFinite(state.clock) ? state.clock : 0;
  state.own = (flags & OWN) !== 0;
  state.ref = flags & HAS_REF ? reader.text() : undefined;
  if (flags & HAS_ACT) state.act = { time: reader.zigzag() + origin, cell: reader.text() };
  state.since = readTime(reader, origin);
  state.victimUntil = readTime(reader, origin);
  state.seq = reader.varint();
  state.openAuthorisations = reader.varint();
  state.counterparties = reader.varint();
  decodeRecent(reader, state.recent, state.clock, texts);
  for (let left = reader.count(7); left > 0; left -= 1) {
    const hash = read48(reader);
    state.seen ??= new Map();
    state.seen.set(hash, reader.zigzag() + origin);
  }
  state.tombstones = readList(reader, 6, () => read48(reader));
  decodePlanned(reader, state, pack, kind, origin, texts);
  state.hits = readList(reader, 8, () => readHit(reader));
  state.marks = readList(reader, 8, () => readMark(reader));
  for (let left = reader.count(6); left > 0; left -= 1) {
    state.passed ??= new Set();
    state.passed.add(read48(reader));
  }
  state.profiles = readList(reader, 8, () => decodeProfile(reader));
  state.tellTo = readList(reader, 1, () => reader.text());
  if (flags & HAS_WARMING) state.warming = decodeWarming(reader, pack.subjects[kind].measures, origin);
  return state;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function encodeWarming(
  writer: ByteWriter,
  warming: ReadonlyMap<number, number>,
  measures: readonly Measure[],
  origin: number,
): void {
  writer.varint(warming.size);
  for (const [index, since] of warming) {
    write32(writer, at(measures, index).definition);
    writer.zigzag(since - origin);
  }
}

function decodeWarming(
  reader: ByteReader,
  measures: readonly Measure[],
  origin: number,
): ReadonlyMap<number, number> | undefined {
  const found = new Map<number, number>();
  const finder = new Finder(measures, (measure) => measure.definition >>> 0);
  for (let left = reader.count(5); left > 0; left -= 1) {
    const index = finder.find(read32(reader));
    const since = reader.zigzag() + origin;
    if (index >= 0) found.set(index, since);
  }
  return found.size === 0 ? undefined : found;
}

/** A state as bytes of its own. */
export function encodeStateBytes(state: EntityState, pack: Pack, kind: EntityKind): Uint8Array {
  return written(state, pack, kind).finish();
}

/** The same as a string with a unit for each byte: one object in the heap, where bytes are memory beside it. */
export function packState(state: EntityState, pack: Pack, kind: EntityKind): string {
  return written(state, pack, kind).toLatin1();
}

/** Reads what `packState` gave. */
export function unpackState(packed: string, pack: Pack, kind: EntityKind): EntityState {
  return decodeStateBytes(Buffer.from(packed, "latin1"), pack, kind);
}

function written(state: EntityState, pack: Pack, kind: EntityKind): ByteWriter {
  WRITER.reset();
  encodeState(WRITER, state, pack, kind);
  return WRITER;
}

/** One buffer for all; nothing is in it between two calls. */
const WRITER = new ByteWriter();

/** Reads what `encodeStateBytes` wrote; bytes left over are an error too. */
export function decodeStateBytes(bytes: Uint8Array, pack: Pack, kind: EntityKind): EntityState {
  const reader = new ByteReader(bytes);
  const state = decodeState(reader, pack, kind);
  if (!reader.done) reader.fail("end of the state");
  return state;
}

/** What is kept by measure, rule, flow and typology; in the order of the plan. */
function encodePlanned(
  writer: ByteWriter,
  state: EntityState,
  pack: Pack,
  kind: EntityKind,
  origin: number,
  texts: TextTable,
): void {
  const plan = pack.subjects[kind];
  const frame: MeasureFrame = { recent: state.recent, origin };
  encodeNumbers(writer, state.recent, plan.measures);
  encodeSets(writer, state.recent, plan.measures, texts);
  writer.varint(state.measures.size);
  state.measures.forEach((measure, index) => {
    write32(writer, at(plan.measures, index).definition);
    encodeMeasure(writer, measure, frame, texts);
  });
  writer.varint(countKept(state.samples));
  for (let i = 0; i < state.samples.length; i += 1) {
    const samples = state.samples[i];
    if (samples === undefined) continue;
    write32(writer, at(plan.samplers, i).definition);
    encodeSamples(writer, samples);
  }
  writer.varint(state.rules.size);
  state.rules.forEach((rule, index) => {
    write32(writer, fnv1a32(at(plan.indicators, index).id));
    encodeRule(writer, rule, origin);
  });
  writer.varint(state.flows.size);
  state.flows.forEach((flow, index) => {
    const rule = at(plan.indicators, index);
    write32(writer, fnv1a32(rule.id));
    write32(writer, flowDefinition(pack, rule.flow));
    encodeFlow(writer, flow, origin);
  });
  writer.varint(state.alerts.size);
  state.alerts.forEach((alert, index) => {
    const rule = at(plan.typologies, index);
    write32(writer, fnv1a32(rule.id));
    encodeAlert(writer, alert, origin, texts, state.clock - alert.last <= rule.suppressForMs);
  });
}

function decodePlanned(
  reader: ByteReader,
  state: EntityState,
  pack: Pack,
  kind: EntityKind,
  origin: number,
  texts: TextList,
): void {
  const plan = pack.subjects[kind];
  const frame: MeasureFrame = { recent: state.recent, origin };
  const measures = new Finder(plan.measures, (measure: Measure) => measure.definition >>> 0);
  const samplers = new Finder(plan.samplers, (sampler) => sampler.definition >>> 0);
  const indicators = new Finder(plan.indicators, (rule) => fnv1a32(rule.id));
  const flows = new Finder(plan.indicators, (rule) => fnv1a32(rule.id));
  const typologies = new Finder(plan.typologies, (rule) => fnv1a32(rule.id));
  const numbers = new Finder(plan.measures, (measure) => measure.definition >>> 0);
  decodeNumbers(reader, state.recent, plan.measures, (definition) => numbers.find(definition));
  const sets = new Finder(plan.measures, (measure) => measure.definition >>> 0);
  decodeSets(reader, state.recent, plan.measures, (definition) => sets.find(definition), texts);
  for (let left = reader.count(7); left > 0; left -= 1) {
    const index = measures.find(read32(reader));
    const kept = decodeMeasure(reader, frame, texts);
    const measure = plan.measures[index];
    if (measure !== undefined && fits(measure, kept)) state.measures = state.measures.set(index, kept);
  }
  for (let left = reader.count(6); left > 0; left -= 1) {
    const index = samplers.find(read32(reader));
    const kept = decodeSamples(reader);
    if (index >= 0) state.samples[index] = kept;
  }
  for (let left = reader.count(7); left > 0; left -= 1) {
    const index = indicators.find(read32(reader));
    const kept = decodeRule(reader, origin);
    if (index >= 0) state.rules = state.rules.set(index, kept);
  }
  for (let left = reader.count(9); left > 0; left -= 1) {
    const index = flows.find(read32(reader));
    const definition = read32(reader);
    const kept = decodeFlow(reader, origin);
    if (index >= 0 && definition === flowDefinition(pack, plan.indicators[index]?.flow))
      state.flows = state.flows.set(index, kept);
  }
  for (let left = reader.count(8); left > 0; left -= 1) {
    const index = typologies.find(read32(reader));
    const kept = decodeAlert(reader, origin, texts);
    if (index >= 0) state.alerts = state.alerts.set(index, kept);
  }
}

function fits(measure: Measure, kept: MeasureState): boolean {
  if (measure.kind === "split") return kept.labels !== undefined;
  return (measure.kind === "number") === (kept.keys === undefined) && kept.labels === undefined;
}

/**
 * Finds items by hash. What is stored stands in the order of the plan that wrote it, so the search goes
 * on where the last one ended: under an unchanged plan all searches together are one pass.
 */
class Finder<T> {
  readonly #items: readonly T[];
  readonly #hashOf: (item: T) => number;
  #next = 0;

  constructor(items: readonly T[], hashOf: (item: T) => number) {
    this.#items = items;
    this.#hashOf = hashOf;
  }

  /** Index of the item with this hash; -1 when the plan has none any more. */
  find(hash: number): number {
    const length = this.#items.length;
    for (let tried = 0; tried < length; tried += 1) {
      const index = (this.#next + tried) % length;
      if (this.#hashOf(at(this.#items, index)) === hash) {
        this.#next = index + 1;
        return index;
      }
    }
    return -1;
  }
}

function readHit(reader: ByteReader): HitView {
  const view = decodeView(reader);
  return view.kind === "hit" ? view : reader.fail("hit");
}

function readMark(reader: ByteReader): MarkView {
  const view = decodeView(reader);
  return view.kind === "mark" ? view : reader.fail("mark");
}

/** A list of items of at least `leastBytes` each. */
export function readList<T>(reader: ByteReader, leastBytes: number, read: () => T): readonly T[] {
  const items: T[] = [];
  for (let left = reader.count(leastBytes); left > 0; left -= 1) items.push(read());
  return items.length === 0 ? NONE : items;
}

function countKept(items: readonly unknown[]): number {
  let count = 0;
  for (const item of items) if (item !== undefined) count += 1;
  return count;
}

function flowDefinition(pack: Pack, slot: number | undefined): number {
  return slot === undefined ? 0 : at(pack.flows, slot).definition >>> 0;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`invariant broken: state index ${index} beyond a plan of ${items.length}`);
  return item;
}
