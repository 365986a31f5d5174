/**
 * Order does not decide: any arrival in which nothing reaches its entity more than L after a later
 * event, any delay of derived views, and any moving of the base give the settled alerts of the ordered pass.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settleAlerts } from "../../src/screen/settled.ts";
import { delays, knowledge, movements, ordered, scrambled, step } from "./order-arrivals.ts";

const PROFILES = fc.array(knowledge, { maxLength: 6 });

/** Runs a property under seeds that never change and under one of today, which a failure prints. */
function underSeeds<T>(property: fc.IProperty<T>, seeds: readonly number[], numRuns: number): void {
  for (const seed of [...seeds, Date.now() & 0x7fffffff]) fc.assert(property, { seed, numRuns });
}

describe("order of arrival", { timeout: 120_000 }, () => {
  it("does not decide the settled alerts", () => {
    const property = fc.property(
      fc.array(step, { minLength: 5, maxLength: 24 }),
      PROFILES,
      delays,
      (steps, known, how) => {
        const txs = movements(steps);
        const expected = settleAlerts(ordered(txs, known, 8));
        expect(settleAlerts(scrambled(txs, known, how).alerts)).toEqual(expected);
      },
    );
    underSeeds(property, [20260105], 30);
  });

  it("does not decide with any moving of the base, byte for byte", () => {
    const property = fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), PROFILES, (steps, known) => {
      const txs = movements(steps);
      expect(ordered(txs, known, 1)).toEqual(ordered(txs, known, 64));
    });
    // Under the second, one correction changes two alerts of an entity, and the base moves up between them.
    underSeeds(property, [20260106, 500834062], 20);
  });

  it("gives alerts of every typology on such data, over links too, and every kind of verdict", () => {
    const cases = fc.sample(fc.tuple(fc.array(step, { minLength: 24, maxLength: 30 }), PROFILES, delays), {
      seed: 7,
      numRuns: 8,
    });
    const runs = cases.map(([steps, known, how]) => scrambled(movements(steps), known, how));
    const found = runs.flatMap((run) => settleAlerts(run.alerts).map((alert) => alert.typology.id));
    for (const id of ["T-AL", "T-NX", "T-RING"]) expect(found.filter((one) => one === id).length).toBeGreaterThan(1);
    const verdicts = new Set(runs.flatMap((run) => run.verdicts));
    for (const verdict of ["judged", "refolded", "reversed", "duplicate", "conflict"] as const) {
      expect(verdicts).toContain(verdict);
    }
  });
});
