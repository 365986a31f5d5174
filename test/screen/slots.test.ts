import fc from "fast-check";
import { expect, test } from "vitest";
import { Slots } from "../../src/screen/slots.ts";

test("slots hold what an array with a place for each would, in order of index", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.integer()), { maxLength: 40 }), (steps) => {
      let slots: Slots<number> = Slots.NONE;
      const plain: (number | undefined)[] = new Array(21).fill(undefined);
      for (const [index, item] of steps) {
        slots = slots.set(index, item);
        plain[index] = item;
      }
      expect(plain.map((_, index) => slots.get(index))).toEqual(plain);
      expect(slots.values()).toEqual(plain.filter((item) => item !== undefined));
      const seen: (number | undefined)[] = new Array(21).fill(undefined);
      slots.forEach((item, index) => {
        seen[index] = item;
      });
      expect(seen).toEqual(plain);
      expect(Slots.of(plain)).toEqual(slots);
      expect(slots.size).toBe(slots.values().length);
    }),
  );
});

test("what one holds never shows in another", () => {
  const slots: Slots<string> = Slots.NONE;
  expect(slots.set(3, "a").get(3)).toBe("a");
  expect(slots.get(3)).toBeUndefined();
  expect(Slots.of<string>([]).get(3)).toBeUndefined();
});
