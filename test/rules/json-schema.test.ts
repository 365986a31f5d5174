import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readRuleFiles } from "../../src/files/rules-dir.ts";
import { FIELDS } from "../../src/rules/fields.ts";
import { ruleSchemaText } from "../../src/rules/json-schema.ts";
import { indicator, typology } from "./build.ts";

const ROOT = join(import.meta.dirname, "../..");
const RULES = readRuleFiles(join(ROOT, "rules")).filter(({ text }) => /^schema: rule\/v1/m.test(text));
const TEXT = ruleSchemaText({ rules: ["HT-A-01"], lists: ["mcc_air"] });
const validate = new Ajv({ strict: false }).compile(JSON.parse(TEXT) as object);
const BODY = "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n";

describe("the JSON Schema of rules", () => {
  it.each(RULES)("takes $path", ({ text }) => {
    expect(validate(parse(text)) || validate.errors).toBe(true);
  });

  it("names fields, lists and rules", () => {
    for (const { name } of FIELDS.values()) expect(TEXT).toContain(JSON.stringify(name));
    expect(TEXT).toContain('"HT-A-01"');
    expect(TEXT).toContain("lists.mcc_air");
  });

  it.each([
    ["another key", indicator("HT-X-01", `${BODY}sevrity: 3\n`)],
    ["a key of the other kind", indicator("HT-X-01", `${BODY}alert_when: { a: b }\n`)],
    ["a word outside its set", indicator("HT-X-01", `${BODY}scope: { rail: [horse] }\n`)],
    ["a document that is not public", indicator("HT-X-01", BODY, { sources: "[{ doc: SECRET-1, point: x }]" })],
    ["a missing key", typology("HT-X", "")],
    ["an id of another form", indicator("ht-x-01", BODY)],
  ])("refuses %s", (_what, { text }) => {
    expect(validate(parse(text))).toBe(false);
  });

  it("in schema/ is what the loader's tables say", () => {
    const shipped = readFileSync(join(ROOT, "schema/rule-v1.json"), "utf8");
    expect(shipped, "run node scripts/make-schema.mjs").toBe(ruleSchemaText({ rules: [], lists: [] }));
  });
});
