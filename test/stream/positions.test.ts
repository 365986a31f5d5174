/** Positions: a log that changed is told from one that grew. */
import { expect, test } from "vitest";
import type { BusRecord } from "../../src/stream/bus.ts";
import {
  confirms,
  decodeMetadata,
  encodeMetadata,
  fingerprintOf,
  planReading,
  positionAfter,
} from "../../src/stream/positions.ts";

function record(offset: bigint, value: string | null = "v", key: string | null = null, timestamp = 1_000): BusRecord {
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
  return { offset, key: bytes(key), value: bytes(value), timestamp, headers: {} };
}

test("a fingerprint tells offset, time, key and value apart, also beyond the bytes that it looks at", () => {
  const long = "x".repeat(10_000);
  const variants = [
    record(5n),
    record(6n),
    record(5n, "w"),
    record(5n, null),
    record(5n, ""),
    record(5n, "v", "k"),
    record(5n, "v", ""),
    record(5n, "v", null, 1_001),
    record(5n, long),
    record(5n, `${long}x`),
  ];
  expect(new Set(variants.map(fingerprintOf)).size).toBe(variants.length);
  expect(fingerprintOf(record(5n, long))).toBe(fingerprintOf(record(5n, long)));
  expect(fingerprintOf(record(0n, null, null, -1))).not.toBe(0);
});

test("reading is planned by what the log still has", () => {
  const range = { partition: 0, low: 10n, high: 20n };
  const at = (next: bigint) => planReading({ next, fingerprint: 1 }, range);
  expect(planReading(undefined, range)).toEqual({ kind: "read", from: 10n });
  expect(at(15n)).toEqual({ kind: "confirm", from: 14n });
  expect(at(20n)).toEqual({ kind: "confirm", from: 19n });
  expect(at(10n)).toEqual({ kind: "read", from: 10n });
  expect(at(9n)).toMatchObject({
    kind: "changed",
    why: expect.stringContaining("1 records from 9 on are gone unread"),
  });
  expect(at(21n)).toMatchObject({ kind: "changed", why: expect.stringContaining("ends at offset 20") });
  expect(planReading({ next: 0n, fingerprint: 0 }, { partition: 0, low: 0n, high: 0n })).toEqual({
    kind: "read",
    from: 0n,
  });
});

test("the record before the position must be the one that was read", () => {
  const before = record(14n, "payment");
  const position = positionAfter(before);
  expect(position.next).toBe(15n);
  expect(confirms(position, before)).toBeUndefined();
  expect(confirms(position, record(14n, "other"))).toContain("another one");
  expect(confirms(position, record(16n, "payment"))).toContain("is gone");
});

test("metadata keeps position and epoch, and nothing else passes for it", () => {
  const position = { next: 15n, fingerprint: 0xab };
  const text = encodeMetadata(position, 2);
  expect(text).toBe("palermo/1;2;000000ab");
  expect(decodeMetadata(text, 15n, 2)).toEqual({ kind: "position", position });
  expect(decodeMetadata(text, 15n, 3)).toEqual({ kind: "older" });
  expect(decodeMetadata(text, 15n, 1)).toEqual({ kind: "foreign" });
  for (const other of ["", "palermo/2;0;000000ab", "palermo/1;0;xyz", `${text};`, "x".repeat(4_096)]) {
    expect(decodeMetadata(other, 15n, 0)).toEqual({ kind: "foreign" });
  }
});
