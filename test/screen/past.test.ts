import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import type { Tx } from "../../src/domain/tx.ts";
import { distanceMetres, parseCell } from "../../src/rules/cells.ts";
import { indicator, move, packOf, T0 } from "./build.ts";
import { foldValues, type Values } from "./fold-values.ts";

const pack = packOf({
  "T-PAST": indicator(
    "T-PAST",
    `
subject: account
aggregates:
  again: { count: events, matching: "past.other == other.id && within(past.amount, tx.amount, 10%)", last: 12h }
  mirrored: { sum: past.amount, matching: "past.direction != tx.direction", last: 12h }
  payees: { distinct: past.other, matching: "past.direction == 'out'", last: 12h }
  since: { last_seen: events, matching: "past.amount > tx.amount", last: 12h }
  dwell: { dwell: events, last: 12h }
  passed: { passed_on: 2h, last: 12h }
  others_before: { count: events, by: other.id, last: 12h, include_current: false }
when:
  all:
    - a: agg.again >= 3
    - b: agg.mirrored >= 1 EUR
    - c: agg.payees >= 2
    - d: agg.since <= 1h
    - e: agg.dwell <= 1h
    - f: agg.passed >= 80%
    - g: agg.others_before >= 1
`,
  ),
});

interface Step {
  readonly gapMs: number;
  readonly other: number;
  readonly incoming: boolean;
  readonly amount: number;
  readonly reverse: boolean;
  readonly failed: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  gapMs: fc.oneof(fc.constant(0), fc.nat(3 * MINUTE_MS), fc.nat(3 * HOUR_MS)),
  other: fc.nat(2),
  incoming: fc.boolean(),
  amount: fc.integer({ min: 90, max: 120 }).map((n) => n * 10),
  reverse: fc.nat(7).map((n) => n === 0),
  failed: fc.nat(9).map((n) => n === 0),
});

/** Movements of `me`; some take an earlier one back. */
function movements(steps: readonly Step[]): Tx[] {
  let time = T0;
  const out: Tx[] = [];
  steps.forEach((s, i) => {
    time += s.gapMs;
    const [from, to] = s.incoming ? [`o${s.other}`, "me"] : ["me", `o${s.other}`];
    const stage = s.failed ? ("failed" as const) : ("booked" as const);
    out.push(move({ id: `t${i}`, time, from, to, amount: s.amount, stage }));
    const original = out[Math.max(0, out.length - 3)] as Tx;
    if (!s.reverse || original.relation !== undefined) return;
    const relation = { kind: "reversal" as const, of: original.id, time: original.time };
    out.push({ ...original, id: `r${i}`, movementId: `r${i}`, time, relation });
  });
  return out;
}

/** What a scan of everything says at movement `at`. */
function oracle(all: readonly Tx[], at: number): Values {
  const now = all[at] as Tx;
  const gone = new Set(all.slice(0, at).flatMap((tx) => (tx.relation === undefined ? [] : [tx.relation.of])));
  const plain = all.slice(0, at + 1).filter((tx) => tx.relation === undefined && !gone.has(tx.id));
  const before = plain.filter((tx) => tx !== now && tx.time > now.time - 12 * HOUR_MS && tx.stage === "booked");
  const other = (tx: Tx) => (tx.creditor.account === "me" ? tx.debtor.account : tx.creditor.account);
  const incoming = (tx: Tx) => tx.creditor.account === "me";
  const amount = (tx: Tx) => tx.amount as number;
  const larger = before.filter((tx) => amount(tx) > amount(now));
  return {
    again: before.filter((tx) => other(tx) === other(now) && Math.abs(amount(tx) - amount(now)) <= amount(now) / 10)
      .length,
    mirrored: before.filter((tx) => incoming(tx) !== incoming(now)).reduce((sum, tx) => sum + amount(tx), 0),
    payees: new Set(before.filter((tx) => !incoming(tx)).map(other)).size,
    since: larger.at(-1)?.time,
    ...unitByUnit(
      plain.filter((tx) => tx.stage === "booked"),
      now.time,
    ),
    others_before: before.filter((tx) => other(tx) === other(now)).length,
  };
}

