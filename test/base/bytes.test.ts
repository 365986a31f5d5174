import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter } from "../../src/base/bytes.ts";

type Item =
  | { readonly kind: "u8" | "varint" | "zigzag" | "f64"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "optionalText"; readonly value: string | undefined }
  | { readonly kind: "raw"; readonly value: Uint8Array };

const wellFormed = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.string({ minLength: 120, maxLength: 140 }),
);
const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.nat(300));
const item: fc.Arbitrary<Item> = fc.oneof(
  fc.nat(255).map((value): Item => ({ kind: "u8", value })),
  number.map((value): Item => ({ kind: "varint", value: Math.abs(value) })),
  number.map((value): Item => ({ kind: "zigzag", value })),
  fc.double().map((value): Item => ({ kind: "f64", value })),
  wellFormed.map((value): Item => ({ kind: "text", value })),
  fc.option(wellFormed, { nil: undefined }).map((value): Item => ({ kind: "optionalText", value })),
  fc.uint8Array().map((value): Item => ({ kind: "raw", value })),
);

function write(writer: ByteWriter, one: Item): void {
  if (one.kind === "text") writer.text(one.value);
  else if (one.kind === "optionalText") writer.optionalText(one.value);
  else if (one.kind === "raw") writer.raw(one.value);
  else writer[one.kind](one.value);
}

function read(reader: ByteReader, one: Item): unknown {
  return one.kind === "raw" ? rawBytes(reader, one.value.length) : reader[one.kind]();
}

function rawBytes(reader: ByteReader, length: number): Uint8Array {
  const from = reader.at;
  reader.skip(length);
  return new Uint8Array(Buffer.from(reader.latin1(from), "latin1"));
}

function bytesOf(fill: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(16);
  fill(writer);
  return writer.finish();
}

describe("what is written is read", () => {
  it("for any sequence of values, from any place", () => {
    fc.assert(
      fc.property(fc.array(item), fc.nat(40), (items, before) => {
        const writer = new ByteWriter(16);
        writer.raw(new Uint8Array(before));
        for (const one of items) write(writer, one);
        const bytes = writer.finish();
        expect(bytes.length).toBe(writer.length);
        const reader = new ByteReader(bytes, before);
        expect(reader.at).toBe(before);
        for (const one of items) expect(read(reader, one)).toEqual(one.value);
        expect(reader.done).toBe(true);
        expect(reader.length).toBe(0);
      }),
      { seed: 61, numRuns: 300 },
    );
  });

  it("at the edges of the integers", () => {
    const edges = [0, 1, 63, 64, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 49, Number.MAX_SAFE_INTEGER];
    for (const edge of edges) {
      expect(new ByteReader(bytesOf((w) => w.varint(edge))).varint()).toBe(edge);
      for (const signed of [edge, -edge]) {
        expect(new ByteReader(bytesOf((w) => w.zigzag(signed))).zigzag()).toBe(signed === 0 ? 0 : signed);
      }
    }
    expect(bytesOf((w) => w.varint(127)).length).toBe(1);
    expect(bytesOf((w) => w.varint(Number.MAX_SAFE_INTEGER)).length).toBe(8);
    expect(bytesOf((w) => w.zigzag(-64)).length).toBe(1);
  });

  it("finish gives a copy, and reset starts anew", () => {
    const writer = new ByteWriter(16);
    writer.text("first");
    const first = writer.finish();
    writer.reset();
    expect(writer.length).toBe(0);
    writer.text("other");
    expect(new ByteReader(first).text()).toBe("first");
    expect(new ByteReader(writer.finish()).text()).toBe("other");
  });

  it("a part of a text, and a text into other bytes", () => {
    const bytes = bytesOf((w) => {
      w.text("tx-0001", 3);
      w.text("aé€", 1);
    });
    const reader = new ByteReader(bytes);
    const target = new Uint8Array(6);
    expect(reader.textInto(target, 3)).toBe(-1);
    expect(reader.textInto(target, 1)).toBe(4);
    expect([...target]).toEqual([0, 48, 48, 48, 49, 0]);
    expect(reader.text()).toBe("é€");
  });

  it("lone surrogates become U+FFFD", () => {
    expect(new ByteReader(bytesOf((w) => w.text("a\ud800b"))).text()).toBe("a\ufffdb");
  });
});

describe("a writer refuses", () => {
  it("numbers that the form does not hold", () => {
    const writer = new ByteWriter();
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(() => writer.varint(bad)).toThrow(RangeError);
    }
    for (const bad of [0.5, Number.NaN, 2 ** 53, -(2 ** 53)]) expect(() => writer.zigzag(bad)).toThrow(RangeError);
    expect(writer.length).toBe(0);
  });
});

describe("a reader refuses, naming the position", () => {
  it("whatever ends too early", () => {
    for (const one of ["u8", "varint", "zigzag", "f64", "text", "optionalText"] as const) {
      expect(() => new ByteReader(new Uint8Array([1, 2]), 2)[one]()).toThrow("at position 2 of 2");
    }
    expect(() => new ByteReader(new Uint8Array([5, 65])).text()).toThrow("text of 5 bytes at position 0 of 2");
    expect(() => new ByteReader(new Uint8Array([5, 65])).textInto(new Uint8Array(9), 0)).toThrow("text of 5 bytes");
    expect(() => new ByteReader(new Uint8Array(3)).skip(4)).toThrow("4 bytes at position 0 of 3");
    expect(() => new ByteReader(new Uint8Array(3)).skip(-1)).toThrow(RangeError);
    expect(() => new ByteReader(new Uint8Array(3), 4)).toThrow(RangeError);
    expect(() => new ByteReader(new Uint8Array(7)).f64()).toThrow(RangeError);
  });

  it("integers beyond 2^53, endless ones, counts that cannot be true, wrong presence", () => {
    expect(() => new ByteReader(new Uint8Array(20).fill(0xff)).varint()).toThrow("at most 8 bytes");
    expect(() => new ByteReader(new Uint8Array(20).fill(0xff)).zigzag()).toThrow(RangeError);
    expect(() => new ByteReader(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])).varint()).toThrow(
      "2^53",
    );
    expect(() => new ByteReader(new Uint8Array([200, 1, 0])).count(1)).toThrow("200 items");
    expect(new ByteReader(new Uint8Array([2, 0, 0])).count(1)).toBe(2);
    expect(() => new ByteReader(new Uint8Array([2])).optionalText()).toThrow("presence");
    expect(() => new ByteReader(new Uint8Array([2])).fail("rule")).toThrow("no rule at position 0 of 1");
  });

  it("anything outside of its slice of a larger buffer", () => {
    const whole = new Uint8Array([9, 3, 65, 66, 67, 68, 69]);
    const reader = new ByteReader(whole.subarray(1, 4));
    expect(() => reader.text()).toThrow("text of 3 bytes");
    expect(new ByteReader(whole.subarray(1, 5)).text()).toBe("ABC");
  });

  it("noise never ends in anything but values or a RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(item, { maxLength: 10 }), (noise, items) => {
        const reader = new ByteReader(noise);
        try {
          for (const one of items) {
            const value = read(reader, one);
            if (typeof value === "number" && one.kind !== "f64") expect(Number.isSafeInteger(value)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        expect(reader.at).toBeLessThanOrEqual(noise.length);
      }),
      { seed: 62, numRuns: 500 },
    );
  });
});
