/** Random steps of a measure's life: contributions in order and late, removals, expiry. */
import fc from "fast-check";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import type { Step } from "./measure-oracle.ts";

export const WINDOW_MIN_MS = HOUR_MS;
export const WINDOW_MS = 2 * DAY_MS;
export const WINDOWS = [WINDOW_MIN_MS, 3 * HOUR_MS, 10 * HOUR_MS + 1, DAY_MS, WINDOW_MS];

const value = fc.integer({ min: -1_000_000, max: 1_000_000_000 });
const key = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
const gapMs = fc.oneof(
  fc.constant(0),
  fc.nat(3),
  fc.nat(MINUTE_MS),
  fc.nat(HOUR_MS),
  fc.constantFrom(...WINDOWS.map((w) => Math.floor(w / 4))),
);
const add: fc.Arbitrary<Step> = fc.record({ kind: fc.constant("add" as const), gapMs, value, key });
const expireStep: fc.Arbitrary<Step> = fc.constant({ kind: "expire" as const });
const late: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant("late" as const),
  backMs: fc.nat(DAY_MS),
  value,
  key,
});
const remove: fc.Arbitrary<Step> = fc.record({ kind: fc.constant("remove" as const), pick: fc.nat(1_000) });
export const capacity = fc.constantFrom(0, 1, 4, 32, 256);

function steps(...kinds: { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[]): fc.Arbitrary<Step[]> {
  return fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 250, size: "max" });
}

export const inOrder = steps({ weight: 20, arbitrary: add }, { weight: 1, arbitrary: expireStep });
export const withLate = steps(
  { weight: 12, arbitrary: add },
  { weight: 4, arbitrary: late },
  { weight: 1, arbitrary: expireStep },
);
export const withRemovals = steps(
  { weight: 12, arbitrary: add },
  { weight: 2, arbitrary: late },
  { weight: 4, arbitrary: remove },
  { weight: 1, arbitrary: expireStep },
);
