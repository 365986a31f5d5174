/**
 * What the runs under faults screen: rules with short windows, movements among few accounts that all lie within the
 * lateness that is judged, so that no order of arrival may change what comes out; and poison that may not count.
 */
import { indicator, typology } from "../screen/build.ts";

export const RULES: Readonly<Record<string, string>> = {
  "T-IN": indicator(
    "T-IN",
    `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates:
  n: { count: events, last: 2h }
  senders: { distinct: other.id, last: 2h, cap: 64 }
when: { all: [ { many: agg.n >= 28 }, { spread: agg.senders >= 20 } ] }
`,
  ),
  "T-BIG": indicator(
    "T-BIG",
    `
subject: account
scope: { rail: [transfer], direction: [out] }
aggregates:
  biggest: { max: tx.amount, last: 2h }
when: { all: [ { big: agg.biggest >= 995 EUR }, { some: agg.biggest >= 900 EUR } ] }
`,
  ),
  "T-AL": typology(
    "T-AL",
    `
subject: party
hits:
  came: { of: T-IN, from: accounts, last: 3h, count: episodes }
  left: { of: T-BIG, from: accounts, last: 3h, count: episodes }
scoring:
  indicators:
    - came: { family: receipts, points: 30, when: hits.came >= 1 }
    - left: { family: spending, points: 30, when: hits.left >= 1 }
alert_when: { all: [ { enough: score.total >= 30 } ] }
alone: { because: test }
severity: { medium: 30, high: 60 }
suppress: { for: 6h }
`,
  ),
};

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

const T0 = Date.UTC(2026, 0, 5, 12, 0, 0);
/** All within the lateness that is judged: in whatever order partitions drain, no view comes too late. */
const SPAN_MS = 50 * 60_000;

export interface MovementOptions {
  /** Share of movements whose creditor is one account, in percent. Default 0. */
  readonly hotPercent?: number;
  /** Number of accounts. Default n / 20. */
  readonly accounts?: number;
  /** Time from the first to the last. Default 50 minutes. */
  readonly spanMs?: number;
}

/** `n` transfers as lines of tx/1, in order of time, from a seed. */
export function movements(n: number, seed: number, options: MovementOptions = {}): string[] {
  let state = seed >>> 0;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
  const { hotPercent = 0, spanMs = SPAN_MS } = options;
  const accounts = options.accounts ?? Math.max(2, Math.floor(n / 20));
  const side = (i: number): object => ({ own: true, kind: "account", account: `k1.A${i}`, party: `k1.P${i}` });
  return Array.from({ length: n }, (_, i) => {
    const isHot = hotPercent > 0 && next(100) < hotPercent;
    const from = isHot ? 1 + next(accounts - 1) : next(accounts);
    const to = isHot ? 0 : (from + 1 + next(accounts - 1)) % accounts;
    const amount = `${1 + next(1_000)}.${String(next(100)).padStart(2, "0")}`;
    const occurredAt = new Date(T0 + Math.floor((i * spanMs) / n)).toISOString();
    const common = { schema: "tx/1", txId: `t${i}`, occurredAt, rail: "transfer", channel: "online" };
    return JSON.stringify({ ...common, amount, currency: "EUR", debtor: side(from), creditor: side(to) });
  });
}

/** A message made from a good one that must be refused, and the code that must be given as the reason. */
export interface Poison {
  readonly bytes: string | Buffer;
  readonly code: string;
}

/** The `i`-th kind of poison, in turn. */
export function poison(i: number, good: string): Poison {
  const made = POISON[i % POISON.length] as (good: string) => Poison;
  return made(good);
}

/** A field in the place of another, or beside it. */
const changed = (good: string, fields: object): string => JSON.stringify({ ...JSON.parse(good), ...fields });

const POISON: readonly ((good: string) => Poison)[] = [
  (good) => ({ bytes: good.slice(0, -5), code: "MALFORMED_JSON" }),
  (good) => ({ bytes: changed(good, { amount: 12 }), code: "SCHEMA" }),
  (good) => ({ bytes: changed(good, { memo: "x".repeat(900_000) }), code: "SCHEMA" }),
  (good) => ({ bytes: Buffer.concat([Buffer.from(good.slice(0, -2)), Buffer.from([0xff, 0xfe])]), code: "BAD_UTF8" }),
  (good) => ({ bytes: good.replace('"rail"', '"txId":"other","rail"'), code: "DUPLICATE_KEY" }),
  (good) => ({ bytes: good.replace('"rail"', '"__proto__":{"own":true},"rail"'), code: "FORBIDDEN_KEY" }),
  (good) => ({ bytes: changed(good, { amount: "9007199254740993.00" }), code: "BAD_AMOUNT" }),
  (good) => ({ bytes: changed(good, { amount: "-5.00" }), code: "BAD_AMOUNT" }),
  (good) => ({ bytes: changed(good, { currency: "QQQ" }), code: "UNKNOWN_CURRENCY" }),
  (good) => ({ bytes: changed(good, { occurredAt: "2099-01-01T00:00:00Z" }), code: "FAR_FUTURE" }),
  () => ({ bytes: "", code: "MALFORMED_JSON" }),
  () => ({ bytes: "[".repeat(10_000), code: "MALFORMED_JSON" }),
];
