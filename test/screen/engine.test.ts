/** What the engine does with one entity's views, and how hits and marks reach others. */
import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/base/limits.ts";
import type { Alert } from "../../src/domain/alert.ts";
import type { Tx } from "../../src/domain/tx.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { createEmbedded, type Embedded } from "../../src/screen/embedded.ts";
import type { HitRecord, Verdict } from "../../src/screen/outputs.ts";
import { settleAlerts } from "../../src/screen/settled.ts";
import type { Entity } from "../../src/screen/state.ts";
import { indicator, move, packOf, profileOf, T0, typology } from "./build.ts";

const COUNT = indicator(
  "T-COUNT",
  `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates:
  n: { count: events, last: 1d }
  total: { sum: tx.amount, last: 1d }
when: { all: [ { many: agg.n >= 3 }, { sum: agg.total >= 300 EUR } ] }
`,
);

const ALERT = typology(
  "T-AL",
  `
subject: party
hits: { came: { of: T-COUNT, from: accounts, last: 3d, count: sources } }
scoring: { indicators: [ { came: { family: receipts, points: 50, when: hits.came >= 1 } } ] }
alert_when: { all: [ { one: hits.came >= 1 } ] }
alone: { because: test }
severity: { medium: 40 }
`,
);

interface Run extends Embedded {
  readonly alerts: Alert[];
  readonly hits: HitRecord[];
  readonly verdicts: Verdict[];
}

function start(pack: Pack): Run {
  const alerts: Alert[] = [];
  const hits: HitRecord[] = [];
  const verdicts: Verdict[] = [];
  const run = createEmbedded(pack, {
    alert: (alert) => alerts.push(alert),
    hit: (hit) => hits.push(hit),
    verdict: (_, verdict) => verdicts.push(verdict),
  });
  return Object.assign(Object.create(run) as Embedded, { alerts, hits, verdicts });
}

function idsOf(entity: Entity | undefined): string[] {
  return Array.from(entity?.work.recent ?? [], ({ txId }) => txId);
}

function into(account: string, n: number, more: Partial<Parameters<typeof move>[0]> = {}): Tx[] {
  return Array.from({ length: n }, (_, i) =>
    move({ id: `${account}-${i}`, time: T0 + i * MINUTE_MS, from: `s${i}`, to: account, ...more }),
  );
}

describe("alerts", () => {
  const pack = packOf({ "T-COUNT": COUNT, "T-AL": ALERT });

  it("stand on the account where nobody names a holder", () => {
    const run = start(pack);
    for (const tx of into("a", 3)) run.pushTx(tx);
    expect(run.alerts.map((a) => [a.subject.kind, a.subject.token, a.event])).toEqual([["account", "a", "opened"]]);
    const [evidence] = run.alerts[0]?.indicators[0]?.evidence ?? [];
    expect(evidence).toMatchObject({ measure: "agg.n", observed: "3", threshold: "3", exact: true, count: 3 });
    expect(evidence?.listed.map((l) => l.txId)).toEqual(["a-0", "a-1", "a-2"]);
  });

  it("stand on the holder that the movement names, or the profile", () => {
    const named = start(pack);
    for (const tx of into("a", 3, { toParty: "p" })) named.pushTx(tx);
    expect(named.alerts.map((a) => `${a.subject.kind}:${a.subject.token}`)).toEqual(["party:p"]);
    const known = start(pack);
    known.pushProfile(
      profileOf("account:a", { holders: [{ party: "q", role: "holder", from: undefined, until: undefined }] }),
    );
    for (const tx of into("a", 3)) known.pushTx(tx);
    expect(known.alerts.map((a) => `${a.subject.kind}:${a.subject.token}`)).toEqual(["party:q"]);
  });

  it("name no threshold, pack or transaction in their id, and are not repeated while an episode runs", () => {
    const run = start(pack);
    for (const tx of into("a", 30)) run.pushTx(tx);
    const ids = new Set(run.alerts.map((a) => a.alertId));
    expect(ids.size).toBe(1);
    const edited = packOf({ "T-COUNT": COUNT.replace("agg.n >= 3", "agg.n >= 2"), "T-AL": ALERT });
    const other = start(edited);
    for (const tx of into("a", 4, { amount: 20_000 })) other.pushTx(tx);
    expect(other.alerts[0]?.alertId).toBe(run.alerts[0]?.alertId);
  });

  it("repeat nothing for a transaction that comes twice, and reject other content under its id", () => {
    const run = start(pack);
    const [tx] = into("a", 1);
    if (tx === undefined) throw new Error("no movement");
    run.pushTx(tx);
    run.pushTx(tx);
    run.pushTx({ ...tx, contentHash: 2 });
    expect(run.verdicts).toEqual(["duplicate", "duplicate", "conflict", "conflict"]);
    expect(run.hits).toEqual([]);
    expect(run.entity("account:a")?.work.recent.length).toBe(1);
  });

  it("count two postings of one movement once, from the entity's own ledger", () => {
    const run = start(pack);
    const move1 = { movementId: "m", from: "b", to: "a", time: T0 };
    run.pushTx(move({ ...move1, id: "z-debtor", books: "both" }));
    run.pushTx(move({ ...move1, id: "z-creditor", books: "creditor" }));
    expect(idsOf(run.entity("account:a"))).toEqual(["z-creditor"]);
    expect(idsOf(run.entity("account:b"))).toEqual(["z-debtor"]);
  });
});

