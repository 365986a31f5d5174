import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { indicator } from "../rules/build.ts";
import { fakeTerminal } from "./fake-terminal.ts";

const STORY = join(import.meta.dirname, "../../fixtures/funnel-ring");
let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "palermo-against-"));
  mkRule("HT-X-01", "tx.amount > 5 EUR");
  mkRule("HT-Y-01", "tx.device != 'x'");
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function mkRule(id: string, filter: string): void {
  const body = `filters: { f: "${filter}" }\naggregates: { n: { count: events, where: f, last: 30d } }\nwhen: { all: [ { many: agg.n >= 2 } ] }\n`;
  writeFileSync(join(dir, `${id}.yaml`), indicator(id, body, { status: "shadow" }).text);
}

async function against(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = fakeTerminal();
  const code = await main(["rules", "check", dir, ...argv], terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

describe("rules check --against", () => {
  it("ends with what can fire on the data and what the others lack", async () => {
    const files = ["--against", join(STORY, "transactions.ndjson"), "--parties", join(STORY, "parties.ndjson")];
    const { code, out } = await against(...files);
    expect(code).toBe(3);
    expect(out).toMatch(/1 of 2 rules can fire on this data\n {2}HT-Y-01 lacks tx\.device\n$/);
    const json = JSON.parse((await against(...files, "--json")).out);
    expect(json).toMatchObject({ ok: true, against: { rejected: 0, rules: [{ canFire: true }, { canFire: false }] } });
  });

  it("reads what is no transaction at all, and nothing", async () => {
    const file = join(dir, "bad.ndjson");
    writeFileSync(file, `{"a":1}\nnonsense\n[]\n${"[".repeat(10_000)}\n`);
    expect((await against("--against", file)).out).toContain("4 rows rejected");
    writeFileSync(file, "");
    const { code, out } = await against("--against", file);
    expect(code).toBe(3);
    expect(out).toContain("0 of 2 rules can fire on this data");
  });

  it("screens nothing with faulty rules, missing files or another form", async () => {
    expect((await against("--against", join(dir, "none.ndjson"))).code).toBe(2);
    expect((await against("--against", join(STORY, "transactions.ndjson"), "--format", "sarif")).code).toBe(2);
    mkRule("HT-Z-01", "tx.amuont > 5 EUR");
    const { code, out } = await against("--against", join(STORY, "transactions.ndjson"));
    expect(code).toBe(2);
    expect(out).toContain("E021");
    expect(out).not.toContain("can fire");
  });
});
