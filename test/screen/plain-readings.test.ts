/**
 * Measures that recent events tell, against the same measures with lists of their own: random movements with
 * bookings, reversals, unknown amounts and late ones give the same numbers, hits and alerts either way.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, RECENT_EVENTS_MAX } from "../../src/base/limits.ts";
import type { Tx } from "../../src/domain/tx.ts";
import { routeTx } from "../../src/intake/route.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { JudgeContext } from "../../src/screen/context.ts";
import { isPlain } from "../../src/screen/counted.ts";
import { createEmbedded, type Embedded } from "../../src/screen/embedded.ts";
import { reading, readingDetail } from "../../src/screen/measures.ts";
import { measureOf } from "../../src/screen/plain-readings.ts";
import { indexPack, type SubjectIndex } from "../../src/screen/subject-index.ts";
import { rebuildPack } from "../../src/workshop/rebuild-pack.ts";
import { indicator, move, packOf, T0 } from "./build.ts";

const NUMBERS = indicator(
  "T-NUMBERS",
  `
subject: account
filters:
  large: tx.amount >= 60 EUR
aggregates:
  n: { count: events, last: 2h }
  day: { count: events, calendar: day }
  total: { sum: tx.amount, last: 6h }
  large: { count: events, where: large, last: 3d }
  mean: { avg: tx.amount, where: large, last: 3d }
  least: { min: tx.amount, last: 1d }
  most: { max: tx.amount, last: 1d, include_current: false }
  middle: { median: tx.amount, last: 1d }
  ever: { sum: tx.amount, last: 180d }
  others: { distinct: other.id, last: 6h, cap: 8 }
  strangers: { distinct: other.id, where: large, last: 3d, cap: 256 }
  days: { distinct: tx.day, last: 3d }
  rush: { sum: tx.amount, burst: { gap: 30m, most: 6h } }
  before: { count: events, burst: { gap: 30m, most: 6h }, include_current: false }
when:
  any:
    - all: [ { many: agg.n >= 4 }, { sum: agg.total >= 200 EUR }, { large: agg.large >= 2 } ]
    - all: [ { jump: agg.most <= 50 EUR }, { mean: agg.mean >= 70 EUR }, { middle: agg.middle >= 20 EUR } ]
    - all: [ { day: agg.day >= 6 }, { low: agg.least <= 5 EUR } ]
    - all: [ { whole: agg.ever >= 2000 EUR } ]
    - all: [ { few: agg.others >= 3 }, { some: agg.strangers >= 4 } ]
    - all: [ { week: agg.days >= 3 }, { rush: agg.rush >= 100 EUR }, { before: agg.before >= 2 } ]
`,
);

const FLOW = indicator(
  "T-THROUGH",
  `
subject: account
flow:
  within: 6h
  steps:
    - collect:
        scope: { direction: [in] }
        keep: { total: { sum: tx.amount }, n: { count: events }, from: { distinct: other.id }, who: { set: other.id } }
        until: { all: [ { some: collect.n >= 2 }, { two: collect.from >= 2 } ] }
    - drain:
        scope: { direction: [out] }
        keep: { total: { sum: tx.amount } }
        until: { all: [ { emptied: drain.total >= 50% * collect.total }, { away: "!(other.id in collect.who)" } ] }
`,
);

const plain = packOf({ "T-NUMBERS": NUMBERS, "T-THROUGH": FLOW });
const listed: Pack = rebuildPack(plain, {
  measures: plain.measures.map((one) => ({ ...one, adds: "other" as const })),
});

/** One movement: after the one before by `gap`, told late by `back`. */
const step = fc.record({
  gap: fc.oneof({ weight: 6, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(2_000) }),
  back: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(180) }),
  euros: fc.nat(120),
  isKnown: fc.boolean(),
  outgoing: fc.boolean(),
  kind: fc.constantFrom("booked", "booked", "booked", "authorised", "settles", "reversal"),
  of: fc.nat(30),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** So close together that a tail overflows: then a late one may come behind newer ones. */
function denser(one: Step): Step {
  return { ...one, gap: one.gap % 8 === 0 ? 1 : 0 };
}

