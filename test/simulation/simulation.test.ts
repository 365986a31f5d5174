/**
 * The seeded simulation in the size of a CI run: a fixed stretch of seeds and a fresh one, every run compared with a
 * plain pass; the same seed gives the same run; and each planted bug is found.
 */
import { afterAll, describe, expect, test } from "vitest";
import { PLANTS } from "./plants.ts";
import { crashPoints, totalsOf } from "./report.ts";
import { type Result, simulate } from "./simulate.ts";

const RUNS = 30;
const FIXED_SEED = 1;
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

  test("gives what a plain pass gives, for fixed seeds", () => expectAllWell(FIXED_SEED, RUNS, results), 300_000);

  test(`and for fresh ones, from ${FRESH_SEED}`, () => expectAllWell(FRESH_SEED, RUNS, results), 300_000);

  test("dies and pauses in many places", () => {
    expect(results.reduce((sum, result) => sum + crashPoints(result), 0)).toBeGreaterThan(20 * RUNS);
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

describe("a planted bug is found", () => {
  for (const [name, { says, wrong }] of Object.entries(PLANTS)) {
    test(`${name}: ${says}`, async () => {
      let found: number | undefined;
      for (let seed = FIXED_SEED; found === undefined && seed < FIXED_SEED + RUNS; seed++) {
        if ((await simulate(seed, { wrong: wrong() })).faults.length > 0) found = seed;
      }
      expect(found).toBeDefined();
    }, 120_000);
  }
});
