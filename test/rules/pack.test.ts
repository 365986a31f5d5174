import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Channel } from "../../src/domain/tx.ts";
import { context, errorsOf, firstLeaf, indicator, LISTS, load, packOf, ruleOf, TX, typology } from "./build.ts";

const COUNT = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";
const example = (id: string) => ({
  path: `rules/ht/${id}.yaml`,
  text: readFileSync(join(import.meta.dirname, "examples", `${id}.yaml`), "utf8"),
});

describe("the two example rules", () => {
  const stubs = ["HT-ADS-01", "HT-P2PIN-01", "HT-NIGHT-01", "HT-LODGE-01"].map((id) => indicator(id, COUNT));
  const pack = packOf([example("HT-FUNNEL-02"), example("HT-SX"), ...stubs]);

  it("compile: the indicator", () => {
    const rule = ruleOf(pack, "HT-FUNNEL-02");
    expect(rule).toMatchObject({
      kind: "indicator",
      subject: "account",
      selfMayBe: ["victim"],
      suppressForMs: 604_800_000,
    });
    expect(rule.scope).toMatchObject({ rail: ["cash"], direction: ["in"], stage: ["booked", "authorised"] });
    expect(rule.aggregates.map(({ name }) => name)).toEqual(["agg.people", "agg.places"]);
    expect(
      rule.explain.filter((part) => typeof part !== "string").map((part) => typeof part === "object" && part.unit),
    ).toEqual(["count", "count", "distance", "duration"]);
    expect(firstLeaf(rule.when).comparison?.needed(context())).toBe(3);
  });

  it("compile: the typology", () => {
    const rule = ruleOf(pack, "HT-SX");
    expect(rule.typology).toMatchObject({ alertClass: "protected", sla: { class: "victim", withinHours: 24 } });
    expect(rule.typology?.bands.map((band) => [band.severity, band.score])).toEqual([
      ["medium", 45],
      ["high", 60],
      ["critical", 80],
    ]);
    expect(rule.typology?.indicators.map((i) => [i.name, i.family, i.points(context()), i.hitInputs.length])).toEqual([
      ["ads", "advertising", 20, 1],
      ["p2p", "receipts", 20, 1],
      ["funnel", "movement", 25, 1],
      ["nights", "cash", 15, 1],
      ["lodge", "lodging", 15, 1],
    ]);
  });

  it("give a typology without sources and cautions those of what it counts", () => {
    const rule = ruleOf(pack, "HT-SX");
    expect(rule.cautions).toContain("charity collection tins");
    expect(rule.sources.map((s) => s.doc)).toContain("FINTRAC-2016-OA003");
    expect(rule.explain.length).toBeGreaterThan(1);
  });

  it("read ids and classes of hits", () => {
    expect(pack.hitInputs.map((input) => [input.name, input.of, input.from.kind])).toContainEqual([
      "ads",
      ["HT-ADS-01"],
      "accounts",
    ]);
  });
});

describe("the pack hash", () => {
  const text = indicator("HT-X-01", COUNT).text;
  const hash = (files: { path: string; text: string }[], set = {}) => load(files, { set }).pack?.hash;
  const base = hash([{ path: "rules/ht/HT-X-01.yaml", text }]);

  it("does not see comments, key order, paths, owners and tests", () => {
    const lines = text.trim().split("\n");
    const shuffled = `# a comment\n${[...lines.slice(0, -2).reverse(), ...lines.slice(-2)].join("\n")}\nowner: somebody\ntests: [{ kind: fires }]\n`;
    expect(hash([{ path: "elsewhere/HT-X-01.yaml", text: shuffled }])).toBe(base);
    expect(base).toMatch(/^[0-9a-f]{64}$/);
  });

  it("sees meaning, lists, and overrides", () => {
    const params = indicator(
      "HT-X-01",
      `params: { few: { value: 5, range: [2, 9] } }\n${COUNT.replace("5", "params.few")}`,
    );
    const other = hash([params]);
    expect(other).not.toBe(base);
    expect(hash([params], { "HT-X-01.few": "4" })).not.toBe(other);
    const list = { path: "rules/lists/more.yaml", text: LISTS[0]!.text.replaceAll("mcc_air", "more") };
    expect(hash([{ path: "rules/ht/HT-X-01.yaml", text }, list])).not.toBe(base);
  });

  it("leaves out drafts and retired rules, which are checked all the same", () => {
    const draft = indicator("HT-X-02", COUNT, { status: "draft" });
    const pack = packOf([indicator("HT-X-01", COUNT), draft]);
    expect(pack.rules.map((rule) => rule.id)).toEqual(["HT-X-01"]);
    expect(pack.hash).toBe(base);
    expect(pack.measures).toHaveLength(1);
    expect(
      errorsOf([indicator("HT-X-02", "when: { all: [ { a: agg.n >= 3 } ] }\n", { status: "retired" })]),
    ).toHaveLength(1);
  });

  it("does not depend on the order of files", () => {
    const files = ["HT-A-01", "HT-B-01", "HT-C-01"].map((id) => indicator(id, COUNT));
    const forward = packOf(files);
    const backward = packOf([...files].reverse());
    expect(backward.hash).toBe(forward.hash);
    expect(JSON.stringify(backward)).toBe(JSON.stringify(forward));
  });
});

