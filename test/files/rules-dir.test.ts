import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { readRuleFiles } from "../../src/files/rules-dir.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-rules-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function put(path: string, text: string | Uint8Array): void {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(join(dir, path), text);
}

describe("a rules directory", () => {
  it("gives its YAML files in the order of their paths", () => {
    put("rules/tf/B.yaml", "b");
    put("rules/ht/A.yml", "a");
    put("rules/README.md", "no");
    put("rules/tuning.yaml", "t");
    put("rules/.hidden/C.yaml", "no");
    const files = readRuleFiles(join(dir, "rules"));
    expect(files.map((file) => [file.path.slice(dir.length), file.text])).toEqual([
      ["/rules/ht/A.yml", "a"],
      ["/rules/tf/B.yaml", "b"],
      ["/rules/tuning.yaml", "t"],
    ]);
  });

  it("takes the operator's lists in place of its own, list by list", () => {
    put("rules/lists/air.yaml", "schema: list/v1\nid: air\n");
    put("rules/lists/sea.yaml", "schema: list/v1\nid: sea\n");
    put("rules/ht/air.yaml", "schema: rule/v1\n");
    put("own/air.yaml", "schema: list/v1\nid: air # own\n");
    const files = readRuleFiles(join(dir, "rules"), join(dir, "own"));
    expect(files.map((file) => file.path.slice(dir.length))).toEqual([
      "/rules/ht/air.yaml",
      "/rules/lists/sea.yaml",
      "/own/air.yaml",
    ]);
  });

  it("takes the operator's base lines of peers in place of the sample of the same name", () => {
    put("rules/lists/peers.yaml", "schema: baseline/v1\nid: peers\n");
    put("rules/lists/others.yaml", "schema: baseline/v1\nid: others\n");
    put("own/peers.yaml", "schema: baseline/v1\nid: peers # own\n");
    const files = readRuleFiles(join(dir, "rules"), join(dir, "own"));
    expect(files.map((file) => file.path.slice(dir.length))).toEqual(["/rules/lists/others.yaml", "/own/peers.yaml"]);
  });

  it("says what cannot be read", () => {
    put("rules/bad.yaml", new Uint8Array([0x61, 0xff, 0xfe]));
    put("file", "x");
    expect(() => readRuleFiles(join(dir, "rules"))).toThrow(/bad\.yaml: not UTF-8/);
    expect(() => readRuleFiles(join(dir, "nowhere"))).toThrow(/nowhere: .*does not exist/);
    expect(() => readRuleFiles(join(dir, "file"))).toThrow(UsageError);
  });
});
