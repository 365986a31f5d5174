/** The command line runs where no code may be made from text, so that no rule file can bring any. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { deposits, testFolder, write, writeRules } from "./replay-kit.ts";

const folder = testFolder();
const rules = writeRules(folder);
const main = new URL("../../src/cli/main.ts", import.meta.url).href;
const root = fileURLToPath(new URL("../..", import.meta.url));
const FLAGS = ["--disallow-code-generation-from-strings", "--import", "tsx", "--input-type=module", "-e"];
const SCRIPT = `const { main } = await import(${JSON.stringify(main)}); process.exitCode = await main(process.argv.slice(1));`;

async function node(script: string, args: readonly string[]) {
  const child = spawn(process.execPath, [...FLAGS, script, "--", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out };
}

describe("without code from strings", () => {
  const file = write(folder, "some.ndjson", deposits(20, 4).join("\n"));

  it("the flag really forbids it", async () => {
    const { code, out } = await node("new Function('return 1')()", []);
    expect(code).not.toBe(0);
    expect(out).toContain("Code generation from strings disallowed");
  });

  it.each([
    ["rules check", ["rules", "check", "rules"]],
    ["rules test", ["rules", "test", "rules", "--run", "HT-FUNNEL-02"]],
    ["replay", ["replay", file, "--rules", rules]],
  ])("%s runs", async (_, args) => {
    const { code, out } = await node(SCRIPT, args);
    expect(out).not.toContain("disallowed");
    expect([code, out]).toEqual([0, out]);
  });
});
