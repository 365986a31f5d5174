/** What an alert says beyond its numbers: whom a case is opened on, who is protected, what belongs to it. */
import { describe, expect, it } from "vitest";
import { ALERT_BYTES_MAX, DAY_MS, HOUR_MS, LEDGER_ROWS_MAX, MINUTE_MS } from "../../src/base/limits.ts";
import { type Alert, alertSchema } from "../../src/domain/alert.ts";
import type { Tx } from "../../src/domain/tx.ts";
import { createEmbedded } from "../../src/screen/embedded.ts";
import { indicator, move, packOf, profileOf, T0, typology } from "./build.ts";

const CAME = indicator(
  "T-CAME",
  `
subject: account
roles: { self: { may_be: ROLE }, other: { may_be: FAR } }
scope: { direction: [in] }
aggregates:
  n: { count: events, last: 1d }
  total: { sum: tx.amount, last: 1d }
when: { all: [ { many: agg.n >= 3 }, { sum: agg.total >= 300 EUR } ] }
`,
);
const LEFT = indicator(
  "T-LEFT",
  `
subject: account
scope: { direction: [out] }
aggregates: { n: { count: events, last: 1d } }
when: { all: [ { many: agg.n >= 2 } ] }
`,
).replace("crime: human_trafficking", "crime: terrorist_financing");

const alone = "alone: { because: test }\nseverity: { medium: 40, high: 70 }\n";
const ON_COMING = typology(
  "T-AL",
  `
subject: party
hits:
  came: { of: T-CAME, from: accounts, last: 1d, count: sources }
  left: { of: T-LEFT, from: accounts, last: 1d, count: sources }
scoring:
  indicators:
    - came: { family: receipts, points: 50, when: hits.came >= 1 }
    - more: { family: receipts, points: 30, when: hits.came >= 2 }
    - left: { family: spending, points: 30, when: hits.left >= 1 }
  family_cap: 60
alert_when: { any: [ { one: hits.came >= 1 }, { other: hits.left >= 1 } ] }
suppress: { for: 2d }
${alone}`,
);
const ONLY_COMING = ON_COMING.replace(
  "any: [ { one: hits.came >= 1 }, { other: hits.left >= 1 } ]",
  "all: [ { one: hits.came >= 1 } ]",
);
const ON_LEAVING = typology(
  "T-TF",
  `
subject: party
hits: { left: { of: T-LEFT, from: accounts, last: 1d, count: sources } }
scoring: { indicators: [ { left: { family: spending, points: 50, when: hits.left >= 1 } } ] }
alert_when: { all: [ { one: hits.left >= 1 } ] }
suppress: { for: 2d }
${alone}`,
).replace("crime: human_trafficking", "crime: terrorist_financing");

interface Roles {
  readonly self?: string;
  readonly far?: string;
}

function alertsOf(rules: Readonly<Record<string, string>>, txs: readonly Tx[], { self, far }: Roles = {}): Alert[] {
  const alerts: Alert[] = [];
  const roles = (text: string) => text.replace("ROLE", self ?? "unknown").replace("FAR", far ?? "unknown");
  const pack = packOf(Object.fromEntries(Object.entries(rules).map(([id, text]) => [id, roles(text)])));
  const run = createEmbedded(pack, { alert: (alert) => alerts.push(alert), hit: () => {}, verdict: () => {} });
  for (const tx of txs) run.pushTx(tx);
  for (const alert of alerts) alertSchema.parse(alert);
  return alerts;
}

const into = (account: string, time: number, more: Partial<Parameters<typeof move>[0]> = {}): Tx[] =>
  [0, 1, 2].map((i) =>
    move({ id: `${account}-${time}-${i}`, time: time + i * MINUTE_MS, from: `${account}-s${i}`, to: account, ...more }),
  );
const outOf = (account: string, time: number, more: Partial<Parameters<typeof move>[0]> = {}): Tx[] =>
  [0, 1].map((i) =>
    move({ id: `${account}-o${time}-${i}`, time: time + i * MINUTE_MS, from: account, to: `r${i}`, ...more }),
  );
const heldElsewhere = (tx: Tx): Tx => ({ ...tx, creditor: { ...tx.creditor, own: false } });

