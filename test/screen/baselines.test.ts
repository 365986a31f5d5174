import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../src/base/limits.ts";
import type { Tx } from "../../src/domain/tx.ts";
import { loadPack } from "../../src/rules/load.ts";
import { formatPeerFile, type PeerFile } from "../../src/rules/peers.ts";
import { indicator, move, packOf, T0 } from "./build.ts";
import { foldValues } from "./fold-values.ts";

const STATS = ["mean", "sd", "p50", "p95", "mad", "robust_z"] as const;

const pack = packOf({
  "T-BASE": indicator(
    "T-BASE",
    `
subject: account
aggregates: { spent: { sum: tx.amount, last: 2d } }
base:
${STATS.map((stat) => `  ${stat}: { of: agg.spent, stat: ${stat}, over: 9d, step: 1d, skip: 2d, min_samples: 5 }`).join("\n")}
  raised: { of: agg.spent, stat: p50, over: 9d, step: 1d, skip: 2d, min_samples: 5, floor: 40 EUR }
when:
  all:
${[...STATS, "raised"].map((name, i) => `    - c${i}: "${name === "robust_z" ? "base.robust_z >= 3" : `agg.spent >= base.${name}`}"`).join("\n")}
`,
  ),
});

/** Statistics by their textbook definitions. */
const naive = {
  mean: (all: number[]) => all.reduce((a, b) => a + b, 0) / all.length,
  sd: (all: number[]) => Math.sqrt(naive.mean(all.map((x) => (x - naive.mean(all)) ** 2))),
  p50: (all: number[]) => naive.quantile(all, 0.5),
  p95: (all: number[]) => naive.quantile(all, 0.95),
  mad: (all: number[]) => naive.p50(all.map((x) => Math.abs(x - naive.p50(all)))),
  /** Between the two nearest ranks, in proportion (type 7 of Hyndman and Fan). */
  quantile: (all: number[], share: number) => {
    const sorted = [...all].sort((a, b) => a - b);
    const rank = (sorted.length - 1) * share;
    const [low, high] = [sorted[Math.floor(rank)] as number, sorted[Math.ceil(rank)] as number];
    return low + (high - low) * (rank - Math.floor(rank));
  },
};

/** Sums over the two days that end with each day's last millisecond, once two whole days are known. */
function samples(txs: readonly Tx[], now: number): number[] {
  const first = (txs[0] as Tx).time;
  const found: number[] = [];
  for (let day = Math.floor(first / DAY_MS); day < Math.floor(now / DAY_MS); day += 1) {
    const end = (day + 1) * DAY_MS - 1;
    if (end - 2 * DAY_MS < first - 1 || end > now - 2 * DAY_MS || end <= now - 11 * DAY_MS) continue;
    const inside = txs.filter((tx) => tx.time > end - 2 * DAY_MS && tx.time <= end);
    found.push(inside.reduce((sum, tx) => sum + (tx.amount as number), 0));
  }
  return found;
}

describe("own base lines", () => {
  it("are the statistics of daily samples, silent days too, the judged days left out", () => {
    const gap = fc.oneof(fc.nat(6 * HOUR_MS), fc.nat(2 * DAY_MS), fc.constant(20 * DAY_MS));
    const steps = fc.array(fc.tuple(gap, fc.integer({ min: 100, max: 9_000 })), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(steps, (all) => {
        let time = T0;
        const txs = all.map(([gapMs, amount], i) => {
          time += gapMs;
          return move({ id: `t${i}`, time, from: "me", to: "b", amount });
        });
        const values = foldValues(pack, "me", txs, (context) => {
          return Object.fromEntries([...STATS, "raised"].map((name, slot) => [name, context.base(slot)]));
        });
        values.forEach((found, at) => {
          const known = samples(txs.slice(0, at + 1), (txs[at] as Tx).time);
          if (known.length < 5) {
            expect(found).toEqual(Object.fromEntries([...STATS, "raised"].map((name) => [name, undefined])));
            return;
          }
          for (const name of ["mean", "sd", "p50", "p95", "mad"] as const) {
            expect(found?.[name]).toBeCloseTo(naive[name](known), 6);
          }
          expect(found?.raised).toBeCloseTo(Math.max(4_000, naive.p50(known)), 6);
          const spread = 1.4826 * naive.mad(known);
          const inside = txs.slice(0, at + 1).filter((tx) => tx.time > (txs[at] as Tx).time - 2 * DAY_MS);
          const spent = inside.reduce((sum, tx) => sum + (tx.amount as number), 0);
          if (spread === 0) expect(found?.robust_z).toBeUndefined();
          else expect(found?.robust_z).toBeCloseTo((spent - naive.p50(known)) / spread, 6);
        });
      }),
      { seed: 81, numRuns: 60 },
    );
  });
});

