import { setImmediate as tick } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entity } from "../../src/screen/state.ts";
import { type Cached, EntityCache, type Flight } from "../../src/stream/entity-cache.ts";
import { memoryOf, restingMemoryOf } from "../../src/stream/entity-memory.ts";
import type { ScreenEngine } from "../../src/stream/screen-ports.ts";

const BYTES = 100;
const ONE = memoryOf(BYTES);
const RESTING = restingMemoryOf(BYTES);

/** What an entity of these tests is: its encoded form. */
interface Fake {
  readonly key: string;
  bytes: Uint8Array;
}

const bytesOf = (cached: Cached): Uint8Array => (cached.entity as unknown as Fake).bytes;

const ENGINE = {
  encode: (entity: Entity) => (entity as unknown as Fake).bytes,
  decode: (key: string, bytes: Uint8Array) => ({ key, bytes: Uint8Array.from(bytes) }) as unknown as Entity,
} as unknown as ScreenEngine;

/** Holds an entity as the cache's user does: asks first. Returns what is held. */
function use(cache: EntityCache, key: string): Cached {
  if (!cache.ask(key)) {
    cache.hold(key, ENGINE, { key, bytes: new Uint8Array(BYTES) } as unknown as Entity, BYTES);
  }
  const cached = cache.get(key);
  if (cached === undefined) throw new Error(`${key} is not held`);
  return cached;
}

function hold(cache: EntityCache, keys: readonly string[], limit: number): void {
  for (const key of keys) {
    use(cache, key);
    cache.evict(limit);
  }
}

/** A full collection of garbage. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

const named = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);

describe("the cache of entities", () => {
  it("keeps what is asked for again while very many come once", () => {
    const cache = new EntityCache();
    const limit = 100 * ONE;
    const often = named("often", 3);
    for (let round = 0; round < 50; round += 1) {
      hold(cache, often, limit);
      hold(cache, named(`once${round}-`, 200), limit);
    }
    expect(often.filter((key) => cache.ask(key))).toEqual(often);
  });

  it("lets newcomers go after a while although there would be room", () => {
    const cache = new EntityCache();
    const limit = 160 * ONE;
    hold(cache, named("once", 1_000), limit);
    expect(cache.size).toBe(Math.floor(limit / 4 / RESTING));
    expect(cache.ask("once999")).toBe(true);
    expect(cache.ask("once0")).toBe(false);
  });

  it("keeps one that comes back soon after it left", () => {
    const cache = new EntityCache();
    const limit = 160 * ONE;
    hold(cache, named("a", 380), limit);
    expect(cache.ask("a0")).toBe(false);
    hold(cache, ["a0"], limit);
    hold(cache, named("b", 1_000), limit);
    expect(cache.ask("a0")).toBe(true);
    expect(cache.ask("b0")).toBe(false);
  });

  it("remembers no more of those that left than would fit", () => {
    const cache = new EntityCache();
    const limit = 160 * ONE;
    hold(cache, named("a", 2_000), limit);
    hold(cache, ["a0"], limit);
    hold(cache, named("b", 1_000), limit);
    expect(cache.ask("a0")).toBe(false);
  });

  it("gives one that rests back as it was written", () => {
    const cache = new EntityCache();
    const flight: Flight = { landed: false };
    const cached = use(cache, "a");
    cached.dirty = true;
    const written = Uint8Array.from([1, 128, 255]);
    cache.resize(cached, written.length);
    cache.depart(cached, flight, written);
    flight.landed = true;
    cache.evict(1_000 * ONE);
    expect(bytesOf(cache.get("a") as Cached)).toEqual(written);
  });

  it("never lets go of what a commit waits for, and holds no more than it may when none does", () => {
    const action = fc.tuple(fc.constantFrom("use", "write", "close", "land", "evict"), fc.nat(30), fc.nat(255));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (actions, entities) => {
        const cache = new EntityCache();
        const limit = entities * ONE;
        let dirty = new Map<string, Cached>();
        let flight: Flight = { landed: true };
        /** What an entity last became, while the store does not know it. */
        const waitedFor = new Map<string, Uint8Array>();
        const close = (): void => {
          flight = { landed: false };
          for (const [i, cached] of [...dirty.values()].entries()) {
            const bytes = bytesOf(cached);
            cache.resize(cached, bytes.length);
            cache.depart(cached, flight, i % 2 === 0 ? bytes : undefined);
          }
          dirty = new Map();
        };
        const land = (): void => {
          flight.landed = true;
          for (const key of waitedFor.keys()) if (!dirty.has(key)) waitedFor.delete(key);
        };
        for (const [what, which, size] of actions) {
          const key = `e${which}`;
          if (what === "use") use(cache, key);
          else if (what === "write") {
            const cached = use(cache, key);
            const bytes = new Uint8Array(size + 1).fill(size);
            (cached.entity as unknown as Fake).bytes = bytes;
            cached.dirty = true;
            dirty.set(key, cached);
            waitedFor.set(key, bytes);
          } else if (what === "close" && flight.landed) close();
          else if (what === "land") land();
          else cache.evict(limit);
          for (const [known, bytes] of waitedFor) {
            // One that is dirty must be the very object that was changed.
            if (dirty.has(known)) expect(cache.get(known)).toBe(dirty.get(known));
            else if (size % 2 === 0) expect(bytesOf(cache.get(known) as Cached)).toEqual(bytes);
          }
        }
        land();
        close();
        land();
        cache.evict(limit);
        expect(memoryHeld(cache)).toBeLessThanOrEqual(limit);
        cache.evict(0);
        expect(cache.size).toBe(0);
      }),
    );
  });

  it("holds on to nothing that it let go, and of one that rests to its bytes only", async () => {
    const cache = new EntityCache();
    const limit = 20 * ONE;
    const refs: WeakRef<Entity>[] = [];
    for (const key of named("e", 500)) {
      refs.push(new WeakRef(use(cache, key).entity));
      // Some are asked for again at once, so that they never rest.
      if (refs.length % 10 === 0) cache.ask(key);
      cache.evict(limit);
    }
    // What a WeakRef was made of lives to the end of the turn.
    await tick();
    collect();
    const alive = refs.filter((ref) => ref.deref() !== undefined);
    expect(cache.size).toBeGreaterThan(20);
    expect(alive.length).toBeLessThanOrEqual(20);
  });

  it("answers for an entity that was let go as for one that was never here", () => {
    const cache = new EntityCache();
    use(cache, "a");
    cache.evict(0);
    expect(cache.get("a")).toBeUndefined();
    expect(cache.ask("a")).toBe(false);
  });
});

/** What the cache's slots take by its own measure. */
function memoryHeld(cache: EntityCache): number {
  const slots = (cache as unknown as { slots: readonly ({ bytes: number } | { packed: string } | undefined)[] }).slots;
  return slots.reduce((sum, slot) => {
    if (slot === undefined) return sum;
    return sum + ("packed" in slot ? restingMemoryOf(slot.packed.length) : memoryOf(slot.bytes));
  }, 0);
}