/** First in, first out, one unit of 10 at a time. */
function unitByUnit(all: readonly Tx[], now: number): Values {
  const from = now - 12 * HOUR_MS;
  const queue: number[] = [];
  let cameIn = 0;
  let passed = 0;
  let left = 0;
  let stayed = 0;
  for (const tx of all) {
    for (let unit = 0; unit < (tx.amount as number); unit += 10) {
      if (tx.creditor.account === "me") {
        queue.push(tx.time);
        if (tx.time > from) cameIn += 1;
        continue;
      }
      const time = queue.shift();
      if (time === undefined) continue;
      if (tx.time > from) {
        left += 1;
        stayed += tx.time - time;
      }
      if (time > from && tx.time - time <= 2 * HOUR_MS) passed += 1;
    }
  }
  return { dwell: left === 0 ? undefined : stayed / left, passed: cameIn === 0 ? undefined : passed / cameIn };
}

describe("earlier movements compared with the judged one", () => {
  it("give what a scan of everything gives, reversed and failed ones left out", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const all = movements(steps);
        const values = foldValues(pack, "me", all);
        values.forEach((found, at) => {
          if (found === undefined) return;
          const expected = oracle(all, at);
          expect({ ...found, dwell: 0, passed: 0 }).toEqual({ ...expected, dwell: 0, passed: 0 });
          for (const name of ["dwell", "passed"]) {
            if (expected[name] === undefined) expect(found[name]).toBeUndefined();
            else expect(found[name]).toBeCloseTo(expected[name] as number, 6);
          }
        });
      }),
      { seed: 71, numRuns: 120 },
    );
  });
});

describe("completions of a flow", () => {
  const flow = packOf({
    "T-FLOW": indicator(
      "T-FLOW",
      `
subject: account
aggregates: { cycles: { completed: flow, last: 2d } }
flow:
  within: 6h
  steps:
    - in: { scope: { direction: [in] }, keep: { total: { sum: tx.amount } }, until: { all: [ { some: in.total > 0 EUR } ] } }
    - out: { scope: { direction: [out] }, until: { all: [ { much: tx.amount >= 80% * in.total } ] } }
when: { all: [ { often: agg.cycles >= 3 } ] }
`
        .replaceAll("in.total", "came.total")
        .replace("- in:", "- came:")
        .replace("- out:", "- gone:"),
    ),
  });
  const pass = (hours: number, from: string, to: string, amount: number): Tx =>
    move({ id: `t${hours}`, time: T0 + hours * HOUR_MS, from, to, amount });

  it("count each cycle once within the window", () => {
    const all = [
      pass(0, "a", "me", 1_000),
      pass(1, "me", "b", 900),
      pass(2, "me", "b", 900),
      pass(10, "a", "me", 1_000),
      pass(11, "me", "b", 700),
      pass(12, "me", "b", 900),
      pass(30, "a", "me", 1_000),
      pass(31, "me", "b", 1_000),
      pass(49, "me", "b", 1_000),
    ];
    const cycles = foldValues(flow, "me", all).map((values) => values?.cycles);
    expect(cycles).toEqual([0, 1, 1, 1, 1, 2, 2, 3, 2]);
  });
});

describe("ways between acts", () => {
  const travel = packOf({
    "T-FAR": indicator(
      "T-FAR",
      `
subject: account
aggregates:
  far: { max: tx.act.distance, last: 9d }
  soon: { min: tx.act.elapsed, last: 9d }
  fast: { count: events, where: faster_than(900 km), last: 9d }
when: { all: [ { fast: agg.fast >= 1 }, { far: agg.far >= 500 km }, { soon: agg.soon <= 2h } ] }
`,
    ),
  });
  const act = (id: string, hours: number, cell: string | undefined, initiator?: Tx["initiator"]): Tx =>
    move({ id, time: T0 + hours * HOUR_MS, from: "me", to: "b", ...(cell && { cell }), initiator });

  it("are measured from the act before, and only between acts with coordinates", () => {
    const berlin = "52.5,13.4";
    const lisbon = "38.7,-9.1";
    const way = distanceMetres(parseCell(berlin)!, parseCell(lisbon)!);
    const all = [
      act("t1", 0, berlin),
      act("t2", 1, undefined),
      act("t3", 1.5, lisbon, "creditor"),
      act("t4", 2, lisbon, "debtor"),
      act("t5", 50, berlin),
      act("t6", 50, berlin),
    ];
    const values = foldValues(travel, "me", all);
    expect(values.map((v) => v?.fast)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(values[2]).toEqual({ far: undefined, soon: undefined, fast: 0 });
    expect(values[3]).toEqual({ far: way, soon: 2 * HOUR_MS, fast: 1 });
    expect(values[5]).toEqual({ far: way, soon: 0, fast: 1 });
    expect(way).toBeGreaterThan(2_000_000);
    expect(DAY_MS).toBeGreaterThan(0);
  });
});
