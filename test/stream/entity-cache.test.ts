import { setImmediate as tick } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entity } from "../../src/screen/state.ts";
import { type Cached, EntityCache } from "../../src/stream/entity-cache.ts";
import { memoryOf } from "../../src/stream/entity-memory.ts";
import type { ScreenEngine } from "../../src/stream/screen-ports.ts";

const ENGINE = {} as ScreenEngine;
const BYTES = 100;
const ONE = memoryOf(BYTES);

/** Holds an entity as the cache's user does: asks first. Returns what is held. */
function use(cache: EntityCache, key: string): Cached {
  if (!cache.ask(key)) cache.hold(key, ENGINE, { key } as Entity, BYTES);
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
    const often = named("often", 20);
    for (let round = 0; round < 50; round += 1) {
      hold(cache, often.slice(0, 3), limit);
      // Each of these three in every round, the rest between newcomers that never come again.
      hold(cache, named(`once${round}-`, 40), limit);
    }
    const held = often.slice(0, 3).filter((key) => cache.get(key) !== undefined);
    expect(held).toEqual(often.slice(0, 3));
  });

  it("lets newcomers go after a moment although there would be room", () => {
    const cache = new EntityCache();
    hold(cache, named("once", 1_000), 160 * ONE);
    expect(cache.size).toBe(40);
    expect(cache.get("once999")).toBeDefined();
    expect(cache.get("once0")).toBeUndefined();
  });

  it("keeps one that comes back soon after it left", () => {
    const cache = new EntityCache();
    const limit = 160 * ONE;
    hold(cache, named("a", 50), limit);
    expect(cache.get("a0")).toBeUndefined();
    hold(cache, ["a0"], limit);
    hold(cache, named("b", 100), limit);
    expect(cache.get("a0")).toBeDefined();
    expect(cache.get("b0")).toBeUndefined();
  });

  it("remembers no more of those that left than would fit", () => {
    const cache = new EntityCache();
    const limit = 160 * ONE;
    hold(cache, named("a", 2_000), limit);
    hold(cache, ["a0"], limit);
    hold(cache, named("b", 100), limit);
    expect(cache.get("a0")).toBeUndefined();
  });

  it("never lets go of what a commit waits for, and holds no more than it may when none does", () => {
    const action = fc.tuple(fc.constantFrom("use", "write", "store", "grow"), fc.nat(30), fc.nat(2_000));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (actions, entities) => {
        const cache = new EntityCache();
        const limit = entities * ONE;
        const held = new Map<string, Cached>();
        for (const [what, which, bytes] of actions) {
          const key = `e${which}`;
          const cached = use(cache, key);
          held.set(key, cached);
          if (what === "write") cached.dirty = true;
          if (what === "store") cached.dirty = false;
          if (what === "grow") cache.resize(cached, bytes);
          cache.evict(limit);
          for (const [known, of] of held) if (of.dirty) expect(cache.get(known)).toBe(of);
        }
        for (const of of held.values()) of.dirty = false;
        cache.evict(limit);
        const left = [...held].filter(([key, of]) => cache.get(key) === of).map(([, of]) => of);
        expect(cache.size).toBe(left.length);
        expect(left.reduce((sum, { bytes }) => sum + memoryOf(bytes), 0)).toBeLessThanOrEqual(limit);
        cache.evict(0);
        expect(cache.size).toBe(0);
      }),
    );
  });

  it("holds on to nothing that it let go, newcomer or not", async () => {
    const cache = new EntityCache();
    const limit = 20 * ONE;
    const refs: WeakRef<Entity>[] = [];
    for (const key of named("e", 500)) {
      refs.push(new WeakRef(use(cache, key).entity));
      // Some are asked for again at once, so that they never leave as newcomers.
      if (refs.length % 10 > 0) cache.ask(key);
      cache.evict(limit);
    }
    // What a WeakRef was made of lives to the end of the turn.
    await tick();
    collect();
    const alive = refs.filter((ref) => ref.deref() !== undefined);
    expect(alive.length).toBeLessThanOrEqual(20);
    expect(cache.size).toBe(alive.length);
  });

  it("answers for an entity that was let go as for one that was never here", () => {
    const cache = new EntityCache();
    use(cache, "a");
    cache.evict(0);
    expect(cache.get("a")).toBeUndefined();
    expect(cache.ask("a")).toBe(false);
  });
});
