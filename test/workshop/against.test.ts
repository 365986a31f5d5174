import { describe, expect, it } from "vitest";
import type { Profile } from "../../src/domain/profile.ts";
import type { Tx } from "../../src/domain/tx.ts";
import type { SourceFile } from "../../src/rules/load.ts";
import { type AgainstReport, createAgainst } from "../../src/workshop/against.ts";
import { indicator, load, PROFILE, SIDE, TX, typology } from "../rules/build.ts";

const DAY = 86_400_000;

function movement(index: number, more: Partial<Tx> = {}): Tx {
  const own = { ...SIDE, own: true, account: "a" };
  const from = { ...SIDE, account: `o${index}` };
  const time = TX.time + index * DAY;
  return {
    ...TX,
    id: `t${index}`,
    movementId: `t${index}`,
    time,
    debtor: from,
    creditor: own,
    contentHash: index,
    ...more,
  };
}

function report(files: readonly SourceFile[], txs: readonly Tx[], profiles: readonly Profile[] = []): AgainstReport {
  const { pack, rules, lists } = load(files);
  const against = createAgainst(pack!, rules, lists);
  for (const profile of profiles) against.pushProfile(profile);
  for (const tx of txs) against.pushTx(tx);
  return against.report();
}

const rule = (id: string, filter: string, clause = "agg.n >= 2", head = "scope: { direction: [in] }"): SourceFile =>
  indicator(
    id,
    `${head}\nfilters: { f: "${filter}" }\naggregates: { n: { count: events, where: f, last: 30d } }\nwhen: { all: [ { many: ${clause} } ] }\n`,
  );
const TXS = Array.from({ length: 20 }, (_, index) => movement(index));

function outlook(found: AgainstReport, id: string): string {
  const entry = found.rules.find((one) => one.id === id)!;
  return entry.canFire ? "can fire" : entry.missing.join("; ");
}

