/** Each row of the table of cases: how the movement is written, what it becomes, who is told. */
import { describe, expect, test } from "vitest";
import { movement, refusal, told, txOf } from "./support.ts";

const own = (account: string, party?: string) => ({ kind: "account", own: true, account, ...(party && { party }) });

describe("transfer between two customers", () => {
  const sides = { debtor: own("A", "P"), creditor: own("B", "Q") };

  test("as one record both sides are told", () => {
    expect(told(movement(sides))).toEqual(["out account:A", "out party:P", "in account:B", "in party:Q"]);
  });

  test("as two postings each side is told once, by its own posting", () => {
    const posting = (books: string) => movement({ ...sides, txId: books, movementId: "m", books });
    expect(told(posting("debtor"))).toEqual(["out account:A", "out party:P"]);
    expect(told(posting("creditor"))).toEqual(["in account:B", "in party:Q"]);
    expect(txOf(posting("debtor")).movementId).toBe("m");
    expect(txOf(posting("creditor")).movementId).toBe("m");
  });

  test("one posting whose far side is held elsewhere tells both sides: no other posting will come", () => {
    const far = { kind: "account", account: "B" };
    expect(told(movement({ ...sides, creditor: far, books: "debtor" }))).toEqual([
      "out account:A",
      "out party:P",
      "in account:B",
    ]);
  });
});

test("cash deposit by a third party: cash reaches the account, the depositor is the conductor", () => {
  const deposit = movement({
    rail: "cash",
    channel: "branch",
    debtor: { kind: "cash" },
    creditor: { ...own("A", "P"), institution: { country: "AA" }, balanceAfter: "1250.00" },
    conductor: "C",
    act: { country: "QM", place: "Lund", cell: "55.7,13.2", tz: "Europe/Stockholm" },
  });
  const tx = txOf(deposit);
  expect(tx).toMatchObject({
    conductor: "C",
    actPlace: "Lund",
    corridorFrom: "QM",
    corridorTo: "AA",
    localMinute: 671,
  });
  expect(tx.creditor.balanceAfter).toBe(125_000);
  expect(told(deposit)).toEqual(["in account:A", "in party:P"]);
});

test("cash withdrawal: the account pays, the act is the machine", () => {
  const withdrawal = movement({
    rail: "cash",
    channel: "atm",
    debtor: { ...own("A"), card: "K", institution: { country: "AA" } },
    creditor: { kind: "cash" },
    act: { country: "QM", place: "Visby", whiteLabelAtm: true },
  });
  expect(txOf(withdrawal)).toMatchObject({ whiteLabelAtm: true, corridorFrom: "AA", corridorTo: "QM" });
  expect(told(withdrawal)).toEqual(["out account:A", "out card:K"]);
});

describe("card payment", () => {
  const merchant = {
    kind: "merchant",
    merchant: { id: "M", mcc: "7011", class: "lodging", country: "ZZ", place: "Brno" },
  };
  const card = movement({
    txId: "auth",
    rail: "card",
    stage: "authorised",
    debtor: { ...own("A"), card: "K" },
    creditor: merchant,
  });

  test("an authorisation, then its booking with relation settles", () => {
    const booking = {
      ...card,
      txId: "book",
      stage: "booked",
      amount: "240.00",
      relation: { kind: "settles", of: "auth" },
    };
    expect(txOf(card).stage).toBe("authorised");
    expect(txOf(booking).relation).toEqual({ kind: "settles", of: "auth", time: undefined });
    expect(told(booking)).toEqual(["out account:A", "out card:K", "in merchant:M"]);
    expect(txOf(card).creditor).toMatchObject({
      merchantId: "M",
      mcc: "7011",
      merchantClass: "lodging",
      merchantPlace: "Brno",
    });
    expect(txOf(card).corridorTo).toBe("ZZ");
  });

  test("a refund is a movement of its own, from the merchant to the account", () => {
    const refund = movement({
      rail: "card",
      debtor: merchant,
      creditor: own("A"),
      relation: { kind: "refund", of: "book" },
    });
    expect(told(refund)).toEqual(["out merchant:M", "in account:A"]);
    expect(txOf({ ...refund, relation: { kind: "chargeback", of: "book" } }).relation?.kind).toBe("chargeback");
  });
});

