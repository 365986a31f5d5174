import { describe, expect, it } from "vitest";
import { compareExpected, type Observed, offsetText } from "../../src/workshop/expectations.ts";
import type { ExpectedItem } from "../../src/workshop/test-spec.ts";

const CAME: Observed = {
  event: "opened",
  atEvent: 3,
  atMs: 90_000_000,
  explanation: "3 different people paid 2,700.00 EUR",
  severity: "high",
  score: 60,
};
const ANY: ExpectedItem = {
  atEvent: undefined,
  atMs: undefined,
  explain: undefined,
  severity: undefined,
  score: undefined,
  event: undefined,
};

function one(item: Partial<ExpectedItem>, came: readonly Observed[] = [CAME]): string[] {
  return compareExpected("hit", { count: 1, items: [{ ...ANY, ...item }] }, came);
}

describe("compareExpected", () => {
  it("compares what is named and nothing else", () => {
    expect(one({})).toEqual([]);
    expect(one({ atEvent: 3, atMs: 90_000_000, explain: "paid 2,700.00", severity: "high", score: 60 })).toEqual([]);
  });

  it.each([
    [{ atEvent: 2 }, "expected at event 2, came 3"],
    [{ atMs: 0 }, "expected at +0h, came +1d1h"],
    [{ explain: "4 different" }, 'expected in the explanation "4 different", came "3 different'],
    [{ severity: "low" }, "expected severity low, came high"],
    [{ score: 61 }, "expected score 61, came 60"],
  ])("says how it differs: %j", (item, message) => {
    expect(one(item).join("\n")).toContain(message);
  });

  it("says what came when the number differs", () => {
    expect(compareExpected("alert", { count: 0, items: undefined }, [CAME])).toEqual([
      "expected no alert, came 1",
      "  came: opened high (60) at event 3 (+1d1h): 3 different people paid 2,700.00 EUR",
    ]);
    expect(compareExpected("hit", { count: 2, items: undefined }, [])).toEqual([
      "expected 2 hits, came 0",
      "  came: nothing",
    ]);
    expect(one({}, [])).toContain("expected 1 hit, came 0");
  });

  it("compares later revisions only where the test names their event", () => {
    const later = { ...CAME, event: "escalated", severity: "critical" };
    expect(compareExpected("alert", { count: 1, items: undefined }, [CAME, later])).toEqual([]);
    const items = [
      { ...ANY, event: "opened" },
      { ...ANY, event: "escalated", severity: "critical" },
    ];
    expect(compareExpected("alert", { count: 2, items }, [CAME, later])).toEqual([]);
    expect(compareExpected("alert", { count: 2, items }, [CAME]).join()).toContain("expected 2 alerts, came 1");
  });
});

describe("offsetText", () => {
  it("writes offsets as a person would", () => {
    expect([0, 93_600_000, -5_000, 60_000].map(offsetText)).toEqual(["+0h", "+1d2h", "-5s", "+1m"]);
  });
});
