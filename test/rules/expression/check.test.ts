import { describe, expect, it } from "vitest";
import { errorsOf, indicator, leafOf, load } from "../build.ts";

const BODY = [
  "params:",
  "  p_money: { value: 3000 EUR, range: [1 EUR, 9000 EUR] }",
  "  p_ratio: { value: 80%, range: [0%, 100%] }",
  "  p_count: { value: 3, range: [1, 9] }",
  "aggregates:",
  "  n: { count: events, last: 7d }",
  "  m: { count: events, last: 14d }",
  "  total: { sum: tx.amount, last: 7d }",
  "  all: { sum: tx.amount, last: 14d }",
  "  part: { ratio: { of: agg.total, over: agg.all } }",
  "  places: { distinct: tx.act.place, last: 7d, cap: 8 }",
  "  young: { last_seen: events, last: 90d }",
  "",
].join("\n");

/** Where the expression of `faults` begins. */
const COLUMN = 23;

/** Errors of a clause as `code column message`, the column counted from 1 in the expression. */
function faults(expression: string): string[] {
  const body = `${BODY}when: { all: [ { it: ${JSON.stringify(expression)} } ] }\n`;
  return errorsOf([indicator("HT-X-01", body)]).map((error) =>
    error.replace(/ \d+:(\d+)/, (_all, column) => ` ${Number(column) - COLUMN + 1}`),
  );
}

describe("units that go together", () => {
  it.each([
    "agg.total >= params.p_money",
    "agg.total >= 3000 EUR",
    "agg.total >= params.p_ratio * agg.all",
    "agg.total / agg.all >= 80%",
    "agg.part >= 0.8",
    "agg.total / agg.n >= 50 EUR",
    "agg.n / agg.m > 1",
    "agg.n >= params.p_count + 1",
    "agg.n * 2 >= agg.m",
    "2 * agg.total > agg.all - 3 EUR",
    "3 <= agg.n",
    "agg.young < 7d",
    "known_for(other.id) < 30d",
    "km(tx.act.cell, profile.homeCell) >= 100 km",
    "tx.amount > 2 * 3000 EUR",
    "tx.travel.travellers >= 3",
    "tx.conductor != self.party",
    "tx.act.country != other.institution.country",
    "profile.age < 90d",
    "tx.day == 'x'",
    "local_hour_in(22:00, 06:00)",
    "!local_hour_in(22:00, 06:00)",
    "tx.act.white_label_atm",
    "tx.act.white_label_atm == true",
    "other.merchant.mcc in lists.mcc_air",
    "tx.direction in ['in', 'out']",
    "known(tx.conductor)",
    "multiple_of(tx.amount, 3 EUR)",
    "in_corridor(lists.corridors)",
    "has_class(lists.pleas)",
    "matches_any(lists.listed)",
    "matches_any(self, lists.listed)",
    "ref(employee) == 'x'",
    "linked(other, phone) == linked(self, phone)",
    "self.balanceAfter <= 5% * agg.all",
    "SELF.balance_after > 0 EUR".replace("SELF", "self"),
  ])("%s", (expression) => {
    const weak = faults(expression).filter((fault) => !fault.startsWith("E045"));
    expect(weak).toEqual([]);
  });
});

