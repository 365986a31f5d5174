import { describe, expect, test } from "vitest";
import { decode, movement, txOf } from "./support.ts";

describe("local time", () => {
  const local = (members: object) => {
    const { localMinute, localDay } = txOf(movement(members));
    return [localMinute, localDay];
  };
  const DAY = 20_516; // 2026-03-04

  test("the zone of the act goes before the record's, both before a stated offset", () => {
    const occurredAt = "2026-03-04T23:30:00+01:00";
    expect(local({ occurredAt, tz: "Asia/Tokyo", act: { tz: "Europe/London" } })).toEqual([22 * 60 + 30, DAY]);
    expect(local({ occurredAt, tz: "Asia/Tokyo" })).toEqual([7 * 60 + 30, DAY + 1]);
    expect(local({ occurredAt })).toEqual([23 * 60 + 30, DAY]);
  });

  test("is unknown without zone and offset; the day is then UTC's", () => {
    expect(local({ occurredAt: "2026-03-04T23:30:00Z" })).toEqual([-1, DAY]);
    expect(local({ occurredAt: "2026-03-04T23:30:00-00:00" })).toEqual([-1, DAY]);
    expect(local({ occurredAt: "2026-03-04T23:30:00Z", tz: "No/Where" })).toEqual([-1, DAY]);
  });

  test("a zone that is not known leaves the stated offset", () => {
    expect(local({ occurredAt: "2026-03-04T00:10:00+05:30", tz: "No/Where" })).toEqual([10, DAY]);
  });

  test("day precision has a local day and no minute", () => {
    const day = { occurredAt: "2026-03-04T00:00:00+01:00", timePrecision: "day" };
    expect(local(day)).toEqual([-1, DAY]);
  });
});

describe("amounts", () => {
  test("the base amount is by the rate of the day, unknown without one", () => {
    expect(txOf(movement({ amount: "125.00", currency: "USD" }))).toMatchObject({
      amountMinor: 12_500,
      amount: 10_000,
    });
    expect(txOf(movement({ currency: "GBP" })).amount).toBeUndefined();
  });

  test("balances are in the side's currency, else the movement's, and may be negative", () => {
    const debtor = (members: object) => ({ kind: "account", account: "A", ...members });
    const balance = (members: object) => txOf(movement({ debtor: debtor(members) })).debtor.balanceAfter;
    expect(balance({ balanceAfter: "-12.50" })).toBe(-1250);
    expect(balance({ balanceAfter: "125", currency: "USD" })).toBe(10_000);
    expect(balance({ balanceAfter: "125", currency: "GBP" })).toBeUndefined();
    expect(balance({})).toBeUndefined();
  });
});

describe("the content hash", () => {
  const hash = (members: object = {}) => txOf(movement(members)).contentHash;

  test("does not see how the same content is written", () => {
    expect(hash({ amount: "250" })).toBe(hash());
    expect(hash({ occurredAt: "2026-03-04T11:11:12+01:00" })).toBe(hash());
    expect(hash({ stage: "booked" })).toBe(hash());
    expect(hash({ labels: { story: "x" } })).toBe(hash());
    expect(hash()).toBeGreaterThanOrEqual(0);
  });

  test.each([
    [{ amount: "250.01" }],
    [{ occurredAt: "2026-03-04T10:11:13Z" }],
    [{ currency: "USD" }],
    [{ rail: "p2p" }],
    [{ stage: "failed" }],
    [{ debtor: { kind: "account", account: "AB" } }],
    [{ debtor: { kind: "account", account: "A", party: "P" } }],
    [{ debtor: { kind: "account", account: "B" }, creditor: { kind: "account", account: "A" } }],
    [{ creditor: { kind: "account", account: "B", card: "K" } }],
    [{ creditor: { kind: "account", account: "B", wallet: "K" } }],
  ])("sees %j", (members) => {
    expect(hash(members)).not.toBe(hash());
  });

  test("does not run neighbouring identifiers together", () => {
    const side = (account: string, party: string) => hash({ debtor: { kind: "account", account, party } });
    expect(side("AB", "C")).not.toBe(side("A", "BC"));
  });
});

describe("corridors", () => {
  const sides = {
    debtor: { kind: "account", account: "A", institution: { country: "AA" } },
    creditor: { kind: "account", account: "B", institution: { country: "ZZ" } },
  };
  const corridor = (members: object) => {
    const { corridorFrom, corridorTo } = txOf(movement({ ...sides, ...members }));
    return [corridorFrom, corridorTo];
  };

  test("the countries of the institutions, the place of the act before that of its side", () => {
    expect(corridor({})).toEqual(["AA", "ZZ"]);
    expect(corridor({ act: { country: "QM" } })).toEqual(["QM", "ZZ"]);
    expect(corridor({ act: { country: "QM" }, initiator: "creditor" })).toEqual(["AA", "QM"]);
    expect(corridor({ act: { country: "QM" }, books: "creditor" })).toEqual(["AA", "QM"]);
    expect(corridor({ act: { country: "QM" }, creditor: { kind: "cash" } })).toEqual(["AA", "QM"]);
  });

  test("nothing else counts: unknown stays unknown", () => {
    expect(corridor({ creditor: { kind: "account", account: "B" }, session: { ipCountry: "QM" } })).toEqual([
      "AA",
      undefined,
    ]);
  });
});