describe("a broader typology", () => {
  const WIDE = ALERT.replaceAll("T-AL", "T-WIDE").replace(
    "hits.came >= 1 } ] }\nalone",
    "hits.came >= 2 } ] }\nsupersedes: [T-AL]\nalone",
  );
  const pack = packOf({ "T-COUNT": COUNT, "T-AL": ALERT, "T-WIDE": WIDE });

  it("takes the narrower alert over, which opens no more while the broader one runs", () => {
    const run = start(pack);
    for (const tx of into("a", 3, { toParty: "p" })) run.pushTx(tx);
    for (const tx of into("b", 3, { toParty: "p" })) run.pushTx(tx);
    for (let day = 1; day < 9; day++) {
      for (const tx of into(`c${day}`, 3, { toParty: "p" })) run.pushTx({ ...tx, time: tx.time + day * DAY_MS });
    }
    const narrow = run.alerts.filter((alert) => alert.typology.id === "T-AL");
    const wide = run.alerts.find((alert) => alert.typology.id === "T-WIDE");
    expect(new Set(narrow.map((alert) => alert.alertId)).size).toBe(1);
    expect(narrow.at(-1)).toMatchObject({ event: "superseded", relatedAlertId: wide?.alertId });
    expect(
      settleAlerts(run.alerts)
        .map((alert) => alert.typology.id)
        .sort(),
    ).toEqual(["T-AL", "T-WIDE"]);
  });
});

describe("reversals", () => {
  const pack = packOf({ "T-COUNT": COUNT, "T-AL": ALERT });
  const reversal = (of: Tx, afterMs: number, initiator: Tx["initiator"]): Tx => ({
    ...of,
    id: `r-${of.id}`,
    movementId: `r-${of.id}`,
    time: of.time + afterMs,
    relation: { kind: "reversal", of: of.id, time: of.time },
    initiator,
  });

  it("by the institution within L take the original out, and its alert with it", () => {
    const run = start(pack);
    const txs = into("a", 3);
    for (const tx of txs) run.pushTx(tx);
    run.pushTx(reversal(txs[1] as Tx, 30 * MINUTE_MS, "institution"));
    expect(run.alerts.map((a) => [a.event, a.revision])).toEqual([
      ["opened", 1],
      ["withdrawn", 2],
    ]);
    expect(settleAlerts(run.alerts)).toEqual([]);
  });

  it("before their original swallow it", () => {
    const run = start(pack);
    const txs = into("a", 3);
    run.pushTx(reversal(txs[1] as Tx, 30 * MINUTE_MS, "institution"));
    for (const tx of txs) run.pushTx(tx);
    expect(run.alerts).toEqual([]);
  });

  it("by a customer never withdraw an alert", () => {
    const run = start(pack);
    const txs = into("a", 3);
    for (const tx of txs) run.pushTx(tx);
    run.pushTx(reversal(txs[1] as Tx, 30 * MINUTE_MS, "debtor"));
    expect(settleAlerts(run.alerts).length).toBe(1);
  });

  it("after L subtract from sums", () => {
    const run = start(pack);
    const txs = into("a", 2);
    for (const tx of txs) run.pushTx(tx);
    run.pushTx(reversal(txs[0] as Tx, 3 * HOUR_MS, "institution"));
    run.pushTx(move({ id: "late-third", time: T0 + 4 * HOUR_MS, from: "s9", to: "a" }));
    expect(run.hits).toEqual([]);
    run.pushTx(move({ id: "fourth", time: T0 + 5 * HOUR_MS, from: "s9", to: "a" }));
    expect(run.hits.map((h) => h.txId)).toEqual(["fourth"]);
  });
});

