import { describe, expect, it } from "vitest";
import { DIAGNOSTICS } from "../../src/rules/diagnostics.ts";
import { loadPack } from "../../src/rules/load.ts";
import { indicator, LISTS } from "./build.ts";

const WHEN = "when: { all: [ { a: agg.x >= 1 }, { solid: tx.amount > 1 EUR } ] }\n";
const aggregate = (text: string) => `aggregates: { x: ${text}, n: { count: events, last: 1d } }\n${WHEN}`;
const money = (text: string) => aggregate(text).replace("agg.x >= 1", "agg.x >= 1 EUR");
const PLAIN = aggregate("{ count: events, last: 7d }");
const base = (text: string) =>
  `aggregates: { n: { count: events, last: 1d } }\nbase: { b: { of: agg.n, stat: mean, over: 30d, ${text} } }\n` +
  "when: { all: [ { a: agg.n >= base.b }, { solid: tx.amount > 1 EUR } ] }\n";
const peer = (text: string) =>
  `aggregates: { n: { count: events, last: 1d } }\npeer: { b: { of: agg.n, ${text} } }\n` +
  "when: { all: [ { a: agg.n >= peer.b }, { solid: tx.amount > 1 EUR } ] }\n";
const flow = (text: string) =>
  `flow: { within: 3d, ${text} }\naggregates: { x: { completed: flow, last: 30d } }\n${WHEN}`;
const steps = (keep: string) =>
  `steps: [ { a: { keep: { n: { count: events } }, until: { all: [ { n: a.n >= 1 } ] } } }, ` +
  `{ b: { ${keep}until: { all: [ { m: tx.amount > 1 EUR } ] } } } ]`;
const hits = (text: string) =>
  `hits: { h: { of: HT-A-01, from: self, last: 30d${text} } }\nwhen: { all: [ { a: hits.h >= 1 }, { solid: tx.amount > 1 EUR } ] }\n`;

/** Every key that takes a value of an author's own: the rule around that value, and a value that is sound there. */
const PLACES: Readonly<Record<string, readonly [(value: string) => string, string]>> = {
  matching: [(v) => aggregate(`{ count: events, matching: ${v}, last: 7d }`), "past.amount > 1 EUR"],
  "past of": [(v) => money(`{ sum: ${v}, matching: past.amount > 1 EUR, last: 7d }`), "past.amount"],
  "past last": [(v) => aggregate(`{ count: events, matching: past.amount > 1 EUR, last: ${v} }`), "7d"],
  dwell: [(v) => aggregate(`{ dwell: ${v}, last: 7d }`).replace(">= 1", ">= 1h"), "events"],
  passed_on: [(v) => aggregate(`{ passed_on: ${v}, last: 7d }`).replace(">= 1", ">= 50%"), "24h"],
  by: [(v) => aggregate(`{ count: events, by: ${v}, last: 7d }`), "other.id"],
  cap: [(v) => aggregate(`{ count: events, by: other.id, last: 7d, cap: ${v} }`), "9"],
  include_current: [(v) => aggregate(`{ count: events, last: 7d, include_current: ${v} }`), "false"],
  calendar: [(v) => aggregate(`{ count: events, calendar: ${v} }`), "week"],
  tz: [(v) => aggregate(`{ count: events, calendar: day, tz: ${v} }`), "Europe/Berlin"],
  burst: [(v) => aggregate(`{ count: events, burst: ${v} }`), "{ gap: 1h }"],
  "burst gap": [(v) => aggregate(`{ count: events, burst: { gap: ${v} } }`), "1h"],
  "burst most": [(v) => aggregate(`{ count: events, burst: { gap: 1h, most: ${v} } }`), "3d"],
  last: [(v) => aggregate(`{ count: events, last: ${v} }`), "10 events"],
  ratio: [(v) => aggregate(`{ ratio: ${v} }`).replace(">= 1", ">= 50%"), "{ of: agg.n, over: agg.n }"],
  "ratio of": [(v) => aggregate(`{ ratio: { of: ${v}, over: agg.n } }`).replace(">= 1", ">= 50%"), "agg.n"],
  completed: [(v) => flow(steps("")).replace("completed: flow", `completed: ${v}`), "flow"],
  "completed last": [(v) => flow(steps("")).replace("last: 30d", `last: ${v}`), "9d"],
  remote: [(v) => flow(`remote: ${v}, ${steps("")}`), "counts"],
  "keep by": [(v) => flow(steps(`keep: { m: { max_of: events, by: ${v} } }, `)), "other.id"],
  starts_within: [(v) => flow(steps(`starts_within: ${v}, `)), "1d"],
  "base skip": [(v) => base(`skip: ${v}`), "2d"],
  "base step": [(v) => base(`step: ${v}`), "1d"],
  "base min_samples": [(v) => base(`min_samples: ${v}`), "9"],
  "base floor": [(v) => base(`floor: ${v}`), "3"],
  "base stat": [(v) => base("skip: 1d").replace("stat: mean", `stat: ${v}`), "mad"],
  "base over": [(v) => base("skip: 1d").replace("over: 30d", `over: ${v}`), "60d"],
  "base of": [(v) => base("skip: 1d").replace("of: agg.n", `of: ${v}`), "agg.n"],
  base: [
    (v) => `base: ${v}\n${aggregate("{ count: events, last: 7d }")}`,
    "{ b: { of: agg.x, stat: mean, over: 60d } }",
  ],
  "peer group": [(v) => peer(`group: ${v}, percentile: 95`), "segment"],
  "peer percentile": [(v) => peer(`group: segment, percentile: ${v}`), "95"],
  peer: [
    (v) => `peer: ${v}\n${aggregate("{ count: events, last: 7d }")}`,
    "{ b: { of: agg.x, group: segment, percentile: 95 } }",
  ],
  emit: [(v) => `${PLAIN}emit: ${v}\n`, "{ attrs: { y: tx.amount } }"],
  "emit attrs": [(v) => `${PLAIN}emit: { attrs: ${v} }\n`, "{ y: tx.amount }"],
  "emit attr": [(v) => `${PLAIN}emit: { attrs: { y: ${v} } }\n`, "tx.amount"],
  "hits attrs": [(v) => hits(`, attrs: ${v}`), "{ y: { sum: paid } }"],
  "hits attr": [(v) => hits(`, attrs: { y: ${v} }`), "{ sum: paid }"],
  "hits from": [(v) => hits("").replace("from: self", `from: ${v}`), "linked(phone)"],
  "hits of": [(v) => hits("").replace("of: HT-A-01", `of: ${v}`), "[HT-A-01]"],
  exceptions: [(v) => `${PLAIN}exceptions: ${v}\n`, "{ known: { fields: [other.id] } }"],
};

