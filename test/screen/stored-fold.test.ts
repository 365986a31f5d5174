/**
 * An entity that is read back goes on as one that was never stored: with the fold of a long tail beside it, views put
 * behind that, and reversals of what was folded before.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../src/base/limits.ts";
import type { EntityKey } from "../../src/domain/entity.ts";
import type { View } from "../../src/domain/view.ts";
import { routeTx } from "../../src/intake/route.ts";
import { createEngine } from "../../src/screen/engine.ts";
import { decodeEntityParts } from "../../src/screen/entity-codec.ts";
import type { Output } from "../../src/screen/outputs.ts";
import type { Entity } from "../../src/screen/state.ts";
import { move, T0 } from "./build.ts";
import { movements, pack, step } from "./order-arrivals.ts";

/** Close together, so that tails are long. */
const steps = fc.array(
  step.map((one) => ({ ...one, gapMs: one.gapMs % MINUTE_MS })),
  { minLength: 60, maxLength: 90 },
);
/** After how many views each commit ends, and which views come one place later. */
const how = fc.record({
  commits: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 7 }),
  late: fc.array(fc.boolean(), { minLength: 1, maxLength: 11 }),
});

describe("an entity that is read back", { timeout: 120_000 }, () => {
  it("is what it was, whatever of it was stored in one piece or behind that", () => {
    const seen = { folds: 0, behind: 0, late: 0 };
    const property = fc.property(steps, how, (moves, { commits, late }) => {
      for (const views of byEntity(movements(moves).flatMap(routeTx)).values()) {
        const arrived = [...views];
        for (let i = 1; i < arrived.length; i += 1) {
          if (!late[i % late.length]) continue;
          [arrived[i - 1], arrived[i]] = [arrived[i] as View, arrived[i - 1] as View];
          seen.late += 1;
        }
        expectSame(arrived, commits, seen);
      }
    });
    for (const seed of [20261127, Date.now() & 0x7fffffff])
      fc.assert(property, { seed, numRuns: 5, endOnFailure: true });
    // Or it would show nothing.
    expect(Math.min(seen.folds, seen.behind, seen.late)).toBeGreaterThan(30);
  });

  it("leaves out what a reversal in the stored fold takes back", () => {
    const at = (i: number) => T0 + i * 1_000;
    const before = Array.from({ length: 68 }, (_, i) => move({ id: `t${i}`, time: at(i), from: "b", to: "a" }));
    const relation = { kind: "reversal" as const, of: "x", time: at(73) };
    const txs = [
      ...before,
      move({ id: "r", time: at(68), from: "b", to: "a", relation, initiator: "institution" }),
      move({ id: "x", time: at(73), from: "b", to: "a", amount: 90_000 }),
      move({ id: "y", time: at(74), from: "b", to: "a" }),
    ];
    const views = byEntity(txs.flatMap(routeTx)).get("account:a") as View[];
    const seen = { folds: 0, behind: 0 };
    expectSame(views, [1], seen);
    expect(seen.behind).toBeGreaterThan(3);
  });
});

/** One entity stays in memory, another is written at each commit and read back for the next view. */
function expectSame(views: readonly View[], commits: readonly number[], seen: { folds: number; behind: number }): void {
  const engine = createEngine(pack, { tailKeep: 1 });
  const key = views[0]?.entity as EntityKey;
  const held = engine.newEntity(key);
  let read = engine.newEntity(key);
  let value: Uint8Array | undefined;
  let additions: Uint8Array[] = [];
  let left = 1;
  for (const [i, view] of views.entries()) {
    expect(applied(engine, read, view)).toEqual(applied(engine, held, view));
    left -= 1;
    if (left > 0) continue;
    left = commits[i % commits.length] as number;
    const addition = value === undefined ? undefined : engine.addition(read);
    if (addition === undefined) [value, additions] = [engine.encode(read), []];
    else additions.push(addition);
    const { fold, folded, views: all } = decodeEntityParts(value as Uint8Array, key, pack, additions);
    if (fold !== undefined) seen.folds += 1;
    if (fold !== undefined && all.length > folded) seen.behind += 1;
    // What is folded on reading is bounded, however many pieces there are.
    expect(all.length - folded).toBeLessThanOrEqual(64);
    read = engine.decode(key, value as Uint8Array, additions);
    expect(engine.encode(copyOf(read))).toEqual(engine.encode(copyOf(held)));
    expect(read.work).toEqual(engine.decode(key, engine.encode(copyOf(held))).work);
  }
}

/** Encoding notes what is stored; a copy leaves the entity's own note alone. */
function copyOf(entity: Entity): Entity {
  return { ...entity };
}

function applied(engine: ReturnType<typeof createEngine>, entity: Entity, view: View): readonly unknown[] {
  const out: Output[] = [];
  return [engine.apply(entity, view, out), out];
}

function byEntity(views: readonly View[]): Map<EntityKey, View[]> {
  const found = new Map<EntityKey, View[]>();
  for (const view of views) found.set(view.entity, [...(found.get(view.entity) ?? []), view]);
  return found;
}
