import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter } from "../../src/base/bytes.ts";
import type { TxView, View } from "../../src/domain/view.ts";
import { decodeView, encodeView } from "../../src/domain/view-codec.ts";
import { typicalTransfer } from "./typical.ts";
import { view as anyView, hitView } from "./view-arbitrary.ts";

function encoded(view: View): Uint8Array {
  const writer = new ByteWriter(16);
  encodeView(writer, view);
  return writer.finish();
}

function decoded(bytes: Uint8Array): View {
  const reader = new ByteReader(bytes);
  const view = decodeView(reader);
  expect(reader.done).toBe(true);
  return view;
}

describe("views as bytes", () => {
  it("come back as they were, missing fields as undefined", () => {
    fc.assert(
      fc.property(anyView, (view) => {
        const bytes = encoded(view);
        const back = decoded(bytes);
        expect(back).toStrictEqual(view);
        expect(encoded(back)).toEqual(bytes);
      }),
      { seed: 31, numRuns: 150 },
    );
  });

  it("have one shape: the same fields in the same order, whatever is missing", () => {
    const shapes = new Set<string>();
    fc.assert(
      fc.property(anyView, (view) => {
        const back = decoded(encoded(view));
        if (back.kind !== "tx") return;
        shapes.add([Object.keys(back), Object.keys(back.tx), Object.keys(back.tx.debtor)].join("|"));
      }),
      { seed: 32, numRuns: 100 },
    );
    expect(shapes.size).toBe(1);
  });

  it("follow each other in one stream of bytes", () => {
    fc.assert(
      fc.property(fc.array(anyView, { maxLength: 5 }), (views) => {
        const writer = new ByteWriter();
        for (const view of views) encodeView(writer, view);
        const reader = new ByteReader(writer.finish());
        expect(views.map(() => decodeView(reader))).toStrictEqual(views);
        expect(reader.done).toBe(true);
      }),
      { seed: 33, numRuns: 50 },
    );
  });

  it("take at most 180 bytes for a typical transfer", () => {
    expect(encoded(typicalTransfer("plain")).length).toBeLessThanOrEqual(180);
  });

  it("name the entity by its place on the movement, on either side", () => {
    const view = typicalTransfer("plain") as TxView;
    const strange = { ...view, entity: "phone:0049123456789" };
    for (const one of [view, { ...view, entity: `party:${view.tx.debtor.party}` }, strange]) {
      expect(decoded(encoded(one))).toStrictEqual(one);
    }
    expect(encoded(strange).length).toBeGreaterThan(encoded(view).length);
  });
});

describe("bytes that are no view", () => {
  it("are refused when cut short, at every length", () => {
    fc.assert(
      fc.property(anyView, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (view, part) => {
        const bytes = encoded(view);
        const cut = bytes.subarray(0, Math.floor(bytes.length * part));
        expect(() => decodeView(new ByteReader(cut))).toThrow(RangeError);
      }),
      { seed: 34, numRuns: 150 },
    );
  });

  it("never do anything but decode or throw a RangeError", () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyView, flips, fc.uint8Array({ maxLength: 40 }), (view, changes, noise) => {
        const bytes = encoded(view);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        for (const hostile of [bytes, noise]) {
          try {
            decodeView(new ByteReader(hostile));
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
      { seed: 35, numRuns: 250 },
    );
  });

  it("of another version or kind are named", () => {
    const bytes = encoded(typicalTransfer("plain"));
    bytes[0] = 0x20;
    expect(() => decodeView(new ByteReader(bytes))).toThrow("version 1, but one of 2");
    bytes[0] = 0x1f;
    expect(() => decodeView(new ByteReader(bytes))).toThrow(RangeError);
    expect(() => decodeView(new ByteReader(new Uint8Array()))).toThrow("position 0 of 0");
  });

  it("with evidence that is no list are refused", () => {
    const [view] = fc.sample(hitView, { seed: 1, numRuns: 1 });
    if (view === undefined) throw new Error("no sample");
    const whole = encoded({ ...view, evidence: [], attrs: [] });
    for (const json of ["{}", "[", "null"]) {
      const writer = new ByteWriter();
      writer.raw(whole.subarray(0, -1));
      writer.text(json);
      expect(() => decodeView(new ByteReader(writer.finish()))).toThrow("evidence");
    }
  });
});
