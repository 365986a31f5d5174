/** Single cases of late, repeated and early arrival, each with what must hold in the end. */

import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, TAIL_EVENTS_MAX } from "../../src/base/limits.ts";
import type { Alert } from "../../src/domain/alert.ts";
import type { Tx } from "../../src/domain/tx.ts";
import type { HitView, MarkView } from "../../src/domain/view.ts";
import { routeProfile, routeTx } from "../../src/intake/route.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { contributionsIn, valuesOf } from "../../src/screen/contributions.ts";
import { createEngine } from "../../src/screen/engine.ts";
import type { HitRecord, Output, Verdict } from "../../src/screen/outputs.ts";
import { measureOf } from "../../src/screen/plain-readings.ts";
import { settleAlerts } from "../../src/screen/settled.ts";
import type { Entity } from "../../src/screen/state.ts";
import { indicator, type Move, move, packOf, profileOf, T0, typology } from "./build.ts";

const COUNT = indicator(
  "T-COUNT",
  `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates:
  n: { count: events, last: 3d }
  total: { sum: tx.amount, last: 3d }
when: { all: [ { many: agg.n >= 3 }, { sum: agg.total >= 300 EUR } ] }
`,
);
const ALERT = typology(
  "T-AL",
  `
subject: party
hits: { came: { of: T-COUNT, from: accounts, last: 1d, count: sources } }
scoring: { indicators: [ { came: { family: receipts, points: 50, when: hits.came >= 1 } } ] }
alert_when: { all: [ { one: hits.came >= 1 } ] }
alone: { because: test }
severity: { medium: 40 }
suppress: { for: 2h }
`,
);
const pack = packOf({ "T-COUNT": COUNT, "T-AL": ALERT });

/** One account and what it says, optionally through its stored form before every view. */
class Account {
  readonly alerts: Alert[] = [];
  readonly hits: HitRecord[] = [];
  readonly told: (HitView | MarkView)[] = [];
  entity: Entity;
  readonly #engine;
  readonly #stored: boolean;

  constructor(on: Pack = pack, stored = false) {
    this.#engine = createEngine(on, { tailKeep: 1 });
    this.#stored = stored;
    this.entity = this.#engine.newEntity("account:a");
  }

