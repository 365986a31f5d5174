import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { movementSchema } from "../../src/domain/movement.ts";
import { partyRecordSchema } from "../../src/domain/party-record.ts";
import { expandEvents, profileRecords, TEST_START } from "../../src/workshop/events.ts";
import type { EventSpec, TestFault } from "../../src/workshop/test-spec.ts";

const HOUR = 3_600_000;
const DEFAULTS = {
  scope: new Map([
    ["rail", "cash"],
    ["direction", "in"],
  ]),
  homeCell: "52.5,13.4",
};

function spec(values: Record<string, string | string[]>, over: Partial<EventSpec> = {}): EventSpec {
  const entries = Object.entries(values).map(([key, value]) => [key, [value].flat()] as const);
  return { line: 7, atMs: 0, everyMs: 0, times: 1, values: new Map(entries), ...over };
}

function expand(specs: EventSpec[], faults: TestFault[] = [], defaults = DEFAULTS) {
  return expandEvents(specs, defaults, faults);
}

describe("expandEvents", () => {
  it("generates, cycles lists and sorts by time with numbered ids", () => {
    const events = expand([
      spec({ amount: ["10 EUR", "20 EUR"], place: ["A", "B", "C"] }, { everyMs: 10 * HOUR, times: 4 }),
      spec({ amount: "5000 EUR", direction: "out" }, { atMs: 15 * HOUR }),
    ]);
    expect(events.map(({ index, txId }) => [index, txId])).toEqual([1, 2, 3, 4, 5].map((i) => [i, `test-00000${i}`]));
    expect(events.map(({ record }) => record.amount)).toEqual(["10", "20", "5000", "10", "20"]);
    expect(events.map(({ time }) => (time - TEST_START) / HOUR)).toEqual([0, 10, 15, 20, 30]);
  });

  it("puts money in and out on the right side", () => {
    const [deposit, wire] = expand([
      spec({ conductor: "p1", balance_after: "12 EUR" }),
      spec({ rail: "transfer", direction: "out", other: "x", institution_country: "XA" }, { atMs: HOUR }),
    ]);
    expect(deposit?.record).toMatchObject({
      rail: "cash",
      debtor: { kind: "cash" },
      creditor: { own: true, account: "subject", party: "subject-party", balanceAfter: "12" },
      conductor: "p1",
    });
    expect(wire?.record).toMatchObject({
      debtor: { account: "subject" },
      creditor: { account: "x", institution: { country: "XA" } },
    });
  });

  it("takes every watched account of the test for an own one", () => {
    const events = expand([
      spec({ self: ["w1", "w2"], other: "subject", direction: "out", rail: "transfer" }, { times: 2 }),
    ]);
    expect(events.map(({ record }) => record.debtor)).toMatchObject([{ account: "w1" }, { account: "w2" }]);
    expect(events[0]?.record.creditor).toMatchObject({ own: true, account: "subject", party: "subject-party" });
  });

  it("makes a fresh counterparty for `new` each time, over all entries", () => {
    const events = expand([spec({ other: "new" }, { times: 2 }), spec({ other: "new" }, { times: 2 })]);
    const tokens = events.map(({ record }) => (record.debtor as { account: string }).account);
    expect(new Set(tokens).size).toBe(4);
  });

  it("keeps the day and takes the clock time", () => {
    const [event] = expand([spec({ local_time: "23:30" }, { atMs: 30 * HOUR })]);
    expect(new Date(event?.time ?? 0).toISOString()).toBe("2026-03-03T23:30:00.000Z");
  });

  it("puts a cell as far from home as asked, to the metre", () => {
    fc.assert(
      fc.property(fc.integer({ min: -60, max: 60 }), fc.integer({ min: 1, max: 500 }), (latitude, kilometres) => {
        const defaults = { ...DEFAULTS, homeCell: `${latitude},10` };
        const [event] = expand([spec({ km_from_home: String(kilometres) })], [], defaults);
        const act = (event?.record.act ?? {}) as { cell?: string };
        const [lat = 0, lon = 0] = (act.cell ?? "").split(",").map(Number);
        expect(Math.abs(greatCircle(latitude, 10, lat, lon) - kilometres)).toBeLessThan(0.001);
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  it("collects faults instead of guessing", () => {
    const faults: TestFault[] = [];
    expand([spec({ amount: "much", local_time: "25:00" }), spec({ km_from_home: "10" })], faults, {
      ...DEFAULTS,
      homeCell: undefined,
    } as never);
    expect(faults.map(({ message }) => message)).toEqual([
      '"25:00" is no clock time such as "23:30"',
      '"much" is no amount such as 900 EUR',
      "km_from_home needs given.profile.homeCell and a number of kilometres",
    ]);
  });

  it("writes records that tx/1 accepts, whatever keys are used", () => {
    const events = expand([
      spec({
        amount: "12.50 USD",
        rail: "card",
        direction: "out",
        channel: "online",
        purpose: "rent",
        stage: "authorised",
        place: "A",
        country: "XC",
        merchant_class: "lodging",
        mcc: "7011",
        nights: "2",
        travellers: "3",
        employee: "e1",
        memo: "gift",
        device: "d1",
        phone: "p1",
        relation: "refund",
        precision: "day",
      }),
      spec({ rail: "crypto", wallet: "w1" }),
      spec({ rail: "remittance", other_kind: "person", other: "p9" }),
      spec({ rail: "card", other_kind: "card", other: "c9" }),
    ]);
    for (const { record } of events) expect(movementSchema.safeParse(record).error).toBeUndefined();
  });
});

describe("profileRecords", () => {
  it("describes the account and its holder, dates relative to the start", () => {
    const faults: TestFault[] = [];
    const profile = new Map([
      ["homeCell", "52.5,13.4"],
      ["opened", "-400d"],
      ["segment", "student"],
    ]);
    const [account, party] = profileRecords(profile, faults);
    expect(account).toMatchObject({ account: "subject", opened: "2025-01-26T12:00:00Z", homeCell: "52.5,13.4" });
    expect(party).toMatchObject({ party: "subject-party", segment: "student" });
    expect(faults).toEqual([]);
    for (const record of [account, party]) expect(partyRecordSchema.safeParse(record).error).toBeUndefined();
  });

  it("gives none when nothing is known", () => {
    expect(profileRecords(new Map(), [])).toEqual([]);
  });
});

function greatCircle(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const rad = Math.PI / 180;
  const a =
    Math.sin(((lat2 - lat1) * rad) / 2) ** 2 +
    Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin(((lon2 - lon1) * rad) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.sqrt(a));
}