describe("authorisations", () => {
  const pack = packOf({ "T-COUNT": COUNT, "T-AL": ALERT });
  it("take the amount of their booking and count once", () => {
    const run = start(pack);
    run.pushTx(move({ id: "auth", time: T0, from: "s", to: "a", amount: 5_000, stage: "authorised" }));
    run.pushTx(move({ id: "x", time: T0 + MINUTE_MS, from: "s", to: "a", amount: 10_000 }));
    const settles = { kind: "settles" as const, of: "auth", time: undefined };
    run.pushTx(move({ id: "book", time: T0 + HOUR_MS, from: "s", to: "a", amount: 15_000, relation: settles }));
    expect(run.hits).toEqual([]);
    run.pushTx(move({ id: "y", time: T0 + 2 * HOUR_MS, from: "s", to: "a", amount: 5_000 }));
    expect(run.hits.map((h) => h.txId)).toEqual(["y"]);
  });

  it("that nobody settles stop counting after seven days", () => {
    const wide = packOf({ "T-COUNT": COUNT.replaceAll("last: 1d", "last: 20d"), "T-AL": ALERT });
    const run = start(wide);
    for (const id of ["a1", "a2"])
      run.pushTx(move({ id, time: T0, from: "s", to: "a", stage: "authorised", amount: 20_000 }));
    run.pushTx(move({ id: "b", time: T0 + 8 * DAY_MS, from: "s", to: "a" }));
    expect(run.hits).toEqual([]);
  });
});

describe("what cannot be judged", () => {
  const pack = packOf({
    "T-FAR": indicator(
      "T-FAR",
      `
subject: account
scope: { rail: [transfer], direction: [in] }
filters: { far: "km(tx.act.cell, profile.homeCell) >= 100 km" }
aggregates: { n: { count: events, where: far, last: 1d } }
when: { all: [ { many: agg.n >= 2 }, { some: agg.n >= 1 } ] }
`,
    ),
    "T-BALANCE": indicator(
      "T-BALANCE",
      `
subject: account
scope: { rail: [transfer], direction: [in] }
when: { all: [ { low: self.balanceAfter < 10 EUR }, { large: tx.amount >= 10 EUR } ] }
`,
    ),
  });

  it("is counted by rule, once however often a late movement has it folded again", () => {
    const run = start(pack);
    for (const tx of into("a", 3)) run.pushTx(tx);
    run.pushTx(move({ id: "late", time: T0 - MINUTE_MS, from: "s", to: "a" }));
    const unknown = Object.fromEntries(pack.rules.map(({ id, slot }) => [id, run.engine.unknown[slot]]));
    expect(unknown).toEqual({ "T-BALANCE": 3, "T-FAR": 3 });
    expect(run.hits).toEqual([]);
  });
});

describe("late movements", () => {
  const pack = packOf({ "T-COUNT": COUNT.replaceAll("last: 1d", "last: 3d"), "T-AL": ALERT });
  it("within L are judged as if in order", () => {
    const run = start(pack);
    const txs = into("a", 3, {});
    for (const tx of [txs[0], txs[2], txs[1]]) run.pushTx(tx as Tx);
    expect(run.verdicts).toContain("refolded");
    expect(run.alerts.length).toBe(1);
  });

  it("later than L count and judge nothing; later than 48 h are too late", () => {
    const run = start(pack);
    const at = (id: string, hours: number) => move({ id, time: T0 + hours * HOUR_MS, from: `s-${id}`, to: "a" });
    run.pushTx(at("now", 60));
    run.pushTx(at("late1", 50));
    run.pushTx(at("late2", 51));
    run.pushTx(at("older", 10));
    expect(run.verdicts).toEqual(["counted", "counted", "too_late"]);
    expect(run.hits).toEqual([]);
    run.pushTx(at("next", 61));
    expect(run.hits.map((h) => h.txId)).toEqual(["next"]);
  });
});

