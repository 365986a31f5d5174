import { describe, expect, it } from "vitest";
import { CITATIONS } from "../../src/rules/citations.ts";
import { FIELDS, isProtectedName } from "../../src/rules/fields.ts";
import { errorsOf, indicator, packOf, ruleOf, typology } from "./build.ts";

const COUNT = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";
const codes = (body: string, head = {}): string[] =>
  errorsOf([indicator("HT-X-01", body, head)]).map((e) => e.slice(0, 4));

describe("geography alone", () => {
  const where = (filter: string, clause: string) =>
    codes(
      `filters: { f: "${filter}" }\naggregates: { n: { count: events, where: f, last: 7d }, t: { sum: tx.amount, where: f, last: 7d } }\nwhen: { all: [ { c: "${clause}" } ] }\n`,
    );

  it.each([
    ["tx.act.country in lists.countries", "agg.n >= 1"],
    ["in_corridor(lists.corridors)", "agg.n > 0"],
    ["tx.currency == 'XTS'", "agg.n >= 1"],
    ["other.institution.country == 'ZZ'", "agg.n >= 1"],
    ["tx.ip_country == 'ZZ' && tx.rail == 'card'", "agg.n >= 1"],
    ["tx.amount > 3 EUR", "tx.act.country in lists.countries"],
    ["tx.amount > 3 EUR", "!(tx.act.country in lists.countries)"],
  ])("%s with %s is refused", (filter, clause) => {
    expect(where(filter, clause)).toEqual(["E045"]);
  });

  it.each([
    ["tx.act.country in lists.countries", "agg.n >= 2"],
    ["tx.act.country in lists.countries", "agg.t >= 500 EUR"],
    ["tx.act.country in lists.countries && tx.amount > 900 EUR", "agg.n >= 1"],
  ])("%s with %s is not", (filter, clause) => {
    expect(where(filter, clause)).toEqual([]);
  });

  it("is found in any branch that suffices", () => {
    const tree = (inner: string) => codes(`aggregates: { n: { count: events, last: 7d } }\nwhen: ${inner}\n`);
    const weak = "{ w: tx.act.country == 'ZZ' }";
    const solid = "{ s: agg.n >= 5 }";
    expect(tree(`{ any: [ ${weak}, ${solid} ] }`)).toEqual(["E045"]);
    expect(tree(`{ all: [ ${weak}, ${solid} ] }`)).toEqual([]);
    expect(tree(`{ at_least: { n: 1, of: [ ${weak}, ${solid} ] } }`)).toEqual(["E045"]);
    expect(tree(`{ at_least: { n: 2, of: [ ${weak}, ${solid} ] } }`)).toEqual([]);
  });

  it("marks a typology's indicators that rest on it", () => {
    const corridor = indicator(
      "HT-A-01",
      "aggregates: { n: { count: events, where: in_corridor(lists.corridors), last: 7d } }\nwhen: { all: [ { c: agg.n >= 3 } ] }\n",
    );
    const body = [
      "hits: { a: { of: HT-A-01, last: 7d }, b: { of: HT-B-01, last: 7d } }",
      "scoring:",
      "  indicators:",
      "    - one: { family: corridor, points: 20, when: hits.a >= 1 }",
      "    - two: { family: receipts, points: 20, when: hits.b >= 1 }",
      "alert_when: { all: [ { two: families.count >= 2 } ] }",
      "",
    ].join("\n");
    const pack = packOf([corridor, indicator("HT-B-01", COUNT), typology("HT-T", body)]);
    expect(ruleOf(pack, "HT-T").typology?.indicators.map((i) => i.geography)).toEqual([true, false]);
  });
});

describe("non-profit organisations", () => {
  it.each([
    "other.party_type == 'npo'",
    "other.merchant.mcc == '8398'",
    "other.merchant.mcc in ['8661', '4511']",
    "other.merchant.mcc in lists.mcc_charity",
    "other.merchant.class == 'charity'",
  ])("%s gives no weight, however often", (filter) => {
    const body = `filters: { f: "${filter}" }\naggregates: { n: { count: events, where: f, last: 7d } }\nwhen: { all: [ { c: agg.n >= 9 } ] }\n`;
    expect(codes(body)).toEqual(["E046"]);
  });

  it("may be part of a rule that asks for more", () => {
    const body =
      "aggregates: { t: { sum: tx.amount, last: 7d } }\nwhen: { all: [ { npo: self.party_type == 'npo' }, { much: agg.t > 9000 EUR } ] }\n";
    expect(codes(body)).toEqual([]);
  });
});

