import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fnv1a32, hash48, sha256Hex, shortHash } from "../../src/base/hash.ts";

describe("fnv1a32", () => {
  it("agrees with the published test values for ASCII", () => {
    expect(fnv1a32("")).toBe(0x811c9dc5);
    expect(fnv1a32("a")).toBe(0xe40c292c);
    expect(fnv1a32("foobar")).toBe(0xbf9cf968);
  });

  it("is an unsigned 32-bit integer, and tells every unit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const hash = fnv1a32(text);
        expect(Number.isInteger(hash) && hash >= 0 && hash <= 0xffffffff).toBe(true);
        expect(fnv1a32(`${text}x`)).not.toBe(hash);
      }),
      { seed: 51 },
    );
  });
});

describe("hash48", () => {
  it("is a 48-bit integer that uses its high bits", () => {
    let greatest = 0;
    for (let i = 0; i < 1_000; i += 1) {
      const hash = hash48(`tx-${i}`);
      expect(Number.isSafeInteger(hash) && hash >= 0 && hash < 2 ** 48).toBe(true);
      greatest = Math.max(greatest, hash);
    }
    expect(greatest).toBeGreaterThan(2 ** 47);
  });

  it("has no collision in 200,000 ids of like shape, and both halves differ alone", () => {
    const seen = new Set<number>();
    const highs = new Set<number>();
    const lows = new Set<number>();
    for (let i = 0; i < 200_000; i += 1) {
      const hash = hash48(`${i % 2 === 0 ? "<" : ">"}tx-2026-${i}`);
      seen.add(hash);
      highs.add(Math.floor(hash / 2 ** 32));
      lows.add(hash % 2 ** 32);
    }
    expect(seen.size).toBe(200_000);
    // 65,536 cells, 3 ids a cell: about 95 % are hit when the spread is even.
    expect(highs.size).toBeGreaterThan(60_000);
    expect(lows.size).toBeGreaterThan(199_900);
  });

  it("is not decided by the low half: texts whose 32-bit halves collide still differ", () => {
    const byLow = new Map<number, string>();
    let pairs = 0;
    for (let i = 0; pairs < 3 && i < 400_000; i += 1) {
      const text = `${Math.imul(i, 2_654_435_761)}-${i}`;
      const low = hash48(text) % 2 ** 32;
      const other = byLow.get(low);
      if (other !== undefined) {
        pairs += 1;
        expect(hash48(other)).not.toBe(hash48(text));
      }
      byLow.set(low, text);
    }
    expect(pairs).toBeGreaterThan(0);
  });
});

describe("sha-256 names", () => {
  it("sha256Hex is the standard's value", () => {
    expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(sha256Hex("é")).toBe(
      createHash("sha256")
        .update(Buffer.from([0xc3, 0xa9]))
        .digest("hex"),
    );
  });

  it("shortHash is the RFC 4648 base32 of the digest's beginning", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 32 }), (text, bytes) => {
        const bits = [...createHash("sha256").update(text).digest().subarray(0, bytes)]
          .map((byte) => byte.toString(2).padStart(8, "0"))
          .join("");
        const groups = bits.match(/.{1,5}/g) ?? [];
        const expected = groups.map((g) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(g.padEnd(5, "0"), 2)]);
        expect(shortHash(text, bytes)).toBe(expected.join(""));
      }),
      { seed: 52 },
    );
    expect(shortHash("abc", 10)).toHaveLength(16);
  });
});
