/** What of an entity outlives a change of the pack, what begins, and that the value in the store decides nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import type { Alert } from "../../src/domain/alert.ts";
import type { Tx } from "../../src/domain/tx.ts";
import { routeTx } from "../../src/intake/route.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { createEmbedded } from "../../src/screen/embedded.ts";
import { createEngine, type Engine } from "../../src/screen/engine.ts";
import type { Output } from "../../src/screen/outputs.ts";
import type { Entity } from "../../src/screen/state.ts";
import { indicator, move, packOf, T0, typology } from "./build.ts";

interface Params {
  readonly min?: number;
  readonly last?: string;
  /** Another clause that reads another aggregate. */
  readonly also?: string;
  readonly aggregates?: string;
}

function pack({ min = 3, last = "1d", also = "", aggregates = "" }: Params = {}): Pack {
  return packOf({
    "T-COUNT": indicator(
      "T-COUNT",
      `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates:
  n: { count: events, last: ${last} }
  total: { sum: tx.amount, last: ${last} }
${aggregates}
when: { all: [ { many: agg.n >= ${min} }, { sum: agg.total >= 1 EUR }${also} ] }
`,
    ),
    "T-AL": typology(
      "T-AL",
      `
subject: party
hits: { came: { of: T-COUNT, from: accounts, last: 3d, count: sources } }
scoring: { indicators: [ { came: { family: receipts, points: 50, when: hits.came >= 1 } } ] }
alert_when: { all: [ { one: hits.came >= 1 } ] }
alone: { because: test }
severity: { medium: 40 }
`,
    ),
  });
}

function into(account: string, times: readonly number[], from = "s"): Tx[] {
  return times.map((time) => move({ id: `${account}-${time}`, time, from: `${from}${time}`, to: account }));
}

/** Counts of hits of T-COUNT that open in each part; every part under its pack. */
function opened(parts: readonly { readonly pack: Pack; readonly txs: readonly Tx[] }[]): number[] {
  const counts: number[] = [];
  const first = parts[0]?.pack as Pack;
  const run = createEmbedded(first, {
    alert: () => undefined,
    hit: (hit) => {
      if (hit.event === "opened") counts[counts.length - 1] = (counts[counts.length - 1] ?? 0) + 1;
    },
    verdict: () => undefined,
  });
  for (const part of parts) {
    if (counts.length > 0) run.usePack(part.pack);
    counts.push(0);
    for (const tx of part.txs) run.pushTx(tx);
  }
  return counts;
}

const DAYS = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => T0 + (from + i) * 4 * HOUR_MS);

