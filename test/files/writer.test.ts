import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { createStreamWriter, openFileWriter, writeToStream } from "../../src/files/writer.ts";

const folder = mkdtempSync(join(tmpdir(), "palermo-writer-"));

describe("openFileWriter", () => {
  it("writes lines in order, over many flushes, and replaces what the file held", async () => {
    const path = join(folder, "lines.ndjson");
    for (const count of [20_000, 3]) {
      const writer = await openFileWriter(path);
      for (let index = 0; index < count; index += 1) {
        writer.write(`${index} ${"é".repeat(40)}`);
        if (index % 1_000 === 0) await writer.flush();
      }
      await writer.close();
      expect(writer.lines).toBe(count);
      const lines = readFileSync(path, "utf8").split("\n");
      expect(lines.pop()).toBe("");
      expect(lines.map((line) => Number(line.split(" ")[0]))).toEqual(
        Array.from({ length: count }, (_, index) => index),
      );
    }
  });

  it("leaves an empty file when nothing was written", async () => {
    const path = join(folder, "empty.ndjson");
    await (await openFileWriter(path)).close();
    expect(readFileSync(path, "utf8")).toBe("");
  });

  it.each([
    [
      "a folder that does not exist",
      join(folder, "none", "x.ndjson"),
      /x\.ndjson: cannot be written: its folder does not exist/,
    ],
    ["a folder", folder, /cannot be written: it is a folder/],
  ])("refuses %s with the path", async (_what, path, message) => {
    const attempt = openFileWriter(path);
    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(message);
  });
});

describe("streams", () => {
  it("waits while the reader is slow, keeps order, and leaves the stream open", async () => {
    const chunks: string[] = [];
    let most = 0;
    const slow = new Writable({
      highWaterMark: 16,
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        most = Math.max(most, slow.writableLength);
        setImmediate(() => {
          chunks.push(chunk);
          done();
        });
      },
    });
    const writer = createStreamWriter(slow);
    for (let index = 0; index < 30_000; index += 1) {
      writer.write(`line ${index}`);
      await writer.flush();
    }
    await writer.close();
    await new Promise((resolve) => slow.end(resolve));
    expect(chunks.join("").split("\n")).toHaveLength(30_001);
    expect(chunks.length).toBeGreaterThan(1);
    expect(most).toBeLessThan(600_000);
  });

  it("does not wait for a reader that went away", async () => {
    const gone = new Writable({ highWaterMark: 1, write() {} });
    const waiting = writeToStream(gone, "text");
    gone.destroy();
    await waiting;
    await writeToStream(gone, "more");
    expect(gone.destroyed).toBe(true);
  });
});
