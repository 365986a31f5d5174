/** Movements that `tx/1` accepts, in any shape, and ways to spoil them. */
import fc from "fast-check";
import { BEARERS, BOOKS, INITIATORS, TIME_PRECISIONS } from "../../src/domain/movement.ts";
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
} from "../../src/domain/tx.ts";

type Json = Record<string, unknown>;

const token = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9.:-]{1,20}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("a", "x".repeat(128), "Zürich", "日本", "😀", 'q"uote', "back\\slash", "\u00a0"),
  },
);
const country = fc.constantFrom("AA", "ZZ", "XC");
const amount = fc.constantFrom("0", "1", "0.01", "12.50", "2700.00", "999999.999999", "1".repeat(40), "1.000");
const currency = fc.constantFrom("EUR", "USD", "JPY", "ETH", "USDT", "XXX");
const time = fc.constantFrom(
  "2026-03-04T10:11:12Z",
  "2026-03-04T23:30:00.123+02:00",
  "not a time",
  "1970-01-01T00:00:00Z",
);
const cell = fc.constantFrom("52.5,13.4", "-90,180", "0,0", "-12.123456,-1.5");
const zone = fc.constantFrom("Europe/Berlin", "UTC", "Etc/GMT+3", "No/Where");
const count = fc.constantFrom(0, 1, 12, 999);

function some(members: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []): fc.Arbitrary<Json> {
  return fc.record(members, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<Json>;
}

const link = some({ kind: fc.constantFrom(...LINK_KINDS), token }, ["kind", "token"]);

const side = some(
  {
    own: fc.boolean(),
    kind: fc.constantFrom(...SIDE_KINDS),
    account: token,
    party: token,
    card: token,
    wallet: token,
    partyType: fc.constantFrom(...PARTY_TYPES),
    merchant: some({
      id: token,
      mcc: fc.constantFrom("5411", "0000"),
      class: token,
      country,
      place: token,
      opens: token,
    }),
    institution: some({ id: token, country, type: fc.constantFrom(...INSTITUTION_TYPES) }),
    amount,
    currency,
    balanceAfter: fc.oneof(amount, fc.constantFrom("-5.00", "-0")),
    links: fc.array(link, { maxLength: 3 }),
    ref: token,
  },
  ["kind"],
);

/** A record that the schema accepts, with members in any order. */
export const movementArbitrary: fc.Arbitrary<Json> = some(
  {
    schema: fc.constant("tx/1"),
    txId: token,
    movementId: token,
    occurredAt: time,
    timePrecision: fc.constantFrom(...TIME_PRECISIONS),
    tz: zone,
    stage: fc.constantFrom(...STAGES),
    rail: fc.constantFrom(...RAILS),
    purpose: fc.constantFrom(...PURPOSES),
    channel: fc.constantFrom(...CHANNELS),
    amount,
    currency,
    charges: fc.array(
      some({ amount, currency, bearer: fc.constantFrom(...BEARERS) }, ["amount", "currency", "bearer"]),
      {
        maxLength: 2,
      },
    ),
    debtor: side,
    creditor: side,
    ultimateDebtor: side,
    ultimateCreditor: side,
    books: fc.constantFrom(...BOOKS),
    relation: some({ kind: fc.constantFrom(...RELATION_KINDS), of: token, occurredAt: time }, ["kind", "of"]),
    initiator: fc.constantFrom(...INITIATORS),
    act: some({ country, place: token, cell, tz: zone, site: token, whiteLabelAtm: fc.boolean() }),
    session: some({ device: token, ipCountry: country, ipCell: cell }),
    conductor: token,
    refs: fc.array(some({ kind: fc.constantFrom(...REF_KINDS), token }, ["kind", "token"]), { maxLength: 2 }),
    travel: some({ to: token, nights: count, travellers: count, departs: time }),
    memoClasses: fc.array(token, { maxLength: 3 }),
    labels: some({ story: token, suspicious: fc.boolean() }),
  },
  ["schema", "txId", "occurredAt", "rail", "amount", "currency", "debtor", "creditor"],
).chain((record) =>
  fc
    .shuffledSubarray(Object.keys(record), { minLength: Object.keys(record).length })
    .map((keys) => reorder(record, keys)),
);

const HOSTILE = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  1000,
  1e21,
  "",
  "x".repeat(129),
  "\u0000",
  "a\u007f",
  "\u0085",
  "\ud800",
  "-1",
  "1e3",
  "eur",
  "E",
  "aa",
  "52.5",
  "91,0",
  "0,181",
  "__proto__",
  [],
  ["x"],
  [null],
  {},
  { kind: "phone" },
  { token: "x" },
  { kind: "account", extra: 1 },
  Array.from({ length: 40 }, () => "x"),
  Array.from({ length: 20 }, () => ({ kind: "phone", token: "t" })),
];

/** The record with one place, at any depth, set to a hostile value, removed, or given a member that is not known. */
export function spoiled(record: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return record.chain((value) =>
    fc
      .tuple(fc.constantFrom(...pathsOf(value)), fc.constantFrom("set", "remove", "add"), fc.constantFrom(...HOSTILE))
      .map(([path, how, hostile]) => spoil(value, path, how, hostile)),
  );
}

function spoil(record: Json, path: readonly string[], how: string, hostile: unknown): Json {
  const copy = structuredClone(record);
  let parent: Json = copy;
  for (const name of path.slice(0, -1)) parent = parent[name] as Json;
  const last = path[path.length - 1] as string;
  if (how === "add") parent.extra = hostile ?? null;
  else if (how === "remove" && !Array.isArray(parent)) delete parent[last];
  else parent[last] = hostile ?? null;
  return copy;
}

function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const here = [...path, name];
    return [here, ...pathsOf(member, here)];
  });
}

function reorder(record: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.map((key) => [key, record[key]]));
}
