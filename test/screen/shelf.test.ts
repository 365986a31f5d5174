/**
 * A late view folded from near the end of the tail says and leaves what one folded from its beginning does: byte for
 * byte over random arrivals with marks, reversals, bookings and profiles.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../src/base/limits.ts";
import { createEngine } from "../../src/screen/engine.ts";
import { type Delays, knowledge, movements, pack, type Scrambled, scrambled, step } from "./order-arrivals.ts";

/** Close together, so that tails are long, and held back only a little. */
const steps = fc.array(
  step.map((one) => ({ ...one, gapMs: one.gapMs % MINUTE_MS })),
  { minLength: 50, maxLength: 70 },
);
const how: fc.Arbitrary<Delays> = fc.record({
  arrivals: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * MINUTE_MS })), {
    minLength: 1,
    maxLength: 17,
  }),
  holds: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 13 }),
  tailKeep: fc.constantFrom(8, 200),
  storedEach: fc.constantFrom(97, 1_000),
});
const cases = fc.tuple(steps, fc.array(knowledge, { maxLength: 3 }), how);

describe("a shelf", { timeout: 120_000 }, () => {
  it("changes nothing of what is put out and kept", () => {
    const property = fc.property(cases, ([moves, known, delays]) => {
      const txs = movements(moves);
      const shelved = scrambled(txs, known, delays);
      const plain = scrambled(txs, known, { ...delays, withoutShelf: true });
      expect(shelved.verdicts).toEqual(plain.verdicts);
      expect(shelved.outputs).toEqual(plain.outputs);
      expect(kept(shelved)).toEqual(kept(plain));
    });
    for (const seed of [20261126, Date.now() & 0x7fffffff])
      fc.assert(property, { seed, numRuns: 3, endOnFailure: true });
  });

  it("is used on such data, and holds alerts and views that were said before it", () => {
    const runs = fc
      .sample(cases, { seed: 3, numRuns: 4 })
      .map(([moves, known, delays]) => scrambled(movements(moves), known, delays));
    expect(runs.reduce((sum, run) => sum + run.shelved, 0)).toBeGreaterThan(50);
    const shelves = runs.flatMap(({ entities }) => [...entities.values()].flatMap(({ shelf }) => shelf ?? []));
    expect(shelves.some(({ said }) => said.alerts.size > 0)).toBe(true);
    expect(shelves.some(({ said }) => said.views.size > 0)).toBe(true);
  });
});

/** The working state of each entity too, as bytes. */
function kept({ entities }: Scrambled): unknown {
  const engine = createEngine(pack, { tailKeep: 1 });
  return [...entities].map(([key, entity]) => [key, engine.encode(entity), { ...entity, shelf: undefined }]);
}
