/**
 * Arrivals for the claim that order does not decide: random movements with reversals, repeats, conflicts, bookings,
 * holders and links, told in event order and in scrambled orders that stay within the claim.
 */
import fc from "fast-check";
import { HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import type { Alert } from "../../src/domain/alert.ts";
import type { EntityKey } from "../../src/domain/entity.ts";
import type { Profile } from "../../src/domain/profile.ts";
import type { Tx } from "../../src/domain/tx.ts";
import type { HitView, MarkView, View } from "../../src/domain/view.ts";
import { routeProfile, routeTx } from "../../src/intake/route.ts";
import { createEmbedded } from "../../src/screen/embedded.ts";
import { createEngine } from "../../src/screen/engine.ts";
import type { Output, Verdict } from "../../src/screen/outputs.ts";
import type { Entity } from "../../src/screen/state.ts";
import { indicator, move, packOf, profileOf, T0, typology } from "./build.ts";

/** Indicators, a flow and typologies that read hits, links and marks of each other. */
export const pack = packOf({
  "T-IN": indicator(
    "T-IN",
    `
subject: account
scope: { rail: [transfer], direction: [in] }
roles: { self: { may_be: victim } }
params: { n: { value: 3, range: [1, 9], step: 1 } }
aggregates:
  n: { count: events, last: 2h }
  total: { sum: tx.amount, last: 2h }
  senders: { distinct: other.id, last: 1h, cap: 8 }
when:
  all:
    - many: agg.n >= params.n
    - sum: agg.total >= 300 EUR
    - spread: agg.senders >= 2
`,
  ),
  "T-OUT": indicator(
    "T-OUT",
    `
subject: account
scope: { rail: [transfer], direction: [out] }
aggregates:
  biggest: { max: tx.amount, last: 90m }
  middle: { median: tx.amount, last: 90m }
when:
  all:
    - big: agg.biggest >= 250 EUR
    - middle: agg.middle >= 120 EUR
`,
  ),
  "T-FLOW": indicator(
    "T-FLOW",
    `
subject: account
flow:
  within: 3h
  steps:
    - collect:
        scope: { direction: [in] }
        keep: { total: { sum: tx.amount }, n: { count: events } }
        until: { all: [ { some: collect.n >= 2 } ] }
    - drain:
        scope: { direction: [out] }
        starts_within: 1h
        keep: { total: { sum: tx.amount } }
        until: { all: [ { emptied: drain.total >= 50% * collect.total } ] }
`,
  ),
  "T-PHONE": indicator(
    "T-PHONE",
    `
subject: phone
hits: { flagged: { of: [T-IN, T-OUT], from: accounts, last: 6h, count: sources } }
when: { all: [ { two: hits.flagged >= 2 } ] }
`,
  ),
  "T-RING": typology(
    "T-RING",
    `
subject: phone
hits:
  calls: { of: T-PHONE, from: self, last: 6h, count: episodes }
  flows: { of: T-FLOW, from: accounts, last: 6h, count: sources }
scoring:
  indicators:
    - calls: { family: contact, points: 40, when: hits.calls >= 1 }
    - flows: { family: passing, points: 30, when: hits.flows >= 1 }
alert_when: { all: [ { one: hits.calls >= 1 } ] }
alone: { because: test }
severity: { medium: 40, high: 60 }
suppress: { for: 2h }
`,
  ),
  "T-WIN": indicator(
    "T-WIN",
    `
subject: account
scope: { rail: [transfer] }
aggregates:
  part: { sum: tx.amount, by: other.id, last: 2h }
  before: { count: events, by: other.id, last: 2h, include_current: false }
  newest: { avg: tx.amount, last: 3 events }
  burst: { distinct: other.id, burst: { gap: 20m } }
  share: { top_share: tx.amount, by: other.id, last: 2h }
  again: { count: events, matching: "past.other == other.id && within(past.amount, tx.amount, 50%)", last: 2h }
  paid: { sum: tx.amount, last: 1h }
  stay: { dwell: events, last: 3h }
base:
  usual: { of: agg.paid, stat: p50, over: 12h, step: 1h, min_samples: 5 }
when:
  any:
    - two: agg.burst >= 3
    - part: agg.part >= 400 EUR
    - all:
        - again: agg.again >= 1
        - before: agg.before >= 1
        - newest: agg.newest >= 150 EUR
    - all:
        - share: agg.share >= 70%
        - stay: agg.stay <= 30m
    - unusual: agg.paid > 2 * base.usual
emit: { attrs: { paid: tx.amount, payee: other.id } }
suppress: { for: 1h }
`,
  ),
  "T-AL": typology(
    "T-AL",
    `
subject: party
hits:
  came: { of: T-IN, from: accounts, last: 3h, count: episodes }
  left: { of: T-OUT, from: accounts, last: 3h, count: episodes }
  ran: { of: T-FLOW, from: accounts, last: 3h, count: sources }
  spread: { of: T-WIN, from: accounts, last: 3h, count: episodes, attrs: { paid: { sum: paid }, payees: { distinct: payee } } }
scoring:
  indicators:
    - came: { family: receipts, points: 30, when: hits.came >= 1 }
    - left: { family: spending, points: 30, when: hits.left >= 1 }
    - ran: { family: passing, points: 30, when: hits.ran >= 1 }
    - spread: { family: spread, points: 10, when: hits.spread.paid >= 500 EUR }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 40, high: 80 }
suppress: { for: 6h }
`,
  ),
  "T-NX": typology(
    "T-NX",
    `
subject: party
hits:
  mine: { of: T-AL, from: self, last: 1d, count: episodes }
  up: { of: T-FLOW, from: upstream(2), last: 1d, count: sources }
  down: { of: T-AL, from: downstream(2), last: 1d, count: sources }
scoring:
  indicators:
    - mine: { family: own, points: 40, when: hits.mine >= 1 }
    - up: { family: upstream, points: 40, when: hits.up >= 1 }
    - down: { family: downstream, points: 20, when: hits.down >= 1 }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 40, high: 90 }
suppress: { for: 6h }
`,
  ),
});

/** One movement and what goes with it. */
export interface Step {
  readonly gapMs: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  readonly party: boolean;
  /** Index of a phone that both sides name; none from 2 on. */
  readonly phone: number;
  readonly fate: "plain" | "reversed" | "reversed by customer" | "again" | "conflict" | "booked";
}

const chance = fc.integer({ min: 0, max: 19 });
const FATES: readonly Step["fate"][] = ["reversed", "reversed", "again", "conflict", "booked", "reversed by customer"];

export const step: fc.Arbitrary<Step> = fc.record({
  gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 * MINUTE_MS }), fc.integer({ min: 1, max: HOUR_MS })),
  from: fc.integer({ min: 0, max: 3 }),
  to: fc.integer({ min: 1, max: 3 }),
  amount: fc.integer({ min: 1_000, max: 40_000 }),
  party: fc.boolean(),
  phone: fc.integer({ min: 0, max: 5 }),
  fate: chance.map((n) => FATES[n] ?? "plain"),
});

