import { describe, expect, it } from "vitest";
import { indicator, load, packOf, ruleOf } from "./build.ts";

const WHEN = "when: { all: [ { a: known(agg.a) }, { solid: tx.amount > 1 EUR } ] }\n";

/** An indicator with one aggregate `a`. */
function one(id: string, aggregate: string, more = ""): ReturnType<typeof indicator> {
  return indicator(id, `${more}aggregates: { a: ${aggregate} }\n${WHEN}`);
}

function counts(...aggregates: string[]): [measures: number, aggregates: number] {
  const files = aggregates.map((text, i) =>
    one(`HT-X-0${i}`, text, "filters: { f: tx.amount > 3 EUR, g: tx.amount > 3 EUR }\n"),
  );
  const pack = packOf(files);
  return [pack.measures.length, pack.aggregates.length];
}

describe("the aggregate plan", () => {
  it("merges equal aggregates of all rules, whatever their names", () => {
    expect(counts("{ count: events, where: f, last: 7d }", "{ count: events, where: g, last: 168h }")).toEqual([1, 1]);
  });

  it("shares a base measure over windows and functions", () => {
    expect(
      counts("{ count: events, last: 7d }", "{ count: events, last: 14d }", "{ last_seen: events, last: 90d }"),
    ).toEqual([1, 3]);
    const pack = packOf([
      one("HT-X-01", "{ count: events, last: 7d }"),
      one("HT-X-02", "{ count: events, last: 30d }"),
    ]);
    expect(pack.measures[0]).toMatchObject({ windowMs: 30 * 86_400_000, windowMinMs: 7 * 86_400_000 });
  });

  it.each([
    ["operands that may be swapped", "tx.amount > 3 EUR && self.own", "self.own && tx.amount > 3 EUR"],
    ["mirrored comparisons", "tx.amount > 3 EUR", "3 EUR < tx.amount"],
    ["double negation", "self.own", "!!self.own"],
    ["unequal and not equal", "tx.device != 'x'", "!(tx.device == 'x')"],
    ["lists in another order", "tx.device in ['x', 'y']", "tx.device in ['y', 'x', 'x']"],
    ["folded constants", "tx.amount > 6 EUR", "tx.amount > 2 * 3 EUR"],
    ["units", "known_for(other.id) < 1d", "known_for(other.id) < 24h"],
    ["names of fields", "self.balanceAfter > 3 EUR", "self.balance_after > 3 EUR"],
  ])("sees through %s", (_what, first, second) => {
    const rule = (id: string, filter: string) =>
      one(id, "{ sum: tx.amount, where: f, last: 7d }", `filters: { f: ${JSON.stringify(filter)} }\n`);
    const sums = (pack: ReturnType<typeof packOf>) => pack.measures.filter((m) => m.kind === "number").length;
    expect(sums(packOf([rule("HT-X-01", first), rule("HT-X-02", second)]))).toBe(1);
  });

  it.each([
    ["filters", "{ sum: tx.amount, where: f, last: 7d }", "{ sum: tx.amount, last: 7d }"],
    ["scopes", "{ sum: tx.amount, last: 7d }", "{ sum: tx.amount, last: 7d, scope: { rail: cash } }"],
    ["values", "{ sum: tx.amount, last: 7d }", "{ count: events, last: 7d }"],
    ["keys", "{ distinct: tx.device, last: 7d }", "{ distinct: tx.conductor, last: 7d }"],
  ])("keeps apart what differs in %s", (_what, first, second) => {
    expect(counts(first, second)[0]).toBe(2);
  });

  it("keeps apart subjects", () => {
    const files = [
      one("HT-X-01", "{ count: events, last: 7d }"),
      indicator("HT-X-02", `aggregates: { a: { count: events, last: 7d } }\n${WHEN}`, { subject: "card" }),
    ];
    const pack = packOf(files);
    expect(pack.measures.map((m) => [m.subject, m.index])).toEqual([
      ["account", 0],
      ["card", 0],
    ]);
    expect(pack.subjects.card.measures).toHaveLength(1);
  });

  it("takes the largest cap of equal sets", () => {
    const pack = packOf([
      one("HT-X-01", "{ distinct: tx.device, last: 7d, cap: 8 }"),
      one("HT-X-02", "{ distinct: tx.device, last: 7d, cap: 32 }"),
    ]);
    expect(pack.measures.map((m) => m.cap)).toEqual([32]);
  });

  it("names a measure by its definition: thresholds and windows do not change it, filters do", () => {
    const definition = (aggregate: string, more = "") =>
      packOf([one("HT-X-01", aggregate, more)]).measures.at(-1)?.definition;
    const base = definition("{ sum: tx.amount, last: 7d }");
    expect(definition("{ sum: tx.amount, last: 30d }")).toBe(base);
    expect(definition("{ max: tx.amount, last: 30d }")).toBe(base);
    const filtered = (minimum: string) =>
      definition("{ sum: tx.amount, where: f, last: 7d }", `filters: { f: tx.amount > ${minimum} }\n`);
    expect(filtered("3 EUR")).not.toBe(base);
    expect(filtered("3 EUR")).not.toBe(filtered("4 EUR"));
  });

  it("puts a measure after those that its filter reads", () => {
    const body = [
      "filters: { late: agg.early >= 3, later: agg.middle >= 3 }",
      "aggregates:",
      "  last: { count: events, where: later, last: 7d }",
      "  middle: { count: events, where: late, last: 7d }",
      "  early: { count: events, last: 7d }",
      "when: { all: [ { a: agg.last >= 3 } ] }",
      "",
    ].join("\n");
    const pack = packOf([indicator("HT-X-01", body)]);
    const slots = new Map(
      ruleOf(pack, "HT-X-01").aggregates.map(({ name, slot }) => [name, pack.aggregates[slot]?.measure]),
    );
    expect(slots.get("agg.early")).toBe(0);
    expect(slots.get("agg.middle")).toBe(1);
    expect(slots.get("agg.last")).toBe(2);
  });

  it("refuses a circle of filters and aggregates", () => {
    const body = "filters: { f: agg.a >= 3 }\naggregates: { a: { count: events, where: f, last: 7d } }\n";
    const { diagnostics } = load([indicator("HT-X-01", `${body}${WHEN}`)]);
    expect(diagnostics.filter((d) => d.severity === "error").map((d) => d.code)).toEqual(["E032"]);
  });

  it("counts an event of no stage that moved no money only where a scope asks for it", () => {
    const pack = packOf([
      one("HT-X-01", "{ count: events, last: 7d }"),
      one("HT-X-02", "{ count: events, last: 7d, scope: { stage: [failed, attempted] } }"),
    ]);
    expect(pack.measures.map((m) => m.scope.stage)).toEqual([
      ["booked", "authorised"],
      ["attempted", "failed"].reverse(),
    ]);
  });

  it("holds first contacts for ever and says the longest finite window otherwise", () => {
    const pack = packOf([one("HT-X-01", "{ count: events, last: 7d }")]);
    expect(pack.horizonMs).toBe(7 * 86_400_000);
    const young = packOf([indicator("HT-X-02", "when: { all: [ { a: known_for(other.id) < 30d } ] }\n")]);
    expect(young.measures[0]).toMatchObject({ kind: "first_seen", windowMs: Number.POSITIVE_INFINITY });
    expect(young.horizonMs).toBe(180 * 86_400_000);
  });
});
