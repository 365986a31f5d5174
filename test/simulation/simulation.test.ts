/**
 * The seeded simulation in the size of a CI run: a fixed stretch of seeds and a fresh one, every run compared with a
 * plain pass; the same seed gives the same run; and each planted bug is found.
 */
import { afterAll, describe, expect, test } from "vitest";
import { PLANTS, planted } from "./plants.ts";
import { crashPoints, totalsOf } from "./report.ts";
import { type Result, simulate } from "./simulate.ts";

/** Sized so that both stretches together pass 10,000 deaths and pauses. */
const RUNS = 160;
const FIXED_SEED = 1;
/** A planted bug must show within so many. */
const PLANT_SEEDS = 10;
const FRESH_SEED = Date.now() % 2 ** 31;

async function expectAllWell(seed: number, runs: number, into: Result[]): Promise<void> {
  for (let at = seed; at < seed + runs; at++) {
    const result = await simulate(at);
    into.push(result);
    expect(result.faults, `seed ${at}; again: npm run simulate -- --seed ${at}`).toEqual([]);
  }
}

describe("the simulated cluster", () => {
  const results: Result[] = [];
  afterAll(() => process.stderr.write(`simulation: ${totalsOf(results)}\n`));

  test("gives what a plain pass gives, for fixed seeds", () => expectAllWell(FIXED_SEED, RUNS, results), 600_000);

  test(`and for fresh ones, from ${FRESH_SEED}`, () => expectAllWell(FRESH_SEED, RUNS, results), 600_000);

  test("dies and pauses in at least 10,000 places", () => {
    expect(results.reduce((sum, result) => sum + crashPoints(result), 0)).toBeGreaterThanOrEqual(10_000);
  });
});

test("the same seed gives the same run, step by step", async () => {
  for (const seed of [7, 8, 9]) {
    const [first, second] = [await simulate(seed), await simulate(seed)];
    expect(second).toEqual(first);
    expect(first.steps).toBeGreaterThan(500);
  }
  expect((await simulate(7)).trace).not.toBe((await simulate(8)).trace);
});

test("two that are told of each other come to rest: what follows from what is bounded", async () => {
  // Without the bound each withdrawal is a step behind what it withdraws, and the run never ends.
  const result = await simulate(29, { plan: { engine: "marks", messages: 18 } });
  expect(result.faults).toEqual([]);
}, 120_000);

describe("a planted bug is found", () => {
  for (const [name, plant] of Object.entries(PLANTS)) {
    test(`${name}: ${plant.says}`, async () => {
      let found: number | undefined;
      for (let seed = FIXED_SEED; found === undefined && seed < FIXED_SEED + PLANT_SEEDS; seed++) {
        if ((await simulate(seed, planted(plant))).faults.length > 0) found = seed;
      }
      expect(found).toBeDefined();
    }, 120_000);
  }
});
