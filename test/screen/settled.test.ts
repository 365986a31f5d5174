import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../src/domain/alert.ts";
import { createSettler, settleAlerts, settledForm } from "../../src/screen/settled.ts";
import { sampleAlert } from "../cli/sample-alert.ts";

function revisions(alertId: string, events: readonly Alert["event"][]): Alert[] {
  return events.map((event, index) => sampleAlert({ alertId, revision: index + 1, event, score: 10 + index }));
}

describe("settled form", () => {
  it("keeps the last revision, leaves withdrawn alerts out and sorts by id", () => {
    const records = [
      ...revisions("b", ["opened", "updated"]),
      ...revisions("c", ["opened", "withdrawn"]),
      ...revisions("a", ["opened", "withdrawn", "updated"]),
    ];
    expect(settleAlerts(records).map((alert) => [alert.alertId, alert.score])).toEqual([
      ["a", 12],
      ["b", 11],
    ]);
  });

  it("leaves out what depends on arrival and nothing else", () => {
    const alert = sampleAlert();
    const settled = settledForm(alert);
    const { revision: _r, event: _e, cause: _c, changes: _h, ...rest } = alert;
    expect(settled).toEqual(rest);
  });

  it("gives the same bytes whatever the order of records and of keys", () => {
    const records = [...revisions("a", ["opened", "updated"]), ...revisions("b", ["opened"])];
    const expected = linesOf(records);
    const property = fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
      expect(linesOf(shuffled.map((record) => reversedKeys(record) as Alert))).toEqual(expected);
    });
    fc.assert(property, { seed: 1, numRuns: 50 });
  });

  it("writes keys in the order of the schema, unknown ones after them", () => {
    const odd = { ...sampleAlert(), zeta: 1, beta: 2 } as unknown as Alert;
    const keys = Object.keys(settledForm(odd));
    expect(keys.slice(0, 3)).toEqual(["schema", "alertId", "tenant"]);
    expect(keys.slice(-2)).toEqual(["beta", "zeta"]);
  });

  it("counts withdrawn alerts as known", () => {
    const settler = createSettler();
    for (const record of revisions("a", ["opened", "withdrawn"])) settler.add(record);
    expect([settler.size, settler.lines().length]).toEqual([1, 0]);
  });
});

function linesOf(records: Iterable<Alert>): string[] {
  const settler = createSettler();
  for (const record of records) settler.add(record);
  return settler.lines();
}

function reversedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversedKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversedKeys(inner)]),
  );
}
