import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../src/intake/decode.ts";
import { type Mapping, readMapping } from "../../src/intake/mapping.ts";
import { rates } from "./support.ts";

const REQUIRED = `
  txId: { from: id }
  occurredAt: "2026-03-04T10:11:12Z"
  rail: transfer
  amount: { from: amount }
  currency: EUR
  debtor.kind: cash
  creditor.kind: cash`;

function mappingOf(fields: string): Mapping {
  const { mapping, diagnostics } = readMapping({ path: "m.yaml", text: `schema: mapping/v1\nfields:${fields}\n` });
  if (mapping === undefined) throw new Error(JSON.stringify(diagnostics));
  return mapping;
}

/** One field of a mapped record. */
function mapped(field: string, source: unknown, place = {}): unknown {
  const [name = ""] = field.split(":");
  const fields = REQUIRED.split("\n").filter((line) => !line.startsWith(`  ${name}:`));
  const result = mappingOf(`${fields.join("\n")}\n  ${field}`).map(source, place);
  if ("code" in result) return `${result.code} ${result.field}: ${result.expected}; ${result.found}`;
  return name
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], result.value);
}

function findings(text: string): string[] {
  const { mapping, diagnostics } = readMapping({ path: "m.yaml", text });
  expect(mapping).toBeUndefined();
  return diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`);
}

describe("sources", () => {
  test.each([
    ["txId: { from: a.b.1.c }", { a: { b: [{}, { c: "x" }] } }, "x"],
    ["txId: { from: a.b }", { "a.b": "whole", a: { b: "path" } }, "whole"],
    ["txId: { from: a }", { a: " x " }, "x"],
    ["txId: { from: a }", { a: 12 }, "12"],
    ["txId: { from: a }", { a: false }, "false"],
    ["txId: { from: a }", { a: "" }, undefined],
    ["txId: { from: a }", { a: null }, undefined],
    ["txId: { from: a }", {}, undefined],
    ["txId: { from: toString }", {}, undefined],
    ["txId: { from: __proto__.x }", {}, undefined],
    ["txId: { from: a, default: none }", {}, "none"],
    ['txId: { template: "{a}-{b.c}!" }', { a: 1, b: { c: 2 } }, "1-2!"],
    ['txId: { template: "{a}-{b}" }', { a: 1 }, undefined],
    ["txId: [ { from: a }, { from: b } ]", { b: "second" }, "second"],
    ["rail: p2p", {}, "p2p"],
    ["debtor.own: true", {}, true],
    ["travel.nights: 3", {}, 3],
    ["debtor.links.0.token: { from: a }", { a: "x" }, "x"],
  ])("%s of %j is %j", (field, source, value) => {
    expect(mapped(field, source)).toEqual(value);
  });

  test("row and line are positions in the file, filled up with zeros on request", () => {
    expect(mapped('txId: { template: "{row:4}/{line}" }', {}, { row: 12, line: 13 })).toBe("0012/13");
    expect(mapped('txId: { template: "{row}" }', {})).toMatch(/^MAPPING txId: a template without \{row\}/);
  });

  test("a list or an object is no value", () => {
    expect(mapped("txId: { from: a }", { a: [1] })).toBe("MAPPING txId: a single value; a text of 6 characters");
  });

  test.each([null, 1, "x", true])("%j is no record", (source) => {
    expect(mapped("txId: { from: a }", source)).toMatch(/^MAPPING : an object or a row/);
  });
});

describe("conversions", () => {
  test.each([
    ["rail: { from: a, map: { T: transfer, C: cash } }", "C", "cash"],
    ["rail: { from: a, map: { T: transfer }, otherwise: p2p }", "X", "p2p"],
    ["rail: { from: a, map: { T: transfer } }", "X", 'MAPPING rail: one of T, or `otherwise`; "X"'],
    ['debtor.own: { from: a, map: { D: "true", C: "false" } }', "C", false],
    ["debtor.own: { from: a }", "TRUE", true],
    ["debtor.own: { from: a }", "yes", 'MAPPING debtor.own: true or false; "yes"'],
    ["travel.nights: { from: a }", "2.5", 'MAPPING travel.nights: a whole number; "2.5"'],
    ['amount: { from: a, decimal: "," }', "1.234.567,50", "1234567.50"],
    ['amount: { from: a, decimal: "." }', "1,234.5", "1234.5"],
    ['amount: { from: a, decimal: "." }', "007", "7"],
    ['amount: { from: a, decimal: "." }', "-7", "-7"],
    ["amount: { from: a, absolute: true }", "-7.10", "7.10"],
    ['amount: { from: a, decimal: "," }', "12,5,0", 'MAPPING amount: a number with "," before the decimals; "12,5,0"'],
    ["amount: { from: a, minor_units: 2 }", "1250", "12.50"],
    ["amount: { from: a, minor_units: 2 }", "5", "0.05"],
    ["amount: { from: a, minor_units: 0 }", "5", "5"],
    ["amount: { from: a, minor_units: 3, absolute: true }", "-0012345", "12.345"],
    ["amount: { from: a, minor_units: 2 }", "12.50", 'MAPPING amount: a whole number of minor units; "12.50"'],
    ["occurredAt: { from: a, time: rfc3339 }", "2026-03-04T10:11:12Z", "2026-03-04T10:11:12Z"],
    ["occurredAt: { from: a, time: epoch_s }", "1772619072", "2026-03-04T10:11:12Z"],
    ["occurredAt: { from: a, time: epoch_ms }", "1772619072345", "2026-03-04T10:11:12.345Z"],
    ["occurredAt: { from: a, time: day, start: 2023-12-31 }", "149", "2024-05-28T00:00:00Z"],
    ['occurredAt: { from: a, time: "yyyy/MM/dd HH:mm" }', "2022/09/01 00:20", "2022-09-01T00:20:00Z"],
    ['occurredAt: { from: a, time: "dd.MM.yyyy", offset: "+02:00" }', "05.11.2026", "2026-11-05T00:00:00+02:00"],
    ['occurredAt: { from: a, time: "yyyyMMddTHHmmss.SSS" }', "20260304T101112.345", "2026-03-04T10:11:12.345Z"],
    [
      'occurredAt: { from: a, time: "dd.MM.yyyy" }',
      "31.02.2026",
      'MAPPING occurredAt: a time in the format of the mapping; "31.02.2026"',
    ],
    [
      "occurredAt: { from: a, time: epoch_s }",
      "soon",
      'MAPPING occurredAt: a time in the format of the mapping; "soon"',
    ],
  ])("%s of %s is %j", (field, text, value) => {
    expect(mapped(field, { a: text })).toEqual(value);
  });

  test("conditions", () => {
    const field = "debtor.account: { from: a, when: { from: d, in: [D, X] } }";
    expect(mapped(field, { a: "1", d: "D" })).toBe("1");
    expect(mapped(field, { a: "1", d: "C" })).toBeUndefined();
    expect(mapped(field, { a: "1" })).toBeUndefined();
    expect(mapped("debtor.account: { from: a, when: { from: d, not_in: D } }", { a: "1" })).toBe("1");
  });
});

describe("errors of the file", () => {
  test("all at once, each with its place", () => {
    const text = [
      "schema: mapping/v2",
      "sauce: csv",
      "delimiter: ;;",
      "fields:",
      "  txId: { from: a, template: b }",
      "  ocurredAt: { from: t }",
      "  occurredAt: { from: t, time: day }",
      "  rail: { map: { a: b } }",
      "  amount: { from: a, decimal: x, minor_units: 99 }",
      '  currency: { template: "{a" }',
      "  debtor.own: maybe",
      '  debtor.kind: { from: k, time: "hh:mm" }',
      "  creditor.kind: { from: k, when: { from: x } }",
    ].join("\n");
    expect(findings(text)).toEqual([
      "E013 1:9",
      "E010 2:1",
      "E016 3:12",
      "E012 5:30",
      "E021 6:3",
      "E016 7:32",
      "E011 8:9",
      "E013 9:31",
      "E017 9:47",
      "E016 10:26",
      "E016 11:15",
      "E016 12:34",
      "E011 13:35",
    ]);
  });

  test("required fields that nothing is mapped to", () => {
    const { diagnostics } = readMapping({ path: "m.yaml", text: "schema: mapping/v1\nfields: { txId: x }" });
    expect(diagnostics.map(({ message }) => message)).toContain("a mapping to tx/1 needs `occurredAt`");
    expect(diagnostics).toHaveLength(6);
  });

  test.each(["", "- a", "fields: 1", "schema: [", "a: &x 1\nb: *x", "schema: mapping/v1\nschema: mapping/v1"])(
    "%j",
    (text) => {
      expect(findings(text).length).toBeGreaterThan(0);
    },
  );

  test("fields of other records", () => {
    const text =
      "schema: mapping/v1\nrecord: party/1\nfields:\n  validFrom: { from: a }\n  account: { from: b }\n  holders.0.party: { from: c }\n";
    expect(readMapping({ path: "m.yaml", text }).mapping?.record).toBe("party/1");
  });
});

test("foreign JSON of a topic becomes a movement", () => {
  const mapping = mappingOf(REQUIRED.replace("{ from: amount }", "{ from: payment.cents, minor_units: 2 }"));
  const decoder = createDecoder({ rates, mapping });
  const good = decoder.decodeJson(Buffer.from('{"id": 7, "payment": {"cents": 1250}}'));
  expect(good).toMatchObject({ kind: "tx", tx: { id: "7", amountMinor: 1250 } });
  expect(decoder.decodeJson('{"id": 7, "payment": {"cents": "x"}}')).toMatchObject({ reject: { code: "MAPPING" } });
  expect(decoder.decodeJson('{"id": 7}')).toMatchObject({ reject: { code: "SCHEMA", field: "amount" } });
  expect(decoder.decodeJson('{"id": 7, "id": 8, "payment": {"cents": 1}}')).toMatchObject({
    reject: { code: "DUPLICATE_KEY" },
  });
  expect(decoder.decodeJson('{"__proto__": {}, "id": 8}')).toMatchObject({ reject: { code: "FORBIDDEN_KEY" } });
  expect(decoder.decodeJson("[]")).toMatchObject({ kind: "reject" });
});

describe("the guide's example", () => {
  const guide = readFileSync("docs/mapping.md", "utf8");
  const block = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? "";

  test("does what the guide says", () => {
    const { mapping, diagnostics } = readMapping({ path: "guide", text: block("yaml") });
    expect(diagnostics).toEqual([]);
    const [header = "", ...rows] = block("csv").trim().split("\n");
    const names = header.split(";");
    const records = rows.map((row) => {
      const cells = row.split(";");
      const result = mapping?.map(Object.fromEntries(names.map((name, i) => [name, cells[i]])), {});
      return (result as { value: unknown }).value;
    });
    expect(records[1]).toEqual(JSON.parse(block("json")));
    const decoder = createDecoder({ rates });
    const decoded = records.map((record) => decoder.decodeJson(JSON.stringify(record)));
    expect(decoded.map(({ kind }) => kind)).toEqual(["tx", "tx", "tx"]);
    expect(decoded[2]).toMatchObject({
      tx: { debtor: { account: "FR12", own: false }, creditor: { account: "DE01", party: "C-9" } },
    });
  });
});

test("the AMLSim mapping", () => {
  const { mapping } = readMapping({ path: "amlsim.yaml", text: readFileSync("fixtures/mappings/amlsim.yaml", "utf8") });
  const decoder = createDecoder({ rates, mapping });
  const row = { sourceNodeId: "360", targetNodeId: "18984", value: "103.55", time: "1" };
  expect(decoder.decodeValue(row, { row: 1, line: 2 })).toMatchObject({
    kind: "tx",
    tx: {
      id: "amlsim-0000001-360-18984",
      time: Date.UTC(2024, 0, 1),
      amount: 10_355,
      localMinute: -1,
      debtor: { account: "360" },
      creditor: { account: "18984" },
    },
  });
});
