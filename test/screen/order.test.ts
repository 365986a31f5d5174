/**
 * Order does not decide: any arrival in which nothing reaches its entity more than L after a later
 * event, any delay of derived views, and any moving of the base give the settled alerts of the ordered pass.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import type { Alert } from "../../src/domain/alert.ts";
import type { EntityKey } from "../../src/domain/entity.ts";
import type { Tx } from "../../src/domain/tx.ts";
import type { HitView, MarkView, View } from "../../src/domain/view.ts";
import { routeTx } from "../../src/intake/route.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { createEmbedded } from "../../src/screen/embedded.ts";
import { createEngine } from "../../src/screen/engine.ts";
import type { Output } from "../../src/screen/outputs.ts";
import { settleAlerts } from "../../src/screen/settled.ts";
import type { Entity } from "../../src/screen/state.ts";
import { indicator, move, packOf, T0, typology } from "./build.ts";

const pack = packOf({
  "T-IN": indicator(
    "T-IN",
    `
subject: account
scope: { rail: [transfer], direction: [in] }
roles: { self: { may_be: victim } }
params: { n: { value: 3, range: [1, 9], step: 1 } }
aggregates:
  n: { count: events, last: 2h }
  total: { sum: tx.amount, last: 2h }
  senders: { distinct: other.id, last: 1h, cap: 8 }
when:
  all:
    - many: agg.n >= params.n
    - sum: agg.total >= 300 EUR
    - spread: agg.senders >= 2
`,
  ),
  "T-OUT": indicator(
    "T-OUT",
    `
subject: account
scope: { rail: [transfer], direction: [out] }
aggregates:
  biggest: { max: tx.amount, last: 90m }
  middle: { median: tx.amount, last: 90m }
when:
  all:
    - big: agg.biggest >= 250 EUR
    - middle: agg.middle >= 120 EUR
`,
  ),
  "T-FLOW": indicator(
    "T-FLOW",
    `
subject: account
flow:
  within: 3h
  steps:
    - collect:
        scope: { direction: [in] }
        keep: { total: { sum: tx.amount }, n: { count: events } }
        until: { all: [ { some: collect.n >= 2 } ] }
    - drain:
        scope: { direction: [out] }
        starts_within: 1h
        keep: { total: { sum: tx.amount } }
        until: { all: [ { emptied: drain.total >= 50% * collect.total } ] }
`,
  ),
  "T-AL": typology(
    "T-AL",
    `
subject: party
hits:
  came: { of: T-IN, from: accounts, last: 3h, count: episodes }
  left: { of: T-OUT, from: accounts, last: 3h, count: episodes }
  ran: { of: T-FLOW, from: accounts, last: 3h, count: sources }
scoring:
  indicators:
    - came: { family: receipts, points: 30, when: hits.came >= 1 }
    - left: { family: spending, points: 30, when: hits.left >= 1 }
    - ran: { family: passing, points: 30, when: hits.ran >= 1 }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 40, high: 80 }
suppress: { for: 6h }
`,
  ),
  "T-NX": typology(
    "T-NX",
    `
subject: party
hits:
  mine: { of: T-AL, from: self, last: 1d, count: episodes }
  up: { of: T-FLOW, from: upstream(2), last: 1d, count: sources }
  down: { of: T-AL, from: downstream(2), last: 1d, count: sources }
scoring:
  indicators:
    - mine: { family: own, points: 40, when: hits.mine >= 1 }
    - up: { family: upstream, points: 40, when: hits.up >= 1 }
    - down: { family: downstream, points: 20, when: hits.down >= 1 }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 40, high: 90 }
suppress: { for: 6h }
`,
  ),
});

interface Step {
  readonly gapMs: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  readonly party: boolean;
  readonly reverse: boolean;
  readonly again: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 * MINUTE_MS }), fc.integer({ min: 1, max: HOUR_MS })),
  from: fc.integer({ min: 0, max: 3 }),
  to: fc.integer({ min: 1, max: 3 }),
  amount: fc.integer({ min: 1_000, max: 40_000 }),
  party: fc.boolean(),
  reverse: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  again: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

/** Movements in event order; some are reversed by the institution 1 to 30 minutes later, some come twice. */
function movements(steps: readonly Step[]): Tx[] {
  let time = T0;
  const found: Tx[] = [];
  steps.forEach((s, i) => {
    time += s.gapMs;
    const from = `a${s.from}`;
    const to = `a${(s.from + s.to) % 4}`;
    const parties = s.party ? { fromParty: `p${s.from}`, toParty: `p${(s.from + s.to) % 4}` } : {};
    const tx = move({ id: `t${String(i).padStart(3, "0")}`, time, from, to, amount: s.amount, ...parties });
    found.push(tx);
    if (s.again) found.push(tx);
    if (s.reverse) {
      const reversal = { kind: "reversal" as const, of: tx.id, time };
      found.push(
        move({
          id: `r${i}`,
          time: time + MINUTE_MS * (1 + (i % 30)),
          from,
          to,
          amount: s.amount,
          ...parties,
          relation: reversal,
          initiator: "institution",
        }),
      );
    }
  });
  return found.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
}