describe("words", () => {
  it.each(["A terrorist network", "Prostitutes paid", "Victim account", "Illegal work", "known TRAFFICKERS"])(
    "%s is refused",
    (title) => {
      expect(codes(COUNT, { title })).toEqual(["E044"]);
    },
  );

  it.each([
    "Pattern consistent with terrorist financing",
    "Terrorist-financing red flags",
    "Trafficking of human beings",
    "Illegalities",
  ])("%s is not", (title) => {
    expect(codes(COUNT, { title })).toEqual([]);
  });

  it("of cautions count too", () => {
    expect(codes(COUNT, { cautions: "[the victim's kin]" })).toEqual(["E044"]);
  });
});

describe("customers", () => {
  it.each([
    ["profile.segment in lists.aid", ["E052"]],
    ["profile.industry == 'x'", ["E052"]],
    ["!(profile.occupation_group != 'x')", ["E052"]],
    ["!(profile.segment in lists.aid)", []],
    ["profile.segment != 'x'", []],
  ])("%s in a clause gives %j", (clause, expected) => {
    expect(codes(`when: { all: [ { c: "${clause}" }, { s: tx.amount > 3 EUR } ] }\n`)).toEqual(expected);
    expect(
      codes(
        `aggregates: { n: { count: events, where: "${clause}", last: 7d } }\nwhen: { all: [ { s: agg.n >= 3 } ] }\n`,
      ),
    ).toEqual(expected);
  });

  it("under age are seen in rules that protect them only", () => {
    const body = "when: { all: [ { c: profile.minor }, { s: tx.amount > 3 EUR } ] }\n";
    expect(codes(body)).toEqual(["E031"]);
    expect(codes(body, { crime: "child_exploitation" })).toEqual([]);
  });
});

describe("one red flag", () => {
  const two = (alert: string, more = "") =>
    errorsOf([
      indicator("HT-A-01", COUNT),
      indicator("HT-B-01", COUNT),
      typology(
        "HT-T",
        [
          "hits: { a: { of: HT-A-01, last: 7d }, b: { of: HT-B-01, last: 7d } }",
          "scoring:",
          "  family_cap: 30",
          "  indicators:",
          "    - one: { family: receipts, points: 20, when: hits.a >= 1 }",
          "    - two: { family: receipts, points: 20, when: hits.a >= 3 }",
          "    - three: { family: cash, points: 20, when: hits.b >= 1 }",
          `alert_when: { all: [ { it: "${alert}" } ] }`,
          more,
          "",
        ].join("\n"),
      ),
    ]).map((e) => e.slice(0, 4));

  it.each([
    ["families.count >= 2", []],
    ["score.total >= 35", []],
    ["score.total >= 30", ["E049"]],
    ["families.any(cash)", ["E049"]],
    ["hits.a >= 1", ["E049"]],
    ["families.count >= 3", ["E051"]],
    ["score.total >= 51", ["E051"]],
  ])("%s gives %j", (alert, expected) => {
    expect(two(alert)).toEqual(expected);
  });

  it("may be enough where a source says so", () => {
    expect(two("families.any(cash)", "alone: { because: an exact match is reported at once }")).toEqual([]);
  });
});

describe("tables", () => {
  it("hold no protected field and a text for each", () => {
    for (const field of FIELDS.values()) {
      expect([field.name, isProtectedName(field.name)]).toEqual([field.name, false]);
      expect(field.doc.length).toBeGreaterThan(5);
    }
    expect(FIELDS.size).toBeGreaterThan(60);
  });

  it("cite public documents with issuer and title", () => {
    for (const [id, document] of CITATIONS) {
      expect(id).toMatch(/^[A-Z]+-/);
      expect(document.issuer.length * document.title.length).toBeGreaterThan(0);
      expect(document.date).toMatch(/^(\d{4}(-\d{2}(-\d{2})?)?)?$/);
    }
  });

  it("give each crime its time", () => {
    const sla = (id: string, head: Record<string, string>) => {
      const body =
        "hits: { a: { of: HT-A-01, last: 7d } }\nalone: { because: x }\nalert_when: { all: [ { it: hits.a >= 1 } ] }\n";
      return ruleOf(packOf([indicator("HT-A-01", COUNT), typology(id, body, head)]), id).typology?.sla.withinHours;
    };
    expect(sla("TF-LIST", { crime: "terrorist_financing" })).toBe(1);
    expect(sla("CSE", { crime: "child_exploitation" })).toBe(4);
    expect(sla("TF", { crime: "terrorist_financing" })).toBe(24);
    expect(sla("NX", { crime: "nexus" })).toBe(24);
    expect(sla("HT", { roles: "{ self: { may_be: [victim] } }" })).toBe(24);
    expect(sla("HT", {})).toBe(120);
    expect(sla("HT", { sla: "{ class: own, within: 2h }" })).toBe(2);
  });
});