describe("peers", () => {
  const rule = (percentile: number) =>
    indicator(
      "T-PEER",
      `
subject: account
aggregates: { spent: { sum: tx.amount, last: 30d } }
peer: { usual: { of: agg.spent, group: segment, percentile: ${percentile} } }
when: { all: [ { much: agg.spent > peer.usual }, { some: agg.spent >= 1 EUR } ] }
`,
    );
  const load = (text: string, file?: string) =>
    loadPack([
      { path: "rules/T-PEER.yaml", text },
      ...(file === undefined ? [] : [{ path: "rules/peers.yaml", text: file }]),
    ]);
  const codes = (loaded: ReturnType<typeof load>) =>
    loaded.diagnostics.map((d) => d.code).filter((code) => code !== "W101" && code !== "E042");
  const definition = load(rule(95)).pack?.peers[0]?.definition ?? "";
  const fileOf = (more: Partial<PeerFile["numbers"][0]> = {}): string => {
    const groups = [{ name: "retail", entities: 120, percentiles: new Map([[95, 123_456]]) }];
    const number = { rule: "T-PEER", name: "usual", unit: "money" as const, definition, groups, ...more };
    return formatPeerFile({ id: "peers", asOf: T0, currency: "EUR", group: "segment", numbers: [number] });
  };

  it("are read from the file that was written for the same number", () => {
    const loaded = load(rule(95), fileOf());
    expect(codes(loaded)).toEqual([]);
    const clause = loaded.pack?.rules[0]?.when;
    const leaf = clause?.kind === "all" ? clause.children[0] : undefined;
    if (leaf?.kind !== "leaf") throw new Error("no leaf");
    const judged = (spent: number, segment: string | undefined) =>
      leaf.test({ agg: () => spent, profile: { segment } } as never);
    expect(judged(123_456, "retail")).toBe(false);
    expect(judged(123_457, "retail")).toBe(true);
    expect(judged(999_999, "other")).toBeUndefined();
    expect(judged(999_999, undefined)).toBeUndefined();
  });

  it("are unknown, and said to be, where the file is missing or measured something else", () => {
    expect(codes(load(rule(95)))).toEqual(["W120"]);
    expect(codes(load(rule(90), fileOf()))).toEqual(["W120"]);
    expect(codes(load(rule(95), fileOf({ definition: "00000000" })))).toEqual(["W120"]);
    expect(codes(load(rule(95), fileOf({ unit: "count" })))).toEqual(["W120"]);
  });

  it("are part of the pack's identity", () => {
    const other = fileOf({ groups: [{ name: "retail", entities: 120, percentiles: new Map([[95, 1]]) }] });
    expect(load(rule(95), fileOf()).pack?.hash).not.toBe(load(rule(95), other).pack?.hash);
  });

  it("tell of no small group, and are in the base currency", () => {
    const small = [{ name: "retail", entities: 9, percentiles: new Map([[95, 1]]) }];
    expect(codes(load(rule(95), fileOf({ groups: small })))).toEqual(["E064"]);
    expect(codes(load(rule(95), fileOf().replace("currency: EUR", "currency: USD")))).toEqual(["E064"]);
    expect(codes(load(rule(95), fileOf().replace('"95": "123456"', '"950": "x"')))).toContain("E064");
    expect(codes(load(rule(95), `${fileOf()}${fileOf().slice(fileOf().indexOf("  - rule"))}`))).toEqual(["E064"]);
  });
});
