/** Random views of every kind, with every optional field present or not. */
import fc from "fast-check";
import type { Evidence } from "../../src/domain/alert.ts";
import { ENTITY_KINDS } from "../../src/domain/entity.ts";
import { EVENT_TYPES, HOLDER_ROLES, type Profile } from "../../src/domain/profile.ts";
import {
  CHANNELS,
  INSTITUTION_TYPES,
  LINK_KINDS,
  PARTY_TYPES,
  PURPOSES,
  RAILS,
  REF_KINDS,
  RELATION_KINDS,
  SIDE_KINDS,
  STAGES,
  type Tx,
  type TxSide,
} from "../../src/domain/tx.ts";
import type { HitView, MarkView, View } from "../../src/domain/view.ts";
import { CRIMES } from "../../src/domain/vocabulary.ts";

/** Texts as tokens are, short ones, long ones, and any other that UTF-8 can hold. */
export const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "",
      "EUR",
      "DE",
      "k1.MZXW6YTBOI2WC3DBNRRWC2TEMVZXS43UMF2GK3LFON2GS3TH",
      "tx-000012345",
      "a:b",
    ),
  },
  { weight: 3, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
  // Longer than one byte of length can tell.
  { weight: 1, arbitrary: fc.integer({ min: 128, max: 300 }).map((n) => "é".repeat(n % 7) + "x".repeat(n)) },
);
export const time = fc.integer({ min: -1e12, max: 4e12 });
export const integer = fc.oneof(fc.integer(), fc.maxSafeInteger());
export const hash32 = fc.nat(0xffffffff);
export const entity = fc.tuple(fc.constantFrom(...ENTITY_KINDS), text).map(([kind, token]) => `${kind}:${token}`);

/** Plain records: with a prototype, as decoded ones have. */
export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

function optional<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: 2 });
}

const links = fc.array(record({ kind: fc.constantFrom(...LINK_KINDS), token: text }), { maxLength: 3 });
const anyNumber = fc.oneof(integer, fc.constantFrom(0.5, -0, 1e300));

const side: fc.Arbitrary<TxSide> = record({
  own: fc.boolean(),
  kind: fc.constantFrom(...SIDE_KINDS),
  account: optional(text),
  party: optional(text),
  card: optional(text),
  wallet: optional(text),
  partyType: fc.constantFrom(...PARTY_TYPES),
  merchantId: optional(text),
  mcc: optional(text),
  merchantClass: optional(text),
  merchantCountry: optional(text),
  merchantPlace: optional(text),
  merchantOpens: optional(text),
  institutionId: optional(text),
  institutionCountry: optional(text),
  institutionType: optional(fc.constantFrom(...INSTITUTION_TYPES)),
  balanceAfter: optional(anyNumber),
  links,
  ref: optional(text),
});

const txFields: fc.Arbitrary<Tx> = record({
  id: text,
  movementId: text,
  time,
  localMinute: fc.integer({ min: -1, max: 1_439 }),
  localDay: fc.integer({ min: -20_000, max: 60_000 }),
  stage: fc.constantFrom(...STAGES),
  rail: fc.constantFrom(...RAILS),
  purpose: optional(fc.constantFrom(...PURPOSES)),
  channel: optional(fc.constantFrom(...CHANNELS)),
  amountMinor: fc.oneof(integer, fc.bigInt()),
  currency: text,
  amount: optional(fc.oneof(integer, fc.constant(Number.NaN))),
  debtor: side,
  creditor: side,
  ultimateDebtor: optional(side),
  ultimateCreditor: optional(side),
  books: fc.constantFrom("both", "debtor", "creditor"),
  relation: optional(record({ kind: fc.constantFrom(...RELATION_KINDS), of: text, time: optional(time) })),
  initiator: optional(fc.constantFrom("debtor", "creditor", "institution")),
  actCountry: optional(text),
  actPlace: optional(text),
  actCell: optional(text),
  actSite: optional(text),
  whiteLabelAtm: optional(fc.boolean()),
  device: optional(text),
  ipCountry: optional(text),
  ipCell: optional(text),
  conductor: optional(text),
  refs: fc.array(record({ kind: fc.constantFrom(...REF_KINDS), token: text }), { maxLength: 3 }),
  travelTo: optional(text),
  travelNights: optional(anyNumber),
  travellers: optional(fc.nat()),
  memoClasses: fc.array(text, { maxLength: 3 }),
  corridorFrom: optional(text),
  corridorTo: optional(text),
  contentHash: hash32,
});

