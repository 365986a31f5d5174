/** A small pack that makes much of little: counts, sums, distinct senders, a flow, and a typology over a party's accounts. */
import { type Loaded, loadPack } from "../../src/rules/load.ts";

const RATES = `
schema: list/v1
id: rates
type: rates
title: Fictional rates
owner: test
source: fictional
version: 1
reviewBy: 2030-01-01
base: EUR
entries:
  - { from: 2020-01-01, rates: { USD: "1.10" } }
`;

const RULES: Readonly<Record<string, string>> = {
  "S-IN": rule(
    "indicator",
    "S-IN",
    `
subject: account
scope: { direction: [in] }
aggregates:
  n: { count: events, last: 2h }
  total: { sum: tx.amount, last: 2h }
  senders: { distinct: other.id, last: 1h, cap: 8 }
when:
  all:
    - many: agg.n >= 3
    - sum: agg.total >= 300 EUR
    - spread: agg.senders >= 2
`,
  ),
  "S-OUT": rule(
    "indicator",
    "S-OUT",
    `
subject: account
scope: { direction: [out] }
aggregates:
  biggest: { max: tx.amount, last: 90m }
  sum: { sum: tx.amount, last: 90m }
when:
  all:
    - big: agg.biggest >= 250 EUR
    - sum: agg.sum >= 400 EUR
`,
  ),
  "S-FLOW": rule(
    "indicator",
    "S-FLOW",
    `
subject: account
flow:
  within: 3h
  steps:
    - collect:
        scope: { direction: [in] }
        keep: { total: { sum: tx.amount }, n: { count: events } }
        until: { all: [ { some: collect.n >= 2 } ] }
    - drain:
        scope: { direction: [out] }
        starts_within: 1h
        keep: { total: { sum: tx.amount } }
        until: { all: [ { emptied: drain.total >= 50% * collect.total } ] }
`,
  ),
  "S-ACCOUNT": rule(
    "typology",
    "S-ACCOUNT",
    `
subject: account
hits:
  came: { of: S-IN, from: self, last: 3h, count: episodes }
  ran: { of: S-FLOW, from: self, last: 3h, count: sources }
scoring:
  indicators:
    - came: { family: receipts, points: 40, when: hits.came >= 1 }
    - ran: { family: passing, points: 40, when: hits.ran >= 1 }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 30, high: 70 }
suppress: { for: 6h }
`,
  ),
  "S-PARTY": rule(
    "typology",
    "S-PARTY",
    `
subject: party
hits:
  came: { of: S-IN, from: accounts, last: 3h, count: episodes }
  left: { of: S-OUT, from: accounts, last: 3h, count: episodes }
  ran: { of: S-FLOW, from: accounts, last: 3h, count: sources }
scoring:
  indicators:
    - came: { family: receipts, points: 30, when: hits.came >= 1 }
    - left: { family: spending, points: 30, when: hits.left >= 1 }
    - ran: { family: passing, points: 30, when: hits.ran >= 1 }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 40, high: 80 }
suppress: { for: 6h }
`,
  ),
};

/** Follows hits along money, and typologies upon typologies. */
const MARKING: Readonly<Record<string, string>> = {
  "S-NEXUS": rule(
    "typology",
    "S-NEXUS",
    `
subject: party
hits:
  mine: { of: S-PARTY, from: self, last: 1d, count: episodes }
  up: { of: S-FLOW, from: upstream(2), last: 1d, count: sources }
  down: { of: S-PARTY, from: downstream(2), last: 1d, count: sources }
scoring:
  indicators:
    - mine: { family: own, points: 40, when: hits.mine >= 1 }
    - up: { family: upstream, points: 40, when: hits.up >= 1 }
    - down: { family: downstream, points: 20, when: hits.down >= 1 }
alert_when: { all: [ { two: families.count >= 2 } ] }
severity: { medium: 40, high: 90 }
suppress: { for: 6h }
`,
  ),
};

export interface Rules {
  readonly pack: NonNullable<Loaded["pack"]>;
  readonly lists: Loaded["lists"];
}

/** Compiles it, or an edited one: another threshold, a wider window, a measure more. Throws when it has an error. */
export function loadRules({ marks = false, edited = false } = {}): Rules {
  const files = Object.entries(marks ? { ...RULES, ...MARKING } : RULES).map(([id, text]) => ({
    path: `rules/simulation/${id}.yaml`,
    text: edited ? edit(text) : text,
  }));
  const { pack, lists, diagnostics } = loadPack([...files, { path: "rules/lists/rates.yaml", text: RATES }]);
  if (pack === undefined) throw new Error(JSON.stringify(diagnostics));
  return { pack, lists };
}

function edit(text: string): string {
  return text
    .replace("many: agg.n >= 3", "many: agg.n >= 2")
    .replace("biggest: { max: tx.amount, last: 90m }", "biggest: { max: tx.amount, last: 2h }")
    .replace(
      "sum: { sum: tx.amount, last: 90m }",
      "sum: { sum: tx.amount, last: 90m }\n  times: { count: events, last: 90m }",
    )
    .replace("sum: agg.sum >= 400 EUR", "sum: agg.sum >= 300 EUR\n    - often: agg.times >= 2");
}

function rule(kind: "indicator" | "typology", id: string, body: string): string {
  return `
schema: rule/v1
kind: ${kind}
id: ${id}
version: 1
title: Pattern ${id} of the simulation
crime: human_trafficking
status: active
owner: test
sources: [ { doc: FIN-2020-A008, point: test } ]
explain: "a pattern of the simulation"
cautions: [ordinary life]
${body}
tests: []
`;
}
