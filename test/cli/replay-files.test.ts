import { linkSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { checkPaths, openOutputs } from "../../src/cli/replay-files.ts";
import { fakeTerminal } from "./fake-terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "palermo-paths-"));
const input = join(folder, "in.ndjson");
writeFileSync(input, "12345");
symlinkSync(input, join(folder, "symbolic.ndjson"));
linkSync(input, join(folder, "hard.ndjson"));

describe("checkPaths", () => {
  it("adds the sizes up, and foresees no end with a pipe", () => {
    expect(checkPaths({ inputs: [input, input], outputs: [join(folder, "out.ndjson")] })).toBe(10);
    expect(checkPaths({ inputs: [input, "-"], outputs: [] })).toBeUndefined();
    expect(checkPaths({ inputs: ["/dev/null"], outputs: ["/dev/null", "/dev/null"] })).toBeUndefined();
  });

  it.each<[string, readonly string[], readonly string[], RegExp]>([
    ["a missing file", [join(folder, "none.ndjson")], [], /none\.ndjson: no such file/],
    ["a folder", [folder], [], /is a folder; name the files in it/],
    ["standard input twice", ["-", "-"], [], /- stands twice/],
    [
      "an output that is an input",
      [input],
      [join(folder, "..", folder.split("/").at(-1) ?? "", "in.ndjson")],
      /would be overwritten: .* is also read/,
    ],
    ["an output that leads to an input", [input], [join(folder, "symbolic.ndjson")], /would be overwritten/],
    ["an input under another name", [input], [join(folder, "hard.ndjson")], /would be overwritten/],
    ["one output twice", [input], [join(folder, "o"), join(folder, "o")], /is written twice/],
  ])("refuses %s", (_what, inputs, outputs, message) => {
    expect(() => checkPaths({ inputs, outputs })).toThrow(UsageError);
    expect(() => checkPaths({ inputs, outputs })).toThrow(message);
  });
});

describe("openOutputs", () => {
  it("opens what is asked for and nothing else", async () => {
    const terminal = fakeTerminal();
    const hits = join(folder, "hits.ndjson");
    const outputs = await openOutputs({ hits }, true, terminal);
    expect(outputs.rejects).toBeUndefined();
    outputs.alerts?.write("alert");
    outputs.hits?.write("hit");
    await outputs.close();
    expect([terminal.out(), readFileSync(hits, "utf8")]).toEqual(["alert\n", "hit\n"]);
    const silent = await openOutputs({}, false, terminal);
    expect(silent.alerts).toBeUndefined();
  });
});