test("every transaction has the same fields in the same order", () => {
  const small = Object.keys(txOf(movement()));
  const large = txOf(
    movement({
      movementId: "m",
      act: { country: "AA" },
      session: { device: "d" },
      travel: { nights: 2 },
      ultimateDebtor: { kind: "cash" },
    }),
  );
  expect(Object.keys(large)).toEqual(small);
  expect(Object.keys(large.creditor)).toEqual(Object.keys(large.ultimateDebtor ?? {}));
});

test("labels of fixtures go no further", () => {
  expect(JSON.stringify(txOf(movement({ labels: { story: "ring", suspicious: true } })))).not.toContain("ring");
});

describe("party/1 and event/1", () => {
  test("a party", () => {
    const record = {
      schema: "party/1",
      party: "P",
      validFrom: "2026-01-01T00:00:00Z",
      partyType: "person",
      segment: "retail",
      homeCell: "52.5,13.4",
      tz: "Europe/Berlin",
      minor: false,
      expectedMonthly: { amount: "1250.00", currency: "USD" },
      links: [{ kind: "phone", token: "F" }],
      knownSince: "2020-01-01T00:00:00Z",
    };
    expect(decode(record)).toMatchObject({
      kind: "profile",
      profile: {
        entity: "party:P",
        expectedMonthly: 100_000,
        minor: false,
        knownSince: Date.UTC(2020, 0, 1),
        holders: [],
      },
    });
  });

  test("an account with holders and cards", () => {
    const record = {
      schema: "party/1",
      account: "A",
      validFrom: "2026-01-01T00:00:00Z",
      product: "current",
      currency: "EUR",
      opened: "2025-01-01T00:00:00Z",
      holders: [
        { party: "P", role: "holder" },
        { party: "Q", role: "signatory", from: "2025-06-01T00:00:00Z" },
      ],
      cards: ["K"],
    };
    const decoded = decode(record);
    expect(decoded).toMatchObject({ profile: { entity: "account:A", opened: Date.UTC(2025, 0, 1), cards: ["K"] } });
    expect(decoded.kind === "profile" && decoded.profile.holders).toEqual([
      { party: "P", role: "holder", from: undefined, until: undefined },
      { party: "Q", role: "signatory", from: Date.UTC(2025, 5, 1), until: undefined },
    ]);
  });

  test.each([
    [{ party: "P", account: "A" }, "SCHEMA", "party"],
    [{}, "SCHEMA", "party"],
    [{ party: "P", nationality: "x" }, "SCHEMA", "nationality"],
    [{ party: "P", opened: "2025-01-01T00:00:00Z" }, "SCHEMA", "opened"],
    [{ party: "P", validFrom: "soon" }, "BAD_TIME", "validFrom"],
    [{ account: "A", opened: "soon" }, "BAD_TIME", "opened"],
    [{ account: "A", holders: [{ party: "P", role: "holder", until: "x" }] }, "BAD_TIME", "holders.0.until"],
    [{ account: "A", currency: "QQQ" }, "UNKNOWN_CURRENCY", "currency"],
    [{ party: "P", expectedMonthly: { amount: "1.001", currency: "EUR" } }, "BAD_AMOUNT", "expectedMonthly.amount"],
  ])("%j is refused as %s %s", (members, code, field) => {
    const record = { schema: "party/1", validFrom: "2026-01-01T00:00:00Z", ...members };
    expect(decode(record)).toMatchObject({ kind: "reject", reject: { code, field } });
  });

  test("an event", () => {
    const entity = { kind: "party", token: "P" };
    const record = {
      schema: "event/1",
      eventId: "e",
      occurredAt: "2026-01-01T00:00:00Z",
      type: "device_added",
      entity,
    };
    expect(decode({ ...record, session: { device: "D", ipCountry: "AA" } })).toEqual({
      kind: "event",
      event: {
        id: "e",
        entity: "party:P",
        type: "device_added",
        time: Date.UTC(2026, 0, 1),
        device: "D",
        country: "AA",
      },
    });
    expect(decode({ ...record, type: "moved" })).toMatchObject({ reject: { code: "SCHEMA", field: "type" } });
    expect(decode({ ...record, occurredAt: "x" })).toMatchObject({ reject: { code: "BAD_TIME" } });
  });
});
