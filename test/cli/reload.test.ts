/** Hot reload of a folder: what is sound is activated, what is not leaves the pack in force and says why. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { loadRules, published } from "../../src/cli/load-rules.ts";
import { createReloader, type Reloader, type ReloadReport } from "../../src/cli/reload.ts";
import { loadPack } from "../../src/rules/load.ts";
import { indicator, RATES } from "../screen/build.ts";

let dir: string;
let inForce: string;
let reports: ReloadReport[];
let check: (horizonMs: number) => void;
let activate: (hash: string) => Promise<void>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-reload-"));
  mkdirSync(join(dir, "lists"));
  writeFileSync(join(dir, "lists", "rates.yaml"), RATES);
  reports = [];
  check = () => undefined;
  activate = async (hash) => {
    inForce = hash;
  };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(min: number, tests = "tests: []"): string {
  const body = `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates: { n: { count: events, last: 1d }, s: { sum: tx.amount, last: 1d } }
when: { all: [ { many: agg.n >= ${min} }, { sum: agg.s >= 1 EUR } ] }
`;
  writeFileSync(join(dir, "T-A.yaml"), indicator("T-A", body).replace("tests: []", tests));
  return loadRules({ rules: dir }).pack.hash;
}

function start(): Reloader {
  inForce = loadRules({ rules: dir }).pack.hash;
  return createReloader({
    load: () => loadRules({ rules: dir }),
    check: ({ horizonMs }) => check(horizonMs),
    inForce: () => inForce,
    activate: ({ pack }) => activate(pack.hash),
    first: inForce,
    told: (report) => void reports.push(report),
  });
}

const results = (): string[] => reports.map(({ result }) => result);
describe("reloading a folder of rules", () => {
  it("activates what changed and is sound", async () => {
    write(3);
    const reloader = start();
    const next = write(4);
    await reloader.reload("files");
    expect([results(), inForce]).toEqual([["activated"], next]);
  });

  it("leaves the pack in force when the rules have errors, and tells every place", async () => {
    const first = write(3);
    const reloader = start();
    writeFileSync(join(dir, "T-B.yaml"), "schema: rule/v1\nid: T-B\nstatus: nonsense\n");
    await reloader.reload("signal");
    expect([results(), inForce]).toEqual([["refused"], first]);
    const places = reports[0]?.findings.map(({ file, line, column }) => `${file.slice(dir.length)}:${line}:${column}`);
    expect(places).toContainEqual(expect.stringMatching(/^\/T-B\.yaml:\d+:\d+$/));
    expect(places?.length).toBeGreaterThan(1);
  });

  it("leaves it when a folder cannot be read, or the pack must not run here", async () => {
    const first = write(3);
    const reloader = start();
    write(4);
    check = (horizonMs) => {
      throw new UsageError(`${horizonMs} ms are more than is kept`);
    };
    await reloader.reload("signal");
    rmSync(dir, { recursive: true });
    await reloader.reload("signal");
    expect([results(), inForce]).toEqual([["refused", "refused"], first]);
    expect(reports[0]?.message).toContain("more than is kept");
    expect(reports[1]?.message).toContain("cannot be read");
  });

  it("leaves it when the rules' own tests fail, and names them", async () => {
    const first = write(3);
    const reloader = start();
    write(2, "tests:\n  - { name: broken, kind: fires, events: [], expect: {} }\n");
    await reloader.reload("signal");
    expect([results(), inForce]).toEqual([["tests_failed"], first]);
    expect(reports[0]?.failedTests[0]).toMatchObject({ ruleId: "T-A", problems: expect.arrayContaining([]) });
    expect(reports[0]?.failedTests[0]?.problems.length).toBeGreaterThan(0);
  });

  it("does nothing for files that say what they said; a signal asks for them to be in force", async () => {
    const first = write(3);
    const reloader = start();
    await reloader.reload("signal");
    // Another process has activated another pack: the files here have not changed.
    inForce = "other";
    write(3);
    await reloader.reload("files");
    expect([results(), inForce]).toEqual([["unchanged", "unchanged"], "other"]);
    await reloader.reload("signal");
    expect([results().at(-1), inForce]).toEqual(["activated", first]);
  });

  it("follows the end of an override while its rules are in force, and never turns others back by it", async () => {
    const first = write(3);
    const reloader = start();
    // What the folder says has changed by time alone, as far as the reloader can see.
    const next = write(4);
    inForce = "other";
    await reloader.reload("time");
    expect([results(), inForce]).toEqual([["unchanged"], "other"]);
    inForce = first;
    await reloader.reload("time");
    expect([results(), inForce]).toEqual([["unchanged", "activated"], next]);
  });

  it("tries again what a broker did not take", async () => {
    const first = write(3);
    const reloader = start();
    const next = write(4);
    const works = activate;
    activate = async () => {
      throw new Error("no broker");
    };
    await reloader.reload("files");
    expect([results(), inForce]).toEqual([["failed"], first]);
    activate = works;
    await reloader.reload("files");
    expect([results(), inForce]).toEqual([["failed", "activated"], next]);
  });

  it("makes attempts one after the other, and those that wait as one", async () => {
    write(3);
    const reloader = start();
    let open = 0;
    activate = async (hash) => {
      expect(++open).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open--;
      inForce = hash;
    };
    const hashes = [4, 5, 6].map((min) => {
      const hash = write(min);
      void reloader.reload("files");
      return hash;
    });
    await reloader.reload("signal");
    await reloader.idle();
    expect(inForce).toBe(hashes[2]);
    expect(results().length).toBeLessThan(4);
  });
});

describe("a pack as it is published", () => {
  it("names its files from their folders on and has the hash that it has here", () => {
    write(3);
    const own = mkdtempSync(join(tmpdir(), "palermo-reload-lists-"));
    writeFileSync(join(own, "rates.yaml"), RATES.replace("1.10", "1.20"));
    const folders = { rules: dir, lists: own };
    const rules = loadRules(folders);
    rmSync(own, { recursive: true });
    const { files } = published(rules, folders);
    expect(files.map(({ path }) => path).sort()).toEqual(["lists/rates.yaml", "rules/T-A.yaml"]);
    expect(loadPack(files).pack?.hash).toBe(rules.pack.hash);
  });
});
