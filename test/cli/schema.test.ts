import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { asyncApiText } from "../../src/cli/asyncapi.ts";
import { CONTRACTS, schemaText } from "../../src/cli/schemas.ts";
import { sampleAlert } from "./sample-alert.ts";

const folder = new URL("../../schema/", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), "utf8");

function compiled(file: string) {
  const ajv = new Ajv2020({ formats: { "date-time": true }, allErrors: true, strict: true, strictTypes: false });
  return ajv.compile(JSON.parse(read(file)) as object);
}

describe("published JSON Schemas", () => {
  it.each(CONTRACTS)("$file is what its zod schema says", (contract) => {
    expect(read(contract.file)).toBe(schemaText(contract));
  });

  it.each(CONTRACTS)("$file takes its examples, and so does its zod schema", ({ file, schema }) => {
    const validate = compiled(file);
    const examples = JSON.parse(read(`examples/${file}`)) as unknown[];
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
      expect(schema.safeParse(example).error).toBeUndefined();
    }
  });

  it("has no file without a source", () => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
    const others = ["asyncapi.json", "rule-v1.json"];
    expect(files.sort()).toEqual([...CONTRACTS.map((contract) => contract.file), ...others].sort());
  });

  it("accepts an alert and what a later minor version adds, and refuses what is no alert", () => {
    const validate = compiled("alert-1.json");
    expect(validate(sampleAlert())).toBe(true);
    expect(validate({ ...sampleAlert(), addedLater: 1 })).toBe(true);
    expect(validate({ ...sampleAlert(), severity: "urgent" })).toBe(false);
    const { alertId: _, ...nameless } = sampleAlert();
    expect(validate(nameless)).toBe(false);
  });

  it("refuses unknown fields in what comes in", () => {
    const validate = compiled("tx-1.json");
    const deposit = {
      schema: "tx/1",
      txId: "t-1",
      occurredAt: "2026-03-02T10:05:00Z",
      rail: "cash",
      amount: "900.00",
      currency: "EUR",
      debtor: { kind: "cash" },
      creditor: { kind: "account", account: "a-1", own: true },
    };
    expect(validate(deposit)).toBe(true);
    expect(validate({ ...deposit, religion: "none" })).toBe(false);
  });
});

describe("the AsyncAPI document", () => {
  const text = read("asyncapi.json");

  it("is what the program says of its topics", () => {
    const { version } = JSON.parse(read("../package.json")) as { readonly version: string };
    expect(text).toBe(asyncApiText(version));
  });

  it("refers to what there is, in itself and beside it", () => {
    const references = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, reference = ""]) => reference);
    expect(references.length).toBeGreaterThan(15);
    for (const reference of references) {
      const [file = "", pointer = ""] = reference.split("#");
      let at: unknown = JSON.parse(file === "" ? text : read(file));
      for (const step of pointer.split("/").slice(1)) at = (at as Record<string, unknown>)[step];
      expect(at, reference).toBeTypeOf("object");
    }
  });
});
