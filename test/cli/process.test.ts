/** What only a process of its own can show: exit codes, a pipe that is closed, no stray output. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { deposits, testFolder, write, writeRules } from "./replay-kit.ts";

const folder = testFolder();
const rules = writeRules(folder);
const main = new URL("../../src/cli/main.ts", import.meta.url).href;
const root = fileURLToPath(new URL("../..", import.meta.url));
const SCRIPT = `const { main } = await import(${JSON.stringify(main)}); process.exitCode = await main(process.argv.slice(1));`;

async function palermo(args: readonly string[], readBytes = Number.POSITIVE_INFINITY) {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", SCRIPT, "--", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (out.length >= readBytes) child.stdout.destroy();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal, out, err };
}

describe("palermo as a process", () => {
  const many = write(folder, "many.ndjson", deposits(400, 4).join("\n"));

  it("ends quietly when the reader of its output goes away", async () => {
    const { code, signal, err } = await palermo(["replay", many, "--rules", rules, "--quiet"], 1);
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: "" });
  });

  it("ends quietly when the reader of its help goes away", async () => {
    const { code, signal, err } = await palermo(["run", "--help"], 1);
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: "" });
  });

  it("writes everything before it ends, and exits with the code of its verb", async () => {
    const whole = await palermo(["replay", many, "--rules", rules]);
    expect([whole.code, whole.out.endsWith("}\n"), whole.err.includes("4,800 transactions screened")]).toEqual([
      0,
      true,
      true,
    ]);
    const missing = await palermo(["replay", "/nowhere.ndjson"]);
    expect(missing).toMatchObject({ code: 2, out: "", err: "palermo: /nowhere.ndjson: no such file\n" });
  });
});
