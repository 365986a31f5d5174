import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { type FakeOptions, fakeTerminal } from "./fake-terminal.ts";

async function palermo(line: string, options: FakeOptions = {}) {
  const terminal = fakeTerminal(options);
  const code = await main(line === "" ? [] : line.split(" "), terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

describe("help and version", () => {
  it("lists every verb and the exit codes", async () => {
    const { code, out } = await palermo("--help");
    expect(code).toBe(0);
    for (const verb of ["replay", "run", "alerts", "token", "rules"])
      expect(out).toMatch(new RegExp(`^ {2}${verb}\\b`, "m"));
    expect(out).toContain("Exit codes: 0 fine, 1 failed, 2 usage, configuration or rules at fault");
  });

  it.each([
    ...["replay", "explain", "evidence", "baseline", "alerts", "token", "run", "feed", "packs", "verify", "rebuild"],
    ...["new", "list", "check", "fmt", "schema", "plan", "lock", "test", "mutate", "diff"].map(
      (verb) => `rules ${verb}`,
    ),
  ])("tells the exit codes of %s", async (verb) => {
    const { code, out } = await palermo(`${verb} --help`);
    expect(code).toBe(0);
    expect(out).toMatch(/^Exit codes: 0 \w+/m);
  });

  it.each(["replay", "run", "alerts", "token", "rules check", "rules test"])("shows examples for %s", async (verb) => {
    for (const line of [`${verb} --help`, ...(verb.includes(" ") ? [] : [`help ${verb}`])]) {
      const { code, out } = await palermo(line);
      expect(code).toBe(0);
      expect(out).toContain(`Usage: palermo ${verb}`);
      expect(out).toMatch(/Examples:\n {2}palermo /);
    }
  });

  it("lists the configuration's keys as options of run", async () => {
    expect((await palermo("run --help")).out).toContain("--kafka-brokers <text>");
  });

  it("prints the version", async () => {
    expect(await palermo("--version")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: "",
    });
  });
});

describe("usage at fault", () => {
  const EMPTY = mkdtempSync(join(tmpdir(), "palermo-empty-"));

  it.each([
    ["no verb", "", /Usage: palermo/],
    ["an unknown verb", "reply x", /unknown command 'reply'\n\(Did you mean replay\?\)/],
    ["an unknown option", "replay x --forat text", /unknown option '--forat'\n\(Did you mean --format\?\)/],
    ["an unknown verb of rules", "rules chekc", /Did you mean check\?/],
    ["a missing argument", "replay", /missing required argument 'file'/],
    ["a value out of its set", "replay x --format xml", /Allowed choices are auto, ndjson, text/],
    ["a time that is none", "replay x --from yesterday", /--from <time>.*Expected a day or a time with its zone/],
    ["a count that is none", "replay x --limit 0", /Expected a whole number of 1 or more/],
    ["a setting that is none", "replay x --set A", /Expected RULE\.param=value/],
    ["a missing file", "alerts /nowhere/alerts.ndjson", /\/nowhere\/alerts\.ndjson: no such file/],
    ["nothing to read", "alerts", /nothing to read/],
    ["a folder without rules to test", `rules test ${EMPTY}`, /no rule files \(\*\.yaml\) here/],
    ["a folder without rules to list", `rules list ${EMPTY}`, /no rule files/],
    ["a folder without rules to plan", `rules plan ${EMPTY}`, /no rule files/],
    ["a folder without rules to mutate", `rules mutate ${EMPTY}`, /no rule files/],
    [
      "a folder without rules to screen with",
      `replay fixtures/funnel-ring/transactions.ndjson --rules ${EMPTY}`,
      /no rule files/,
    ],
    ["a token without a key", "token party 1", /no key: give --key-file/],
    ["a configuration at fault", "run --role nobody", /--role:1:1: error/],
  ])("%s: exit code 2, one message, no stack", async (_what, line, message) => {
    const { code, out, err } = await palermo(line);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^ {4}at /m);
  });
});

describe("failures", () => {
  const bad = join(mkdtempSync(join(tmpdir(), "palermo-main-")), "cut.ndjson.gz");
  writeFileSync(bad, Buffer.from("1f8b0800000000000003", "hex"));

  it("gives one line and 1, and the stack only on request", async () => {
    const plain = await palermo(`alerts ${bad}`);
    expect(plain.code).toBe(1);
    expect(plain.err).toMatch(/^palermo: failed: .*cut\.ndjson\.gz: cannot be read to its end/);
    expect(plain.err).not.toMatch(/^ {4}at /m);
    for (const line of [`--debug alerts ${bad}`, `alerts ${bad} --debug`]) {
      const debug = await palermo(line);
      expect([debug.code, /^ {4}at /m.test(debug.err)]).toEqual([1, true]);
    }
  });

  it("shows nothing that a terminal would obey", async () => {
    const { err } = await palermo("alerts /nowhere/\u001b[2J");
    expect(err).not.toContain("\u001b[2J");
  });
});
