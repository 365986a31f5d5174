/** Views records: what is packed is read, hostile bytes throw, another layout is refused. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "../../src/base/bytes.ts";
import type { MarkView } from "../../src/domain/view.ts";
import {
  encodePackRecord,
  inputSource,
  layoutOf,
  partitionOf,
  RecordReader,
  ViewPacker,
  viewsSource,
} from "../../src/stream/record.ts";

function mark(entity: string, id: string): MarkView {
  return {
    kind: "mark",
    entity,
    time: 1_700_000_000_000,
    txId: id,
    hop: 1,
    source: "account:S",
    index: 0,
    id,
    off: false,
    held: false,
    ruleId: "R",
    crime: "human_trafficking",
    victim: false,
    root: "account:S",
    alertId: undefined,
    flow: "downstream",
    distance: 1,
    period: 0,
    about: 0,
    amount: 100,
    viaTx: id,
  };
}

interface Item {
  readonly entity: string;
  readonly source: string;
  readonly offset: number;
  readonly index: number;
}

/** Items whose offsets rise within each source, as intake and the publisher make them. */
const items = fc
  .array(
    fc.record({
      entity: fc.string({ maxLength: 12 }),
      source: fc.nat(3),
      step: fc.nat(1_000_000),
      skip: fc.integer({ min: 1, max: 70_000 }),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    const at = new Map<number, { offset: number; index: number }>();
    return steps.map(({ entity, source, step, skip }): Item => {
      const last = at.get(source) ?? { offset: 0, index: -1 };
      const next = { offset: last.offset + step, index: step === 0 ? last.index + skip : skip };
      at.set(source, next);
      return { entity: `account:${entity}`, source: inputSource("t", source, 0), ...next };
    });
  });

test("every view comes back with its origin, in its partition, in the order in which it was added", () => {
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 9 }), (list, partitions) => {
      const packer = new ViewPacker(partitions);
      for (const [n, item] of list.entries()) {
        packer.add(packer.source(item.source), item.offset, item.index, mark(item.entity, `m${n}`));
      }
      const found = new Map<number, string[]>();
      for (const { partition, value } of packer.take()) {
        const reader = new RecordReader(value as Uint8Array, partitions);
        const views: string[] = [];
        for (let view = reader.next(); view; view = reader.next()) {
          views.push(`${view.source} ${view.offset} ${view.index} ${view.view.entity} ${view.view.txId}`);
        }
        expect(views).toHaveLength(reader.count);
        found.set(partition, views);
      }
      const expected = new Map<number, string[]>();
      for (const [n, item] of list.entries()) {
        const partition = partitionOf(item.entity, partitions);
        const line = `${item.source} ${item.offset} ${item.index} ${item.entity} m${n}`;
        expected.set(partition, [...(expected.get(partition) ?? []), line]);
      }
      expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
      expect(packer.take()).toEqual([]);
    }),
    { seed: 7, numRuns: 200 },
  );
});

test("a packer that was emptied starts anew, also below what it had packed", () => {
  const packer = new ViewPacker(1);
  const source = packer.source("in:t:0");
  packer.add(source, 50, 0, mark("account:A", "x"));
  packer.take();
  packer.add(source, 3, 0, mark("account:A", "y"));
  const [record] = packer.take();
  expect(new RecordReader(record?.value as Uint8Array, 1).next()).toMatchObject({
    offset: 3n,
    index: 0,
    source: "in:t:0",
  });
});

test("views out of origin order are an error of the program", () => {
  const packer = new ViewPacker(1);
  const source = packer.source("in:t:0");
  packer.add(source, 5, 2, mark("account:A", "x"));
  expect(() => packer.add(source, 5, 2, mark("account:A", "x"))).toThrow(/origin order/);
  expect(() => packer.add(source, 4, 9, mark("account:A", "x"))).toThrow(/origin order/);
  packer.add(packer.source("in:t:1"), 0, 0, mark("account:A", "x"));
});

function oneRecord(): Uint8Array {
  const packer = new ViewPacker(2);
  for (let i = 0; i < 5; i++) packer.add(packer.source("in:t:0"), i, 0, mark("account:A", `m${i}`));
  return packer.take()[0]?.value as Uint8Array;
}

function readOut(bytes: Uint8Array): void {
  const reader = new RecordReader(bytes, 2);
  while (reader.next());
}

test("bytes cut anywhere, changed anywhere or made up throw a RangeError, and nothing else", () => {
  const good = oneRecord();
  for (let length = 0; length < good.length; length++) {
    expect(() => readOut(good.slice(0, length))).toThrow(RangeError);
  }
  expect(() => readOut(Buffer.concat([good, Buffer.from([0])]))).toThrow(/after its last view/);
  const tolerant = (bytes: Uint8Array): void => {
    try {
      readOut(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), tolerant), { seed: 11, numRuns: 500 });
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = value;
      tolerant(bytes);
    }),
    { seed: 13, numRuns: 1_000 },
  );
});

test("a record claims no more views or sources than it has bytes for", () => {
  const writer = new ByteWriter();
  writer.u8(1);
  writer.varint(layoutOf(2));
  writer.varint(2 ** 40);
  expect(() => new RecordReader(writer.finish(), 2)).toThrow(/sources/);
  writer.reset();
  writer.u8(1);
  writer.varint(layoutOf(2));
  writer.varint(0);
  writer.varint(2 ** 50);
  expect(() => new RecordReader(writer.finish(), 2).next()).toThrow(RangeError);
});

test("another partition count or version is refused", () => {
  expect(() => new RecordReader(oneRecord(), 3)).toThrow(/partition count/);
  const other = oneRecord();
  other[0] = 3;
  expect(() => new RecordReader(other, 2)).toThrow(/version 3/);
});

test("a record that puts a pack in force has no views, and refuses what every record refuses", () => {
  const pack = { hash: "0f".repeat(32), activation: 9_007_199_254_740_991n };
  const bytes = encodePackRecord(pack, 2);
  const reader = new RecordReader(bytes, 2);
  expect([reader.pack, reader.count, reader.next()]).toEqual([pack, 0, undefined]);
  expect(new RecordReader(oneRecord(), 2).pack).toBeUndefined();
  expect(() => new RecordReader(bytes, 3)).toThrow(/partition count/);
  expect(() => new RecordReader(Buffer.concat([bytes, Buffer.from([0])]), 2).next()).toThrow(/after its last view/);
  for (let cut = 0; cut < bytes.length; cut++) {
    expect(() => new RecordReader(bytes.subarray(0, cut), 2)).toThrow(RangeError);
  }
});

test("partitions and source names are what stored state and logs rely on", () => {
  expect([1, 4, 16].map((count) => partitionOf("account:A1", count))).toEqual([0, 0, 8]);
  expect(inputSource("tx", 3, 0)).toBe("in:tx:3");
  expect(inputSource("tx", 3, 2)).toBe("in:tx:3@2");
  expect(viewsSource(5)).toBe("views:5");
});
