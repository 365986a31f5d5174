import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distanceMetres, parseCell } from "../../src/rules/cells.ts";
import type { Tri } from "../../src/rules/plan.ts";
import { context, leafOf, PROFILE, SIDE, TX } from "./build.ts";

function judge(expression: string, given: Parameters<typeof context>[0]): Tri {
  return leafOf(expression).test(context(given));
}

describe("km", () => {
  it.each([
    // Berlin and Hamburg, London and Paris, across the date line, pole to pole: distances from any atlas.
    ["52.52,13.405", "53.551,9.994", 255_000],
    ["51.507,-0.128", "48.857,2.351", 344_000],
    ["0,179.5", "0,-179.5", 111_195],
    ["90,0", "-90,0", 20_015_115],
    ["52.5,13.4", "52.5,13.4", 0],
  ])("%s to %s", (a, b, metres) => {
    const from = parseCell(a);
    const to = parseCell(b);
    expect(from && to && Math.abs(distanceMetres(from, to) - metres)).toBeLessThan(1_000);
  });

  it("is symmetric and at most half way round", () => {
    const cell = fc.tuple(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -180, max: 180 }));
    fc.assert(
      fc.property(cell, cell, (a, b) => {
        const from = parseCell(a.join(","));
        const to = parseCell(b.join(","));
        if (from === undefined || to === undefined) throw new Error("cell");
        expect(distanceMetres(from, to)).toBeCloseTo(distanceMetres(to, from), 3);
        expect(distanceMetres(from, to)).toBeLessThanOrEqual(20_015_116);
      }),
    );
  });

  it.each(["", ",", "1", "1,", ",1", "a,b", "91,0", "0,181", "NaN,0"])("%j is no cell", (text) => {
    expect(parseCell(text)).toBeUndefined();
  });

  it("compares the act with home", () => {
    const far = "km(tx.act.cell, profile.homeCell) >= 100 km";
    const profile = { ...PROFILE, homeCell: "52.5,13.4" };
    expect(judge(far, { tx: { ...TX, actCell: "53.5,10.0" }, profile })).toBe(true);
    expect(judge(far, { tx: { ...TX, actCell: "52.6,13.4" }, profile })).toBe(false);
    expect(judge(far, { tx: { ...TX, actCell: "52.6,13.4" } })).toBeUndefined();
    expect(judge(far, { tx: { ...TX, actCell: "nowhere" }, profile })).toBeUndefined();
  });
});

describe("local_hour_in", () => {
  it.each([
    ["22:00, 06:00", 22 * 60, true],
    ["22:00, 06:00", 22 * 60 - 1, false],
    ["22:00, 06:00", 0, true],
    ["22:00, 06:00", 6 * 60 - 1, true],
    ["22:00, 06:00", 6 * 60, false],
    ["09:00, 17:00", 9 * 60, true],
    ["09:00, 17:00", 17 * 60, false],
    ["09:00, 17:00", -1, undefined],
  ])("(%s) at minute %d is %s", (band, localMinute, expected) => {
    expect(judge(`local_hour_in(${band})`, { tx: { ...TX, localMinute } })).toBe(expected);
  });
});

describe("in_corridor", () => {
  it.each([
    ["AA", "ZZ", true],
    ["AA", "XZ", true],
    [undefined, "XZ", true],
    ["AA", "BB", false],
    ["BB", "ZZ", false],
    [undefined, "ZZ", undefined],
    ["AA", undefined, undefined],
    ["BB", undefined, undefined],
    [undefined, "BB", false],
    [undefined, undefined, undefined],
  ])("from %s to %s is %s", (corridorFrom, corridorTo, expected) => {
    expect(judge("in_corridor(lists.corridors)", { tx: { ...TX, corridorFrom, corridorTo } })).toBe(expected);
  });
});