  give(...txs: readonly Tx[]): Verdict[] {
    return txs.flatMap((tx) =>
      routeTx(tx)
        .filter((view) => view.entity === "account:a")
        .map((view) => this.#apply(view)),
    );
  }

  know(...profiles: Parameters<typeof profileOf>[1][]): Verdict[] {
    return profiles.flatMap((p) => routeProfile(profileOf("account:a", p)).map((view) => this.#apply(view)));
  }

  #apply(view: Parameters<ReturnType<typeof createEngine>["apply"]>[1]): Verdict {
    const engine = this.#engine;
    if (this.#stored) this.entity = engine.decode("account:a", engine.encode(this.entity));
    const out: Output[] = [];
    const verdict = engine.apply(this.entity, view, out);
    for (const output of out) {
      if (output.kind === "alert") this.alerts.push(output.alert);
      else if (output.kind === "hit") this.hits.push(output.hit);
      else this.told.push(output.view);
    }
    return verdict;
  }
}

function inward(id: string, hours: number, more: Partial<Move> = {}): Tx {
  return move({ id, time: T0 + hours * HOUR_MS, from: `s-${id}`, to: "a", ...more });
}

const totals = (account: Account) => {
  const state = account.entity.work;
  return pack.subjects.account.measures.map((measure) => {
    const m = measureOf(state, measure);
    if (m === undefined) return undefined;
    const buckets = m.buckets.reduce((sum, b) => sum + b.sum, 0);
    return valuesOf(m.recent, 0, contributionsIn(m.recent)).reduce((sum, value) => sum + value, buckets);
  });
};

describe("a movement later than L", () => {
  it("leaves what was judged before as it was, in memory and after a round trip through the store", () => {
    for (const stored of [false, true]) {
      const account = new Account(pack, stored);
      expect(account.give(inward("now", 60), inward("late1", 50), inward("late2", 51))).toEqual([
        "judged",
        "counted",
        "counted",
      ]);
      expect(account.hits).toEqual([]);
      // The next movement finds all three before it: the hit opens with it, and not in silence before.
      account.give(inward("next", 61));
      expect(account.hits.map((hit) => [hit.event, hit.txId])).toEqual([["opened", "next"]]);
    }
  });

  it("counts once, also one that comes again a day and more after its time", () => {
    const account = new Account();
    const late = inward("late", 20);
    expect(account.give(inward("now", 60), late, late)).toEqual(["judged", "counted", "duplicate"]);
    expect(totals(account)).toContain(20_000);
  });

  it("that reverses another takes it out of the sums, and once only", () => {
    const account = new Account();
    const reversal = inward("r", 40, {
      movementId: "x",
      from: "s-x",
      relation: { kind: "reversal", of: "x", time: T0 + 39 * HOUR_MS },
    });
    account.give(inward("x", 39), inward("y", 40), inward("now", 60));
    expect(totals(account)).toContain(30_000);
    expect(account.give(reversal, reversal)).toEqual(["counted", "duplicate"]);
    expect(totals(account)).toContain(20_000);
  });
});

describe("a booking and its authorisation under one movement id", () => {
  const auth = inward("auth", 0, { movementId: "m", stage: "authorised", amount: 5_000 });
  const booking = inward("book", 0.2, {
    movementId: "m",
    from: "s-auth",
    amount: 7_000,
    relation: { kind: "settles", of: "auth", time: undefined },
  });
  for (const [name, order] of [
    ["in order", [auth, booking, booking]],
    ["the booking first", [booking, auth, booking]],
  ] as const) {
    it(`count once with the booked amount, ${name}`, () => {
      const account = new Account();
      expect(account.give(...order).at(-1)).toBe("duplicate");
      expect(Array.from(account.entity.work.recent, (e) => [e.txId, e.amount, e.settledBy])).toEqual([
        ["auth", 7_000, "book"],
      ]);
    });
  }

  it("are both gone when the booking is reversed after it settled", () => {
    const account = new Account();
    const reversal = inward("r", 5, { from: "s-auth", relation: { kind: "reversal", of: "book", time: T0 } });
    account.give(auth, booking, inward("x", 4), reversal);
    expect(totals(account)).toContain(10_000);
  });
});

describe("a profile", () => {
  const holders = [{ party: "p", role: "holder" as const, from: undefined, until: undefined }];

  it("of the future tells nobody before its date", () => {
    const account = new Account();
    account.know({ validFrom: T0 + 5 * HOUR_MS, holders });
    account.give(inward("1", 0), inward("2", 1), inward("3", 2));
    expect(account.told).toEqual([]);
    account.give(inward("4", 6));
    expect(account.told.map((view) => [view.entity, view.time])).toEqual([["party:p", T0 + 6 * HOUR_MS]]);
  });

  it("within L of its date says the same as one that came in time", () => {
    const views = [1, 2, 3].map((n) => inward(`${n}`, n / 10));
    const early = new Account();
    early.know({ validFrom: T0 + 10 * MINUTE_MS, holders });
    early.give(...views);
    const late = new Account();
    late.give(...views);
    late.know({ validFrom: T0 + 10 * MINUTE_MS, holders });
    expect(late.told).toEqual(early.told);
    expect(settleAlerts(late.alerts)).toEqual(settleAlerts(early.alerts));
  });

  it("later than L holds from its arrival on, and is counted", () => {
    const account = new Account();
    account.give(inward("1", 0), inward("2", 1), inward("3", 2));
    expect(account.know({ validFrom: T0 - DAY_MS, holders })).toEqual(["counted"]);
    expect(account.told.map((view) => [view.entity, view.time])).toEqual([["party:p", T0 + 2 * HOUR_MS]]);
  });

  it("that ends a holder's term ends the telling", () => {
    const account = new Account();
    account.know({ holders: [{ party: "p", role: "holder", from: undefined, until: T0 + HOUR_MS }] });
    account.give(inward("1", 0), inward("2", 1), inward("3", 2));
    expect(account.told).toEqual([]);
    expect(account.alerts.map((alert) => alert.subject.kind)).toEqual(["account"]);
  });
});

describe("episodes of an alert", () => {
  const burst = packOf({
    "T-COUNT": COUNT.replaceAll("last: 3d", "last: 30m"),
    "T-AL": ALERT.replace("last: 1d", "last: 30m"),
  });
  const three = (name: string, hours: number) => [0, 1, 2].map((n) => inward(`${name}${n}`, hours + n / 60));

  it("that a late hit joins into one: the later id ends superseded, and does not stand in the end", () => {
    const account = new Account(burst);
    account.give(...three("a", 0), ...three("c", 2.5));
    expect(account.alerts.map((alert) => alert.event)).toEqual(["opened", "opened"]);
    const [first, second] = account.alerts.map((alert) => alert.alertId);
    account.give(...three("b", 1.9));
    const last = account.alerts.filter((alert) => alert.alertId === second).at(-1);
    expect(last).toMatchObject({ event: "superseded", relatedAlertId: first, cause: "late_event" });
    expect(settleAlerts(account.alerts).map((alert) => alert.alertId)).toEqual([first]);
  });

  it("that a late hit begins earlier, over a grid line: the old id is withdrawn and names the new one", () => {
    const account = new Account(burst);
    account.give(...three("b", 2));
    account.give(...three("a", 1.9));
    const [old, fresh] = [...new Set(account.alerts.map((alert) => alert.alertId))];
    expect(account.alerts.filter((alert) => alert.alertId === old).at(-1)).toMatchObject({
      event: "withdrawn",
      relatedAlertId: fresh,
    });
    expect(settleAlerts(account.alerts).map((alert) => alert.alertId)).toEqual([fresh]);
  });
});

describe("a full tail", () => {
  it("settles its oldest views early and says so", () => {
    const account = new Account();
    const many = Array.from({ length: TAIL_EVENTS_MAX + 2 }, (_, i) => inward(`m${i}`, i / 3_600));
    const verdicts = account.give(...many);
    expect(verdicts.filter((verdict) => verdict === "overflowed").length).toBe(1);
    expect(account.entity.tail.length).toBeLessThanOrEqual(TAIL_EVENTS_MAX);
  });
});
