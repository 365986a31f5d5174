/**
 * What the language can say is said by the shipped rules: for each primitive and each kind of window a rule is named that
 * uses it, so that all of them are tried by inline tests, mutants and fixtures.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readRuleFiles } from "../../src/files/rules-dir.ts";
import { loadPack } from "../../src/rules/load.ts";
import type { Aggregate, AggregateFunction, Clause, CompiledRule, HitFrom, WindowShape } from "../../src/rules/plan.ts";

/** An aggregate as it stands in a file. */
type Written = Record<string, unknown> & {
  readonly where?: string;
  readonly scope?: { readonly direction?: readonly string[] };
};

/** A shipped rule as it is compiled, and as it stands in its file. */
interface Shipped {
  readonly rule: CompiledRule;
  readonly aggregates: readonly Aggregate[];
  readonly file: Record<string, unknown> & {
    readonly filters?: Record<string, string>;
    readonly aggregates?: Record<string, Written>;
  };
  /** Filters, clauses and steps as text, without tests and words for people. */
  readonly said: string;
}

type Uses = (shipped: Shipped) => boolean;

const FILES = readRuleFiles(join(import.meta.dirname, "../../rules"));
const { pack } = loadPack(FILES, {});
if (pack === undefined) throw new Error("the shipped rules do not compile");
const SHIPPED = new Map(pack.rules.map((rule) => [rule.id, shippedOf(rule)]));

function shippedOf(rule: CompiledRule): Shipped {
  const { text } = FILES.find(({ path }) => path.endsWith(`/${rule.id}.yaml`)) ?? { text: "" };
  const file = parse(text) as Shipped["file"];
  const acting = ["filters", "aggregates", "base", "peer", "hits", "flow", "when", "scoring", "alert_when"];
  const said = JSON.stringify(acting.map((key) => file[key] ?? null));
  const aggregates = rule.aggregates.flatMap(({ slot }) => pack?.aggregates[slot] ?? []);
  return { rule, aggregates, file, said };
}

const has =
  (name: AggregateFunction): Uses =>
  ({ aggregates }) =>
    aggregates.some((one) => one.function === name);
const says =
  (pattern: RegExp): Uses =>
  ({ said }) =>
    pattern.test(said);
const both =
  (...uses: readonly Uses[]): Uses =>
  (shipped) =>
    uses.every((use) => use(shipped));
const windowed =
  (kind: WindowShape["kind"]): Uses =>
  ({ aggregates }) =>
    aggregates.some((one) => one.refined?.window.kind === kind);
const hears =
  (is: (from: HitFrom) => boolean, of: RegExp = /./): Uses =>
  ({ rule }) =>
    rule.hitInputs.some((slot) => {
      const input = pack.hitInputs[slot];
      return input !== undefined && is(input.from) && input.of.some((id) => of.test(id));
    });

/** One aggregate over another whose part is that of the given filter or scope. */
function overOther(word: "ratio" | "share", of: (one: Written) => boolean, over: typeof of): Uses {
  return ({ file }) => {
    const named = (text: string) => file.aggregates?.[text.replace("agg.", "")] ?? {};
    return Object.values(file.aggregates ?? {}).some((one) => {
      const parts = one[word] as { readonly of: string; readonly over: string } | undefined;
      return parts !== undefined && of(named(parts.of)) && over(named(parts.over));
    });
  };
}

const inBand = (one: Written, shipped: Shipped): boolean =>
  (shipped.file.filters?.[one.where ?? ""] ?? "").includes("local_hour_in");
/** What has no scope of its own has the rule's, which is `out` in the rules that are named. */
const goes = (direction: "in" | "out") => (one: Written) =>
  one.scope === undefined ? direction === "out" : one.scope.direction?.join() === direction;

/** Texts of all leaves of a tree. */
const leaves = (clause: Clause): readonly string[] =>
  clause.kind === "leaf" ? [clause.text] : clause.children.flatMap(leaves);