/** A record of what is known of a customer, and how long before or after its date it arrives. */
export interface Knowledge {
  readonly profile: Profile;
  readonly afterMs: number;
}

export const knowledge: fc.Arbitrary<Knowledge> = fc
  .tuple(
    fc.integer({ min: -HOUR_MS, max: 8 * HOUR_MS }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 2 }),
    fc.boolean(),
    fc.integer({ min: -3 * HOUR_MS, max: HOUR_MS / 2 }),
  )
  .map(([at, account, holder, phone, ofParty, afterMs]) => {
    const links = phone < 2 ? [{ kind: "phone" as const, token: `f${phone}` }] : [];
    const validFrom = T0 + at;
    const holders = [{ party: `p${holder}`, role: "holder" as const, from: undefined, until: undefined }];
    const later = [{ party: `p${account}`, role: "joint" as const, from: validFrom + HOUR_MS, until: undefined }];
    const profile = ofParty
      ? profileOf(`party:p${holder}`, { validFrom, links })
      : profileOf(`account:a${account}`, { validFrom, links, holders: [...holders, ...later] });
    return { profile, afterMs };
  });

/**
 * Movements in event order. A reversal comes 1 to 30 minutes after its original, a booking 10 minutes after its
 * authorisation; what repeats or contradicts a movement stands behind it.
 */
