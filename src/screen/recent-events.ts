/**
 * The newest movements of an entity, for exact windows, evidence and marks, as columns: what numbers and flags tell of
 * an event stands in one list, its texts in another. As objects they were most of what an entity holds, 170 bytes each,
 * and whoever ran over them waited for memory.
 */
import { assert } from "../base/assert.ts";
import { fnv1a32 } from "../base/hash.ts";
import { appended, SHORT } from "../base/lists.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { Purpose, Rail } from "../domain/tx.ts";
import {
  INCOMING,
  MOVED,
  OPEN,
  OTHER_OWN,
  purposeIn,
  REVERSED,
  type RecentEvent,
  railIn,
  traitsOf,
} from "./recent-event.ts";

// Cells of an event; words of bits follow (`counted.ts`).
const TIME = 0;
const AMOUNT = 1;
/** Hashes of the ids of transaction and movement. */
const TX_HASH = 2;
const MOVEMENT_HASH = 3;
export const CONTENT_HASH = 4;
const TRAITS = 5;
export const BITS = 6;

// Texts of an event.
const TX_ID = 0;
const MOVEMENT_ID = 1;
const OTHER = 2;
const SETTLED_BY = 3;
const TEXTS = 4;

/** Events oldest first; index 0 is the oldest. Sequence numbers grow by one from event to event. */
export class RecentEvents implements Iterable<RecentEvent> {
  length = 0;
  /** Sequence number of event 0, when there is one. */
  firstSeq = 0;
  /** Numbers of one event. */
  readonly stride: number;
  cells: number[] = [];
  /**
   * Words of bits: a bit that is not set here no event has. One that is set some event has had, which may have left;
   * most measures count nothing of most entities, and then nobody has to look at the events one by one.
   */
  ever: number[] = NO_BITS_EVER;
  /** By `Measure.keySlot`: the key that each event shows to sets, while some set counts it there. */
  keys: ((string | undefined)[] | undefined)[] = NO_KEYS;
  private texts: string[] = [];

  /** For a subject with so many measures, without events. */
  constructor(measures: number) {
    this.stride = BITS + ((measures + 31) >>> 5);
  }

  /** Adds an event that nothing counts yet. */
  push(seq: number, event: RecentEvent): void {
    const { cells, texts, stride, keys } = this;
    const { time, amount, txId, movementId, contentHash } = event;
    const hash = fnv1a32(txId);
    const movementHash = movementId === txId ? hash : fnv1a32(movementId);
    const traits = traitsOf(event);
    if (this.length < SHORT) {
      const bits = noBits(stride - BITS);
      this.cells = cells.concat([time, amount, hash, movementHash, contentHash, traits], bits);
      this.texts = texts.concat([txId, movementId, event.other, event.settledBy]);
    } else {
      cells.push(time, amount, hash, movementHash, contentHash, traits);
      for (let word = BITS; word < stride; word += 1) cells.push(0);
      texts.push(txId, movementId, event.other, event.settledBy);
    }
    for (let slot = 0; slot < keys.length; slot += 1) {
      const column = keys[slot];
      if (column !== undefined) keys[slot] = appended(column, undefined);
    }
    if (this.length === 0) this.firstSeq = seq;
    this.length += 1;
  }

  /**
   * Puts `count` events that nothing counts yet where none are. One by one, a list grows as often as there are events
   * or keeps room for more.
   */
  load(firstSeq: number, count: number, read: () => RecentEvent): void {
    assert(this.length === 0, "events are loaded into an empty list");
    if (count === 0) return;
    const words = this.stride - BITS;
    let cell = 0;
    let text = 0;
    for (let i = 0; i < count; i += 1) {
      const event = read();
      const { txId, movementId } = event;
      const hash = fnv1a32(txId);
      LOADED_CELLS[cell++] = event.time;
      LOADED_CELLS[cell++] = event.amount;
      LOADED_CELLS[cell++] = hash;
      LOADED_CELLS[cell++] = movementId === txId ? hash : fnv1a32(movementId);
      LOADED_CELLS[cell++] = event.contentHash;
      LOADED_CELLS[cell++] = traitsOf(event);
      for (let word = 0; word < words; word += 1) LOADED_CELLS[cell++] = 0;
      LOADED_TEXTS[text++] = txId;
      LOADED_TEXTS[text++] = movementId;
      LOADED_TEXTS[text++] = event.other;
      LOADED_TEXTS[text++] = event.settledBy;
    }
    this.cells = LOADED_CELLS.slice(0, cell);
    this.texts = LOADED_TEXTS.slice(0, text);
    this.firstSeq = firstSeq;
    this.length = count;
  }

  /** Takes the oldest event out. */
  shift(): void {
    // `copyWithin` goes cell by cell: with 256 events it made an account a fifth dearer.
    this.cells.splice(0, this.stride);
    this.texts.splice(0, TEXTS);
    for (const column of this.keys) column?.shift();
    this.firstSeq += 1;
    this.length -= 1;
  }

  /** Index of the event with this sequence number; out of range when it is not there. */
  placeOf(seq: number): number {
    return seq - this.firstSeq;
  }

  seqAt(i: number): number {
    return this.firstSeq + i;
  }

