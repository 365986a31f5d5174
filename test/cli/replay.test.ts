import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertSchema } from "../../src/domain/alert.ts";
import { deposit, deposits, palermo, testFolder, write, writeRules } from "./replay-kit.ts";

const folder = testFolder();
const rules = writeRules(folder);
const story = deposits(4, 3);
const input = write(folder, "story.ndjson", `${story.join("\n")}\n`);

const replay = (...args: string[]) => palermo(["replay", "--rules", rules, ...args]);
const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");
const alertsOf = (text: string) => linesOf(text).map((line) => alertSchema.parse(JSON.parse(line)));
const readLines = (path: string): string[] => linesOf(readFileSync(path, "utf8"));

describe("alerts", () => {
  it("gives valid alerts as NDJSON where standard output is no terminal, and a summary on stderr", async () => {
    const { code, out, err } = await replay(input);
    expect(code).toBe(0);
    const alerts = alertsOf(out);
    expect(new Set(alerts.map((alert) => alert.alertId)).size).toBe(12);
    expect(new Set(alerts.map((alert) => alert.subject.token))).toEqual(new Set(["p-0", "p-1", "p-2", "p-3"]));
    expect(err).toContain("36 rows: 36 transactions screened");
    expect(err).toMatch(/HT-CASH +0 +12 +0 +0 +0/);
  });

  it("gives a readable listing on a terminal, or when asked", async () => {
    const terminal = await palermo(["replay", "--rules", rules, input], { tty: true, env: { NO_COLOR: "1" } });
    expect(terminal.out).toContain("12 alerts.");
    expect(terminal.out).toContain("3 people paid 2,700.00 EUR in cash.");
    expect((await replay(input, "--format", "text")).out).toBe(terminal.out);
    const forced = await palermo(["replay", "--rules", rules, input, "--format", "ndjson"], { tty: true });
    expect(forced.out).toBe((await replay(input)).out);
  });

  it("writes those of rules in shadow to a file of their own", async () => {
    const watched = writeRules(join(folder, "shadow"), (text) => text.replace("status: active", "status: shadow"));
    const path = join(folder, "shadow.ndjson");
    const { code, out } = await palermo(["replay", "--rules", watched, input, "--shadow", path]);
    expect([code, out]).toEqual([0, ""]);
    const apart = readLines(path).map((line) => alertSchema.parse(JSON.parse(line)));
    const together = alertsOf((await palermo(["replay", "--rules", watched, input])).out);
    expect(apart).toEqual(together);
    expect(new Set(apart.map(({ status }) => status))).toEqual(new Set(["shadow"]));
    const usual = alertsOf((await replay(input)).out);
    expect(apart.map(({ alertId }) => alertId)).toEqual(usual.map(({ alertId }) => alertId));
  });

  it("draws progress on a terminal only", async () => {
    const terminal = await palermo(["replay", "--rules", rules, input], { tty: true });
    expect(terminal.err).toContain("\r\u001b[K");
    expect((await replay(input)).err).not.toContain("\r");
  });
});

describe("the same bytes", () => {
  it("on every run, however the rows are spread over files, zipped or not, in any order of names", async () => {
    const expected = await replay(input);
    expect((await replay(input)).out).toBe(expected.out);
    const places = fc.array(fc.nat(2), { minLength: story.length, maxLength: story.length });
    const order = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
    let run = 0;
    const property = fc.asyncProperty(places, order, fc.boolean(), async (place, names, zipped) => {
      run += 1;
      const files = names.map((name) => {
        const text = story
          .filter((_, index) => place[index] === name)
          .map((line) => `${line}\n`)
          .join("");
        return write(folder, `split-${run}/${name}.ndjson${zipped ? ".gz" : ""}`, zipped ? gzipSync(text) : text);
      });
      const { code, out } = await replay(...files);
      expect([code, out === expected.out]).toEqual([0, true]);
    });
    await fc.assert(property, { seed: 7, numRuns: 12 });
  });

  it("from standard input, and with parties in one file or two", async () => {
    const parties = ["p-0", "p-1"].map((party) =>
      JSON.stringify({ schema: "party/1", party, validFrom: "2020-01-01T00:00:00Z", partyType: "person" }),
    );
    const one = write(folder, "parties.ndjson", parties.join("\n"));
    const two = parties.map((text, index) => write(folder, `parties-${index}.ndjson`, text));
    const expected = await replay(input, "--parties", one);
    expect((await replay(input, "--parties", two[1] ?? "", "--parties", two[0] ?? "")).out).toBe(expected.out);
    expect(expected.err).toContain("36 transactions screened, 2 profiles");
    const piped = await palermo(["replay", "-", "--rules", rules, "--parties", one], {
      stdin: `${story.join("\n")}\n`,
    });
    expect(piped.out).toBe(expected.out);
  });
});

