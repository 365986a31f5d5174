/**
 * Entities of one partition in memory. Most entities of a bank move once and not again for long. So a newcomer leaves
 * soon, unless it is asked for again while it is here, or comes back soon after it left: what comes again in such a
 * time is worth its memory (2Q: Johnson, Shasha, 2Q: A Low Overhead High Performance Buffer Management Replacement
 * Algorithm, VLDB 1994). Those that stay leave by the clock algorithm.
 */
import type { EntityKey } from "../domain/entity.ts";
import type { Entity } from "../screen/state.ts";
import { memoryOf } from "./entity-memory.ts";
import { Ring } from "./ring.ts";
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
  /** Was asked for again. */
  stays: boolean;
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
  /** In the order in which they came; those that stay by now are passed over. */
  private readonly newcomers = new Ring<Cached>();
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
    if (cached.stays) cached.used = true;
    else {
      cached.stays = true;
      this.newBytes -= memoryOf(cached.bytes);
      this.stayingBytes += memoryOf(cached.bytes);
    }
    return true;
  }

  /** Holds an entity that was not here. */
  hold(key: EntityKey, engine: ScreenEngine, entity: Entity, bytes: number): void {
    const stays = this.left.delete(key);
    const cached = { key, engine, entity, bytes, stays, used: false, dirty: false, flying: false };
    const place = this.free.pop() ?? this.slots.length;
    this.slots[place] = cached;
    this.places.set(key, place);
    if (stays) this.stayingBytes += memoryOf(bytes);
    else {
      this.newBytes += memoryOf(bytes);
      this.newcomers.push(cached);
    }
  }

  /** The entity takes another length in its encoded form. */
  resize(cached: Cached, bytes: number): void {
    const grown = memoryOf(bytes) - memoryOf(cached.bytes);
    cached.bytes = bytes;
    if (cached.stays) this.stayingBytes += grown;
    else this.newBytes += grown;
  }

  /** Lets entities go until at most `limit` bytes are held. Only those leave that are stored as they are. */
  evict(limit: number): void {
    this.dismissNewcomers(limit / NEWCOMERS_PART, limit);
    for (let tries = this.slots.length * 2; tries > 0 && this.newBytes + this.stayingBytes > limit; tries -= 1) {
      this.hand = (this.hand + 1) % this.slots.length;
      const cached = this.slots[this.hand];
      if (cached?.stays !== true || isBusy(cached)) continue;
      if (cached.used) cached.used = false;
      else {
        this.stayingBytes -= memoryOf(cached.bytes);
        this.drop(cached);
      }
    }
    // Where all that stay are waited for, those leave that may.
    this.dismissNewcomers(Math.max(0, limit - this.stayingBytes), limit);
  }

  /** Lets newcomers go until at most `most` bytes of them are held. */
  private dismissNewcomers(most: number, limit: number): void {
    while (this.newBytes > most) {
      const first = this.newcomers.first;
      // Behind one that a commit still waits for stand those of the same commit and of later ones.
      if (first === undefined || (!first.stays && isBusy(first))) return;
      this.newcomers.shift();
      if (first.stays) continue;
      this.newBytes -= memoryOf(first.bytes);
      this.drop(first);
      this.remember(first.key, limit / SMALL_ENTITY_BYTES);
    }
  }

  private drop({ key }: Cached): void {
    const place = this.places.get(key) as number; // It is held.
    this.places.delete(key);
    this.slots[place] = undefined;
    this.free.push(place);
  }

  private remember(key: EntityKey, most: number): void {
    this.left.add(key);
    for (const oldest of this.left) {
      if (this.left.size <= most) return;
      this.left.delete(oldest);
    }
  }
}

function isBusy({ dirty, flying }: Cached): boolean {
  return dirty || flying;
}
