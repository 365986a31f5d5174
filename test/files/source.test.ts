import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { openSource } from "../../src/files/source.ts";
import { scratch } from "./support.ts";

const write = scratch();

async function textOf(file: string, stdin?: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of openSource(file, stdin).pieces()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test("a file, and how much of it was read", async () => {
  const source = openSource(write("a", "abc"));
  for await (const piece of source.pieces()) expect(piece.toString()).toBe("abc");
  expect(source.bytesRead).toBe(3);
});

test("a byte order mark in the first three bytes is taken out, also from standard input in single bytes", async () => {
  expect(await textOf(write("bom", "\ufeffx"))).toBe("x");
  expect(await textOf(write("late", "x\ufeff"))).toBe("x\ufeff");
  const bytes = [...Buffer.from("\ufeffx")].map((byte) => Buffer.from([byte]));
  expect(await textOf("-", Readable.from(bytes))).toBe("x");
});

test.each(["", "a", "ab"])("a file of %j", async (content) => {
  expect(await textOf(write("short", content))).toBe(content);
});

test("a missing file, a folder and no standard input are faults of usage", async () => {
  await expect(textOf("/no/such/file.ndjson")).rejects.toThrow(new UsageError("/no/such/file.ndjson: no such file"));
  await expect(textOf(tmpdir())).rejects.toThrow(/is a directory/);
  await expect(textOf("-")).rejects.toThrow(UsageError);
});

test("standard input that fails is told as such", async () => {
  const broken = new Readable({
    read() {
      this.destroy(new Error("gone"));
    },
  });
  await expect(textOf("-", broken)).rejects.toThrow("-: cannot be read: gone");
});