describe("outputs", () => {
  it("writes alerts, hits and rejects to files; standard output stays free for the summary as JSON", async () => {
    const [alerts, hits, rejects] = ["alerts", "hits", "rejects"].map((name) => join(folder, `out-${name}.ndjson`));
    const files = ["--alerts", alerts ?? "", "--hits", hits ?? "", "--rejects", rejects ?? ""];
    const { code, out, err } = await replay(input, ...files, "--json");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({ schema: "replay-summary/1", screened: 36, hits: { "HT-CASH-01": 12 } });
    expect(readFileSync(alerts ?? "", "utf8")).toBe((await replay(input)).out);
    expect(readLines(rejects ?? "")).toEqual([]);
    const records = readLines(hits ?? "").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.filter((hit) => hit.event === "opened")).toHaveLength(12);
    expect(records[0]).toMatchObject({
      schema: "hit/1",
      ruleId: "HT-CASH-01",
      entity: "account:a-0",
      event: "opened",
      start: "2026-01-07T09:00:00Z",
      explanation: "3 people paid 2,700.00 EUR in cash.",
    });
  });

  it("says nothing with --quiet, and the summary on stderr when alerts go to standard output", async () => {
    expect((await replay(input, "--quiet")).err).toBe("");
    const { out, err } = await replay(input, "--json");
    expect(alertsOf(out).length).toBeGreaterThan(0);
    expect(JSON.parse(err)).toMatchObject({ screened: 36 });
  });

  it("does not overwrite an input", async () => {
    const { code, err } = await replay(input, "--alerts", input);
    expect(code).toBe(2);
    expect(err).toContain("would be overwritten");
    expect(readLines(input)).toHaveLength(36);
  });
});

