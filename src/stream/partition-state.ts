/**
 * One views partition in memory: cached entities, what changed since the last commit, origins taken, outputs to
 * hand over. Synchronous and without I/O: `screen-worker.ts` reads, awaits and commits around it. What it puts out
 * is a function of the records alone, however they are cut into commits.
 */
import { assert } from "../base/assert.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { Output, Verdict } from "../screen/outputs.ts";
import type {
  Claim,
  Commit,
  EntityChange,
  OutboxEntry,
  PackInForce,
  PlacedPack,
  Position,
  Seen,
  Stored,
} from "../store/port.ts";
import { formatSequence } from "../store/port.ts";
import type { BusRecord } from "./bus.ts";
import { type Cached, EntityCache, type Flight } from "./entity-cache.ts";
import { encodeMarksEntry } from "./marks-entry.ts";
import { positionAfter } from "./positions.ts";
import { type PackedView, RecordReader, ViewPacker, viewsSource } from "./record.ts";
import { refusedByScreening } from "./rejected.ts";
import type { ScreenEngine } from "./screen-ports.ts";

/** A record of the views topic, read. */
export interface ReadRecord {
  readonly record: BusRecord;
  readonly views: readonly PackedView[];
  /** The pack that takes force with it. */
  readonly pack: PackInForce | undefined;
}

export interface PartitionSettings {
  readonly partition: number;
  readonly partitions: number;
}

/** What was counted since the last call of `takeCounts`. */
export interface Counts {
  views: number;
  repeated: number;
  hits: number;
  readonly verdicts: Partial<Record<Verdict, number>>;
  readonly oversized: { readonly entity: EntityKey; readonly bytes: number }[];
}

/** Derived views of one record leave in several entries when they would exceed this for one partition. */
const MARKS_BYTES = 256 * 1024;
/** Outputs of one view: an index in an origin is view number x this + output number. */
const OUTPUTS_PER_VIEW = 1 << 16;
const VALUE_BYTES_MAX = 32 * 1024;
/** Assumed of an entity that was never encoded. */
const GUESSED_BYTES = 512;

/** Reads a record of the views topic. Throws RangeError when it is none, or of another layout. */
export function readRecord(record: BusRecord, partitions: number): ReadRecord {
  if (record.value === null) throw new RangeError("a tombstone: the views topic is never compacted");
  const reader = new RecordReader(record.value, partitions);
  const views: PackedView[] = [];
  for (let view = reader.next(); view !== undefined; view = reader.next()) views.push(view);
  return { record, views, pack: reader.pack };
}

export class PartitionState {
  readonly partition: number;
  /** Token under which commits are made; `renew` changes it. */
  owner: string;
  /** Dropped: whatever still awaits on it must leave it alone. */
  gone = false;
  /** Up to here the store has acknowledged. */
  committed: bigint;
  /** Greatest event time among movements taken. */
  eventTime = Number.NEGATIVE_INFINITY;

  private readonly packer: ViewPacker;
  /** Of this partition, as the packer numbers it. */
  private readonly packerSource: number;
  /** Outputs of records below this are known to be published: a rebuild is silent so far. */
  private readonly mutedTo: bigint;
  private readonly cache = new EntityCache();
  private readonly engines = new Map<number, ScreenEngine>();
  private inForce: PlacedPack | undefined;
  /** Of the pack in force. */
  private engine: ScreenEngine | undefined;
  private readonly seen = new Map<string, Origin>();
  /** Those that the last commit did not tell. */
  private readonly seenChanged = new Set<Origin>();
  private dirty: Cached[] = [];
  private flight: Flight | undefined;
  private dirtyBytes = 0;
  private outbox: OutboxEntry[] = [];
  private out: Output[] = [];
  /** What the last commit handed over moves to. */
  private closed: Position;
  private applied: BusRecord | undefined;
  private next: bigint;
  private counts = newCounts();

  constructor(settings: PartitionSettings, owner: string, position: Position, claim: Claim, mutedTo: bigint) {
    this.partition = settings.partition;
    this.packer = new ViewPacker(settings.partitions);
    this.packerSource = this.packer.source(viewsSource(settings.partition));
    this.owner = owner;
    this.closed = position;
    this.committed = position.next;
    this.next = position.next;
    this.mutedTo = mutedTo;
    this.inForce = claim.pack;
    for (const origin of claim.seen) this.seen.set(origin.source, { ...origin });
  }

  /** In force at `nextOffset`; undefined while nothing has said so. */
  get pack(): PlacedPack | undefined {
    return this.inForce;
  }

  /** Whether the engine with this tag was given to it. */
  knows(tag: number): boolean {
    return this.engines.has(tag);
  }