describe("overrides", () => {
  const rule = indicator(
    "HT-X-01",
    "params: { few: { value: 5, range: [2, 9] }, window: { value: 7d, range: [1d, 30d] } }\n" +
      "aggregates: { n: { count: events, last: params.window } }\nwhen: { all: [ { many: agg.n >= params.few } ] }\n",
  );

  it("take the place of values", () => {
    const pack = packOf([rule], { set: { "HT-X-01.few": "3", "HT-X-01.window": "48h" } });
    expect(firstLeaf(pack.rules[0]?.when).comparison?.needed(context())).toBe(3);
    expect(pack.aggregates[0]?.windowMs).toBe(48 * 3_600_000);
  });

  it.each([
    ["HT-X-01.few", "10", "is outside the range"],
    ["HT-X-01.few", "7d", "the parameter is a plain number, not a duration"],
    ["HT-X-01.few", "lots", "is no value"],
    ["HT-X-01.fewer", "3", "the rule has no parameter `fewer`"],
    ["HT-X-02.few", "3", "names no rule"],
    ["few", "3", "names no rule"],
    ["__proto__.few", "3", "names no rule"],
  ])("%s=%s is refused", (key, value, message) => {
    const errors = errorsOf([rule], { set: { [key]: value } });
    expect(errors).toEqual([expect.stringContaining(message)]);
    expect(errors[0]).toMatch(/^E070/);
  });
});

describe("ids and files", () => {
  it("must agree and differ from each other", () => {
    const rule = indicator("HT-X-01", COUNT);
    expect(errorsOf([{ ...rule, path: "rules/ht/HT-X-02.yaml" }])).toEqual([expect.stringMatching(/^E040/)]);
    expect(errorsOf([rule, { ...rule, path: "rules/tf/HT-X-01.yaml" }])).toEqual([expect.stringMatching(/^E041/)]);
    expect(errorsOf([LISTS[0]!])).toEqual([expect.stringMatching(/^E041/)]);
  });

  it("hold one known schema", () => {
    const problem = (text: string) => errorsOf([{ path: "x.yaml", text }]).map((e) => e.slice(0, 4));
    expect(problem("")).toEqual(["E005"]);
    expect(problem("- a\n- b\n")).toEqual(["E005"]);
    expect(problem("title: x\n")).toEqual(["E011"]);
    expect(problem("schema: rule/v2\n")).toEqual(["E013"]);
    expect(problem("schema: rule/v1\n")).toEqual(["E011", "E011"]);
  });
});

