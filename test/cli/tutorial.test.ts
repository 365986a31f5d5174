import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { fakeTerminal } from "./fake-terminal.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/tutorial.md"), "utf8");

interface Step {
  readonly command: string;
  readonly code: number;
  /** What it prints, at least. */
  readonly told: readonly string[];
}

/** The commands of the page's `sh` blocks. A line that ends with a backslash, an open quote or `<<` goes on. */
function stepsOf(page: string): Step[] {
  const lines = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) => block!.trimEnd().split("\n"));
  const steps: { command: string; code: number; told: string[] }[] = [];
  let open: string | undefined;
  for (const line of lines) {
    if (open === undefined && line.startsWith("#> ")) {
      steps.at(-1)!.told.push(line.slice(3));
      continue;
    }
    const text = open === undefined ? line : `${open}\n${line}`;
    const isOpen = (text.match(/'/g) ?? []).length % 2 === 1 || (/<<'END'/.test(text) && line !== "END");
    open = isOpen ? text : undefined;
    if (isOpen) continue;
    const code = / # ends with (\d)$/.exec(text)?.[1];
    steps.push({ command: text.replace(/ # ends with \d$/, ""), code: Number(code ?? 0), told: [] });
  }
  return steps;
}

let dir = "";
const before = process.cwd();
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-tutorial-"));
  process.chdir(dir);
});
afterAll(() => {
  process.chdir(before);
  rmSync(dir, { recursive: true, force: true });
});

/** Palermo's own commands run in this process, as fast as they are; all others in a shell. */
async function run(command: string): Promise<{ code: number; out: string }> {
  const fixtures = join(ROOT, "fixtures");
  if (!command.startsWith("palermo ")) return shell(command, fixtures);
  const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  const terminal = fakeTerminal();
  const argv = words.slice(1).map((word) => word.replace("$FIXTURES", fixtures));
  const code = await main(argv, terminal);
  return { code, out: terminal.out() + terminal.err() };
}

function shell(command: string, fixtures: string): Promise<{ code: number; out: string }> {
  const env = { ...process.env, FIXTURES: fixtures };
  return new Promise((resolve) => {
    execFile("/bin/sh", ["-c", command], { cwd: dir, env, encoding: "utf8" }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr });
    });
  });
}

describe("docs/tutorial.md", () => {
  it("does what it says, from the first command to the last", { timeout: 120_000 }, async () => {
    const steps = stepsOf(PAGE);
    expect(steps.filter(({ command }) => command.startsWith("palermo ")).length).toBeGreaterThan(15);
    for (const { command, code, told } of steps) {
      const result = await run(command);
      expect({ command, code: result.code }, result.out).toEqual({ command, code });
      for (const text of told) expect(result.out).toContain(text);
    }
  });
});