describe("links", () => {
  const PHONE = indicator(
    "T-PHONE",
    `
subject: phone
hits: { flagged: { of: T-COUNT, from: accounts, last: 30d, count: sources } }
when: { all: [ { ten: hits.flagged >= 10 } ] }
`,
  );
  const pack = packOf({ "T-COUNT": COUNT, "T-PHONE": PHONE });
  const phone = [{ kind: "phone" as const, token: "f" }];

  it("carry the hits of ten accounts to their one phone, over profiles of their holders", () => {
    const run = start(pack);
    for (let i = 0; i < 10; i++) {
      run.pushProfile(
        profileOf(`account:a${i}`, {
          holders: [{ party: `p${i}`, role: "holder", from: undefined, until: undefined }],
        }),
      );
      run.pushProfile(profileOf(`party:p${i}`, { links: phone }));
    }
    for (let i = 0; i < 10; i++) {
      expect(run.hits.filter((h) => h.ruleId === "T-PHONE")).toEqual([]);
      for (const tx of into(`a${i}`, 3)) run.pushTx(tx);
    }
    expect(run.hits.filter((h) => h.ruleId === "T-PHONE").map((h) => h.entity)).toEqual(["phone:f"]);
  });

  it("that come after the hit bring it along", () => {
    const run = start(pack);
    for (let i = 0; i < 10; i++) for (const tx of into(`a${i}`, 3)) run.pushTx(tx);
    for (let i = 0; i < 10; i++)
      run.pushProfile(profileOf(`account:a${i}`, { validFrom: T0 + 2 * MINUTE_MS, links: phone }));
    expect(run.hits.filter((h) => h.ruleId === "T-PHONE").length).toBe(1);
  });
});

describe("marks", () => {
  const LISTED = indicator(
    "T-TF",
    `
subject: account
scope: { rail: [transfer], direction: [out] }
aggregates: { big: { max: tx.amount, last: 1d } }
when: { all: [ { big: agg.big >= 5000 EUR } ] }
`,
  );
  const NEXUS = typology(
    "T-NX",
    `
subject: party
hits:
  tf: { of: T-TF, from: self, last: 30d, count: episodes }
  ht: { of: T-COUNT, from: upstream(2), last: 30d, count: sources }
scoring:
  indicators:
    - tf: { family: terrorist_financing, points: 40, when: hits.tf >= 1 }
    - ht: { family: trafficking, points: 40, when: hits.ht >= 1 }
alert_when: { all: [ { both: families.count >= 2 } ] }
severity: { high: 60 }
`,
  );
  const pack = packOf({ "T-COUNT": COUNT, "T-TF": LISTED, "T-NX": NEXUS });

  it("join a collector and a payee two accounts apart, also when the flag comes after the money has left", () => {
    const run = start(pack);
    run.pushTx(move({ id: "m1", time: T0 - 2 * DAY_MS, from: "collector", to: "between", amount: 90_000 }));
    run.pushTx(move({ id: "m2", time: T0 - DAY_MS, from: "between", to: "payee", amount: 80_000 }));
    run.pushTx(move({ id: "m3", time: T0 - HOUR_MS, from: "payee", to: "abroad", amount: 700_000 }));
    expect(run.alerts).toEqual([]);
    for (const tx of into("collector", 3)) run.pushTx(tx);
    expect(run.alerts.map((a) => [a.typology.id, a.subject.token])).toEqual([["T-NX", "payee"]]);
    const [mark] = run.alerts[0]?.marks ?? [];
    expect(mark).toMatchObject({ distance: 2, flow: "downstream", amount: "800.00", viaTx: "m2" });
    expect(mark?.root.token).toBe("collector");
  });

  it("do not follow money that had left before the flagged money came", () => {
    const run = start(pack);
    run.pushTx(move({ id: "m2", time: T0 - 3 * DAY_MS, from: "between", to: "payee", amount: 80_000 }));
    run.pushTx(move({ id: "m1", time: T0 - 2 * DAY_MS, from: "collector", to: "between", amount: 90_000 }));
    run.pushTx(move({ id: "m3", time: T0 - HOUR_MS, from: "payee", to: "abroad", amount: 700_000 }));
    for (const tx of into("collector", 3)) run.pushTx(tx);
    expect(run.alerts).toEqual([]);
  });

  it("stop at hubs", () => {
    const run = start(pack);
    for (let i = 0; i < 210; i++) {
      run.pushTx(move({ id: `h${i}`, time: T0 - 5 * DAY_MS + i, from: `c${i}`, to: "hub", amount: 100 }));
    }
    run.pushTx(move({ id: "m1", time: T0 - 2 * DAY_MS, from: "collector", to: "hub", amount: 90_000 }));
    run.pushTx(move({ id: "m2", time: T0 - DAY_MS, from: "hub", to: "payee", amount: 80_000 }));
    run.pushTx(move({ id: "m3", time: T0 - HOUR_MS, from: "payee", to: "abroad", amount: 700_000 }));
    for (const tx of into("collector", 3)) run.pushTx(tx);
    expect(run.alerts).toEqual([]);
  });
});
