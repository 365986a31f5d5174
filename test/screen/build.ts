/** Builders for screening tests: packs from rule texts, movements from a few fields. */
import { expect } from "vitest";
import type { Profile } from "../../src/domain/profile.ts";
import type { Direction, Link, Tx, TxSide } from "../../src/domain/tx.ts";
import { loadPack } from "../../src/rules/load.ts";
import type { Pack } from "../../src/rules/plan.ts";

export const RATES = `
schema: list/v1
id: rates
type: rates
title: Fictional rates
owner: test
source: fictional
version: 1
reviewBy: 2030-01-01
base: EUR
entries:
  - { from: 2020-01-01, rates: { USD: "1.10" } }
`;

/** Compiles rule texts; fails the test with the findings when one is at fault. */
export function packOf(rules: Readonly<Record<string, string>>): Pack {
  const files = Object.entries(rules).map(([id, text]) => ({ path: `rules/test/${id}.yaml`, text }));
  const loaded = loadPack([...files, { path: "rules/lists/rates.yaml", text: RATES }], {});
  const errors = loaded.diagnostics.filter((finding) => finding.severity === "error");
  expect(errors.map((finding) => `${finding.file}:${finding.line}: ${finding.message}`)).toEqual([]);
  if (loaded.pack === undefined) throw new Error("no pack");
  return loaded.pack;
}

/** What an indicator file needs beside the part under test. */
export function indicator(id: string, body: string): string {
  return `
schema: rule/v1
kind: indicator
id: ${id}
version: 1
title: Test pattern ${id}
crime: human_trafficking
status: active
owner: test
sources: [ { doc: FIN-2020-A008, point: test } ]
explain: "test pattern"
cautions: [ordinary life]
${body}
tests: []
`;
}

/** What a typology file needs beside the part under test. */
export function typology(id: string, body: string): string {
  return indicator(id, body).replace("kind: indicator", "kind: typology");
}

export const T0 = Date.UTC(2026, 0, 5, 12, 0, 0);

export interface Move {
  readonly id: string;
  readonly time: number;
  readonly from: string;
  readonly to: string;
  readonly amount?: number;
  readonly rail?: Tx["rail"];
  readonly stage?: Tx["stage"];
  readonly movementId?: string;
  readonly books?: Tx["books"];
  readonly relation?: Tx["relation"];
  readonly initiator?: Tx["initiator"];
  readonly fromParty?: string;
  readonly toParty?: string;
  readonly contentHash?: number;
  readonly localMinute?: number;
  readonly cell?: string;
  /** Of both sides. */
  readonly links?: readonly Link[];
}

/** A transfer between two accounts; amounts in minor units of the base currency. */
export function move(m: Move): Tx {
  return {
    id: m.id,
    movementId: m.movementId ?? m.id,
    time: m.time,
    localMinute: m.localMinute ?? 720,
    localDay: Math.floor(m.time / 86_400_000),
    stage: m.stage ?? "booked",
    rail: m.rail ?? "transfer",
    purpose: undefined,
    channel: "online",
    amountMinor: m.amount ?? 10_000,
    currency: "EUR",
    amount: m.amount ?? 10_000,
    debtor: side(m.from, m.fromParty, m.links),
    creditor: side(m.to, m.toParty, m.links),
    ultimateDebtor: undefined,
    ultimateCreditor: undefined,
    books: m.books ?? "both",
    relation: m.relation,
    initiator: m.initiator,
    actCountry: undefined,
    actPlace: undefined,
    actCell: m.cell,
    actSite: undefined,
    whiteLabelAtm: undefined,
    device: undefined,
    ipCountry: undefined,
    ipCell: undefined,
    conductor: undefined,
    refs: [],
    travelTo: undefined,
    travelNights: undefined,
    travellers: undefined,
    memoClasses: [],
    corridorFrom: undefined,
    corridorTo: undefined,
    contentHash: m.contentHash ?? 1,
  };
}

/** The direction in which `account` sees a movement. */
export function directionOf(tx: Tx, account: string): Direction {
  return tx.creditor.account === account ? "in" : "out";
}

function side(account: string, party: string | undefined, links: readonly Link[] = []): TxSide {
  return {
    own: true,
    kind: "account",
    account,
    party,
    card: undefined,
    wallet: undefined,
    partyType: "unknown",
    merchantId: undefined,
    mcc: undefined,
    merchantClass: undefined,
    merchantCountry: undefined,
    merchantPlace: undefined,
    merchantOpens: undefined,
    institutionId: undefined,
    institutionCountry: undefined,
    institutionType: undefined,
    balanceAfter: undefined,
    links,
    ref: undefined,
  };
}

/** A profile of which only the given fields are known, in force long before T0. */
export function profileOf(entity: string, more: Partial<Profile> = {}): Profile {
  return {
    entity,
    validFrom: T0 - 100 * 86_400_000,
    partyType: undefined,
    segment: undefined,
    industry: undefined,
    occupationGroup: undefined,
    homeCell: undefined,
    tz: undefined,
    minor: undefined,
    expectedMonthly: undefined,
    links: [],
    knownSince: undefined,
    product: undefined,
    currency: undefined,
    opened: undefined,
    holders: [],
    cards: [],
    ...more,
  };
}
