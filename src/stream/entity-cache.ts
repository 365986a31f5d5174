/**
 * Entities of one partition in memory. Most entities of a bank move once and not again for long. So a newcomer rests as
 * soon as it is stored: its encoded form is one object without references where the entity is dozens, and taking those
 * through the collector was a fifth of the CPU of screening. One that is asked for again while it rests, or soon after
 * it left, is worth its memory and stays as it is (2Q: Johnson, Shasha, 2Q: A Low Overhead High Performance Buffer
 * Management Replacement Algorithm, VLDB 1994). Those that stay leave by the clock algorithm.
 */
import type { EntityKey } from "../domain/entity.ts";
import type { Entity } from "../screen/state.ts";
import { memoryOf, restingMemoryOf } from "./entity-memory.ts";
import type { ScreenEngine } from "./screen-ports.ts";

/** Those that rest take one part in so many of what the cache may hold. */
const RESTING_PART = 4;
/** As many keys of those that left are remembered as entities with few movements would fit into the cache. */
const SMALL_ENTITY_BYTES = 4_096;

/** One commit: until it has landed the store does not hold what it writes. */
export interface Flight {
  landed: boolean;
}

export interface Cached {
  readonly key: EntityKey;
  /** The one that keeps it: of the pack that was in force at its last view. */
  engine: ScreenEngine;
  entity: Entity;
  /** Encoded length when last known. */
  bytes: number;
  /** Not asked for again so far. */
  isNew: boolean;
  /** Asked for since the hand of the clock passed. */
  used: boolean;
  /** Changed since the last close. */
  dirty: boolean;
  /** The commit that it was part of last. */
  flight: Flight | undefined;
}

/** A newcomer in its encoded form. */
interface Resting {
  readonly engine: ScreenEngine;
  /** Bytes as a string of as many units. */
  readonly packed: string;
  readonly flight: Flight | undefined;
}

export class EntityCache {
  /**
   * Where each entity stands in `slots`. A Map leaves its old table behind when it rehashes, and whatever a dead old
   * table refers to lives on until the next full collection: so it refers to numbers.
   */
  private readonly places = new Map<EntityKey, number>();
  private readonly slots: (Cached | Resting | undefined)[] = [];
  private readonly free: number[] = [];
  /** In the order in which they came: those that were new, of which some are no longer, and those at rest. */
  private readonly newcomers: Cached[] = [];
  private readonly resting = new Set<EntityKey>();
  /** Keys of those that left without being asked for again, in the order in which they did. */
  private readonly left = new Set<EntityKey>();
  private hand = 0;
  /** Memory, as estimated from encoded lengths. */
  private newBytes = 0;
  private restingBytes = 0;
  private stayingBytes = 0;

  get size(): number {
    return this.places.size;
  }

  /** The entity; one that rests is roused, and stays. */
  get(key: EntityKey): Cached | undefined {
    const slot = this.slotOf(key);
    return slot === undefined || !isResting(slot) ? slot : this.rouse(key, slot);
  }

  /** Asks for an entity: one that is here will stay. */
  ask(key: EntityKey): boolean {
    const slot = this.slotOf(key);
    if (slot === undefined) return false;
    if (isResting(slot)) this.rouse(key, slot);
    else if (slot.isNew) {
      slot.isNew = false;
      this.newBytes -= memoryOf(slot.bytes);
      this.stayingBytes += memoryOf(slot.bytes);
    } else slot.used = true;
    return true;
  }

  /** Holds an entity that was not here. */
  hold(key: EntityKey, engine: ScreenEngine, entity: Entity, bytes: number): void {
    const place = this.free.pop() ?? this.slots.length;
    const isNew = !this.left.delete(key);
    const cached = { key, engine, entity, bytes, isNew, used: false, dirty: false, flight: undefined };
    this.slots[place] = cached;
    this.places.set(key, place);
    if (!isNew) this.stayingBytes += memoryOf(bytes);
    else {
      this.newBytes += memoryOf(bytes);
      this.newcomers.push(cached);
    }
  }

  /** The entity takes another length in its encoded form. */
  resize(cached: Cached, bytes: number): void {
    const grown = memoryOf(bytes) - memoryOf(cached.bytes);
    cached.bytes = bytes;
    if (cached.isNew) this.newBytes += grown;
    else this.stayingBytes += grown;
  }