describe("matches_any", () => {
  const listed = "matches_any(lists.listed)";
  it.each([
    ["account", { account: "k1.BAD" }, true],
    ["wallet", { wallet: "k1.BAD" }, true],
    ["party", { party: "k1.BAD" }, true],
    ["card", { card: "k1.BAD" }, true],
    ["link", { links: [{ kind: "email", token: "k1.BAD" }] }, true],
    ["a phone that is listed as a phone", { links: [{ kind: "phone", token: "k1.PHONE" }] }, true],
    ["an account with the token of a listed phone", { account: "k1.PHONE" }, false],
    ["nobody", {}, false],
  ] as const)("%s", (_name, side, expected) => {
    expect(judge(listed, { other: { ...SIDE, ...side }, self: SIDE })).toBe(expected);
    expect(judge("matches_any(self, lists.listed)", { self: { ...SIDE, ...side }, other: SIDE })).toBe(expected);
  });

  it("is unknown without the side", () => {
    expect(judge(listed, { self: SIDE })).toBeUndefined();
  });
});

describe("the rest", () => {
  it("multiple_of", () => {
    const amount = (minor: number) => judge("multiple_of(tx.amount, 3 EUR)", { tx: { ...TX, amount: minor } });
    expect([amount(1_200), amount(1_250), amount(0)]).toEqual([true, false, true]);
  });

  it("has_class", () => {
    const memo = (memoClasses: string[]) => judge("has_class(lists.pleas)", { tx: { ...TX, memoClasses } });
    expect([memo(["gift", "urgent_help"]), memo(["gift"]), memo([])]).toEqual([true, false, false]);
  });

  it("ref and linked give the first of their kind", () => {
    const refs = [
      { kind: "invoice", token: "i" },
      { kind: "employee", token: "e1" },
      { kind: "employee", token: "e2" },
    ] as const;
    expect(judge("ref(employee) == 'e1'", { tx: { ...TX, refs } })).toBe(true);
    expect(judge("ref(mandate) == 'e1'", { tx: { ...TX, refs } })).toBeUndefined();
    const other = { ...SIDE, links: [{ kind: "phone", token: "p" }] as const };
    expect(judge("linked(other, phone) == 'p'", { other })).toBe(true);
  });

  it("known_for asks for the far side as one entity", () => {
    const asked: string[] = [];
    const knownFor = (_measure: number, key: string) => {
      asked.push(key);
      return 86_400_000;
    };
    const young = leafOf("known_for(other.id) <= 1d");
    const sides = [
      { account: "a", wallet: "w", card: "c", party: "p", merchantId: "m" },
      { wallet: "w", card: "c", party: "p", merchantId: "m" },
      { card: "c", party: "p", merchantId: "m" },
      { party: "p", merchantId: "m" },
      { merchantId: "m" },
    ];
    for (const side of sides) expect(young.test(context({ other: { ...SIDE, ...side }, knownFor }))).toBe(true);
    expect(asked).toEqual(["a", "w", "c", "p", "m"]);
    expect(young.test(context({ other: SIDE, knownFor }))).toBeUndefined();
  });

  it("first_seen and last_seen tell how long ago", () => {
    const more =
      "aggregates: { newest: { last_seen: events, last: 90d }, oldest: { first_seen: events, last: 90d } }\n";
    const agg = () => TX.time - 3 * 86_400_000;
    for (const name of ["newest", "oldest"]) {
      const leaf = leafOf(`agg.${name} >= 2d`, more);
      expect(leaf.comparison?.observed(context({ tx: TX, agg }))).toBe(3 * 86_400_000);
      expect(leaf.test(context({ tx: TX }))).toBeUndefined();
    }
  });

  it("a value on the movement wins over the profile", () => {
    const business = { ...PROFILE, partyType: "business" as const };
    const of = (partyType: "person" | "unknown") => ({ self: { ...SIDE, partyType }, profile: business });
    expect(judge("self.party_type == 'person'", of("person"))).toBe(true);
    expect(judge("self.party_type == 'business'", of("unknown"))).toBe(true);
  });

  it("durations of the profile are counted back from the event", () => {
    const profile = { ...PROFILE, opened: TX.time - 10 * 86_400_000, knownSince: TX.time - 90 * 86_400_000 };
    expect(judge("profile.age == 10d", { tx: TX, profile })).toBe(true);
    expect(judge("profile.known_since == 90d", { tx: TX, profile })).toBe(true);
    expect(judge("profile.age == 90d", { tx: TX, profile: { ...profile, opened: undefined } })).toBe(true);
  });
});