export function movements(steps: readonly Step[]): Tx[] {
  let time = T0;
  const found: Tx[] = [];
  steps.forEach((s, i) => {
    time += s.gapMs;
    const from = `a${s.from}`;
    const to = `a${(s.from + s.to) % 4}`;
    const parties = s.party ? { fromParty: `p${s.from}`, toParty: `p${(s.from + s.to) % 4}` } : {};
    const links = s.phone < 2 ? [{ kind: "phone" as const, token: `f${s.phone}` }] : [];
    const id = `t${String(i).padStart(3, "0")}`;
    const base = { from, to, amount: s.amount, links, ...parties };
    const tx = move({ ...base, id, time, stage: s.fate === "booked" ? "authorised" : "booked" });
    found.push(tx);
    if (s.fate === "again") found.push(tx);
    if (s.fate === "conflict") found.push({ ...tx, contentHash: 2 });
    if (s.fate === "booked") {
      const relation = { kind: "settles" as const, of: id, time };
      const booking = { ...base, id: `b${i}`, movementId: id, time: time + 10 * MINUTE_MS, amount: s.amount + 500 };
      found.push(move({ ...booking, relation }), move({ ...booking, relation }));
    }
    if (s.fate === "reversed" || s.fate === "reversed by customer") {
      const relation = { kind: "reversal" as const, of: id, time };
      const initiator = s.fate === "reversed" ? "institution" : "debtor";
      const at = time + MINUTE_MS * (1 + (i % 30));
      found.push(move({ ...base, id: `r${i}`, movementId: id, time: at, relation, initiator }));
    }
  });
  // Equal times keep the order in which they were made: what contradicts comes behind what it contradicts.
  return found.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

type Arrival = { readonly at: number } & ({ readonly tx: Tx } | { readonly profile: Profile });

/** Everything at its own time, profiles first. */
export function ordered(txs: readonly Tx[], known: readonly Knowledge[], tailKeep: number): Alert[] {
  const alerts: Alert[] = [];
  const run = createEmbedded(pack, { alert: (a) => alerts.push(a), hit: () => {}, verdict: () => {} }, { tailKeep });
  const arrivals: Arrival[] = [
    ...known.map(({ profile }) => ({ at: profile.validFrom, profile })),
    ...txs.map((tx) => ({ at: tx.time, tx })),
  ];
  for (const arrival of arrivals.sort((a, b) => a.at - b.at)) {
    if ("tx" in arrival) run.pushTx(arrival.tx);
    else run.pushProfile(arrival.profile);
  }
  return alerts;
}

/** How a scrambled run delays what it is told. */
export interface Delays {
  /** Of movements, in turn: at most half of L. */
  readonly arrivals: readonly number[];
  /** Derived views that are delivered after each arrival, in turn. */
  readonly holds: readonly number[];
  readonly tailKeep: number;
  /** Views after which an entity goes through its stored form; 5 when not given. */
  readonly storedEach?: number;
  /** Late views are always folded from the beginning of the tail. */
  readonly withoutShelf?: boolean;
}

export const delays: fc.Arbitrary<Delays> = fc.record({
  arrivals: fc.array(fc.integer({ min: 0, max: HOUR_MS / 2 }), { minLength: 1, maxLength: 17 }),
  holds: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 13 }),
  tailKeep: fc.constantFrom(1, 3, 8),
});