describe("numbers", () => {
  it("have a ledger that adds up to them, an interval and the movements behind them", () => {
    // The second and third come on the next day.
    const txs = into("a", T0 + 12 * HOUR_MS - MINUTE_MS, { amount: 12_345 });
    const [alert] = alertsOf({ "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": ON_COMING }, txs);
    const [many, sum] = alert?.indicators[0]?.evidence ?? [];
    expect(many).toMatchObject({ measure: "agg.n", observed: "3", comparison: ">=", threshold: "3", exact: true });
    expect(many?.ledger.reduce((total, row) => total + row.count, 0)).toBe(many?.count);
    expect(sum).toMatchObject({ measure: "agg.total", observed: "370.35", unit: "money", count: 3, exact: true });
    expect(sum?.ledger.map((row) => row.sum)).toEqual(["123.45", "246.90"]);
    expect(sum?.listed.map(({ why }) => why)).toEqual(["first", "counted", "crossed"]);
    expect(Date.parse(sum?.to ?? "") - Date.parse(sum?.from ?? "")).toBe(DAY_MS);
  });
});

describe("a person at risk", () => {
  it("makes every alert on the entity protected for 180 days, of any crime", () => {
    const rules = { "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": ON_COMING, "T-TF": ON_LEAVING };
    const later = (days: number) => [
      ...into("a", T0, { toParty: "p" }),
      ...outOf("a", T0 + days * DAY_MS, { fromParty: "p" }),
    ];
    const terror = (days: number, self: string) =>
      alertsOf(rules, later(days), { self }).find((alert) => alert.typology.id === "T-TF");
    expect(terror(179, "victim")).toMatchObject({
      victimPossible: true,
      handling: { queue: "specialist", doNotNameAsSubject: true },
      filing: { codes: [] },
      sla: { withinHours: 24 },
    });
    expect(terror(181, "victim")).toMatchObject({
      victimPossible: false,
      handling: { queue: "standard", doNotNameAsSubject: false },
      filing: { codes: ["FinCEN-SAR 701"] },
    });
    expect(terror(1, "relative")?.victimPossible).toBe(true);
    expect(terror(1, "facilitator")?.victimPossible).toBe(false);
  });

  it("is protected on the far side too, when the case is opened on it", () => {
    const rules = { "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": ON_COMING };
    const txs = into("a", T0).map(heldElsewhere);
    const [known] = alertsOf(rules, txs, { far: "relative" });
    expect(known).toMatchObject({
      subject: { kind: "account", token: "a", own: false },
      openFor: { kind: "account", token: "a-s2", own: true },
      victimPossible: true,
    });
    expect(known?.parties).toContainEqual({
      ...{ kind: "account", token: "a-s2", role: "relative", confidence: "low" },
      basis: "far side of T-CAME",
    });
    const [unknown] = alertsOf(rules, txs);
    expect(unknown).toMatchObject({ openFor: { token: "a-s2" }, victimPossible: false });
    expect(alertsOf(rules, into("a", T0))[0]?.openFor).toBeUndefined();
  });

  it("keeps the customer on whom the case was opened, whoever pays next", () => {
    const txs = [...into("a", T0), ...into("a", T0 + HOUR_MS, { from: "late" }), ...outOf("a", T0 + 2 * HOUR_MS)];
    const foreign = (tx: Tx): Tx =>
      tx.debtor.account === "a" ? { ...tx, debtor: { ...tx.debtor, own: false } } : heldElsewhere(tx);
    const alerts = alertsOf({ "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": ON_COMING }, txs.map(foreign));
    const onIt = alerts.filter((alert) => alert.subject.token === "a");
    expect(onIt.length).toBeGreaterThan(1);
    expect(new Set(onIt.map(({ openFor }) => openFor?.token))).toEqual(new Set(["a-s2"]));
  });
});

describe("why", () => {
  it("tells what opened the alert, what raised it last, and where a cap held", () => {
    const alerts = alertsOf({ "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": ON_COMING }, [
      ...into("a", T0, { toParty: "p" }),
      ...into("b", T0 + HOUR_MS, { toParty: "p" }),
      ...outOf("a", T0 + 2 * HOUR_MS, { fromParty: "p" }),
    ]);
    expect(alerts.map(({ event, severity, why }) => [event, severity, why.openedBy, why.raisedBy])).toEqual([
      ["opened", "medium", ["one"], ["receipts"]],
      ["updated", "medium", ["one"], ["receipts"]],
      ["escalated", "high", ["one"], ["spending"]],
    ]);
    expect(alerts.map(({ why }) => why.families.map(({ points, capped }) => [points, capped]))).toEqual([
      [[50, false]],
      [[60, true]],
      [
        [60, true],
        [30, false],
      ],
    ]);
    expect(alerts.at(-1)?.why.clauses).toEqual(["one", "other"]);
  });
});

