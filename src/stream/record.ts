/**
 * One record of the views topic: a pack that takes force, or packed views for one partition, each with its origin
 * (source, offset, index). All views of one input message for one partition stand together in one record, so that
 * `seen` (store/port.ts) can be compared per view and moved per message. One record may hold views of several
 * sources, so that a worker can merge its inputs by event time and still write large records. A record names the
 * layout (partition count and partitioner) that it was written under; another one is refused.
 */
import { assert } from "../base/assert.ts";
import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { fnv1a32 } from "../base/hash.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { View } from "../domain/view.ts";
import { decodeView, encodeView } from "../domain/view-codec.ts";
import type { PackInForce } from "../store/port.ts";
import type { OutRecord } from "./bus.ts";

/** Names how entities are given to partitions. A change of `partitionOf` is a new name. */
export const PARTITIONER = "fnv1a32/1";

/** The views partition that owns an entity. */
export function partitionOf(entity: EntityKey, partitions: number): number {
  return fnv1a32(entity) % partitions;
}

/** The number that stands in each record for partition count and partitioner. */
export function layoutOf(partitions: number): number {
  return fnv1a32(`${PARTITIONER} ${partitions}`);
}

/** Source name of an input partition; `epoch` is raised by the operator when its log was replaced. */
export function inputSource(topic: string, partition: number, epoch: number): string {
  return epoch === 0 ? `in:${topic}:${partition}` : `in:${topic}:${partition}@${epoch}`;
}

/** The input partition that a source names; undefined where it names another. */
export function inputOf(source: string): { readonly topic: string; readonly partition: number } | undefined {
  const match = /^in:(.+):(\d+)(?:@\d+)?$/.exec(source);
  return match === null ? undefined : { topic: match[1] ?? "", partition: Number(match[2]) };
}

/** Source name of what a views partition caused. */
export function viewsSource(partition: number): string {
  return `views:${partition}`;
}

/** One view of a record with its origin. */
export interface PackedView {
  /** `inputSource` or `viewsSource` of what caused it. */
  readonly source: string;
  /** Of the message (or views record) that caused it. */
  readonly offset: bigint;
  /** Orders the views of one offset for one partition: strictly ascending. */
  readonly index: number;
  readonly view: View;
  /** Its bytes, as `ByteReader.latin1` gives them. */
  readonly packed: string;
}

/** The record that puts a pack in force from its place in a partition on. */
export function encodePackRecord(pack: PackInForce, partitions: number): Uint8Array {
  const writer = new ByteWriter(96);
  writer.u8(PACK_VERSION);
  writer.varint(layoutOf(partitions));
  writer.varint(Number(pack.activation));
  writer.text(pack.hash);
  return writer.finish();
}

/** Collects views by partition and turns them into records. Buffers are kept from batch to batch. */
export class ViewPacker {
  /** Greatest number of views and of bytes that any partition holds now; 0: nothing to take. */
  views = 0;
  bytes = 0;
  private readonly layout: number;
  private readonly slots: Slot[];
  private readonly names: string[] = [];
  private readonly head = new ByteWriter(256);

  constructor(partitions: number) {
    this.layout = layoutOf(partitions);
    this.slots = Array.from({ length: partitions }, () => ({ body: undefined, views: 0, runs: [], order: [] }));
  }

  /** A number for a source name, to add with. */
  source(name: string): number {
    const known = this.names.indexOf(name);
    return known >= 0 ? known : this.names.push(name) - 1;
  }

  /** Adds a view under its entity's partition. Within a source, offsets never fall and indexes rise within one. */
  add(source: number, offset: number, index: number, view: View): void {
    const slot = this.slots[partitionOf(view.entity, this.slots.length)];
    assert(slot !== undefined, "a remainder is below its divisor");
    slot.body ??= new ByteWriter(16_384);
    let run = slot.runs[source];
    if (run === undefined) {
      run = { source, at: slot.order.length, first: offset, last: offset, index: -1 };
      slot.runs[source] = run;
      slot.order.push(run);
    }
    assert(offset > run.last || (offset === run.last && index > run.index), "views are packed in origin order");
    slot.body.varint(run.at);
    slot.body.varint(offset - run.last);
    slot.body.varint(index);
    encodeView(slot.body, view);
    run.last = offset;
    run.index = index;
    slot.views++;
    if (slot.views > this.views) this.views = slot.views;
    if (slot.body.length > this.bytes) this.bytes = slot.body.length;
  }