/** Movements in which fields often repeat each other, as they do in life. */
const tx: fc.Arbitrary<Tx> = fc
  .tuple(txFields, fc.boolean(), fc.boolean(), fc.boolean())
  .map(([t, own, day, base]) => ({
    ...t,
    movementId: own ? t.movementId : t.id,
    localDay: day ? t.localDay : Math.floor(t.time / 86_400_000),
    amount: base && typeof t.amountMinor === "number" ? t.amountMinor : t.amount,
  }));

const base = {
  entity,
  time,
  txId: text,
  hop: fc.nat(5),
  source: fc.oneof(fc.constant(""), entity),
  index: fc.nat(300),
};

const txView: fc.Arbitrary<View> = fc
  .tuple(
    record({ ...base, kind: fc.constant("tx" as const), direction: fc.constantFrom("in", "out"), tx }),
    fc.boolean(),
  )
  .map(([view, plain]) => {
    if (!plain) return view;
    const token = view.tx.creditor.account ?? view.tx.debtor.party;
    const repeated = { ...view, time: view.tx.time, txId: view.tx.id, hop: 0, source: "", index: 0 };
    return token === undefined ? repeated : { ...repeated, entity: `account:${token}` };
  });

export const profile: fc.Arbitrary<Profile> = record({
  entity,
  validFrom: time,
  partyType: optional(fc.constantFrom(...PARTY_TYPES)),
  segment: optional(text),
  industry: optional(text),
  occupationGroup: optional(text),
  homeCell: optional(text),
  tz: optional(text),
  minor: optional(fc.boolean()),
  expectedMonthly: optional(anyNumber),
  links,
  knownSince: optional(time),
  product: optional(text),
  currency: optional(text),
  opened: optional(time),
  holders: fc.array(
    record({
      party: text,
      role: fc.constantFrom(...HOLDER_ROLES),
      from: optional(time),
      until: optional(time),
    }),
    { maxLength: 3 },
  ),
  cards: fc.array(text, { maxLength: 3 }),
});

const evidence: fc.Arbitrary<Evidence> = record({
  measure: text,
  observed: text,
  comparison: fc.constantFrom(">=", "in"),
  threshold: text,
  unit: fc.constantFrom("money", "count"),
  exact: fc.boolean(),
  from: text,
  to: text,
  count: fc.nat(),
  listed: fc.array(record({ txId: text, at: text, why: fc.constantFrom("first", "last") }), { maxLength: 2 }),
  ledger: fc.array(record({ from: text, to: text, count: fc.nat(), sum: text }), { maxLength: 2 }),
});

export const hitView: fc.Arbitrary<HitView> = record({
  ...base,
  kind: fc.constant("hit" as const),
  id: text,
  off: fc.boolean(),
  ruleId: text,
  root: entity,
  rootOwn: fc.boolean(),
  rootRef: optional(text),
  relation: fc.constantFrom("self", "account", "member"),
  episodeStart: time,
  lastTrue: time,
  attrs: fc.array(record({ name: text, value: fc.oneof(text, integer) }), { maxLength: 2 }),
  crime: fc.constantFrom(...CRIMES),
  victim: fc.boolean(),
  explanation: text,
  evidence: fc.array(evidence, { maxLength: 2 }),
});

export const markView: fc.Arbitrary<MarkView> = record({
  ...base,
  kind: fc.constant("mark" as const),
  id: text,
  off: fc.boolean(),
  held: fc.boolean(),
  ruleId: text,
  crime: fc.constantFrom(...CRIMES),
  victim: fc.boolean(),
  root: entity,
  alertId: optional(text),
  flow: fc.constantFrom("downstream", "upstream"),
  distance: fc.integer({ min: 1, max: 3 }),
  period: time,
  about: time,
  amount: integer,
  viaTx: text,
});

const profileView: fc.Arbitrary<View> = record({ ...base, kind: fc.constant("profile" as const), profile });
const eventView: fc.Arbitrary<View> = record({
  ...base,
  kind: fc.constant("event" as const),
  event: record({
    id: text,
    entity,
    type: fc.constantFrom(...EVENT_TYPES),
    time,
    device: optional(text),
    country: optional(text),
  }),
});

export const view: fc.Arbitrary<View> = fc.oneof(
  { weight: 4, arbitrary: txView },
  { weight: 1, arbitrary: profileView },
  { weight: 1, arbitrary: eventView },
  { weight: 1, arbitrary: hitView },
  { weight: 1, arbitrary: markView },
);
