/** Every way around the safeguards that somebody might try, written as a rule, and refused. */
import { describe, expect, it } from "vitest";
import { errorsOf, indicator, typology } from "./build.ts";

const SOLID = "{ solid: agg.n >= 5 }";
const N = "aggregates: { n: { count: events, last: 7d } }\n";
const codes = (body: string, head: Record<string, string> = {}): string[] =>
  errorsOf([indicator("HT-X-01", body, head)]).map((error) => error.slice(0, 4));
const clause = (expression: string, more = N): string[] =>
  codes(`${more}when: { all: [ { it: ${JSON.stringify(expression)} }, ${SOLID} ] }\n`);

describe("geography is one family", () => {
  it.each([
    ["a country and a currency", "tx.act.country in lists.countries", "tx.currency == 'XTS'"],
    ["a corridor and an institution", "in_corridor(lists.corridors)", "other.institution.country == 'ZZ'"],
    ["two countries by other names", "tx.ip_country == 'ZZ'", "tx.travel.to == 'ZZ'"],
    ["a place and a distance between acts", "tx.act.place == 'Z'", "tx.act.distance >= 10 km"],
  ])("%s together are not enough", (_, first, second) => {
    const body = `when: { all: [ { a: "${first}" }, { b: "${second}" } ] }\n`;
    expect(codes(body)).toEqual(["E045"]);
  });

  it.each([
    ["once, over the newest events", "{ count: events, where: g, last: 10 events }", ">= 1"],
    ["once, before the judged movement", "{ count: events, where: g, last: 7d, include_current: false }", ">= 1"],
    ["once, on a calendar day", "{ count: events, where: g, calendar: day }", ">= 1"],
    ["once, for ever", "{ count: events, where: g, last: ever }", "> 0"],
    ["at one counterparty", "{ distinct: other.id, where: g, last: 7d }", ">= 1"],
    ["with one counterparty", "{ count: events, by: other.id, where: g, last: 7d }", ">= 1"],
    ["beside an earlier movement", "{ count: events, matching: tx.act.country in lists.countries, last: 7d }", ">= 1"],
    ["as the key of a part", "{ count: events, by: tx.act.country, last: 7d }", ">= 1"],
  ])("seen %s is refused", (_, aggregate, bound) => {
    const body = `filters: { g: tx.act.country in lists.countries }\naggregates: { n: ${aggregate} }\nwhen: { all: [ { it: agg.n ${bound} } ] }\n`;
    expect(codes(body)).toContain("E045");
  });

  it("does not become another family through the hits of another rule", () => {
    const weak = indicator(
      "HT-A-01",
      "when: { all: [ { a: tx.act.country in lists.countries }, { b: tx.amount > 1 EUR } ] }\n",
    );
    const alone = indicator(
      "HT-B-01",
      "aggregates: { n: { count: events, where: in_corridor(lists.corridors), last: 7d } }\nwhen: { all: [ { c: agg.n >= 3 } ] }\n",
    );
    const body = "hits: { b: { of: HT-B-01, last: 7d } }\nwhen: { all: [ { it: hits.b >= 1 } ] }\n";
    expect(errorsOf([weak, alone, indicator("HT-C-01", body)]).map((e) => e.slice(0, 4))).toEqual(["E045"]);
  });
});

describe("home, zone and origin", () => {
  it.each([
    ["profile.home_cell == '52.5,13.4'", "E022"],
    ["profile.home_country == 'ZZ'", "E026"],
    ["profile.nationality == 'ZZ'", "E026"],
    ["other.surname == 'x'", "E026"],
    ["self.residence == 'ZZ'", "E026"],
    ["profile.tz == 'Europe/Berlin'", "E021"],
    ["tx.tz == 'Europe/Berlin'", "E021"],
    ["tx.weekday == 'Sun'", "E021"],
    ["other.profile.segment == 'student'", "E031"],
  ])("%s is refused", (expression, code) => {
    expect(clause(expression)).toEqual([code]);
  });

  it("cannot leave an indicator as a value of its hit", () => {
    for (const value of [
      "tx.act.place",
      "other.institution.country",
      "tx.conductor",
      "profile.segment",
      "self.party",
    ]) {
      expect(codes(`${N}when: { all: [ ${SOLID} ] }\nemit: { attrs: { x: ${value} } }\n`)).toEqual(["E027"]);
    }
  });
});

describe("words of the customer profile", () => {
  it.each(["profile.segment == 'student'", "profile.industry == 'care'", "profile.occupation_group in ['student']"])(
    "%s may not count towards a hit, wherever it stands",
    (word) => {
      const text = JSON.stringify(word);
      expect(clause(word)).toEqual(["E052"]);
      expect(
        codes(`aggregates: { n: { count: events, where: ${text}, last: 7d } }\nwhen: { all: [ ${SOLID} ] }\n`),
      ).toEqual(["E052"]);
      const past = `aggregates: { n: { count: events, matching: ${text}, last: 7d } }\nwhen: { all: [ ${SOLID} ] }\n`;
      expect(codes(past)).toEqual(["E052"]);
    },
  );

  it("age is seen in rules that protect children only", () => {
    expect(clause("profile.minor")).toEqual(["E031"]);
  });
});

describe("lists and calendars", () => {
  it("a calendar only lowers", () => {
    expect(clause("during(lists.appeals)")).toEqual(["E031"]);
    expect(codes(`filters: { d: during(lists.appeals) }\n${N}when: { all: [ ${SOLID} ] }\n`)).toContain("E031");
  });

  it("persons stand in lists with a legal basis only, and are not looked up elsewhere", () => {
    expect(clause("other.party in lists.countries")).toEqual(["E029"]);
    expect(clause("matches_any(lists.countries)")).toEqual(["E029"]);
  });
});

describe("non-profit organisations", () => {
  it.each([
    "{ count: events, by: other.id, where: f, last: 7d }",
    "{ count: events, where: f, last: 10 events }",
    "{ distinct: other.id, where: f, last: 30d }",
  ])("%s gives them no weight", (aggregate) => {
    const body = `filters: { f: "other.party_type == 'npo'" }\naggregates: { n: ${aggregate} }\nwhen: { all: [ { it: agg.n >= 9 } ] }\n`;
    expect(codes(body)).toEqual(["E046"]);
  });
});

describe("texts that reach an alert", () => {
  it("judge nobody, in a typology neither", () => {
    const body = [
      "hits: { a: { of: HT-A-01, last: 7d } }",
      "alone: { because: x }",
      "alert_when: { all: [ { it: hits.a >= 1 } ] }",
      'explain: "known trafficker"',
      "",
    ].join("\n");
    const sound = indicator("HT-A-01", `${N}when: { all: [ ${SOLID} ] }\n`);
    expect(errorsOf([sound, typology("HT-T", body)]).map((e) => e.slice(0, 4))).toEqual(["E044"]);
  });
});
