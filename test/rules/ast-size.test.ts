import { describe, expect, it } from "vitest";
import { astSize } from "../../src/rules/ast-size.ts";
import { readPack } from "../../src/rules/load.ts";
import { indicator, typology } from "./build.ts";

/** Size of the one rule of a file. */
function sizeOf(file: ReturnType<typeof indicator>): number | undefined {
  const [rule] = readPack([file]).rules;
  return rule && astSize(rule);
}

describe("the size of a rule", () => {
  it("is the nodes of its expressions and of its clause tree", () => {
    // events; agg.n, 5, >=; the branch.
    const body = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";
    expect(sizeOf(indicator("HT-A-01", body))).toBe(1 + 3 + 1);
    // One leaf and one branch more.
    const more = body.replace("{ many: agg.n >= 5 }", "{ many: agg.n >= 5 }, { not: { few: agg.n < 9 } }");
    expect(sizeOf(indicator("HT-A-01", more))).toBe(1 + 3 + 1 + 1 + 3);
  });

  it("counts filters once, however often they are used, and all that aggregates name", () => {
    const filters = "filters: { small: \"!(tx.amount > 5 EUR) && tx.rail in ['p2p', 'cash'] && known(other.id)\" }\n";
    const body = `${filters}aggregates:
  n: { count: events, where: small, last: 7d }
  part: { sum: tx.amount, where: small, by: other.id, last: 7d }
  share: { ratio: { of: agg.n, over: agg.n } }
  alike: { count: events, matching: "past.amount == tx.amount", last: 7d }
when: { all: [ { a: agg.part > 5 EUR } ] }
`;
    const filter = 2 + (1 + 3) + (1 + 1 + 3) + 2;
    // n, part, share, alike; the tree.
    expect(sizeOf(indicator("HT-A-01", body))).toBe(filter + 2 + 3 + 2 + (1 + 3) + (1 + 3));
  });

  it("counts base lines, steps, scores and reductions", () => {
    const flow = `flow:
  within: 2d
  steps:
    - come: { scope: { direction: [in] }, where: tx.amount > 5 EUR, keep: { n: { count: events } }, until: { all: [ { a: come.n >= 3 } ] } }
    - go: { scope: { direction: [out] }, until: { all: [ { b: tx.amount > 5 EUR } ] } }
  cancel_on: { scope: { direction: [in] }, where: tx.amount > 9 EUR }
`;
    expect(sizeOf(indicator("HT-A-01", flow))).toBe(3 + 1 + 4 + 4 + 3);
    const based = `aggregates: { n: { count: events, last: 2d } }
base: { usual: { of: agg.n, stat: p95, over: 60d } }
peer: { others: { of: agg.n, group: segment, percentile: 95 } }
when: { all: [ { a: agg.n > base.usual }, { b: agg.n > peer.others } ] }
`;
    expect(sizeOf(indicator("HT-A-01", based))).toBe(1 + 1 + 1 + 1 + 3 + 3);
    const scored = `hits: { h: { of: HT-A-01, from: accounts, last: 7d, count: episodes } }
scoring:
  indicators: [ { h: { family: f, points: 20, when: hits.h >= 1 } } ]
  reduce: [ { aid: { points: -10, when: "profile.segment == 'aid_worker'" } } ]
alert_when: { any: [ { h: hits.h >= 1 }, { s: score.total >= 9 } ] }
`;
    expect(sizeOf(typology("HT-B", scored))).toBe(3 + 3 + 1 + 3 + 3);
  });

  it("is nothing where nothing can be parsed, and bounded where much is written", () => {
    expect(sizeOf(indicator("HT-A-01", "when: { all: [ { a: 'agg.n >=' } ] }\n"))).toBe(1);
    expect(sizeOf(indicator("HT-A-01", ""))).toBe(0);
    const long = Array.from({ length: 500 }, (_, i) => `{ c${i}: agg.n >= 5 }`).join(", ");
    expect(sizeOf(indicator("HT-A-01", `when: { all: [ ${long} ] }\n`))).toBeLessThan(3 * 125);
  });
});