describe("units that do not", () => {
  it.each([
    ["agg.total >= 3", "E022 11 cannot compare money with a plain number"],
    ["agg.total >= agg.n", "E022 11 cannot compare money with a count"],
    ["agg.n >= 80%", "E022 7 cannot compare a count with a ratio"],
    ["agg.total * agg.all > 3 EUR", "E022 11 cannot multiply money and money"],
    ["agg.total + 3 > 3 EUR", "E022 11 cannot add money and a plain number"],
    ["agg.total - agg.n > 3 EUR", "E022 11 cannot subtract a count from money"],
    ["agg.n / agg.total > 3", "E022 7 cannot divide a count by money"],
    ["agg.young < 30 m", "E022 11 cannot compare a duration with a distance"],
    ["agg.young + 3 km > 3 km", "E022 11 cannot add a duration and a distance"],
    ["tx.rail < 'cash'", "E022 9 `<` orders numbers, not a rail"],
    ["tx.rail == tx.channel", "E022 9 cannot compare a rail with a channel"],
    ["tx.rail == 3", "E022 9 cannot compare a rail with a plain number"],
    ["tx.act.cell == profile.home_cell", "E022 13 places on the map are compared with km(a, b)"],
    ["tx.act.country == lists.countries", "E022 16 a list is searched with `in`"],
    ["agg.n in lists.countries", "E022 1 `in` looks up a text, not a count"],
    ["tx.rail in tx.channel", "E022 12 `in` searches a list, not a channel"],
    ["tx.rail in ['cash', 3]", "E022 21 a list holds texts in quotes only"],
    ["!agg.n", "E022 1 `!` needs a truth value, not a count"],
    ["-tx.rail == 'cash'", "E022 1 `-` needs a number, not a rail"],
    ["tx.amount > 3 USD", "E022 13 amounts of a rule are in EUR, not USD"],
    ["tx.amount > 3.001 EUR", "E016 13 EUR has 2 decimals"],
    ["agg.n", "E027 1 a clause is a truth value, not a count"],
    ["tx.channel == 'amt'", "E028 15 a channel is never 'amt'"],
    ["tx.channel in ['atm', 'shop']", "E028 15 a channel is never 'shop'"],
    ["other.merchant.class == 'ad'", "E028 25 a merchant class is never 'ad'"],
    ["tx.act.country in lists.mcc_air", "E029 19 a country is looked up in a list of type mcc"],
    [
      "in_corridor(lists.countries)",
      "E029 13 `in_corridor` needs a list of type corridor; `countries` is of type country",
    ],
    ["tx.act.place in lists.corridors", "E029 17 a list of type corridor is not searched with `in`"],
    ["known_for(tx.amount) < 3d", "E024 10 `known_for` is called otherwise"],
    ["km(tx.act.place, tx.act.cell) > 3 km", "E024 4 km() measures between places on the map, not a place"],
    ["local_hour_in(22, 6)", "E024 14 `local_hour_in` is called otherwise"],
    ["local_hour_in(22:00, 22:00)", "E024 22 a band from a time to the same time is empty"],
    ["multiple_of(tx.amount, 3)", "E024 24 the step must be whole, above 0 and of the same unit"],
    ["ref(employer) == 'x'", "E013 5 there is no kind `employer` here"],
    ["linked(self) == 'x'", "E024 7 `linked` is called otherwise"],
    ["known(self)", "E024 6 `known` is called otherwise"],
    ["agg.n >= 2 || agg.m >= 2", "E023 12 a clause is one condition: no `||` here"],
    ["agg.part.x > 3", "E021 10 there is no aggregate `x`"],
    ["other.homeCell == 'x'", "E031 1 a profile is known of `self` only: `profile.home_cell`"],
    ["other.profile.segment != 'x'", "E031 1 a profile is known of `self` only: `profile.segment`"],
    ["tx.__proto__ == 'x'", "E021 4 there is no field `tx.__proto__`"],
    ["constructor.name == 'x'", "E021 1 there is no name `constructor`"],
    ["params.toString > 3", "E021 8 there is no parameter `toString`"],
    ["lists.hasOwnProperty == 'x'", "E060 7 there is no list `hasOwnProperty`"],
    ["toString(tx.id)", "E025 1 there is no function `toString`"],
  ])("%s", (expression, expected) => {
    expect(faults(expression)).toEqual([expected]);
  });
});

describe("protected attributes", () => {
  it.each([
    "profile.nationality",
    "profile.religion",
    "self.ethnicity",
    "profile.gender",
    "profile.immigrationStatus",
    "other.surname",
    "profile.home_country",
    "profile.birth_date",
    "profile.Language",
    "tx.act.race",
    "nationality",
    "base.country_of_birth",
  ])("%s has its own error", (name) => {
    expect(faults(`${name} == 'x'`)).toEqual([expect.stringMatching(/^E026 1 .*no such field, on purpose$/)]);
  });
});

describe("leaves", () => {
  it("carry what evidence shows", () => {
    const leaf = leafOf("agg.total >= params.p_ratio * agg.all", BODY);
    expect(leaf.comparison).toMatchObject({
      left: "agg.total",
      operator: ">=",
      right: "params.p_ratio * agg.all",
      unit: "money",
      aggregates: [0],
    });
  });

  it("put what was observed on the left", () => {
    expect(leafOf("3 <= agg.n", BODY).comparison).toMatchObject({ left: "agg.n", operator: ">=", right: "3" });
  });

  it("show a negated comparison by its opposite, and no plain yes or no", () => {
    expect(leafOf("!(agg.n >= 3)", BODY).comparison).toMatchObject({ operator: "<" });
    expect(leafOf("matches_any(lists.listed)").comparison).toBeUndefined();
    expect(leafOf("!(tx.act.place in ['a'])", "", { scope: "{ rail: cash }" }).comparison).toBeUndefined();
  });

  it("know when they rest on geography only", () => {
    const more = "aggregates: { n: { count: events, where: tx.act.country in lists.countries, last: 7d } }\n";
    expect(leafOf("agg.n >= 3", more).geography).toBe(true);
    expect(leafOf("agg.total >= 3 EUR", BODY).geography).toBe(false);
  });
});

describe("an operator's vocabulary", () => {
  const vocabulary = {
    path: "rules/vocabulary.yaml",
    text: "schema: vocabulary/v1\nversion: 1\nsegment: { aid_worker: { meaning: x } }\n",
  };

  it("closes the words of the profile", () => {
    const rule = indicator(
      "HT-X-01",
      "when: { all: [ { a: profile.segment != 'aid_workr' }, { b: tx.amount > 3 EUR } ] }\n",
    );
    const errors = load([vocabulary, rule]).diagnostics.filter((d) => d.severity === "error");
    expect(errors.map((d) => [d.code, d.hint])).toEqual([["E028", "did you mean `aid_worker`?"]]);
  });
});
