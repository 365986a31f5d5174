import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { fakeTerminal } from "./fake-terminal.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-write-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function palermo(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = fakeTerminal();
  const code = await main(argv, terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

describe("rules new", () => {
  it("writes a rule that passes check, test and fmt, and a schema for editors", async () => {
    expect(await palermo("rules", "new", "HT-CASH-01", dir)).toMatchObject({ code: 0 });
    expect(existsSync(join(dir, "rule.schema.json"))).toBe(true);
    expect((await palermo("rules", "check", dir)).out).toContain("0 errors, 0 warnings in 1 file");
    expect((await palermo("rules", "test", dir)).out).toContain("3 tests passed, 0 failed");
    expect((await palermo("rules", "fmt", dir, "--check")).code).toBe(0);
  });

  it("takes no id twice, none of another form, and none that the lock knows", async () => {
    await palermo("rules", "new", "HT-CASH-01", dir);
    expect(await palermo("rules", "new", "HT-CASH-01", dir)).toMatchObject({ code: 2 });
    expect((await palermo("rules", "new", "cash", dir)).err).toContain("cannot be a rule id");
    expect((await palermo("rules", "new", "HT/../../X", dir)).code).toBe(2);
    const entry = { version: 1, hash: "0".repeat(64), status: "retired" };
    const lock = { schema: "rules-lock/v1", rules: { "HT-OLD-01": entry } };
    writeFileSync(join(dir, "rules.lock.json"), JSON.stringify(lock));
    expect((await palermo("rules", "new", "HT-OLD-01", dir)).err).toContain("was used before");
  });

  it("writes a typology over two indicators that are there", async () => {
    expect((await palermo("rules", "new", "HT-T", dir, "--kind", "typology")).code).toBe(2);
    await palermo("rules", "new", "HT-CASH-01", dir);
    await palermo("rules", "new", "HT-CASH-02", dir);
    expect((await palermo("rules", "new", "HT-T", dir, "--kind", "typology")).code).toBe(0);
    expect((await palermo("rules", "check", dir)).code).toBe(0);
    expect((await palermo("rules", "fmt", dir, "--check")).code).toBe(0);
  });
});

describe("rules fmt", () => {
  it("changes only what is not in form, and says so", async () => {
    await palermo("rules", "new", "HT-CASH-01", dir);
    const path = join(dir, "HT-CASH-01.yaml");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace("version: 1\n", "version:    1\n"));
    expect(await palermo("rules", "fmt", dir, "--check")).toMatchObject({ code: 3 });
    expect(JSON.parse((await palermo("rules", "fmt", path, "--json")).out)).toMatchObject({
      files: 1,
      changed: [path],
    });
    expect(readFileSync(path, "utf8")).toBe(text);
    writeFileSync(path, "a: [");
    expect(await palermo("rules", "fmt", path)).toMatchObject({ code: 2, out: expect.stringContaining("E001") });
    expect((await palermo("rules", "fmt", join(dir, "none.yaml"))).code).toBe(2);
  });
});

describe("rules list", () => {
  it("lists what passes the filters", async () => {
    await palermo("rules", "new", "HT-CASH-01", dir);
    const { out, code } = await palermo("rules", "list", dir);
    expect(code).toBe(0);
    expect(out).toMatch(/HT-CASH-01 +draft +1 +human_trafficking +account +3 +FINTRAC-2016-OA003/);
    expect((await palermo("rules", "list", dir, "--status", "active")).out).toBe("0 rules\n");
    const { rules } = JSON.parse((await palermo("rules", "list", dir, "--json", "--subject", "account")).out);
    expect(rules).toMatchObject([{ id: "HT-CASH-01", tests: 3 }]);
  });
});

describe("rules schema", () => {
  it("prints the schema or writes it to a file", async () => {
    await palermo("rules", "new", "HT-CASH-01", dir);
    const { out } = await palermo("rules", "schema", dir);
    expect(JSON.parse(out)).toMatchObject({ title: expect.stringContaining("rule/v1") });
    const file = join(dir, "own.json");
    expect((await palermo("rules", "schema", dir, "--out", file)).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(out);
  });
});