  /** The records of everything added since the last call, by ascending partition, at most one each. */
  take(): OutRecord[] {
    const records: OutRecord[] = [];
    for (const [partition, slot] of this.slots.entries()) {
      if (slot.views === 0 || slot.body === undefined) continue;
      const head = this.head;
      head.reset();
      head.u8(VERSION);
      head.varint(this.layout);
      head.varint(slot.order.length);
      for (const run of slot.order) {
        head.text(this.names[run.source] ?? "");
        head.varint(run.first);
      }
      head.varint(slot.views);
      head.raw(slot.body.finish());
      records.push({ partition, key: null, value: head.finish() });
      slot.body.reset();
      slot.views = 0;
      slot.runs = [];
      slot.order = [];
    }
    this.views = 0;
    this.bytes = 0;
    return records;
  }
}

/**
 * Reads one record. The constructor throws a RangeError when the bytes are no record or of another
 * layout, `next` when they are cut short or hostile.
 */
export class RecordReader {
  /** Views in the record. */
  readonly count: number;
  /** Of a record that puts a pack in force; it has no views. */
  readonly pack: PackInForce | undefined;
  private readonly reader: ByteReader;
  private readonly sources: { readonly name: string; offset: number }[] = [];
  private read = 0;

  constructor(bytes: Uint8Array, partitions: number) {
    this.reader = new ByteReader(bytes);
    const version = this.reader.u8();
    if (version !== VERSION && version !== PACK_VERSION) {
      throw new RangeError(`views record of version ${version}: this program reads ${VERSION} and ${PACK_VERSION}`);
    }
    if (this.reader.varint() !== layoutOf(partitions)) {
      throw new RangeError(
        `views record of another partition count or partitioner than ${partitions} and ${PARTITIONER}`,
      );
    }
    if (version === PACK_VERSION) {
      this.pack = { activation: BigInt(this.reader.varint()), hash: this.reader.text() };
      this.count = 0;
      return;
    }
    const sources = this.reader.varint();
    if (sources > SOURCES_MAX) throw new RangeError(`views record: ${sources} sources`);
    for (let i = 0; i < sources; i++) this.sources.push({ name: this.reader.text(), offset: this.reader.varint() });
    this.count = this.reader.varint();
  }

  /** The next view, undefined after the last. */
  next(): PackedView | undefined {
    if (this.read === this.count) {
      if (!this.reader.done) throw new RangeError(`views record: ${this.reader.length} bytes after its last view`);
      return undefined;
    }
    const source = this.sources[this.reader.varint()];
    if (source === undefined) throw new RangeError("views record: a source that it does not name");
    source.offset += this.reader.varint();
    if (!Number.isSafeInteger(source.offset)) throw new RangeError("views record: offset beyond 2^53");
    const index = this.reader.varint();
    const from = this.reader.at;
    const view = decodeView(this.reader);
    this.read++;
    const packed = this.reader.latin1(from);
    return { source: source.name, offset: BigInt(source.offset), index, view, packed };
  }
}

const VERSION = 1;
const PACK_VERSION = 2;
/** More than any worker reads from. */
const SOURCES_MAX = 65_536;

interface Slot {
  body: ByteWriter | undefined;
  views: number;
  /** By source number, sparse; and in the order of first appearance. */
  runs: (Run | undefined)[];
  order: Run[];
}

/** The views of one source in one record. */
interface Run {
  readonly source: number;
  /** Its place in the record's table of sources. */
  readonly at: number;
  readonly first: number;
  last: number;
  index: number;
}