  /**
   * The entity leaves with a commit as it is: a newcomer comes to rest. `whole`: its encoded form, where the commit
   * writes all of it.
   */
  depart(cached: Cached, flight: Flight, whole: Uint8Array | undefined): void {
    cached.dirty = false;
    cached.flight = flight;
    if (cached.isNew) this.rest(cached, whole);
  }

  /** Lets entities go until at most `limit` bytes are held. Only those leave that are stored as they are. */
  evict(limit: number): void {
    this.restNewcomers();
    this.dismiss(limit / RESTING_PART);
    for (let tries = this.slots.length * 2; tries > 0 && this.held > limit; tries -= 1) {
      this.hand = (this.hand + 1) % this.slots.length;
      const slot = this.slots[this.hand];
      if (slot === undefined || isResting(slot) || isBusy(slot) || slot.isNew) continue;
      if (slot.used) slot.used = false;
      else {
        this.stayingBytes -= memoryOf(slot.bytes);
        this.drop(slot.key);
      }
    }
    // Where all that stay are waited for, those leave that may.
    this.dismiss(Math.max(0, limit - this.stayingBytes - this.newBytes));
    this.forget(limit / SMALL_ENTITY_BYTES);
  }

  private get held(): number {
    return this.newBytes + this.restingBytes + this.stayingBytes;
  }

  private slotOf(key: EntityKey): Cached | Resting | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : this.slots[place];
  }

  /** Newcomers that are stored come to rest. */
  private restNewcomers(): void {
    // Behind one that a commit still waits for stand those of the same commit and of later ones.
    const waiting = this.newcomers.findIndex(({ isNew, dirty }) => isNew && dirty);
    const stored = this.newcomers.splice(0, waiting < 0 ? this.newcomers.length : waiting);
    for (const cached of stored) if (cached.isNew) this.rest(cached);
  }

  private rest(cached: Cached, whole?: Uint8Array): void {
    const { key, engine, entity, bytes, flight } = cached;
    cached.isNew = false;
    this.newBytes -= memoryOf(bytes);
    const packed = latin1Of(whole ?? engine.encode(entity));
    this.slots[this.places.get(key) as number] = { engine, packed, flight };
    this.resting.add(key);
    this.restingBytes += restingMemoryOf(packed.length);
  }

  /** One that rested is asked for: it stays. */
  private rouse(key: EntityKey, { engine, packed, flight }: Resting): Cached {
    this.resting.delete(key);
    this.restingBytes -= restingMemoryOf(packed.length);
    const bytes = packed.length;
    const entity = engine.decode(key, Buffer.from(packed, "latin1"), []);
    this.stayingBytes += memoryOf(bytes);
    const cached = { key, engine, entity, bytes, isNew: false, used: false, dirty: false, flight };
    this.slots[this.places.get(key) as number] = cached;
    return cached;
  }

  /** Lets those that rest go until at most `most` bytes of them are held. */
  private dismiss(most: number): void {
    for (const key of this.resting) {
      const resting = this.slotOf(key) as Resting; // It is held.
      // Behind one of the commit in flight stand those of the same commit.
      if (this.restingBytes <= most || isFlying(resting)) return;
      this.restingBytes -= restingMemoryOf(resting.packed.length);
      this.resting.delete(key);
      this.drop(key);
      this.left.add(key);
    }
  }

  private drop(key: EntityKey): void {
    const place = this.places.get(key) as number; // It is held.
    this.places.delete(key);
    this.slots[place] = undefined;
    this.free.push(place);
  }

  /** Remembers at most so many of those that left. */
  private forget(most: number): void {
    for (const oldest of this.left) {
      if (this.left.size <= most) return;
      this.left.delete(oldest);
    }
  }
}

function isBusy(cached: Cached): boolean {
  return cached.dirty || isFlying(cached);
}

function isFlying({ flight }: Cached | Resting): boolean {
  return flight !== undefined && !flight.landed;
}

function isResting(slot: Cached | Resting): slot is Resting {
  return "packed" in slot;
}

function latin1Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