function ordered(txs: readonly Tx[], tailKeep: number): Alert[] {
  const alerts: Alert[] = [];
  const run = createEmbedded(pack, { alert: (a) => alerts.push(a), hit: () => {}, verdict: () => {} }, { tailKeep });
  for (const tx of txs) run.pushTx(tx);
  return alerts;
}

/** Arrival by delays: movements up to half of L late, derived views held back by a few steps, in channel order. */
function scrambled(
  on: Pack,
  txs: readonly Tx[],
  delays: readonly number[],
  holds: readonly number[],
  tailKeep: number,
): Alert[] {
  const engine = createEngine(on, { tailKeep });
  const entities = new Map<EntityKey, Entity>();
  const alerts: Alert[] = [];
  const channels = new Map<string, (HitView | MarkView)[]>();
  const give = (view: View) => {
    let entity = entities.get(view.entity) ?? engine.newEntity(view.entity);
    // Every so often the entity goes through its stored form, as it does when another worker takes over.
    if ((view.time + view.index) % 3 === 0) entity = engine.decode(view.entity, engine.encode(entity));
    entities.set(view.entity, entity);
    const out: Output[] = [];
    engine.apply(entity, view, out);
    for (const output of out) {
      if (output.kind === "alert") alerts.push(output.alert);
      if (output.kind !== "view") continue;
      const channel = `${view.entity}>${output.view.entity}`;
      channels.set(channel, [...(channels.get(channel) ?? []), output.view]);
    }
  };
  const release = (n: number) => {
    const waiting = [...channels].filter(([, views]) => views.length > 0);
    const chosen = waiting[n % Math.max(1, waiting.length)];
    const next = chosen?.[1].shift();
    if (next !== undefined) give(next);
    return next !== undefined;
  };
  const arrivals = txs.map((tx, i) => ({ tx, at: tx.time + (delays[i % delays.length] ?? 0) }));
  arrivals.sort((a, b) => a.at - b.at);
  arrivals.forEach(({ tx, at }, i) => {
    // No derived view may reach its entity more than L late either: that is outside the claim.
    for (let late = true; late; ) {
      late = false;
      for (const views of channels.values()) {
        if (!views.some((view) => view.time <= at - 0.75 * HOUR_MS)) continue;
        give(views.shift() as HitView | MarkView);
        late = true;
      }
    }
    for (const view of routeTx(tx)) give(view);
    for (let n = holds[i % holds.length] ?? 0; n > 0; n--) release(n + i);
  });
  for (let n = 0; release(n); n++);
  return alerts;
}

describe("order of arrival", () => {
  it("does not decide the settled alerts", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 24 }),
        fc.array(fc.integer({ min: 0, max: HOUR_MS / 2 }), { minLength: 1, maxLength: 17 }),
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 13 }),
        fc.constantFrom(1, 3, 8),
        (steps, delays, holds, tailKeep) => {
          const txs = movements(steps);
          const expected = settleAlerts(ordered(txs, 8));
          expect(settleAlerts(scrambled(pack, txs, delays, holds, tailKeep))).toEqual(expected);
        },
      ),
      { numRuns: 60, seed: 20260105 },
    );
  });

  it("does not decide with any moving of the base, byte for byte", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
        const txs = movements(steps);
        expect(ordered(txs, 1)).toEqual(ordered(txs, 64));
      }),
      { numRuns: 40, seed: 20260106 },
    );
  });

  it("gives alerts at all on such data", () => {
    const steps = fc.sample(fc.array(step, { minLength: 30, maxLength: 40 }), { seed: 7, numRuns: 30 });
    const found = steps.flatMap((s) => settleAlerts(ordered(movements(s), 8)));
    expect(found.filter((a) => a.typology.id === "T-AL").length).toBeGreaterThan(5);
    expect(found.filter((a) => a.typology.id === "T-NX").length).toBeGreaterThan(2);
  });
});