describe("reversal", () => {
  const reversal = movement({
    txId: "r",
    relation: { kind: "reversal", of: "t1", occurredAt: "2026-03-04T10:00:00Z" },
  });

  test("has the sides of the original and its time", () => {
    expect(txOf(reversal).relation).toEqual({ kind: "reversal", of: "t1", time: Date.UTC(2026, 2, 4, 10) });
    expect(told(reversal)).toEqual(["out account:A", "in account:B"]);
  });

  test("without the original's time, of itself, or of a later original is refused", () => {
    const relation = (members: object) => ({ ...reversal, relation: { kind: "reversal", of: "t1", ...members } });
    expect(refusal(relation({}))).toBe("BAD_RELATION relation.occurredAt");
    expect(refusal(relation({ occurredAt: "2026-03-05T10:00:00Z" }))).toBe("BAD_RELATION relation.occurredAt");
    expect(refusal(relation({ occurredAt: "yesterday" }))).toBe("BAD_TIME relation.occurredAt");
    expect(refusal(relation({ of: "r", occurredAt: "2026-03-04T10:00:00Z" }))).toBe("BAD_RELATION relation.of");
  });
});

test("crypto withdrawal: an asset with its own decimals, the network fee in charges", () => {
  const crypto = movement({
    rail: "crypto",
    channel: "chain",
    amount: "1.500000000000000001",
    currency: "ETH",
    creditor: { kind: "wallet", wallet: "W" },
    charges: [{ amount: "0.00021", currency: "ETH", bearer: "debtor" }],
  });
  const tx = txOf(crypto);
  expect(tx.amountMinor).toBe(1_500_000_000_000_000_001n);
  expect(tx.amount).toBe(300_000);
  expect(told(crypto)).toEqual(["out account:A", "in wallet:W"]);
});

test("remittance through an agent: pay-in and pay-out are two records of one movement, each with its act", () => {
  const sides = {
    rail: "remittance",
    channel: "agent",
    movementId: "m",
    debtor: { kind: "person", own: true, party: "S", links: [{ kind: "phone", token: "F1" }] },
    creditor: {
      kind: "person",
      own: true,
      party: "R",
      links: [
        { kind: "phone", token: "F2" },
        { kind: "email", token: "E" },
      ],
    },
  };
  const payIn = movement({ ...sides, txId: "in", books: "debtor", act: { country: "AA", place: "Gävle" } });
  const payOut = movement({ ...sides, txId: "out", books: "creditor", act: { country: "ZZ", place: "Lomé" } });
  expect(told(payIn)).toEqual(["out party:S", "out phone:F1"]);
  expect(told(payOut)).toEqual(["in party:R", "in phone:F2"]);
  expect(txOf(payIn)).toMatchObject({ actPlace: "Gävle", corridorFrom: "AA", corridorTo: undefined });
  expect(txOf(payOut)).toMatchObject({ actPlace: "Lomé", corridorFrom: undefined, corridorTo: "ZZ" });
});

test("wage batch: one movement a worker, named by reference", () => {
  const wage = movement({
    purpose: "wage",
    debtor: { kind: "account", account: "E", partyType: "business" },
    creditor: { ...own("B", "Q"), links: [{ kind: "employer", token: "EMP" }] },
    refs: [{ kind: "employee", token: "N7" }],
  });
  expect(txOf(wage)).toMatchObject({ purpose: "wage", refs: [{ kind: "employee", token: "N7" }] });
  expect(told(wage)).toEqual(["out account:E", "in account:B", "in party:Q", "in employer:EMP"]);
});

test("own accounts of one party: both accounts are told, the party and its links are not", () => {
  const links = [{ kind: "phone", token: "F" }];
  const transfer = movement({ debtor: { ...own("A", "P"), links }, creditor: { ...own("B", "P"), links } });
  expect(told(transfer)).toEqual(["out account:A", "in account:B"]);
});

describe("devices", () => {
  const session = { device: "D" };

  test("belong to the side that began the movement, to the debtor when nobody says", () => {
    expect(told(movement({ session }))).toEqual(["out account:A", "out device:D", "in account:B"]);
    expect(told(movement({ session, initiator: "debtor" }))).toEqual(["out account:A", "out device:D", "in account:B"]);
    expect(told(movement({ session, initiator: "creditor" }))).toEqual([
      "out account:A",
      "in account:B",
      "in device:D",
    ]);
  });

  test("that are link and session at once are told once", () => {
    const debtor = { ...own("A"), links: [{ kind: "device", token: "D" }] };
    expect(told(movement({ session, debtor }))).toEqual(["out account:A", "out device:D", "in account:B"]);
  });
});

test("an internal booking names nothing", () => {
  expect(told(movement({ rail: "internal", creditor: { kind: "internal" } }))).toEqual(["out account:A"]);
});