describe("a change of the pack", () => {
  it("that edits a threshold keeps what was counted", () => {
    const txs = into("a", DAYS(0, 3));
    const [before, after] = opened([
      { pack: pack({ min: 5 }), txs },
      { pack: pack({ min: 4 }), txs: into("a", DAYS(3, 4)) },
    ]);
    // The fourth movement is enough under the new threshold: three were counted under the old one.
    expect([before, after]).toEqual([0, 1]);
  });

  it("that widens a window leaves it unknown until the wider one is known", () => {
    const wide = pack({ min: 1, last: "2d" });
    // One day is kept; the second one of the wider window is missing until a day later.
    const early = opened([
      { pack: pack({ min: 50 }), txs: into("a", DAYS(0, 12)) },
      { pack: wide, txs: into("a", DAYS(12, 17)) },
    ]);
    expect(early).toEqual([0, 0]);
    const later = opened([
      { pack: pack({ min: 50 }), txs: into("a", DAYS(0, 12)) },
      { pack: wide, txs: into("a", DAYS(12, 19)) },
    ]);
    expect(later).toEqual([0, 1]);
  });

  it("that adds an aggregate leaves it unknown for entities known before, not for new ones", () => {
    const widened = pack({
      min: 1,
      aggregates: "  senders: { distinct: other.id, last: 1d }",
      also: ", { few: agg.senders <= 2 }",
    });
    const old = { pack: pack({ min: 50 }), txs: into("a", DAYS(0, 12)) };
    // Read as zero, the new distinct set would say "few" at once, although there were many.
    expect(opened([old, { pack: widened, txs: into("a", DAYS(12, 13)) }])).toEqual([0, 0]);
    expect(opened([old, { pack: widened, txs: into("b", DAYS(12, 13)) }])).toEqual([0, 1]);
    const repeated = DAYS(12, 25).map((time, i) => move({ id: `r${i}`, time, from: "same", to: "a" }));
    expect(opened([old, { pack: widened, txs: repeated }])).toEqual([0, 1]);
  });

  it("back to the pack before does not forget that something was missed meanwhile", () => {
    const other = pack({ aggregates: "  spare: { count: events, last: 1d }" });
    const without = packOf({
      "T-NONE": indicator(
        "T-NONE",
        `
subject: account
scope: { rail: [cash], direction: [in] }
aggregates: { n: { count: events, last: 1d }, m: { sum: tx.amount, last: 1d } }
when: { all: [ { a: agg.n >= 9 }, { b: agg.m >= 9 EUR } ] }
`,
      ),
    });
    const counts = opened([
      { pack: other, txs: into("a", DAYS(0, 1)) },
      { pack: without, txs: into("a", DAYS(1, 3)) },
      { pack: other, txs: into("a", DAYS(3, 6)) },
    ]);
    expect(counts).toEqual([0, 0, 0]);
  });

  it("keeps what was told of alerts: one that is open is revised, not opened again", () => {
    const alerts: Alert[] = [];
    const run = createEmbedded(pack(), {
      alert: (a) => alerts.push(a),
      hit: () => undefined,
      verdict: () => undefined,
    });
    for (const tx of into("a", DAYS(0, 3))) run.pushTx(tx);
    const next = pack({ min: 2 });
    run.usePack(next);
    for (const tx of into("a", DAYS(3, 9))) run.pushTx(tx);
    const ids = new Set(alerts.map(({ alertId }) => alertId));
    expect(ids.size).toBe(1);
    expect(alerts.map(({ event }) => event).filter((event) => event === "opened")).toHaveLength(1);
    expect(alerts.at(-1)?.packHash).toBe(next.hash);
    expect(alerts.every(({ event }) => event !== "withdrawn")).toBe(true);
  });
});

describe("going over to another pack", () => {
  const packs = [
    pack(),
    pack({ min: 2 }),
    pack({ last: "2d", min: 4 }),
    pack({ aggregates: "  s: { distinct: other.id, last: 1d }", also: ", { s: agg.s >= 2 }" }),
  ];
  const steps = fc.array(
    fc.record({
      pack: fc.nat(packs.length - 1),
      minutes: fc.integer({ min: -40, max: 900 }),
      store: fc.boolean(),
    }),
    { minLength: 4, maxLength: 40 },
  );

  /** One account under the packs of the steps; where `store` says so, it goes through its stored value. */
  function fold(list: readonly { pack: number; minutes: number; store: boolean }[], stored: boolean): unknown {
    const engines = packs.map((one) => createEngine(one, { tailKeep: 1 }));
    const out: Output[] = [];
    let engine = engines[0] as Engine;
    let entity: Entity = engine.newEntity("account:a");
    let time = T0;
    for (const [i, step] of list.entries()) {
      time += step.minutes * MINUTE_MS;
      const next = engines[step.pack] as Engine;
      if (next !== engine) entity = next.adopt(entity, engine);
      engine = next;
      const tx = move({ id: `t${i}`, time, from: `s${i % 5}`, to: "a" });
      const view = routeTx(tx).find((one) => one.entity === "account:a");
      if (view !== undefined) engine.apply(entity, view, out);
      if (stored && step.store) entity = engine.decode("account:a", engine.encode(entity));
    }
    return { out, bytes: Buffer.from(engine.encode(entity)).toString("hex") };
  }

  it("gives the same whether the entity stayed in memory or came from the store", () => {
    fc.assert(
      fc.property(steps, (list) => {
        expect(fold(list, true)).toEqual(fold(list, false));
      }),
      { seed: 20_261_125, numRuns: 60 },
    );
  });

  it("leaves an entity that nothing is known of as new", () => {
    const [one, two] = packs.map((of) => createEngine(of, { tailKeep: 1 })) as [Engine, Engine];
    const adopted = two.adopt(one.newEntity("account:a"), one);
    expect(two.encode(adopted)).toEqual(two.encode(two.newEntity("account:a")));
    expect(two.tagOf(two.encode(adopted))).toBe(two.tag);
  });
});