describe("hit inputs", () => {
  const counting = (id: string, of: string, from = "self") =>
    typology(
      id,
      `hits: { x: { of: ${of}, from: ${from}, last: 30d } }\nalone: { because: "a cited point" }\nalert_when: { all: [ { x: hits.x >= 1 } ] }\n`,
    );

  it("resolve prefixes to indicators and never to typologies", () => {
    const files = [
      indicator("HT-A-01", COUNT),
      indicator("HT-A-02", COUNT),
      counting("HT-A-SUM", "HT-*"),
      counting("HT-B-SUM", "HT-*"),
    ];
    const pack = packOf(files);
    expect(pack.hitInputs.map((input) => input.of)).toEqual([
      ["HT-A-01", "HT-A-02"],
      ["HT-A-01", "HT-A-02"],
    ]);
  });

  it("refuse circles", () => {
    const errors = errorsOf([counting("HT-A", "HT-B"), counting("HT-B", "HT-C"), counting("HT-C", "HT-A")]);
    expect(errors).toEqual([expect.stringMatching(/^E048 .*circle: HT-A -> HT-B -> HT-C -> HT-A$/)]);
    expect(errorsOf([counting("HT-A", "HT-A")])).toContainEqual(expect.stringMatching(/^E048 .*its own hits$/));
  });

  it("let marks travel away from the flagged entity, as far as some rule looks", () => {
    const files = [
      indicator("HT-A-01", COUNT),
      indicator("HT-A-02", COUNT),
      counting("HT-UP", "HT-A-01", "upstream(2)"),
      counting("HT-UP3", "HT-A-01", "upstream(3)"),
      counting("HT-DOWN", "[HT-A-01, HT-A-02]", "downstream(1)"),
    ];
    const pack = packOf(files);
    expect(ruleOf(pack, "HT-A-01").marks).toEqual({ downstream: 3, upstream: 1 });
    expect(ruleOf(pack, "HT-A-02").marks).toEqual({ downstream: 0, upstream: 1 });
    expect(ruleOf(pack, "HT-UP").marks).toEqual({ downstream: 0, upstream: 0 });
  });

  it("leave out rules that are not in force, with a warning", () => {
    const { pack, diagnostics } = load([indicator("HT-A-01", COUNT, { status: "draft" }), counting("HT-B", "HT-A-01")]);
    expect(pack?.hitInputs.map((input) => input.of)).toEqual([[]]);
    expect(diagnostics.map((d) => d.code)).toContain("W104");
  });

  it("read their count", () => {
    const pack = packOf([indicator("HT-A-01", COUNT), counting("HT-B", "HT-A-01")]);
    const leaf = firstLeaf(ruleOf(pack, "HT-B").typology?.alertWhen);
    expect([0, 1].map((n) => leaf.test(context({ hits: () => n })))).toEqual([false, true]);
  });
});

describe("the scope of a typology", () => {
  const scoped = (aggregates: string) =>
    typology(
      "HT-T",
      `scope: { rail: [cash] }\naggregates: ${aggregates}\nhits: { a: { of: HT-A-01, from: self, last: 30d } }\n` +
        "alert_when: { all: [ { hit: hits.a >= 1 }, { n: agg.n >= 1 } ] }\nalone: { because: x }\n",
    );

  it("is that of its aggregates which have none", () => {
    const { measures } = packOf([
      indicator("HT-A-01", COUNT),
      scoped("{ n: { count: events, last: 3d }, m: { count: events, last: 3d, scope: { rail: [card] } } }"),
    ]);
    const own = measures.filter(({ subject }) => subject === "party");
    expect(own.map(({ scope }) => scope.rail).sort()).toEqual([["card"], ["cash"]]);
  });

  it("is refused where none takes it", () => {
    const files = [indicator("HT-A-01", COUNT), scoped("{ n: { count: events, last: 3d, scope: { rail: [card] } } }")];
    expect(errorsOf(files)).toEqual([expect.stringMatching(/^E010 11:1 `scope` bounds nothing here/)]);
  });
});

describe("a flow with `remote: counts`", () => {
  const until = (remote: string) => {
    const steps =
      "steps: [ { a: { scope: { direction: [in] }, keep: { n: { count: events }, places: { set: tx.act.place } }, " +
      "until: { all: [ { n: a.n >= 2 } ] } } }, " +
      "{ b: { until: { all: [ { away: '!(tx.act.place in a.places)' }, { much: tx.amount > 1 EUR } ] } } } ]";
    const { flows } = packOf([indicator("HT-A-01", `flow: { within: 3d, ${remote}${steps} }\n`)]);
    return firstLeaf(flows[0]?.steps[1]?.until);
  };
  const at = (channel: Channel | undefined, actPlace: string | undefined) =>
    context({ tx: { ...TX, channel, actPlace }, aggHas: () => true });

  it("takes a movement from afar as one at none of the places", () => {
    const { test } = until("remote: counts, ");
    const channels = ["online", "mobile", "phone", "chain", "branch", "atm", "pos", "agent", undefined] as const;
    expect(channels.map((channel) => test(at(channel, undefined)))).toEqual([
      ...[true, true, true, true],
      ...Array.from({ length: 5 }, () => undefined),
    ]);
    expect(test(at("online", "here"))).toBe(false);
  });

  it("and does not know without it", () => {
    expect(until("").test(at("online", undefined))).toBeUndefined();
  });
});