const PRIMITIVES: readonly (readonly [primitive: string, ruleId: string, uses: Uses])[] = [
  ["count", "HT-NIGHT-01", has("count")],
  ["sum", "SM-PEER-07", has("sum")],
  ["least", "CSE-SEXT-07", has("min")],
  ["greatest", "TF-DORM-08", has("max")],
  ["median", "HT-ADS-01", has("median")],
  ["average", "CSE-CVC-06", has("avg")],
  ["distinct values of a field", "SM-FANIN-01", has("distinct")],
  ["first seen", "HT-P2PIN-01", says(/known_for\(other\.id\)/)],
  ["last seen", "TF-DORM-08", has("last_seen")],
  [
    "share in a band of local hours",
    "HT-NIGHT-01",
    (shipped) =>
      overOther(
        "ratio",
        (one) => inBand(one, shipped),
        () => true,
      )(shipped),
  ],
  ["ratio of what goes out to what came in", "HT-GAMB-01", overOther("ratio", goes("out"), goes("in"))],
  ["dwell time", "SM-CASHW-02", both(has("dwell"), has("passed_on"))],
  ["steps in order within a time", "HT-FUNNEL-01", ({ rule }) => (pack.flows[rule.flow ?? -1]?.steps.length ?? 0) >= 2],
  ["cycles of steps", "HT-P2PCVC-01", ({ aggregates }) => aggregates.some((one) => one.completed !== undefined)],
  ["distance", "HT-FUNNEL-02", says(/km\(tx\.act\.cell, profile\.homeCell\)/)],
  ["impossible travel", "TF-GEO-10", says(/faster_than\(\d+ km\)/)],
  ["multiple of the own base line", "TF-SHIFT-11", says(/params\.multiple \* base\.usual/)],
  ["percentile of peers", "SM-PEER-07", says(/agg\.cash >= peer\.nearly_all/)],
  [
    "K of N families",
    "HT-SX",
    ({ rule }) => leaves(rule.typology?.alertWhen as Clause).includes("families.count >= 3"),
  ],
  ["membership of a list", "HT-ADS-01", says(/other\.merchant\.class in lists\./)],
  ["membership of a list of hashed identifiers", "TF-LIST-01", says(/matches_any\(lists\.identifiers_listed\)/)],
  ["class of a payment text", "TF-VAGUE-21", says(/has_class\(lists\./)],
  ["corridor", "SM-FANIN-01", says(/in_corridor\(lists\./)],
  ["one hop along the money", "HT-LAB", hears((from) => from.kind === "upstream" && from.hops === 1)],
  ["several hops along the money", "NX-DUAL-03", hears((from) => from.kind === "downstream" && from.hops >= 2)],
  [
    "accounts of one link",
    "HT-CTRL-01",
    both(
      ({ rule }) => rule.subject === "phone",
      hears((from) => from.kind === "accounts"),
    ),
  ],
  [
    "patterns of two crimes on one subject",
    "NX-DUAL-03",
    both(
      hears((from) => from.kind === "self", /^HT-SX$/),
      hears((from) => from.kind === "self", /^TF$/),
    ),
  ],
  [
    "the same amount to the same payee again and again",
    "NX-TOLL-06",
    says(/past\.other == other\.id && within\(past\.amount, tx\.amount, /),
  ],
  [
    "in, then partly out again",
    "LAB-KICK-03",
    both(says(/past\.direction == 'in'/), ({ rule }) => rule.scope?.direction?.join() === "out"),
  ],
  ["even intervals", "NX-TOLL-06", has("gap_cv")],
  ["one day of the month", "TF-DUES-19", has("same_day_of_month")],
  ["equal amounts", "LAB-RECR-06", has("equal_amount_share")],
  ["largest part of all", "HT-PREPAID-02", has("top_share")],
  ["split by a key", "CSE-CVC-06", ({ aggregates }) => aggregates.some((one) => one.refined?.part !== undefined)],
];

const WINDOWS: readonly (readonly [window: string, ruleId: string, uses: Uses])[] = [
  ["last", "HT-NIGHT-01", ({ aggregates }) => aggregates.every((one) => one.refined === undefined && one.windowMs > 0)],
  ["last N events", "TF-DORM-08", windowed("events")],
  ["calendar", "HT-FOOD-01", windowed("calendar")],
  ["burst", "CSE-SEXT-07", windowed("burst")],
  ["ever", "CSE-CVC-06", ({ aggregates }) => aggregates.some((one) => one.windowMs === Number.POSITIVE_INFINITY)],
  ["flow within", "TF-COLL-03", ({ rule }) => (pack.flows[rule.flow ?? -1]?.withinMs ?? 0) > 0],
];

describe("of the shipped rules", () => {
  it.each([...PRIMITIVES, ...WINDOWS])("%s is used by %s", (_, ruleId, uses) => {
    const shipped = SHIPPED.get(ruleId);
    expect(shipped?.rule.status).toBe("active");
    expect(shipped && uses(shipped)).toBe(true);
  });

  it("every probe tells rules apart: some rule does not use it", () => {
    for (const [name, , uses] of [...PRIMITIVES, ...WINDOWS]) {
      expect([name, [...SHIPPED.values()].every(uses)]).toEqual([name, false]);
    }
  });

  it("there are thirty at least", () => {
    expect(SHIPPED.size).toBeGreaterThanOrEqual(30);
  });
});