  /** Gives it an engine, for the pack in force or for values that were written under another. */
  learn(engine: ScreenEngine): void {
    this.engines.set(engine.tag, engine);
    if (engine.pack.hash === this.inForce?.hash) this.engine = engine;
  }

  /** The pack in force is known, and its engine. */
  get canFold(): boolean {
    return this.engine !== undefined;
  }

  /** Whether the record changes the pack: a repeated or overtaken activation does not. */
  changesPack({ pack }: ReadRecord): boolean {
    return pack !== undefined && (this.inForce === undefined || pack.activation > this.inForce.activation);
  }

  /** `pack` is in force for what follows; `from`: by the record at this offset. */
  enter(pack: PackInForce, from?: bigint): void {
    this.inForce = { ...pack, from };
    this.engine = undefined;
    for (const engine of this.engines.values()) if (engine.pack.hash === pack.hash) this.engine = engine;
  }

  /** Tags of values whose engines it was not given yet. */
  unknownTags(values: readonly (Stored | undefined)[]): Set<number> {
    const unknown = new Set<number>();
    const engine = this.current();
    for (const stored of values) {
      if (stored === undefined) continue;
      const tag = engine.tagOf(stored.value);
      if (!this.engines.has(tag)) unknown.add(tag);
    }
    return unknown;
  }

  /** Offset of the record to take next. */
  get nextOffset(): bigint {
    return this.next;
  }

  /** Where the last closed commit ends: values written beyond it are foreign. */
  get closedAt(): Position {
    return this.closed;
  }

  get entityCount(): number {
    return this.cache.size;
  }

  /** Entities and bytes that a commit would write now; records taken since the last one. */
  get pending(): { readonly entities: number; readonly bytes: number; readonly records: boolean } {
    return { entities: this.dirty.length, bytes: this.dirtyBytes, records: this.applied !== undefined };
  }

  /** Adds to `wanted` the entities of a record that must be read first. */
  missing(read: ReadRecord, wanted: Set<EntityKey>): void {
    for (const { view } of read.views) if (!this.cache.ask(view.entity)) wanted.add(view.entity);
  }

  /** Whether no value was written by a commit that this partition does not know. */
  ownsAll(values: readonly (Stored | undefined)[]): boolean {
    return values.every((stored) => stored === undefined || stored.writtenAt <= this.closed.next);
  }

  /** Takes values read in; the engine of each was learnt. Throws RangeError when one is not an entity's. */
  admit(keys: readonly EntityKey[], values: readonly (Stored | undefined)[]): void {
    const current = this.current();
    for (const [i, key] of keys.entries()) {
      const stored = values[i];
      if (stored === undefined) this.cache.hold(key, current, current.newEntity(key), GUESSED_BYTES);
      else {
        const engine = this.engines.get(current.tagOf(stored.value));
        assert(engine !== undefined, "the engine of a value is learnt before it is admitted");
        this.cache.hold(key, engine, engine.decode(key, stored.value, stored.additions), lengthOf(stored));
      }
    }
  }

  /** Folds one record whose entities are all in the cache. */
  take(read: ReadRecord): void {
    const { record, views } = read;
    assert(record.offset === this.next, "records are taken without a gap");
    const muted = record.offset < this.mutedTo;
    if (this.changesPack(read) && read.pack !== undefined) this.enter(read.pack, record.offset);
    for (const [number, { source, offset, index, view, packed }] of views.entries()) {
      if (!this.advance(source, offset, index)) {
        this.counts.repeated++;
        continue;
      }
      const cached = this.cache.get(view.entity);
      assert(cached !== undefined, "every entity of a record is admitted before it is taken");
      const verdict = this.underPack(cached).apply(cached.entity, view, this.out, packed);
      this.counts.views++;
      this.counts.verdicts[verdict] = (this.counts.verdicts[verdict] ?? 0) + 1;
      if (view.kind === "tx" && view.time > this.eventTime) this.eventTime = view.time;
      this.touch(cached);
      const refused = muted ? undefined : refusedByScreening(source, offset, view, verdict);
      if (refused) this.addEntry("alerts", formatSequence(record.offset, number, 0), jsonOf(refused));
      if (this.out.length > 0) this.handOver(record, number, muted);
    }
    this.flushMarks(record);
    this.applied = record;
    this.next = record.offset + 1n;
  }