describe("flows", () => {
  const body = [
    "params: { dwell: { value: 72h, range: [6h, 7d], step: 6h } }",
    "flow:",
    "  within: 10d",
    "  steps:",
    "    - collect:",
    "        scope: { rail: [cash], direction: [in] }",
    "        keep: { deposits: { count: events }, total: { sum: tx.amount }, cities: { set: tx.act.place, cap: 32 } }",
    "        until: { all: [ { many: collect.deposits >= 5 }, { enough: collect.total >= 3000 EUR } ] }",
    "    - drain:",
    "        scope: { rail: [transfer, cash], direction: [out] }",
    "        starts_within: params.dwell",
    "        keep: { total: { sum: tx.amount } }",
    "        until: { all: [ { emptied: drain.total >= 80% * collect.total }, { elsewhere: '!(tx.act.place in collect.cities)' } ] }",
    "  cancel_on: { scope: { purpose: [wage], direction: [in] } }",
    "when: { all: [ { soon: drain.gap <= 2d } ] }",
    "explain: '{collect.deposits} deposits, first payment out {drain.gap} later'",
    "",
  ].join("\n");
  const pack = packOf([indicator("HT-X-01", body)]);
  const flow = pack.flows[0];

  it("compile their steps", () => {
    expect(flow).toMatchObject({ slot: 0, withinMs: 864_000_000 });
    expect(flow?.steps.map((step) => [step.name, step.aggregates.length, step.startsWithinMs])).toEqual([
      ["collect", 3, undefined],
      ["drain", 1, 259_200_000],
    ]);
    expect(flow?.cancelOn?.scope.purpose).toEqual(["wage"]);
    expect(pack.rules[0]).toMatchObject({ flow: 0 });
  });

  it("keep aggregates of their own over the flow's bound", () => {
    const kept = pack.aggregates.map((a) => [a.function, a.windowMs, a.flow?.step]);
    expect(kept).toEqual([
      ["count", 864_000_000, 0],
      ["sum", 864_000_000, 0],
      ["distinct", 864_000_000, 0],
      ["sum", 864_000_000, 1],
    ]);
    expect(pack.rules[0]?.aggregates.map((a) => a.name)).toEqual([
      "collect.deposits",
      "collect.total",
      "collect.cities",
      "drain.total",
    ]);
  });

  it("ask the set of a step", () => {
    const until = flow?.steps[1]?.until;
    const elsewhere = until?.kind === "all" ? until.children[1] : undefined;
    const tx = { ...TX, actPlace: "B" };
    const asked = (answer: boolean | undefined) =>
      elsewhere?.kind === "leaf" &&
      elsewhere.test(context({ tx, aggHas: (_slot, key) => (key === "B" ? answer : false) }));
    expect([asked(true), asked(false), asked(undefined)]).toEqual([false, true, undefined]);
  });

  it("measure the gap between steps", () => {
    const leaf = firstLeaf(pack.rules[0]?.when);
    const times = { first: [0, 9], last: [5, 9] };
    const c = context({ flowTime: (_flow, step, which) => times[which][step] });
    expect(leaf.comparison?.observed(c)).toBe(4);
    expect(leaf.test(context())).toBeUndefined();
  });

  it("need two steps, and no set of another kind", () => {
    const flowOf = (steps: string) => indicator("HT-X-01", `flow: { within: 7d, steps: ${steps} }\n`);
    const step = (name: string, clause: string) =>
      `{ ${name}: { keep: { n: { count: events }, p: { set: tx.act.place } }, until: { all: [ { c: ${clause} } ] } } }`;
    expect(errorsOf([flowOf(`[ ${step("a", "a.n >= 2")} ]`)])).toEqual([expect.stringMatching(/^E012 .*2 to 6 steps/)]);
    const countries = step("b", "tx.act.country in a.p");
    expect(errorsOf([flowOf(`[ ${step("a", "a.n >= 2")}, ${countries} ]`)])).toEqual([expect.stringMatching(/^E029/)]);
    expect(errorsOf([flowOf(`[ ${step("a", "a.gap >= 2d")}, ${step("b", "b.n >= 2")} ]`)])).toEqual([
      expect.stringMatching(/^E021/),
    ]);
  });
});
