/** A rule in shadow is only watched: it tells what it would find, and changes nothing of what others do. */
import { describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/base/limits.ts";
import type { Alert } from "../../src/domain/alert.ts";
import type { RuleStatus } from "../../src/domain/vocabulary.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { createEmbedded } from "../../src/screen/embedded.ts";
import { indicator, move, packOf, T0, typology } from "./build.ts";

interface Statuses {
  readonly paid?: RuleStatus;
  readonly narrow?: RuleStatus;
  readonly broad?: RuleStatus;
}

function pack({ paid = "active", narrow = "active", broad = "active" }: Statuses): Pack {
  const counting = (id: string, min: number): string =>
    indicator(
      id,
      `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates: { n: { count: events, last: 1d }, s: { sum: tx.amount, last: 1d } }
when: { all: [ { many: agg.n >= ${min} }, { sum: agg.s >= 1 EUR } ] }
`,
    );
  const alerting = (id: string, more: string): string =>
    typology(
      id,
      `
subject: party
hits: { came: { of: T-PAID, from: accounts, last: 3d, count: sources } }
scoring: { indicators: [ { came: { family: receipts, points: 50, when: hits.came >= 1 } } ] }
alert_when: { all: [ { one: hits.came >= 1 } ] }
alone: { because: test }
severity: { medium: 40 }
${more}`,
    );
  const as = (status: RuleStatus, text: string): string => text.replace("status: active", `status: ${status}`);
  return packOf({
    "T-PAID": as(paid, counting("T-PAID", 2)),
    "T-FEW": as(narrow, alerting("T-FEW", "")),
    "T-MORE": as(broad, alerting("T-MORE", "supersedes: [T-FEW]\n")),
  });
}

function alertsOf(statuses: Statuses): Alert[] {
  const alerts: Alert[] = [];
  const run = createEmbedded(pack(statuses), {
    alert: (alert) => alerts.push(alert),
    hit: () => undefined,
    verdict: () => undefined,
  });
  for (let i = 0; i < 4; i++) run.pushTx(move({ id: `t${i}`, time: T0 + i * HOUR_MS, from: `s${i}`, to: "a" }));
  return alerts;
}

const told = (alerts: readonly Alert[]): string[] =>
  [...new Set(alerts.map(({ typology: { id }, status, event }) => `${id} ${status} ${event}`))].sort();

describe("a rule in shadow", () => {
  it("gives the alerts that it would give, under the same ids, marked", () => {
    const idsOf = (alerts: readonly Alert[]): string[] => [...new Set(alerts.map(({ alertId }) => alertId))].sort();
    const active = alertsOf({ broad: "draft" });
    const shadow = alertsOf({ broad: "draft", narrow: "shadow" });
    expect(idsOf(shadow)).toEqual(idsOf(active));
    expect(new Set(shadow.map(({ status }) => status))).toEqual(new Set(["shadow"]));
  });

  it("has hits that count for rules in shadow only", () => {
    expect(told(alertsOf({ paid: "shadow", narrow: "active", broad: "shadow" }))).toEqual(["T-MORE shadow opened"]);
    expect(told(alertsOf({ paid: "active", narrow: "active", broad: "draft" }))).toEqual(["T-FEW active opened"]);
  });

  it("ends no alert of a rule that is active", () => {
    expect(told(alertsOf({}))).toContain("T-FEW active superseded");
    const watched = told(alertsOf({ broad: "shadow" }));
    expect(watched).toContain("T-MORE shadow opened");
    expect(watched).toContain("T-FEW active opened");
    expect(watched.filter((one) => one.endsWith("superseded"))).toEqual([]);
  });
});
