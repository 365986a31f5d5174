import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { readAlertFile, readAlertRecord } from "../../src/files/settled.ts";
import { settledForm } from "../../src/screen/settled.ts";
import { sampleAlert } from "../cli/sample-alert.ts";

const folder = mkdtempSync(join(tmpdir(), "palermo-settled-"));
const stub = {
  schema: "alert-stub/1",
  alertId: "a-2",
  revision: 1,
  alertClass: "protected",
  sla: { class: "x", withinHours: 4 },
};

async function idsOf(path: string, stdin: Readable = Readable.from([])): Promise<string[]> {
  const ids: string[] = [];
  for await (const alert of readAlertFile(path, stdin, (id) => ids.push(`stub ${id}`))) ids.push(alert.alertId);
  return ids;
}

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("readAlertFile", () => {
  const text = `${JSON.stringify(sampleAlert())}\n\n${JSON.stringify(stub)}\r\n${JSON.stringify(sampleAlert({ alertId: "é" }))}`;

  it("reads plain, zipped and standard input, tells of stubs, passes over empty lines", async () => {
    const expected = ["a-0001", "stub a-2", "é"];
    expect(await idsOf(fileOf("a.ndjson", text))).toEqual(expected);
    expect(await idsOf(fileOf("a.ndjson.gz", gzipSync(text)))).toEqual(expected);
    const bytes = Buffer.from(text);
    const single = Readable.from(
      Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)),
      { objectMode: false },
    );
    expect(await idsOf("-", single)).toEqual(expected);
    expect(await idsOf(fileOf("empty.ndjson", ""))).toEqual([]);
  });

  it("reads its own settled form back", async () => {
    const settled = settledForm(sampleAlert());
    const alerts = [];
    for await (const alert of readAlertFile(fileOf("s.ndjson", JSON.stringify(settled)), Readable.from([])))
      alerts.push(alert);
    expect(alerts.map(settledForm)).toEqual([settled]);
  });

  it.each([
    ["no JSON", `${JSON.stringify(stub)}\n{"schema":`, /bad\.ndjson:2: not an alert \(alert\/1\): not valid JSON/],
    ["another record", '{"schema":"tx/1"}', /bad\.ndjson:1: not an alert \(alert\/1\): schema/],
    ["a wrong field", JSON.stringify(sampleAlert({ score: 1.5 })), /bad\.ndjson:1: .*score/],
    ["a list", "[]", /bad\.ndjson:1: not an alert/],
    ["a huge line", "x".repeat(3 << 20), /bad\.ndjson:1: .*longer than any alert may be/],
  ])("refuses %s with file and line", async (_what, content, message) => {
    const attempt = idsOf(fileOf("bad.ndjson", content));
    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(message);
  });

  it("tells a missing file from one that breaks off", async () => {
    await expect(idsOf(join(folder, "none.ndjson"))).rejects.toThrow(UsageError);
    await expect(idsOf(join(folder, "none.ndjson.gz"))).rejects.toThrow(/none\.ndjson\.gz: no such file/);
    const cut = fileOf("cut.ndjson.gz", gzipSync(text.repeat(50)).subarray(0, 100));
    await expect(idsOf(cut)).rejects.toThrow(/cut\.ndjson\.gz: cannot be read to its end: unexpected end of file/);
    await expect(idsOf(cut)).rejects.not.toThrow(UsageError);
  });
});

describe("readAlertRecord", () => {
  it("does not take a prototype for a field", () => {
    expect(readAlertRecord('{"__proto__":{"revision":1}}').kind).toBe("invalid");
  });
});