/** Arrival by delays: derived views held back by a few steps, each channel from entity to entity in order. */
export function scrambled(txs: readonly Tx[], known: readonly Knowledge[], how: Delays): Scrambled {
  const run = new ScrambledRun(how);
  const arrivals: Arrival[] = known.map(({ profile, afterMs }) => ({ at: profile.validFrom + afterMs, profile }));
  const firstAt = new Map<string, number>();
  for (const [i, tx] of txs.entries()) {
    // What repeats or contradicts a movement comes behind it: which of two contents is accepted is the arrival's.
    const at = firstAt.get(tx.id) ?? tx.time + (how.arrivals[i % how.arrivals.length] ?? 0);
    firstAt.set(tx.id, at);
    arrivals.push({ at, tx });
  }
  arrivals.sort((a, b) => a.at - b.at);
  for (const [i, arrival] of arrivals.entries()) {
    run.hurry(arrival.at);
    for (const view of "tx" in arrival ? routeTx(arrival.tx) : routeProfile(arrival.profile)) run.give(view);
    for (let n = how.holds[i % how.holds.length] ?? 0; n > 0; n--) run.release(n + i);
  }
  for (let n = 0; run.release(n); n++);
  return run;
}

export interface Scrambled {
  /** Everything put out, in order. */
  readonly outputs: readonly Output[];
  /** Late views that were folded from a shelf. */
  readonly shelved: number;
  readonly alerts: readonly Alert[];
  readonly verdicts: readonly Verdict[];
  readonly entities: ReadonlyMap<EntityKey, Entity>;
}

class ScrambledRun implements Scrambled {
  readonly outputs: Output[] = [];
  shelved = 0;
  readonly alerts: Alert[] = [];
  readonly verdicts: Verdict[] = [];
  readonly entities = new Map<EntityKey, Entity>();
  readonly #engine;
  readonly #how: Delays;
  readonly #channels = new Map<string, (HitView | MarkView)[]>();
  #given = 0;

  constructor(how: Delays) {
    this.#how = how;
    this.#engine = createEngine(pack, { tailKeep: how.tailKeep });
  }

  give(view: View): void {
    let entity = this.entities.get(view.entity) ?? this.#engine.newEntity(view.entity);
    // Every so often the entity goes through its stored form, as it does when another worker takes over.
    if (this.#given++ % (this.#how.storedEach ?? 5) === 0)
      entity = this.#engine.decode(view.entity, this.#engine.encode(entity));
    this.entities.set(view.entity, entity);
    if (this.#how.withoutShelf) entity.shelf = undefined;
    const { shelf } = entity;
    const out: Output[] = [];
    const verdict = this.#engine.apply(entity, view, out);
    this.verdicts.push(verdict);
    this.outputs.push(...out);
    if (verdict === "refolded" && shelf !== undefined && entity.shelf?.views === shelf.views) this.shelved++;
    for (const output of out) {
      if (output.kind === "alert") this.alerts.push(output.alert);
      if (output.kind !== "view") continue;
      const channel = `${view.entity}>${output.view.entity}`;
      this.#channels.set(channel, [...(this.#channels.get(channel) ?? []), output.view]);
    }
  }

  /** Delivers the next view of one of the waiting channels; false when none waits. */
  release(n: number): boolean {
    const waiting = [...this.#channels.values()].filter((views) => views.length > 0);
    const next = waiting[n % Math.max(1, waiting.length)]?.shift();
    if (next !== undefined) this.give(next);
    return next !== undefined;
  }

  /** No derived view may reach its entity more than L late either: that is outside the claim. */
  hurry(now: number): void {
    for (let late = true; late; ) {
      late = false;
      for (const views of this.#channels.values()) {
        if (!views.some((view) => view.time <= now - 0.75 * HOUR_MS)) continue;
        this.give(views.shift() as HitView | MarkView);
        late = true;
      }
    }
  }
}
