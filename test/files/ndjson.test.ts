import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RECORD_BYTES_MAX } from "../../src/base/limits.ts";
import { readNdjson } from "../../src/files/ndjson.ts";
import { openSource } from "../../src/files/source.ts";
import { decoder } from "../intake/support.ts";
import { outline, readAll, row, scratch } from "./support.ts";

const write = scratch();

async function read(content: string | Buffer) {
  return readAll(readNdjson(openSource(write("in.ndjson", content)), decoder));
}

describe("lines", () => {
  test.each([
    ["nothing", "", []],
    ["a line feed", "\n", []],
    ["one row", row(1), ["1 tx"]],
    ["rows with and without a last line feed", `${row(1)}\n${row(2)}\n`, ["1 tx", "2 tx"]],
    ["carriage returns", `${row(1)}\r\n\r\n${row(2)}\r\n`, ["1 tx", "3 tx"]],
    ["a byte order mark", `\ufeff${row(1)}\n`, ["1 tx"]],
    ["blank lines", `\n  \n${row(1)}\n\t\n`, ["3 tx"]],
    ["a bad line between good ones", `${row(1)}\n{oops\n${row(2)}`, ["1 tx", "2 MALFORMED_JSON", "3 tx"]],
    ["text that is not ASCII", `${row(1, "ö")}\n${row(2)}\n`, ["1 tx", "2 tx"]],
    ["escapes", `${row(1, 'a"b')}\n${row(2, "a\u0007")}\n`, ["1 tx", "2 SCHEMA"]],
    ["a raw DEL", `${row(1, "a\x7f")}\n`, ["1 SCHEMA"]],
  ])("%s", async (_, content, expected) => {
    const { items, error } = await read(content);
    expect(outline(items)).toEqual(expected);
    expect(error).toBeUndefined();
  });

  test("bytes that are not UTF-8 cost their line only", async () => {
    const bad = Buffer.concat([Buffer.from(`${row(1)}\n`), Buffer.from([0xff, 10]), Buffer.from(`${row(2, "ö")}\n`)]);
    expect(outline((await read(bad)).items)).toEqual(["1 tx", "2 BAD_UTF8", "3 tx"]);
  });

  test("a line of 2 MB costs itself only, wherever it stands and however it ends", async () => {
    const long = "x".repeat(2_000_000);
    for (const content of [`${row(1)}\n${long}\n${row(2)}\n`, `${row(1)}\r\n${long}\r\n${row(2)}`]) {
      const { items } = await read(content);
      expect(outline(items)).toEqual(["1 tx", "2 TOO_LARGE", "3 tx"]);
      expect(items[1]?.length).toBeGreaterThanOrEqual(2_000_000);
    }
    expect(outline((await read(long)).items)).toEqual(["1 TOO_LARGE"]);
    expect(outline((await read(`${long}\n${long}\n`)).items)).toEqual(["1 TOO_LARGE", "2 TOO_LARGE"]);
  });

  test("a line of just the cap is read", async () => {
    expect(outline((await read(`${row(1).padEnd(RECORD_BYTES_MAX)}\n`)).items)).toEqual(["1 tx"]);
    expect(outline((await read(`${row(1).padEnd(RECORD_BYTES_MAX + 1)}\n`)).items)).toEqual(["1 TOO_LARGE"]);
  });

  test("where the pieces of the file are cut has no effect", async () => {
    const lines = [row(1), "", row(2, "ö😀"), "{bad", `${row(3)}\r`, row(4, "q\\"), "", row(5)];
    const bytes = Buffer.from(lines.join("\n"));
    const expected = outline((await read(bytes)).items);
    expect(expected).toEqual(["1 tx", "3 tx", "4 MALFORMED_JSON", "5 tx", "6 tx", "8 tx"]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
        const ends = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
        const source = openSource("-", Readable.from(pieces));
        expect(outline((await readAll(readNdjson(source, decoder))).items)).toEqual(expected);
      }),
      { seed: 41, numRuns: 100 },
    );
  });
});

describe("gzip", () => {
  const content = Array.from({ length: 20_000 }, (_, i) => row(i)).join("\n");

  test("is known by its bytes, whatever the name", async () => {
    const { items, error } = await read(gzipSync(content));
    expect(items).toHaveLength(20_000);
    expect(error).toBeUndefined();
  });

  test("several members one after the other", async () => {
    const bytes = Buffer.concat([gzipSync(`${row(1)}\n`), gzipSync(row(2))]);
    expect(outline((await read(bytes)).items)).toEqual(["1 tx", "2 tx"]);
  });

  test("that breaks off names the file, after the rows before", async () => {
    const whole = gzipSync(content);
    const { items, error } = await read(whole.subarray(0, whole.length - 200));
    expect(error?.message).toMatch(/in\.ndjson: the gzip data breaks off: the file is not whole; the rows before/);
    expect(items.length).toBeGreaterThan(15_000);
    expect(outline(items.slice(0, 2))).toEqual(["1 tx", "2 tx"]);
  });

  test("that is damaged names the file", async () => {
    const bytes = Buffer.from(gzipSync(content));
    bytes.fill(0xff, 5_000, 5_100);
    expect((await read(bytes)).error?.message).toMatch(/in\.ndjson: the gzip data is damaged/);
  });

  test("of nothing, and two bytes of it", async () => {
    expect((await read(gzipSync(""))).items).toEqual([]);
    expect((await read(Buffer.from([0x1f, 0x8b]))).error?.message).toMatch(/breaks off/);
  });
});
