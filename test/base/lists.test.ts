import fc from "fast-check";
import { expect, test } from "vitest";
import { appended, changeable, NONE } from "../../src/base/lists.ts";

test("a list grows by what is put to its end", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      let list: number[] = [];
      for (const item of items) list = appended(list, item);
      expect(list).toEqual(items);
    }),
  );
});

test("what stands for every empty list cannot be changed, and gives way to one that can", () => {
  expect(() => (NONE as unknown as number[]).push(1)).toThrow(TypeError);
  const list = changeable<number>(NONE);
  list.push(1);
  expect(changeable(list)).toBe(list);
  expect(NONE).toHaveLength(0);
});
