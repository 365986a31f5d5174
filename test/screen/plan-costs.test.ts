import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import { readRuleFiles } from "../../src/files/rules-dir.ts";
import { loadPack } from "../../src/rules/load.ts";
import { planOf } from "../../src/rules/plan-costs.ts";
import { contributionsIn } from "../../src/screen/contributions.ts";
import { contribute, evict, expire, newMeasureState } from "../../src/screen/measures.ts";
import { newState } from "../../src/screen/new-state.ts";
import { encodeStateBytes } from "../../src/screen/state-codec.ts";
import { indicator, packOf } from "./build.ts";

const RULE = indicator(
  "T-COST",
  `
subject: account
aggregates:
  short: { sum: tx.amount, last: 1h }
  long: { sum: tx.amount, last: 90d }
  part: { sum: tx.amount, by: other.id, last: 30d, cap: 4 }
  people: { distinct: other.id, last: 30d, cap: 16 }
  burst: { count: events, burst: { gap: 2h } }
  ten: { count: events, last: 10 events }
base: { usual: { of: agg.long, stat: p95, over: 60d } }
when:
  all:
    - a: agg.short >= 3 EUR
    - b: agg.long >= base.usual
    - c: agg.part >= 3 EUR
    - d: agg.people >= 3
    - e: agg.burst >= 3
    - f: agg.ten >= 3
`,
);

describe("costs of a pack", () => {
  const pack = packOf({ "T-COST": RULE });
  const costs = planOf(pack);

  it("lead from rules to aggregates to base measures", () => {
    expect(costs.rules).toMatchObject([{ id: "T-COST", clauses: 6, sharedWith: [] }]);
    const slots = costs.rules[0]?.aggregates.map(({ slot }) => costs.aggregates[slot]) ?? [];
    expect(slots.map((one) => one?.window)).toEqual(["1h", "90d", "30d", "30d", "burst", "newest 10"]);
    // Windows of one definition share a measure; so do the two that count events.
    expect(slots[0]?.measure).toBe(slots[1]?.measure);
    expect(slots[4]?.measure).toBe(slots[5]?.measure);
    expect(slots.map((one) => one?.errorMs)).toEqual([
      HOUR_MS / 48,
      (90 * DAY_MS) / 48,
      (30 * DAY_MS) / 48,
      (30 * DAY_MS) / 48,
      (7 * DAY_MS) / 48,
      0,
    ]);
    expect(costs.subjects.map((one) => one.kind)).toEqual(["account"]);
  });

  it("bound what is stored of an account at its worst", () => {
    const state = newState(pack.subjects.account);
    let time = Date.UTC(2026, 0, 1);
    for (let seq = 0; seq < 12_000; seq += 1) {
      time += seq % 3 === 0 ? 5 * MINUTE_MS : 1_234_567 % (seq + 1);
      for (const measure of pack.subjects.account.measures) {
        const kept = state.measures.get(measure.index) ?? newMeasureState(measure);
        state.measures = state.measures.set(measure.index, kept);
        contribute(kept, measure, { seq, time }, 1_000_003 * (1 + (seq % 977)), `token-of-customer-${seq % 41}`);
        if (seq >= 256) evict(kept, measure, seq - 256);
        expire(kept, measure, time);
      }
      const stored = costs.measures.map(({ slot }) => {
        const kept = state.measures.get(pack.measures[slot]?.index ?? -1);
        let cells = contributionsIn(kept?.recent ?? []) + (kept?.buckets.length ?? 0) + (kept?.keys?.size ?? 0);
        for (const part of kept?.groups?.values() ?? []) cells += part.length;
        return cells;
      });
      if (seq % 500 !== 0) continue;
      costs.measures.forEach((cost, i) => {
        expect(stored[i], `measure ${i} at ${seq}`).toBeLessThanOrEqual(cost.cells);
      });
      const bytes = encodeStateBytes({ ...state, clock: time }, pack, "account").length;
      expect(bytes).toBeLessThanOrEqual(costs.subjects[0]?.bytes ?? 0);
    }
  });

  it("are told for the shipped rules too", () => {
    const { pack: shipped } = loadPack(readRuleFiles("rules"));
    if (shipped === undefined) throw new Error("the shipped rules do not compile");
    const all = planOf(shipped);
    expect(all.rules.map((rule) => rule.id)).toEqual(shipped.rules.map((rule) => rule.id));
    for (const { measure, usedBy } of all.aggregates) {
      if (measure !== undefined) expect(all.measures[measure]?.aggregates).toBeGreaterThan(0);
      expect(usedBy.length).toBeLessThanOrEqual(shipped.rules.length);
    }
  });
});