const many = (part: (i: number) => string, count: number): string =>
  Array.from({ length: count }, (_, i) => part(i)).join(", ");

/** Values that nobody writes by accident. */
const VALUES: Readonly<Record<string, string>> = {
  "a huge number": "9".repeat(400),
  "a number beyond all": "1e400",
  "no number": ".nan",
  "less than nothing": "-5",
  "a list": "[a, b]",
  "a list of lists": `${"[".repeat(20)}a${"]".repeat(20)}`,
  "ten thousand entries": `[${many((i) => `e${i}`, 9_000)}]`,
  "a mapping": "{ a: b, c: [d] }",
  "a deep mapping": `${"{ a: ".repeat(20)}b${" }".repeat(20)}`,
  "a mapping of thousands": `{ ${many((i) => `k${i}: 1`, 3_000)} }`,
  "the prototype": "__proto__",
  "a constructor": "constructor.constructor",
  "a mapping of the prototype": "{ __proto__: { of: agg.n }, constructor: { prototype: 1 } }",
  "a long text": "x".repeat(5_000),
  "many brackets": `"${"(".repeat(500)}1${")".repeat(500)}"`,
  "a long sum": `"${Array.from({ length: 400 }, () => "agg.n").join(" + ")}"`,
  "a long alternative": `"${Array.from({ length: 300 }, () => "f").join(" || ")}"`,
  "control characters": '"\\0\\x1b[31m"',
  "no letters": '"\u{1F4A3}\u202E"',
  nothing: '""',
};

describe("hostile values of the newer keys", () => {
  const other = indicator("HT-A-01", `${PLAIN}emit: { attrs: { paid: tx.amount } }\n`);
  const places = Object.entries(PLACES).map(([place, [body, sound]]) => ({ place, body, sound }));
  const check = (body: string) => {
    const file = indicator("HT-X-01", body);
    const { pack, diagnostics } = loadPack([...LISTS, other, file]);
    return { pack, lines: file.text.split("\n"), found: diagnostics.filter((d) => d.file === file.path) };
  };

  it.each(places)("are refused for their value at $place: a sound one is taken", ({ body, sound }) => {
    const { pack, found } = check(body(sound));
    expect(found.filter((d) => d.severity === "error")).toEqual([]);
    expect(pack).toBeDefined();
  });

  it.each(places)("are refused at $place, with line and column, in bounded time", ({ place, body }) => {
    for (const [what, value] of Object.entries(VALUES)) {
      // A hit may carry a number of its author's own.
      if (place === "emit attr" && what === "less than nothing") continue;
      const started = performance.now();
      const { pack, lines, found } = check(body(value));
      expect(performance.now() - started, what).toBeLessThan(2_000);
      expect([what, pack]).toEqual([what, undefined]);
      expect(found.some(({ severity }) => severity === "error")).toBe(true);
      for (const { code, line, column, message } of found) {
        expect(Object.keys(DIAGNOSTICS)).toContain(code);
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
        expect(message.length).toBeLessThan(300);
      }
    }
  });

  it("leave the prototype of objects alone", () => {
    for (const { body } of places) check(body(VALUES["a mapping of the prototype"] ?? ""));
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).of).toBeUndefined();
  });
});