function movements(steps: readonly Step[]): Tx[] {
  let now = T0;
  const made: { readonly id: string; readonly from: string; readonly to: string; readonly time: number }[] = [];
  return steps.map(({ gap, back, euros, isKnown, outgoing, kind, of }, i) => {
    now += gap * MINUTE_MS;
    const before = made[made.length - 1 - of];
    const sides = before !== undefined && kind !== "booked" ? before : undefined;
    const from = sides?.from ?? (outgoing ? "a" : `x${of}`);
    const to = sides?.to ?? (outgoing ? `x${of}` : "a");
    const id = `t${i}`;
    const time = now - back * MINUTE_MS;
    const relation =
      sides === undefined || kind === "authorised"
        ? undefined
        : { kind: kind === "settles" ? ("settles" as const) : ("reversal" as const), of: sides.id, time: sides.time };
    if (relation === undefined) made.push({ id, from, to, time });
    const stage = kind === "authorised" ? ("authorised" as const) : ("booked" as const);
    const tx = move({
      id,
      time,
      from,
      to,
      amount: euros * 100,
      stage,
      ...(relation === undefined ? {} : { relation }),
    });
    return isKnown || i % 5 > 0 ? tx : { ...tx, amount: undefined };
  });
}

interface Screened {
  readonly embedded: Embedded;
  /** Verdicts, hits, alerts, and after each movement the value of every aggregate. */
  readonly told: string[];
}

function screened(pack: Pack, txs: readonly Tx[], tailKeep: number): Screened {
  const told: string[] = [];
  const embedded = createEmbedded(
    pack,
    {
      alert: (alert) => told.push(JSON.stringify(alert)),
      hit: (hit) => told.push(JSON.stringify(hit)),
      verdict: (view, verdict) => told.push(`${view.txId} ${verdict}`),
    },
    { tailKeep },
  );
  const context = new JudgeContext(embedded.engine.pack);
  const index = indexPack(embedded.engine.pack).get("account") as SubjectIndex;
  for (const tx of txs) {
    embedded.pushTx(tx);
    const state = embedded.entity("account:a")?.work;
    const view = routeTx(tx).find(({ entity }) => entity === "account:a");
    if (state === undefined || view === undefined) continue;
    context.aim(state, index, view, state.clock);
    context.currentSeq = state.seq - 1;
    told.push(pack.aggregates.map(({ slot }) => `${context.agg(slot)}`).join(" "));
  }
  return { embedded, told };
}

/** Every number that both ways give for one entity, and what it rests on. */
function numbersOf(pack: Pack, embedded: Embedded): unknown[] {
  const state = embedded.entity("account:a")?.work;
  if (state === undefined) return [];
  return pack.subjects.account.measures.flatMap((measure) => {
    const kept = measureOf(state, measure);
    if (kept === undefined) return [];
    return [HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS].flatMap((windowMs) => {
      if (windowMs > measure.windowMs) return [];
      const { seqs, sum, count } = readingDetail(kept, measure, "sum", state.clock, windowMs, -1);
      const all = (["count", "avg", "min", "max", "last_seen"] as const).map((fn) =>
        reading(kept, measure, fn, state.clock, windowMs, -1),
      );
      return [{ seqs, sum, count, all }];
    });
  });
}

function expectSame(txs: readonly Tx[], tailKeep: number): void {
  const [one, other] = [screened(plain, txs, tailKeep), screened(listed, txs, tailKeep)];
  expect(one.told).toEqual(other.told);
  const [found, expected] = [numbersOf(plain, one.embedded), numbersOf(listed, other.embedded)];
  // A list may be kept empty; of what it holds both say the same.
  const full = (numbers: unknown[]) => numbers.filter((one) => (one as { count: number }).count > 0);
  expect(full(found)).toEqual(full(expected));
}

describe("measures that recent events tell", () => {
  test("are those over one, over the amount and over a key, whatever their filter", () => {
    expect(plain.measures.every(isPlain)).toBe(true);
    expect(listed.measures.some(isPlain)).toBe(false);
  });

  test("give what lists give, in any tail", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 8), (steps, tailKeep) =>
        expectSame(movements(steps), tailKeep),
      ),
      { seed: 71, numRuns: 150 },
    );
  });

  test("also when more movements come than are kept one by one, within a tail and beyond", () => {
    const long = fc.array(step, { minLength: RECENT_EVENTS_MAX + 40, maxLength: 2 * RECENT_EVENTS_MAX });
    // Without shrinking: a list of hundreds would be cut for minutes.
    for (const [i, steps] of fc.sample(long, { seed: 72, numRuns: 6 }).entries()) {
      // None later than is judged: what a flow step counts of those depends on whether its list has forgotten more.
      const judged = steps.map((one) => ({ ...one, back: one.back % 60 }));
      expectSame(movements(i % 2 === 0 ? judged : judged.map(denser)), 1);
    }
  });

  test("hold in a store", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { embedded } = screened(plain, movements(steps), 1);
        const entity = embedded.entity("account:a");
        if (entity === undefined) return;
        const { engine } = embedded;
        const back = engine.decode("account:a", engine.encode(entity));
        for (const measure of plain.subjects.account.measures) {
          expect(measureOf(back.work, measure)).toEqual(measureOf(entity.work, measure));
        }
      }),
      { seed: 73, numRuns: 60 },
    );
  });
});