describe("related alerts", () => {
  const rules = { "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": ON_COMING };
  const relations = (alerts: readonly Alert[], id: string) =>
    alerts.findLast((alert) => alert.typology.id === id)?.related.map(({ relation }) => relation);

  it.each([
    [10, ["previous"]],
    [89, ["previous"]],
    [95, []],
  ])("the episode before within 90 days: %s days later", (days, expected) => {
    const alerts = alertsOf(rules, [...into("a", T0), ...into("a", T0 + days * DAY_MS)]);
    expect(new Set(alerts.map(({ alertId }) => alertId)).size).toBe(2);
    expect(relations(alerts, "T-AL")).toEqual(expected);
    if (expected.length > 0) expect(alerts.at(-1)?.related[0]?.alertId).toBe(alerts[0]?.alertId);
  });

  it.each([
    [80, ["same_subject"]],
    [95, []],
  ])("another pattern on the same party within 90 days: %s days later", (days, expected) => {
    const coming = { ...rules, "T-AL": ONLY_COMING, "T-TF": ON_LEAVING };
    const txs = [...into("a", T0, { toParty: "p" }), ...outOf("a", T0 + days * DAY_MS, { fromParty: "p" })];
    expect(relations(alertsOf(coming, txs), "T-TF")).toEqual(expected);
  });

  it("one that a broader pattern took over, from its opening on", () => {
    const wide = ONLY_COMING.replaceAll("T-AL", "T-WIDE")
      .replace("one: hits.came >= 1", "two: hits.came >= 2")
      .replace("suppress:", "supersedes: [T-AL]\nsuppress:");
    const alerts = alertsOf({ ...rules, "T-WIDE": wide }, [
      ...into("a", T0, { toParty: "p" }),
      ...into("b", T0 + HOUR_MS, { toParty: "p" }),
    ]);
    const [broader] = alerts.filter((alert) => alert.typology.id === "T-WIDE");
    const ended = alerts.find((alert) => alert.event === "superseded");
    expect(broader?.related).toEqual([{ alertId: ended?.alertId, relation: "supersedes" }]);
    expect(ended).toMatchObject({ typology: { id: "T-AL" }, relatedAlertId: broader?.alertId, cause: "supersede" });
  });

  it("those of the accounts behind a telephone, by the ids under which they stand", () => {
    const onAccount = ON_COMING.replace("subject: party", "subject: account").replaceAll(
      "from: accounts",
      "from: self",
    );
    const onPhone = typology(
      "T-PHONE",
      `
subject: phone
hits: { flagged: { of: T-AL, from: accounts, last: 1d, count: sources } }
scoring: { indicators: [ { flagged: { family: sharing, points: 50, when: hits.flagged >= 2 } } ] }
alert_when: { all: [ { several: hits.flagged >= 2 } ] }
${alone}`,
    );
    const links = [{ kind: "phone" as const, token: "1" }];
    const alerts = alertsOf({ "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": onAccount, "T-PHONE": onPhone }, [
      ...into("a", T0, { links }),
      ...into("b", T0 + HOUR_MS, { links }),
    ]);
    const onPhones = alerts.find((alert) => alert.typology.id === "T-PHONE");
    const behind = alerts.filter((alert) => alert.typology.id === "T-AL" && /^[ab]$/.test(alert.subject.token));
    expect(onPhones?.related.map(({ alertId }) => alertId)).toEqual([...new Set(behind.map((a) => a.alertId))].sort());
    expect(onPhones?.openFor).toMatchObject({ kind: "account", own: true });
  });
});

it("a mark names the root's role, so that who may be a victim is not listed as just anybody", () => {
  const nexus = typology(
    "T-NX",
    `
subject: party
hits:
  mine: { of: T-LEFT, from: accounts, last: 5d, count: sources }
  up: { of: T-AL, from: upstream(2), last: 5d, count: sources }
scoring:
  indicators:
    - mine: { family: own, points: 40, when: hits.mine >= 1 }
    - up: { family: upstream, points: 40, when: hits.up >= 1 }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 40 }
`,
  );
  const victims = ONLY_COMING.replace(
    "subject: party",
    "subject: party\nroles: { self: { may_be: [facilitator, victim] } }",
  );
  const alerts = alertsOf({ "T-CAME": CAME, "T-LEFT": LEFT, "T-AL": victims, "T-NX": nexus }, [
    ...into("a", T0, { toParty: "p" }),
    move({ id: "on", time: T0 + HOUR_MS, from: "a", fromParty: "p", to: "b", toParty: "q", amount: 29_000 }),
    ...outOf("b", T0 + 2 * HOUR_MS, { fromParty: "q" }),
  ]);
  const joined = alerts.find((alert) => alert.typology.id === "T-NX" && alert.subject.token === "q");
  expect(joined?.parties).toContainEqual(expect.objectContaining({ kind: "party", token: "p", role: "victim" }));
  expect(joined?.related.map(({ relation }) => relation)).toContain("upstream");
  expect(joined?.victimPossible).toBe(false);
});

