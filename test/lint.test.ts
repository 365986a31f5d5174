/** The linter's configuration refuses what it is there to refuse: Biome runs on small bad files under our rules. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** File, its text, and the rule that refuses it; undefined where it is fine. */
const CASES: readonly (readonly [string, string, string | undefined])[] = [
  ["src/base/upward.ts", 'export { a } from "../screen/engine.ts";\n', "noRestrictedImports"],
  ["src/domain/upward.ts", 'export type { A } from "../rules/plan.ts";\n', "noRestrictedImports"],
  ["src/rules/deep/upward.ts", 'export { a } from "../../screen/engine.ts";\n', "noRestrictedImports"],
  ["src/screen/shell.ts", 'export { a } from "../store/port.ts";\n', "noRestrictedImports"],
  ["src/workshop/shell.ts", 'export { a } from "../files/read.ts";\n', "noRestrictedImports"],
  ["src/stream/upward.ts", 'export { a } from "../http/server.ts";\n', "noRestrictedImports"],
  ["src/screen/file.ts", 'export { readFileSync } from "node:fs";\n', "noRestrictedImports"],
  ["src/intake/client.ts", 'export { Kafka } from "kafkajs";\n', "noRestrictedImports"],
  ["src/screen/later.ts", 'export const load = () => import("../store/port.ts");\n', "noRestrictedImports"],
  ["src/rules/console.ts", "console.log(1);\n", "noConsole"],
  ["src/http/any.ts", "export const a = (b: any) => b;\n", "noExplicitAny"],
  ["src/base/one.ts", 'import { b } from "./two.ts";\nexport const a = () => b;\n', "noImportCycles"],
  ["src/base/two.ts", 'import { a } from "./one.ts";\nexport const b = () => a;\n', "noImportCycles"],
  ["src/screen/long.ts", functionOf(71), "noExcessiveLinesPerFunction"],
  ["src/screen/unused.ts", 'import { a } from "../base/one.ts";\n', "noUnusedImports"],
  ["test/only.test.ts", 'import { it } from "vitest";\nit.only("a", () => {});\n', "noFocusedTests"],
  ["src/screen/downward.ts", 'export { a } from "../rules/plan.ts";\nexport { b } from "./file.ts";\n', undefined],
  ["src/screen/hash.ts", 'export { createHash } from "node:crypto";\n', undefined],
  ["src/screen/short.ts", functionOf(70), undefined],
  ["src/cli/all.ts", 'export { a } from "../http/server.ts";\nexport { b } from "../base/one.ts";\n', undefined],
  ["test/long.test.ts", functionOf(200), undefined],
];

let dir = "";
let refused: Map<string, string[]>;

beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "palermo-lint-")));
  const config = JSON.parse(readFileSync(join(ROOT, "biome.json"), "utf8"));
  writeFileSync(join(dir, "biome.json"), JSON.stringify({ ...config, $schema: undefined, vcs: { enabled: false } }));
  for (const [file, text] of CASES) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  }
  refused = await lint();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("biome.json", () => {
  it.each(CASES)("%s", (file, _text, rule) => {
    const found = refused.get(file) ?? [];
    if (rule === undefined) expect(found).toEqual([]);
    else expect(found).toContain(rule);
  });
});

/** The rules that each file breaks. */
async function lint(): Promise<Map<string, string[]>> {
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--reporter=github", "--max-diagnostics=none", "."];
  const output = await new Promise<string>((done) => {
    execFile(process.execPath, args, { cwd: dir, maxBuffer: 1 << 24 }, (_error, stdout) => done(stdout));
  });
  const found = new Map<string, string[]>();
  for (const [, rule = "", file = ""] of output.matchAll(/title=lint\/\w+\/(\w+),file=([^,]+)/g)) {
    const name = relative(dir, resolve(dir, file));
    found.set(name, [...(found.get(name) ?? []), rule]);
  }
  return found;
}

function functionOf(bodyLines: number): string {
  return `export function f(): number {\n  let a = 0;\n${"  a += 1;\n".repeat(bodyLines - 2)}  return a;\n}\n`;
}
