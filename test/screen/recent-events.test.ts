/** The columns of recent movements against a plain list of objects. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fnv1a32 } from "../../src/base/hash.ts";
import { PURPOSES, RAILS } from "../../src/domain/tx.ts";
import {
  clearCounted,
  countsNone,
  forEachCounting,
  isCounted,
  keyAt,
  setAllCounted,
  setCounted,
  setKey,
} from "../../src/screen/counted.ts";
import { RecentCursor } from "../../src/screen/recent-cursor.ts";
import type { RecentEvent } from "../../src/screen/recent-event.ts";
import { RecentEvents } from "../../src/screen/recent-events.ts";
import { record } from "../domain/view-arbitrary.ts";

/** Three words of bits, the last one begun. */
const MEASURES = 70;

const event: fc.Arbitrary<RecentEvent> = record({
  time: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  amount: fc.oneof(fc.integer(), fc.constantFrom(Number.NaN, -0, 0.5)),
  incoming: fc.boolean(),
  other: fc.constantFrom("", "account:a", "wallet:b"),
  rail: fc.constantFrom(...RAILS),
  purpose: fc.constantFrom(undefined, ...PURPOSES),
  txId: fc.constantFrom("t1", "t2", "t3", "t4"),
  movementId: fc.constantFrom("t1", "t2", "m1"),
  otherOwn: fc.boolean(),
  moved: fc.boolean(),
  contentHash: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  open: fc.boolean(),
  reversed: fc.boolean(),
  settledBy: fc.constantFrom("", "t9"),
});

interface Row {
  readonly seq: number;
  event: RecentEvent;
  readonly counted: Set<number>;
  key: string | undefined;
}

type Act = (recent: RecentEvents, rows: Row[]) => void;

const push = event.map((one): Act => {
  return (recent, rows) => {
    const seq = (rows.at(-1)?.seq ?? 4) + 1;
    recent.push(seq, one);
    rows.push({ seq, event: one, counted: new Set(), key: undefined });
  };
});

const change = fc.tuple(fc.nat(7), fc.nat(), fc.nat(MEASURES - 1)).map(([what, pick, measure]): Act => {
  return (recent, rows) => {
    if (rows.length === 0) return;
    const i = pick % rows.length;
    const row = rows[i] as Row;
    if (what === 0) {
      recent.shift();
      rows.shift();
    } else if (what === 1) {
      setCounted(recent, measure, i);
      row.counted.add(measure);
    } else if (what === 2) {
      clearCounted(recent, measure, i);
      row.counted.delete(measure);
    } else if (what === 3) {
      setAllCounted(recent, [1 << 31, 0, 3], i);
      for (const index of [31, 64, 65]) row.counted.add(index);
    } else if (what === 4) {
      recent.settle(i, "booking");
      row.event = { ...row.event, open: false, settledBy: "booking" };
    } else if (what === 5) {
      recent.reverse(i);
      row.event = { ...row.event, open: false, reversed: true };
    } else if (what === 6) {
      recent.setAmount(i, measure);
      row.event = { ...row.event, amount: measure };
    } else {
      row.key = measure % 3 === 0 ? undefined : `k${measure}`;
      setKey(recent, 2, i, row.key);
    }
  };
});

describe("recent events", () => {
  it("are what a list of objects would be, whatever is done to them", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(push, change), { maxLength: 60 }), (acts) => {
        const recent = new RecentEvents(MEASURES);
        const rows: Row[] = [];
        for (const act of acts) act(recent, rows);
        expect(recent.length).toBe(rows.length);
        expect([...recent]).toStrictEqual(rows.map((row) => row.event));
        for (const [i, { seq, event: one, counted, key }] of rows.entries()) {
          expect(recent.isStanding(i)).toBe(one.moved && !one.reversed);
          expect(recent.seqAt(i)).toBe(seq);
          expect(recent.placeOf(seq)).toBe(i);
          expect(keyAt(recent, 2, i)).toBe(key);
          const counting: number[] = [];
          forEachCounting(recent, i, (index) => counting.push(index));
          expect(counting).toEqual([...counted].sort((a, b) => a - b));
          for (const index of counted) expect(isCounted(recent, index, i)).toBe(true);
        }
        for (let index = 0; index < MEASURES; index += 1) {
          if (countsNone(recent, index)) expect(rows.some(({ counted }) => counted.has(index))).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are found by the ids of transaction and movement, the newest first, not beyond what is older", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), fc.nat(12), (events, skipped) => {
        const recent = new RecentEvents(MEASURES);
        const inOrder = [...events].sort((a, b) => a.time - b.time);
        for (const [i, one] of inOrder.entries()) recent.push(i, one);
        const oldest = inOrder[skipped]?.time ?? 0;
        const hash = fnv1a32("t1");
        const byId = inOrder.findLastIndex(
          ({ txId, movementId, time }) => time >= oldest && (txId === "t1" || movementId === "t1"),
        );
        expect(recent.findById(recent.length - 1, oldest, hash, hash)).toBe(byId);
        const ofTx = (incoming?: boolean) =>
          inOrder.findLastIndex(
            (one) => (one.txId === "t9" || one.settledBy === "t9") && (incoming ?? one.incoming) === one.incoming,
          );
        expect(recent.findByTx("t9")).toBe(ofTx());
        expect(recent.findByTx("t9", true)).toBe(ofTx(true));
      }),
    );
  });

  it("are loaded as if they had come one by one, and each list by itself", () => {
    const lists = fc.array(fc.array(event, { maxLength: 12 }), { minLength: 2, maxLength: 3 });
    fc.assert(
      fc.property(lists, event, fc.nat(MEASURES - 1), (all, later, counting) => {
        const loaded = all.map((events, n) => {
          const recent = new RecentEvents(MEASURES);
          const left = [...events];
          recent.load(n, events.length, () => left.shift() as RecentEvent);
          return recent;
        });
        const pushed = all.map((events, n) => {
          const recent = new RecentEvents(MEASURES);
          for (const [i, one] of events.entries()) recent.push(n + i, one);
          return recent;
        });
        for (const recents of [loaded, pushed]) {
          const [first, second] = recents as [RecentEvents, RecentEvents];
          if (first.length > 0) {
            setCounted(first, counting, 0);
            first.setAmount(0, 77);
            first.settle(0, "b1");
          }
          if (second.length > 0) second.shift();
          second.push(20, later);
        }
        expect(loaded).toStrictEqual(pushed);
      }),
    );
  });

  it("are seen one after the other through a cursor", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), (events) => {
        const recent = new RecentEvents(MEASURES);
        for (const [i, one] of events.entries()) recent.push(i, one);
        const cursor = new RecentCursor(recent);
        for (const { time, amount, incoming, other, rail, purpose } of events) {
          const seen = [cursor.time, cursor.amount, cursor.incoming, cursor.other, cursor.rail, cursor.purpose];
          expect(seen).toStrictEqual([time, amount, incoming, other, rail, purpose]);
          cursor.i += 1;
        }
      }),
    );
  });
});