it("a profile makes a subject one's own, whatever the movements say", () => {
  const alerts: Alert[] = [];
  const pack = packOf({
    "T-CAME": CAME.replace("ROLE", "unknown").replace("FAR", "unknown"),
    "T-AL": ON_COMING,
    "T-LEFT": LEFT,
  });
  const run = createEmbedded(pack, { alert: (alert) => alerts.push(alert), hit: () => {}, verdict: () => {} });
  run.pushProfile(profileOf("account:a", { product: "current" }));
  for (const tx of into("a", T0).map(heldElsewhere)) run.pushTx(tx);
  expect(alerts[0]).toMatchObject({ subject: { own: true } });
  expect(alerts[0]?.openFor).toBeUndefined();
});

describe("size", () => {
  const sizes = [60, 59, 58, 57, 56, 55, 54, 53];
  const big = indicator(
    "T-BIG",
    `
subject: account
scope: { direction: [in] }
aggregates:
${sizes.map((days) => `  s${days}: { sum: tx.amount, last: ${days}d }`).join("\n")}
when:
  all:
${sizes.map((days) => `    - c${days}: agg.s${days} >= ${days - 1} EUR`).join("\n")}
`,
  );
  const wide = typology(
    "T-AL",
    `
subject: party
hits: { came: { of: T-BIG, from: accounts, last: 30d, count: sources } }
scoring: { indicators: [ { came: { family: receipts, points: 50, when: hits.came >= 1 } } ] }
alert_when: { all: [ { one: hits.came >= 1 } ] }
suppress: { for: 30d }
${alone}`,
  );
  /** A euro a day into each account of one party, with long names that are not ASCII. */
  const daily = (accounts: number): Tx[] =>
    Array.from({ length: 60 * accounts }, (_, i) => {
      const [day, account] = [Math.floor(i / accounts), i % accounts];
      const id = `${"é".repeat(40)}-${account}-${day}`;
      return move({
        id,
        time: T0 + day * DAY_MS + account,
        from: `s${day}`,
        to: `a${account}`,
        toParty: "p",
        amount: 100,
      });
    });

  it("subtotals of many days are joined to longer stretches that still add up", () => {
    const alert = alertsOf({ "T-BIG": big, "T-AL": wide }, daily(1)).at(-1);
    const longest = alert?.indicators[0]?.evidence.find(({ measure }) => measure === "agg.s60");
    expect(longest?.ledger.length).toBeGreaterThan(16);
    expect(longest?.ledger.length).toBeLessThanOrEqual(LEDGER_ROWS_MAX);
    const sum = longest?.ledger.reduce((total, row) => total + Number(row.sum), 0);
    expect([sum, longest?.count]).toEqual([Number(longest?.observed), Number(longest?.observed)]);
    for (const [i, row] of longest?.ledger.entries() ?? []) {
      expect(row.from > (longest?.ledger[i - 1]?.to ?? "")).toBe(true);
    }
  });

  it("is at most 256 KiB: the oldest evidence goes first, no indicator does", () => {
    const alert = alertsOf({ "T-BIG": big, "T-AL": wide }, daily(12)).at(-1);
    const bytes = Buffer.byteLength(JSON.stringify(alert));
    expect(bytes).toBeLessThanOrEqual(ALERT_BYTES_MAX);
    expect(bytes).toBeGreaterThan(ALERT_BYTES_MAX / 2);
    expect(alert?.indicators).toHaveLength(12);
    const bare = alert?.indicators.filter(({ evidence }) => evidence.length === 0) ?? [];
    const told = alert?.indicators.filter(({ evidence }) => evidence.length > 0) ?? [];
    expect([bare.length > 0, told.length > 0]).toEqual([true, true]);
    const last = (indicators: readonly Alert["indicators"][number][]) => indicators.map((one) => one.last).sort();
    expect((last(bare).at(-1) ?? "") <= (last(told)[0] ?? "")).toBe(true);
  });
});
