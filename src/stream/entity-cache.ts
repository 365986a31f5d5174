/**
 * Entities of one partition in memory. Most entities of a bank move once and not again for long. So a newcomer leaves
 * soon, unless it is asked for again while it is here, or comes back soon after it left: what comes again in such a
 * time is worth its memory (2Q: Johnson, Shasha, 2Q: A Low Overhead High Performance Buffer Management Replacement
 * Algorithm, VLDB 1994). Those that stay leave by the clock algorithm.
 */
import type { EntityKey } from "../domain/entity.ts";
import type { Entity } from "../screen/state.ts";
import { memoryOf } from "./entity-memory.ts";
import type { ScreenEngine } from "./screen-ports.ts";

/**
 * Newcomers take one part in so many of what the cache may hold. Over 20,000 accounts in turn a quarter left 31,000 to
 * be read of 384,000 views, a sixteenth 40,000, and letting the oldest go first 43,000.
 */
const NEWCOMERS_PART = 4;
/** As many keys of those that left are remembered as entities with few movements would fit into the cache. */
const SMALL_ENTITY_BYTES = 4_096;

export interface Cached {
  readonly key: EntityKey;
  /** The one that keeps it: of the pack that was in force at its last view. */
  engine: ScreenEngine;
  entity: Entity;
  /** Encoded length when last known. */
  bytes: number;
  /** Asked for since the hand of the clock passed. */
  used: boolean;
  /** Changed since the last close. */
  dirty: boolean;
  /** Part of the commit in flight. */
  flying: boolean;
}

export class EntityCache {
  /**
   * Where each entity stands in `slots`. A Map leaves its old table behind when it rehashes, and whatever a dead old
   * table refers to lives on until the next full collection: so it refers to numbers.
   */
  private readonly places = new Map<EntityKey, number>();
  private readonly slots: (Cached | undefined)[] = [];
  private readonly free: number[] = [];
  /** Those not asked for again so far, in the order in which they came. */
  private readonly newcomers = new Set<EntityKey>();
  /** Keys of newcomers that left, in the order in which they did. */
  private readonly left = new Set<EntityKey>();
  private hand = 0;
  /** Memory, as estimated from encoded lengths. */
  private newBytes = 0;
  private stayingBytes = 0;

  get size(): number {
    return this.places.size;
  }

  get(key: EntityKey): Cached | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : this.slots[place];
  }

  /** Asks for an entity: one that is here will stay. */
  ask(key: EntityKey): boolean {
    const cached = this.get(key);
    if (cached === undefined) return false;
    if (this.newcomers.delete(key)) {
      this.newBytes -= memoryOf(cached.bytes);
      this.stayingBytes += memoryOf(cached.bytes);
    } else cached.used = true;
    return true;
  }

  /** Holds an entity that was not here. */
  hold(key: EntityKey, engine: ScreenEngine, entity: Entity, bytes: number): void {
    const place = this.free.pop() ?? this.slots.length;
    this.slots[place] = { key, engine, entity, bytes, used: false, dirty: false, flying: false };
    this.places.set(key, place);
    if (this.left.delete(key)) this.stayingBytes += memoryOf(bytes);
    else {
      this.newBytes += memoryOf(bytes);
      this.newcomers.add(key);
    }
  }

  /** The entity takes another length in its encoded form. */
  resize(cached: Cached, bytes: number): void {
    const grown = memoryOf(bytes) - memoryOf(cached.bytes);
    cached.bytes = bytes;
    if (this.newcomers.has(cached.key)) this.newBytes += grown;
    else this.stayingBytes += grown;
  }

  /** Lets entities go until at most `limit` bytes are held. Only those leave that are stored as they are. */
  evict(limit: number): void {
    this.dismissNewcomers(limit / NEWCOMERS_PART);
    for (let tries = this.slots.length * 2; tries > 0 && this.newBytes + this.stayingBytes > limit; tries -= 1) {
      this.hand = (this.hand + 1) % this.slots.length;
      const cached = this.slots[this.hand];
      if (cached === undefined || isBusy(cached) || this.newcomers.has(cached.key)) continue;
      if (cached.used) cached.used = false;
      else {
        this.stayingBytes -= memoryOf(cached.bytes);
        this.drop(cached.key);
      }
    }
    // Where all that stay are waited for, those leave that may.
    this.dismissNewcomers(Math.max(0, limit - this.stayingBytes));
    this.forget(limit / SMALL_ENTITY_BYTES);
  }

  /** Lets newcomers go until at most `most` bytes of them are held. */
  private dismissNewcomers(most: number): void {
    for (const key of this.newcomers) {
      const cached = this.get(key) as Cached; // It is held.
      // Behind one that a commit still waits for stand those of the same commit and of later ones.
      if (this.newBytes <= most || isBusy(cached)) return;
      this.newcomers.delete(key);
      this.newBytes -= memoryOf(cached.bytes);
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

function isBusy({ dirty, flying }: Cached): boolean {
  return dirty || flying;
}
