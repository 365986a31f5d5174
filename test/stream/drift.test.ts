/** Drift: who waits for whom, for how long, and who never does. */
import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { connectRedis } from "../../src/store/redis-connection.ts";
import {
  createMemoryBoard,
  createRedisBoard,
  DriftGate,
  decodeEntry,
  encodeEntry,
  type SeenEntry,
} from "../../src/stream/drift.ts";
import { uniqueName, until } from "./support.ts";

const OPTIONS = { aheadMs: 5_000, waitMs: 60_000 };

function entry(head: number, more: Partial<SeenEntry> = {}): SeenEntry {
  return { head, atEnd: false, progress: 0, writtenAt: 0, ...more };
}

test("the limit is the slowest of the others plus the distance allowed", () => {
  const gate = new DriftGate(OPTIONS);
  expect(gate.limit(0)).toBe(Number.POSITIVE_INFINITY);
  gate.update(
    ["a", "b"],
    new Map([
      ["a", entry(1_000)],
      ["b", entry(9_000)],
    ]),
    0,
  );
  expect(gate.limit(0)).toBe(6_000);
});

test("a partition at its end holds nobody back, unless nobody vouches for it any more", () => {
  const gate = new DriftGate(OPTIONS);
  const board = new Map([["a", entry(1_000, { atEnd: true })]]);
  gate.update(["a"], board, 0);
  expect(gate.limit(0)).toBe(Number.POSITIVE_INFINITY);
  gate.update(["a"], board, 6_000);
  expect(gate.limit(6_000)).toBe(6_000);
});

test("a partition that nobody has told of yet is waited for, as one that does not move: not longer than allowed", () => {
  const gate = new DriftGate(OPTIONS);
  gate.update(["a"], new Map(), 0);
  expect(gate.limit(0)).toBe(Number.NEGATIVE_INFINITY);
  gate.update(["a"], new Map(), 59_999);
  expect(gate.limit(59_999)).toBe(Number.NEGATIVE_INFINITY);
  expect(gate.limit(60_000)).toBe(Number.POSITIVE_INFINITY);
  expect(gate.limit(60_001)).toBe(Number.POSITIVE_INFINITY);
  expect(gate.released).toBe(1);
  gate.update(["a"], new Map([["a", entry(7_000, { progress: 1, writtenAt: 61_000 })]]), 61_000);
  expect(gate.limit(61_000)).toBe(12_000);
});

test("after a new assignment nothing passes until the board was read for it: not longer than allowed", () => {
  const gate = new DriftGate(OPTIONS);
  gate.forget(1_000);
  expect(gate.limit(60_999)).toBe(Number.NEGATIVE_INFINITY);
  expect(gate.limit(61_000)).toBe(Number.POSITIVE_INFINITY);
  gate.update(["a"], new Map([["a", entry(7_000)]]), 2_000);
  expect(gate.limit(2_000)).toBe(12_000);
});

test("a distance of 0 switches waiting off", () => {
  const gate = new DriftGate({ aheadMs: 0, waitMs: 60_000 });
  gate.update(["a"], new Map([["a", entry(1_000)]]), 0);
  expect(gate.limit(0)).toBe(Number.POSITIVE_INFINITY);
});

test("partitions that came over to this worker are forgotten", () => {
  const gate = new DriftGate(OPTIONS);
  gate.update(
    ["a", "b"],
    new Map([
      ["a", entry(1_000)],
      ["b", entry(2_000)],
    ]),
    0,
  );
  gate.update(["b"], new Map([["b", entry(2_000)]]), 1);
  expect(gate.limit(1)).toBe(7_000);
});

test("the slowest partition never waits, so somebody always goes on", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 2, maxLength: 12 }), (heads) => {
      const board = new Map(heads.map((head, i) => [String(i), entry(head)]));
      const free = heads.filter((head, own) => {
        const gate = new DriftGate(OPTIONS);
        gate.update(
          [...board.keys()].filter((name) => name !== String(own)),
          board,
          0,
        );
        return head <= gate.limit(0);
      });
      expect(free).toContain(Math.min(...heads));
      expect(Math.max(...free) - Math.min(...heads)).toBeLessThanOrEqual(OPTIONS.aheadMs);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("entries survive being written down, and other text is no entry", () => {
  for (const head of [0, 1_767_225_600_000, -5, Number.NEGATIVE_INFINITY]) {
    expect(decodeEntry(encodeEntry({ head, atEnd: true, progress: 7 }, 9))).toEqual({
      head,
      atEnd: true,
      progress: 7,
      writtenAt: 9,
    });
  }
  for (const text of ["", "1;2;3;4", "1;1;3", "x;1;3;4", "1;1;3;4;5", "99999999999999999999;1;1;1"]) {
    expect(decodeEntry(text)).toBeUndefined();
  }
});

test("the board in Redis and the one in memory say the same", async () => {
  const redis = connectRedis({ url: inject("redisUrl") });
  const call = (command: string, args: readonly string[]): Promise<unknown> => redis.call(command, args);
  await until(
    () =>
      call("PING", []).then(
        () => true,
        () => false,
      ),
    "Redis",
  );
  const key = uniqueName("drift");
  const boards = [createRedisBoard(call, key, () => 42), createMemoryBoard(() => 42)];
  const own = new Map([
    ["t:0", { head: 5, atEnd: false, progress: 1 }],
    ["t:1", { head: 6, atEnd: true, progress: 2 }],
  ]);
  const [first, second] = await Promise.all(boards.map((board) => board.exchange(own, [])));
  expect(first).toEqual(second);
  expect(first?.get("t:1")).toEqual({ head: 6, atEnd: true, progress: 2, writtenAt: 42 });
  const after = await Promise.all(boards.map((board) => board.exchange(new Map(), ["t:0"])));
  expect(after.map((entries) => [...entries.keys()])).toEqual([["t:1"], ["t:1"]]);
  await call("DEL", [key]);
  redis.close();
});