describe("bounds", () => {
  it("gives the alerts of the period; earlier rows warm up in silence, with --cold they are left out", async () => {
    const idsIn = async (...args: string[]) =>
      new Set(alertsOf((await replay(input, ...args)).out).map((a) => a.alertId));
    const all = alertsOf((await replay(input)).out);
    // The second of three weeks begins with its first deposit on January 19; its alerts come with the third on 21.
    const second = new Set(
      all.filter((alert) => alert.updatedAt.startsWith("2026-01-2")).map((alert) => alert.alertId),
    );
    expect(second.size).toBe(4);
    expect(await idsIn("--from", "2026-01-21", "--to", "2026-01-31")).toEqual(second);
    expect(await idsIn("--from", "2026-01-21", "--to", "2026-01-31", "--cold")).toEqual(new Set());
    expect(await idsIn("--from", "2026-01-19", "--to", "2026-01-31", "--cold")).toEqual(second);
    const { err } = await replay(input, "--from", "2026-01-21", "--cold");
    expect(err).toContain("windows started empty at 2026-01-21 00:00 UTC");
    expect(err).toMatch(/20 outside the period/);
  });

  it("takes the last day of --to in whole and nothing after", async () => {
    const upTo = async (to: string) => alertsOf((await replay(input, "--to", to)).out).map((alert) => alert.updatedAt);
    expect(await upTo("2026-01-07")).toHaveLength(4);
    expect(await upTo("2026-01-07T09:02:00Z")).toHaveLength(2);
    expect(await upTo("2026-01-06")).toHaveLength(0);
  });

  it("screens no more than --limit", async () => {
    const { out, err } = await replay(input, "--limit", "9");
    expect(err).toContain("9 transactions screened");
    expect(alertsOf(out)).toHaveLength(1);
  });

  it.each([
    ["--from after --to", ["--from", "2026-02-01", "--to", "2026-01-01"], /--from is not before --to/],
    ["--cold without --from", ["--cold"], /--cold needs --from/],
  ])("refuses %s", async (_what, args, message) => {
    const { code, err } = await replay(input, ...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe("rules", () => {
  it("tries another value of a parameter", async () => {
    const { code, out } = await replay(input, "--set", "HT-CASH-01.min_people=4");
    expect([code, out]).toEqual([0, ""]);
  });

  it.each([
    ["a folder that is not there", ["--rules", join(folder, "none")], /none: cannot be read as a folder of rules/],
    ["a parameter that does not exist", ["--set", "HT-CASH-01.people=4"], /E070/],
    ["a value out of range", ["--set", "HT-CASH-01.min_people=99"], /E070|E017/],
    ["lists that are not there", ["--lists", join(folder, "none")], /none: cannot be read/],
    ["a mapping that is not there", ["--mapping", join(folder, "none.yaml")], /none\.yaml: no such mapping file/],
    ["parties that are not there", ["--parties", join(folder, "none.ndjson")], /none\.ndjson: no such file/],
  ])("exits with 2 for %s, before anything is written", async (_what, args, message) => {
    const alerts = join(folder, "untouched.ndjson");
    const { code, out, err } = await replay(input, ...args, "--alerts", write(folder, "untouched.ndjson", "before"));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(readFileSync(alerts, "utf8")).toBe("before");
  });

  it("shows every error of the rules with its line", async () => {
    const broken = writeRules(join(folder, "broken"), (text) =>
      text.replace("agg.people >=", "agg.poeple >=").replace("crime: h", "crime: x"),
    );
    const { code, err } = await palermo(["replay", input, "--rules", broken]);
    expect(code).toBe(2);
    expect(err).toMatch(/HT-CASH-01\.yaml:18:\d+: error E021.*\n.*agg\.poeple/);
    expect(err).toMatch(/HT-CASH\.yaml:6:\d+: error E013/);
    expect(err).toMatch(/\d errors/);
  });

  it("puts the operator's list in place of the shipped one", async () => {
    const lists = join(folder, "lists");
    write(
      lists,
      "rates.yaml",
      readFileSync(join(rules, "lists/rates.yaml"), "utf8").replace("base: EUR", "base: USD").replace("USD: ", "EUR: "),
    );
    const { err } = await replay(input, "--lists", lists);
    expect(err).toContain("base currency USD");
  });
});

describe("a mapping", () => {
  it("makes movements of foreign columns; a row that it cannot make one of is rejected by its place", async () => {
    const mapping = join(import.meta.dirname, "../../fixtures/mappings/amlsim.yaml");
    const rows = ["sourceNodeId,targetNodeId,value,time", "360,18984,125.5,1", "7,8,much,2", "8,9,10,3", "9,10,11"];
    const file = write(folder, "nodes.csv", `${rows.join("\n")}\n`);
    const path = join(folder, "nodes-rejected.ndjson");
    const { code, err } = await replay(file, "--mapping", mapping, "--rejects", path);
    expect(code).toBe(3);
    expect(err).toContain("4 rows: 2 transactions screened");
    const found = readLines(path).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.map((row) => [row.line, row.file])).toEqual([
      [3, file],
      [5, file],
    ]);
    // Without it the same file says what it lacks.
    const plain = await replay(file);
    expect([plain.code, plain.err]).toEqual([2, expect.stringContaining("give a mapping file (--mapping)")]);
  });
});

describe("rows that cannot be screened", () => {
  const rejects = join(folder, "rejected.ndjson");

  it("exits with 3 and names each with file, line, code and field", async () => {
    const rows = [
      deposit("t-1", "2026-01-05T09:00:00Z"),
      "{not json",
      deposit("t-2", "2026-01-05T09:00:00Z", { amount: "-5" }),
      "",
      deposit("t-3", "2026-01-06T09:00:00Z", { currency: "XXQ" }),
      deposit("t-4", "2026-07-06T09:00:00Z"),
      '{"schema":"tx/1","__proto__":{"x":1}}',
    ];
    const bad = write(folder, "bad.ndjson", rows.join("\n"));
    const { code, err } = await replay(bad, "--rejects", rejects);
    expect(code).toBe(3);
    const found = readLines(rejects).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.map((row) => [row.line, row.code]).sort()).toEqual([
      [2, "MALFORMED_JSON"],
      [3, "BAD_AMOUNT"],
      [5, "UNKNOWN_CURRENCY"],
      [6, "FAR_FUTURE"],
      [7, "FORBIDDEN_KEY"],
    ]);
    expect(found.every((row) => row.schema === "reject/1" && row.file === bad)).toBe(true);
    expect(err).toContain("5 rows: BAD_AMOUNT 1, FAR_FUTURE 1, FORBIDDEN_KEY 1, MALFORMED_JSON 1, UNKNOWN_CURRENCY 1");
  });

  it("holds far-future times against --as-of", async () => {
    const late = write(folder, "late.ndjson", deposit("t-4", "2026-07-06T09:00:00Z"));
    expect((await replay(late)).code).toBe(3);
    expect((await replay(late, "--as-of", "2026-08-01")).code).toBe(0);
  });

  it("counts a repeat once and rejects other content under the same id, once for all its entities", async () => {
    const first = deposit("t-1", "2026-01-05T09:00:00Z");
    const rows = [first, first, deposit("t-1", "2026-01-05T09:00:00Z", { amount: "901.00" })];
    const { code, err } = await replay(write(folder, "repeats.ndjson", rows.join("\n")), "--rejects", rejects);
    expect(code).toBe(3);
    expect(err).toContain("1 duplicate");
    expect(readLines(rejects).map((line) => (JSON.parse(line) as Record<string, unknown>).code)).toEqual(["CONFLICT"]);
  });
});

describe("files", () => {
  it("reads an empty file", async () => {
    const { code, out, err } = await replay(write(folder, "empty.ndjson", ""));
    expect([code, out]).toEqual([0, ""]);
    expect(err).toContain("0 rows: 0 transactions screened");
  });

  it("exits with 2 and the path when a file is missing", async () => {
    const { code, err } = await replay(input, "/nowhere/x.ndjson");
    expect(code).toBe(2);
    expect(err).toBe("palermo: /nowhere/x.ndjson: no such file\n");
  });

  it("exits with 1 when a file breaks off, after the alerts of what stood before", async () => {
    const zipped = gzipSync(
      deposits(200, 3)
        .map((line) => `${line}\n`)
        .join(""),
    );
    const cut = write(folder, "cut.ndjson.gz", zipped.subarray(0, Math.floor(zipped.length * 0.8)));
    const { code, out, err } = await replay(cut);
    expect(code).toBe(1);
    expect(err).toMatch(/^palermo: failed: .*cut\.ndjson\.gz: the gzip data breaks off/);
    expect(err).not.toContain("--debug");
    expect(alertsOf(out).length).toBeGreaterThan(0);
  });
});