  /** Event time, epoch ms. Of what one measure counts it never falls. */
  timeAt(i: number): number {
    return this.cells[i * this.stride + TIME] as number;
  }

  /** Base currency minor units; NaN when unknown. */
  amountAt(i: number): number {
    return this.cells[i * this.stride + AMOUNT] as number;
  }

  contentHashAt(i: number): number {
    return this.cells[i * this.stride + CONTENT_HASH] as number;
  }

  isIncoming(i: number): boolean {
    return (this.traitsAt(i) & INCOMING) !== 0;
  }

  isOtherOwn(i: number): boolean {
    return (this.traitsAt(i) & OTHER_OWN) !== 0;
  }

  isMoved(i: number): boolean {
    return (this.traitsAt(i) & MOVED) !== 0;
  }

  isOpen(i: number): boolean {
    return (this.traitsAt(i) & OPEN) !== 0;
  }

  isReversed(i: number): boolean {
    return (this.traitsAt(i) & REVERSED) !== 0;
  }

  /** Whether money moved, or is held, and nothing has taken it back. */
  isStanding(i: number): boolean {
    return (this.traitsAt(i) & (MOVED | REVERSED)) === MOVED;
  }

  railAt(i: number): Rail {
    return railIn(this.traitsAt(i));
  }

  purposeAt(i: number): Purpose | undefined {
    return purposeIn(this.traitsAt(i));
  }

  txIdAt(i: number): string {
    return this.texts[i * TEXTS + TX_ID] as string;
  }

  movementIdAt(i: number): string {
    return this.texts[i * TEXTS + MOVEMENT_ID] as string;
  }

  otherAt(i: number): EntityKey {
    return this.texts[i * TEXTS + OTHER] as EntityKey;
  }

  settledByAt(i: number): string {
    return this.texts[i * TEXTS + SETTLED_BY] as string;
  }

  /** Event `i` as an object of its own. */
  at(i: number): RecentEvent {
    return {
      time: this.timeAt(i),
      amount: this.amountAt(i),
      incoming: this.isIncoming(i),
      other: this.otherAt(i),
      rail: this.railAt(i),
      purpose: this.purposeAt(i),
      txId: this.txIdAt(i),
      movementId: this.movementIdAt(i),
      otherOwn: this.isOtherOwn(i),
      moved: this.isMoved(i),
      contentHash: this.contentHashAt(i),
      open: this.isOpen(i),
      reversed: this.isReversed(i),
      settledBy: this.settledByAt(i),
    };
  }

  /** The events as objects; what is done to those changes nothing here. */
  *[Symbol.iterator](): Iterator<RecentEvent> {
    for (let i = 0; i < this.length; i += 1) yield this.at(i);
  }

  /** A booking has settled the authorisation `i`. */
  settle(i: number, bookingId: string): void {
    this.texts[i * TEXTS + SETTLED_BY] = bookingId;
    this.clearTrait(i, OPEN);
  }

  setAmount(i: number, amount: number): void {
    this.cells[i * this.stride + AMOUNT] = amount;
  }

  /** A reversal, or the end of an authorisation, takes event `i` out. */
  reverse(i: number): void {
    this.clearTrait(i, OPEN);
    const at = i * this.stride + TRAITS;
    this.cells[at] = (this.cells[at] as number) | REVERSED;
  }

  /**
   * Index of the newest event up to `from` and not before `oldest` (epoch ms) whose transaction or movement may have
   * an id with one of these hashes (`fnv1a32`); -1 without one. Events before one that is older than `oldest` are not
   * looked at.
   */
  findById(from: number, oldest: number, txHash: number, movementHash: number): number {
    const { cells, stride } = this;
    for (let i = from, at = from * stride; i >= 0; i -= 1, at -= stride) {
      if ((cells[at + TIME] as number) < oldest) return -1;
      if (cells[at + TX_HASH] === txHash || cells[at + MOVEMENT_HASH] === movementHash) return i;
    }
    return -1;
  }

  /** Index of the newest event (`incoming`: of that side) of a transaction, or that it settled; -1 without one. */
  findByTx(txId: string, incoming?: boolean): number {
    for (let i = this.length - 1; i >= 0; i -= 1) {
      if (incoming !== undefined && this.isIncoming(i) !== incoming) continue;
      if (this.txIdAt(i) === txId || this.settledByAt(i) === txId) return i;
    }
    return -1;
  }

  private traitsAt(i: number): number {
    return this.cells[i * this.stride + TRAITS] as number;
  }

  private clearTrait(i: number, trait: number): void {
    const at = i * this.stride + TRAITS;
    this.cells[at] = (this.cells[at] as number) & ~trait;
  }
}

/** Where `load` lays events out; nothing in them outlasts a call. They grow to what the longest list needs and stay. */
const LOADED_CELLS: number[] = [0.5];
const LOADED_TEXTS: string[] = [];

const NO_KEYS: ((string | undefined)[] | undefined)[] = [];

/** Words without a bit. */
function noBits(words: number): readonly number[] {
  NO_BITS[words] ??= new Array<number>(words).fill(0);
  return NO_BITS[words];
}

const NO_BITS: number[][] = [];
/** Shared by all that count nothing: whoever sets a bit puts a list of its own in its place. */
const NO_BITS_EVER: number[] = [];
