/** The total order of an entity's views. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareViews } from "../../src/domain/view.ts";
import { hitView, markView, view } from "./view-arbitrary.ts";

describe("views of an entity", () => {
  it("have one order: what differs is never equal, and swapping turns the sign", () => {
    fc.assert(
      fc.property(fc.oneof(hitView, markView), fc.string(), (telling, id) => {
        fc.pre(id !== telling.id);
        // Two ways of the money from one root to one entity: everything but the telling agrees.
        const other = { ...telling, id };
        expect(compareViews(telling, other)).not.toBe(0);
        expect(Math.sign(compareViews(telling, other))).toBe(-Math.sign(compareViews(other, telling)));
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it("are sorted the same from any arrangement", () => {
    fc.assert(
      fc.property(fc.uniqueArray(view, { comparator: (a, b) => compareViews(a, b) === 0 }), (views) => {
        const sorted = [...views].sort(compareViews);
        expect([...views].reverse().sort(compareViews)).toEqual(sorted);
      }),
      { seed: 6, numRuns: 60 },
    );
  });
});
