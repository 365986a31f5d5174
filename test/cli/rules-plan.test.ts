import { describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { fakeTerminal } from "./fake-terminal.ts";

async function plan(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = fakeTerminal();
  const code = await main(["rules", "plan", ...argv], terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

describe("rules plan", () => {
  it("leads from rules over aggregates and base measures to the bytes of an entity", async () => {
    const { code, out } = await plan();
    expect(code).toBe(0);
    const sections = ["Rules:", "Aggregates:", "Base measures:", "One entity that has everything at its cap:"];
    expect(sections.map((title) => out.indexOf(title)).every((at, i, all) => at >= (all[i - 1] ?? 0))).toBe(true);
    const json = JSON.parse((await plan("--json")).out) as {
      rules: { id: string; nodes: number }[];
      measures: { bytes: number }[];
    };
    expect(json.rules.length).toBeGreaterThan(15);
    for (const { id, nodes } of json.rules) expect([id, nodes > 0 && nodes < 400]).toEqual([id, true]);
    expect(json.measures.every(({ bytes }) => bytes > 0)).toBe(true);
  });

  it("of one rule shows what that rule asks for, with the error of its windows", async () => {
    const { out } = await plan("--rule", "HT-FUNNEL-02");
    // 14 d are 336 h, of which 1/48 is 7 h.
    expect(out).toMatch(/a\d+ +distinct +14d +m\d+ +7h +HT-FUNNEL-02/);
    // Filter 9; distinct, distinct and sum with their filters 6; two comparisons in one branch 7.
    expect(out).toMatch(/HT-FUNNEL-02 +account +2 +22 /);
    expect(out).not.toContain("TF-COLL-03");
    expect(await plan("--rule", "HT-NONE-01")).toMatchObject({ code: 2, out: "" });
  });
});