  /** Everything since the last close as one commit; undefined when no record was taken. One is in flight at a time. */
  close(): Commit | undefined {
    if (this.applied === undefined) return undefined;
    assert(this.flight === undefined, "one commit in flight a partition");
    const to = positionAfter(this.applied);
    const flight = { landed: false };
    this.flight = flight;
    const entities = this.dirty.map((cached) => this.change(cached, flight)).filter(({ value }) => value.length > 0);
    // Copies: what is taken while the commit is in flight moves the origins on.
    const seen: Seen[] = [...this.seenChanged].map((origin) => ({ ...origin }));
    const { partition, owner, outbox, closed: from } = this;
    this.dirty = [];
    this.dirtyBytes = 0;
    this.outbox = [];
    this.seenChanged.clear();
    this.applied = undefined;
    this.closed = to;
    const pack = this.inForce;
    assert(pack !== undefined, "no record is taken before a pack is in force");
    // Redis collects what has been idle for twice the longest window.
    const ttlMs = 2 * this.current().pack.horizonMs;
    return { partition, owner, from, to, pack, seen, entities, outbox, ttlMs };
  }

  /** The commit in flight is acknowledged: what it wrote may leave the cache. */
  acknowledge(): void {
    this.committed = this.closed.next;
    assert(this.flight !== undefined, "only what was closed is acknowledged");
    this.flight.landed = true;
    this.flight = undefined;
  }

  /** Lets go of entities until at most `bytes` are held. */
  evict(bytes: number): void {
    this.cache.evict(bytes);
  }

  /** Counts since the last call. */
  takeCounts(): Counts {
    const { counts } = this;
    this.counts = newCounts();
    return counts;
  }

  /** Takes an origin as the newest of its source; false where it was taken before. */
  private advance(source: string, offset: bigint, index: number): boolean {
    let origin = this.seen.get(source);
    if (origin === undefined) {
      origin = { source, offset, index };
      this.seen.set(source, origin);
    } else if (!isAfter(offset, index, origin)) return false;
    origin.offset = offset;
    origin.index = index;
    this.seenChanged.add(origin);
    return true;
  }

  private current(): ScreenEngine {
    assert(this.engine !== undefined, "the engine of the pack in force is learnt before it is used");
    return this.engine;
  }

  /** The engine in force, with the entity taken over from the one that kept it so far. */
  private underPack(cached: Cached): ScreenEngine {
    const engine = this.current();
    if (cached.engine !== engine) {
      cached.entity = engine.adopt(cached.entity, cached.engine);
      cached.engine = engine;
    }
    return engine;
  }

  private touch(cached: Cached): void {
    if (cached.dirty) return;
    cached.dirty = true;
    this.dirty.push(cached);
    this.dirtyBytes += cached.bytes;
  }

  private change(cached: Cached, flight: Flight): EntityChange {
    const { key, entity, engine } = cached;
    const addition = engine.addition(entity);
    const isAddition = addition !== undefined;
    const value = addition ?? engine.encode(entity);
    const bytes = value.length + (isAddition ? cached.bytes : 0);
    this.cache.resize(cached, bytes);
    this.cache.depart(cached, flight, isAddition ? undefined : value);
    if (bytes > VALUE_BYTES_MAX) this.counts.oversized.push({ entity: key, bytes });
    return { key, value, isAddition };
  }

  /** Sorts the outputs of one view into the lanes. */
  private handOver(record: BusRecord, view: number, muted: boolean): void {
    assert(this.out.length < OUTPUTS_PER_VIEW, "the caps on marks bound what one view puts out");
    for (const [number, output] of this.out.entries()) {
      if (output.kind === "hit") this.counts.hits++;
      else if (!muted) {
        if (output.kind === "view")
          this.packer.add(this.packerSource, Number(record.offset), view * OUTPUTS_PER_VIEW + number, output.view);
        else this.addEntry("alerts", formatSequence(record.offset, view, number), jsonOf(output.alert));
      }
    }
    this.out.length = 0;
    // An edge that depends on the record alone, so that entries are the same in every run.
    if (this.packer.bytes > MARKS_BYTES) this.flushMarks(record, view);
  }

  /** One entry for each partition that derived views of this record are for. */
  private flushMarks(record: BusRecord, view = OUTPUTS_PER_VIEW): void {
    if (this.packer.views === 0) return;
    for (const { partition, value } of this.packer.take()) {
      assert(value !== null && typeof value !== "string", "packed records are bytes");
      this.addEntry("marks", formatSequence(record.offset, view, partition), encodeMarksEntry(partition, value));
    }
  }

  private addEntry(lane: OutboxEntry["lane"], sequence: string, value: Uint8Array): void {
    this.outbox.push({ lane, sequence, value });
    this.dirtyBytes += value.length;
  }
}

/** The newest origin taken from a source. */
interface Origin {
  readonly source: string;
  offset: bigint;
  index: number;
}

function jsonOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function lengthOf({ value, additions }: Stored): number {
  return additions.reduce((sum, piece) => sum + piece.length, value.length);
}

function isAfter(offset: bigint, index: number, origin: Origin): boolean {
  return offset > origin.offset || (offset === origin.offset && index > origin.index);
}

function newCounts(): Counts {
  return { views: 0, repeated: 0, hits: 0, verdicts: {}, oversized: [] };
}