describe("a pack against data", () => {
  it.each([
    ["tx.amount > 5 EUR", "can fire"],
    ["km(tx.act.cell, profile.home_cell) > 5 km", "tx.act.cell; profile.home_cell"],
    ["tx.amount > 5 EUR || tx.device == 'x'", "can fire"],
    ["tx.device == 'x' || tx.conductor == 'y'", "tx.device; tx.conductor"],
    ["!known(tx.device)", "can fire"],
    ["local_hour_in(22:00, 06:00)", "tz (with the time of day)"],
    ["ref(employee) == 'x'", "refs of kind employee"],
    ["linked(other, phone) == 'x'", "links of kind phone"],
    ["in_corridor(lists.corridors) && tx.amount > 5 EUR", "countries of both sides"],
    ["has_class(lists.pleas)", "memoClasses"],
  ])("tells what a rule with %s lacks", (filter, missing) => {
    expect(outlook(report([rule("HT-X-01", filter)], TXS), "HT-X-01")).toBe(missing);
  });

  it.each([
    ["{ few: agg.n <= 2 }", "can fire"],
    ["{ few: 2 > agg.n }", "can fire"],
    ["{ not: { any: [ { many: agg.n >= 3 } ] } }", "can fire"],
    ["{ many: agg.n >= 3 }", "tx.device"],
    ["{ many: 3 < agg.n }", "tx.device"],
    ["{ not: { any: [ { few: agg.n <= 2 } ] } }", "tx.device"],
    ["{ one: agg.n == 1 }", "tx.device"],
    ["{ small: agg.most <= 5 EUR }", "tx.device"],
  ])("asks for no data where nothing is few enough: %s", (clause, missing) => {
    const body =
      "scope: { direction: [in] }\nfilters: { f: tx.device == 'x' }\naggregates: { n: { count: events, where: f, last: 9d }, " +
      "most: { max: tx.amount, where: f, last: 9d } }\n" +
      `when: { all: [ ${clause}, { much: tx.amount > 100000 EUR } ] }\n`;
    expect(outlook(report([indicator("HT-X-01", body)], TXS), "HT-X-01")).toBe(missing);
  });

  it("believes what it sees: a rule that fired can fire", () => {
    const body =
      "scope: { direction: [in] }\nfilters: { f: tx.device == 'x' }\naggregates: { all: { count: events, last: 9d }, " +
      "n: { count: events, where: f, last: 9d } }\nwhen: { all: [ { more: agg.all - agg.n >= 3 } ] }\n";
    const found = report([indicator("HT-X-01", body)], TXS);
    expect(found.rules[0]?.perDay).not.toBe(0);
    expect(outlook(found, "HT-X-01")).toBe("can fire");
  });

  it("tells of movements that never come, and of nothing that they would carry", () => {
    const found = report([rule("HT-X-01", "tx.device != 'x'", "agg.n >= 2", "scope: { rail: [card] }")], TXS);
    expect(outlook(found, "HT-X-01")).toBe("movements with rail card");
  });

  it("takes fields from profiles and only from movements of the rule's scope and subject", () => {
    const filter = "km(tx.act.cell, profile.home_cell) > 5 km";
    const placed = TXS.map((tx) => ({ ...tx, actCell: "1,1" }));
    const profile = { ...PROFILE, homeCell: "2,2" };
    expect(outlook(report([rule("HT-X-01", filter)], placed, [profile]), "HT-X-01")).toBe("can fire");
    const outgoing = rule("HT-X-01", "tx.device != 'x'", "agg.n >= 2", "scope: { direction: [out] }\nsubject: party");
    const used = TXS.map((tx) => ({ ...tx, device: "d" }));
    expect(outlook(report([outgoing], used), "HT-X-01")).toBe("movements with direction out");
  });

  it("lets a typology fire only when enough of its hits can come", () => {
    const body = [
      "hits: { a: { of: HT-A-01, from: self, last: 7d }, b: { of: HT-B-01, from: self, last: 7d } }",
      "scoring:",
      "  indicators:",
      "    - one: { family: x, points: 20, when: hits.a >= 1 }",
      "    - two: { family: y, points: 30, when: hits.b >= 1 }",
      "alert_when: { all: [ { two: families.count >= 2 } ] }",
      "subject: account",
      "",
    ].join("\n");
    const files = [rule("HT-A-01", "tx.amount > 5 EUR"), rule("HT-B-01", "tx.device != 'x'"), typology("HT-T", body)];
    expect(outlook(report(files, TXS), "HT-T")).toBe("hits of HT-B-01");
    expect(
      outlook(
        report(
          files,
          TXS.map((tx) => ({ ...tx, device: "d" })),
        ),
        "HT-T",
      ),
    ).toBe("can fire");
  });

  it("tells clauses that never or always hold, once they were asked ten times", () => {
    const files = [
      rule("HT-X-01", "tx.amount > 5 EUR", "agg.n >= 500"),
      rule("HT-Y-01", "tx.amount > 6 EUR", "agg.n >= 1"),
    ];
    const told = (count: number) =>
      report(files, TXS.slice(0, count)).clauses.map(({ rule: id, outcome, judged }) => [id, outcome, judged]);
    expect(told(9)).toEqual([]);
    expect(told(20)).toEqual([
      ["HT-X-01", "never", 20],
      ["HT-Y-01", "always", 20],
    ]);
  });

  it("hides counts below ten", () => {
    const body =
      "scope: { direction: [in] }\naggregates: { n: { count: events, last: 1d } }\nwhen: { all: [ { many: agg.n >= 1 } ] }\nsuppress: { for: 12h }\n";
    const counts = (n: number) => report([indicator("HT-X-01", body)], TXS.slice(0, n)).rules[0]!;
    expect(counts(4)).toMatchObject({ count: undefined, perDay: undefined });
    expect(report([rule("HT-X-01", "tx.amount > 5 EUR", "agg.n >= 500")], TXS).rules[0]).toMatchObject({ count: 0 });
    const sparse = Array.from({ length: 12 }, (_, index) => movement(index * 3));
    expect(report([indicator("HT-X-01", body)], sparse).rules[0]).toMatchObject({ count: 12, perDay: 12 / 33 });
  });

  it("tells entries of lists that nothing meets, of identifiers only how many", () => {
    const files = [
      rule("HT-X-01", "tx.act.country in lists.countries && tx.amount > 5 EUR"),
      rule("HT-Y-01", "matches_any(lists.listed)"),
    ];
    const found = report(files, [...TXS, movement(30, { actCountry: "XA" })]);
    expect(found.lists).toEqual([
      { list: "countries", entries: 2, unmatched: 1, examples: ["XB"] },
      { list: "listed", entries: 2, unmatched: 2, examples: undefined },
    ]);
  });

  it("of nothing says that nothing can fire", () => {
    const found = report([rule("HT-X-01", "tx.amount > 5 EUR")], []);
    expect(found).toMatchObject({ movements: 0, days: 0 });
    expect(outlook(found, "HT-X-01")).toBe("movements with direction in");
  });
});
