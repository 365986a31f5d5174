import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { githubReport, sarifReport } from "../../src/cli/report-formats.ts";
import type { ReportFormat } from "../../src/cli/report-options.ts";
import { runRulesCheck } from "../../src/cli/rules-check.ts";
import { indicator, LISTS } from "../rules/build.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-check-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function put(files: readonly { path: string; text: string }[]): void {
  for (const { path, text } of files) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

interface Options {
  readonly format?: ReportFormat;
  readonly color?: boolean;
  readonly asOf?: number;
}

function check(options: Options = {}): { code: number; text: string } {
  let text = "";
  const out = { write: (part: string) => (text += part) };
  const code = runRulesCheck({ dir, format: "text", color: false, ...options }, out);
  return { code, text };
}

/** A rule in shadow: it needs neither approval nor tests. */
function rule(body: string): { path: string; text: string } {
  return indicator("HT-X-01", body, { status: "shadow" });
}

const BODY = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";

describe("rules check", () => {
  it("says what a sound pack consists of", () => {
    put([...LISTS, rule(BODY)]);
    const { code, text } = check();
    expect(code).toBe(0);
    expect(text).toContain("0 errors, 2 warnings in 10 files");
    expect(text).toContain("1 indicator and 0 typologies");
    expect(text).toContain("1 aggregate over 1 base measure, 0 flows, longest window 7 d");
  });

  it("shows every finding with its line", () => {
    put([rule(BODY.replace("agg.n", "agg.m"))]);
    const { code, text } = check();
    expect(code).toBe(2);
    expect(text).toMatch(/HT-X-01\.yaml:11:28: error E021: there is no aggregate `m`/);
    expect(text).toMatch(/\n {3}11 \| when: .*\n {6}\| {28}\^/);
  });

  it("gives one JSON object", () => {
    put([rule(BODY.replace("agg.n", "agg.m"))]);
    const bad = JSON.parse(check({ format: "json" }).text);
    expect(bad).toMatchObject({ ok: false, files: 1 });
    expect(bad.diagnostics.map(({ code }: { code: string }) => code)).toEqual(["W105", "W101", "E021"]);
    put([rule(BODY)]);
    expect(JSON.parse(check({ format: "json" }).text)).toMatchObject({ ok: true, indicators: 1, measures: 1 });
  });

  it("judges the dates of lists by the day that it is given", () => {
    put([
      {
        path: "lists/old.yaml",
        text: LISTS[2]!.text.replace("countries", "old").replace("title", "expires: 2026-01-01\ntitle"),
      },
    ]);
    expect(check().code).toBe(0);
    expect(check({ asOf: Date.UTC(2026, 0, 2) }).code).toBe(2);
  });

  it("refuses a folder without rules, and one that is not there", () => {
    expect(check()).toMatchObject({ code: 2, text: expect.stringContaining("no rule files") });
    rmSync(dir, { recursive: true });
    expect(() => check()).toThrow("does not exist");
    expect(JSON.parse(check({ format: "json" }).text)).toMatchObject({ ok: false });
  });

  it("colours only where it is told to", () => {
    put([rule(BODY)]);
    expect(check().text).not.toContain("\u001b");
    expect(check({ color: true }).text).toContain("\u001b[33mwarning W101");
  });

  it("asks an active rule for approval, tests and its place in the lock", () => {
    put([indicator("HT-X-01", BODY)]);
    writeFileSync(join(dir, "rules.lock.json"), '{"schema":"rules-lock/v1","rules":{}}');
    const { diagnostics } = JSON.parse(check({ format: "json" }).text) as { diagnostics: { code: string }[] };
    expect(diagnostics.map(({ code }) => code)).toEqual(["E080", "E082", "E083"]);
    expect(check().code).toBe(2);
  });
});

describe("findings for other tools", () => {
  const faulty = rule(BODY.replace("agg.n", "agg.m"));

  it("are SARIF 2.1.0, by its own schema", () => {
    put([faulty]);
    const { code, text } = check({ format: "sarif" });
    expect(code).toBe(2);
    const log = JSON.parse(text);
    const validate = new Ajv2020({ strict: false, unicodeRegExp: false, validateFormats: false }).compile(
      sarifSchema(),
    );
    expect(validate(log) || validate.errors).toBe(true);
    const result = log.runs[0].results.find((r: { ruleId: string }) => r.ruleId === "E021");
    expect(log.runs[0].tool.driver.rules[result.ruleIndex].id).toBe("E021");
    const place = result.locations[0].physicalLocation;
    expect(place.region).toEqual({ startLine: 11, startColumn: 28 });
    expect(place.artifactLocation.uri).toMatch(/rules\/ht\/HT-X-01\.yaml$/);
  });

  it("keep paths and messages of any characters apart from the syntax around them", () => {
    const odd = { severity: "error", code: "E021", line: 3, column: 4 } as const;
    const finding = { ...odd, file: "a b/c,d:e%.yaml", message: "one\n::error::two", hint: "100%" };
    expect(githubReport([finding], "/")).toBe(
      "::error file=a b/c%2Cd%3Ae%25.yaml,line=3,col=4,title=palermo E021::one%0A::error::two (hint: 100%25)\n",
    );
    const log = JSON.parse(sarifReport([finding, { ...finding, file: "--set" }], "1", "/"));
    expect(log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe("a%20b/c%2Cd%3Ae%25.yaml");
    expect(log.runs[0].results[1].locations).toBeUndefined();
  });

  it("are workflow commands of GitHub, one a line", () => {
    put([faulty]);
    const lines = check({ format: "github" }).text.trimEnd().split("\n");
    expect(
      lines.filter((line) => !/^::(error|warning) file=[^,]+,line=\d+,col=\d+,title=palermo [EW]\d+::./.test(line)),
    ).toEqual([]);
    expect(lines.some((line) => line.includes("title=palermo E021::there is no aggregate `m`"))).toBe(true);
  });
});

function sarifSchema(): object {
  const path = createRequire(import.meta.url).resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
  // Written for draft 4, of which it uses nothing that later drafts read otherwise.
  const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  return schema;
}
