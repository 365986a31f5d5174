import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { movementSchema } from "../../src/domain/movement.ts";
import { checkMovement, REFUSED } from "../../src/intake/check.ts";
import { movementArbitrary, spoiled } from "./movement-arbitrary.ts";

const minimal = {
  schema: "tx/1",
  txId: "t",
  occurredAt: "2026-01-01T00:00:00Z",
  rail: "transfer",
  amount: "1",
  currency: "EUR",
  debtor: { kind: "account", account: "a" },
  creditor: { kind: "account", account: "b" },
};

describe("the hot check accepts what the schema accepts", () => {
  test("for every valid record, whose shortest text it measures", () => {
    fc.assert(
      fc.property(movementArbitrary, (record) => {
        expect(movementSchema.safeParse(record).success).toBe(true);
        const length = checkMovement(record, false);
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(JSON.stringify(record).length);
      }),
      { seed: 21, numRuns: 400 },
    );
  });

  test("for spoiled records", () => {
    let accepted = 0;
    fc.assert(
      fc.property(spoiled(movementArbitrary), (record) => {
        const bySchema = movementSchema.safeParse(record).success;
        if (bySchema) accepted += 1;
        expect(checkMovement(record, false) >= 0).toBe(bySchema);
      }),
      { seed: 22, numRuns: 2500 },
    );
    // Some places take some of the hostile values: both verdicts must have been seen.
    expect(accepted).toBeGreaterThan(20);
    expect(accepted).toBeLessThan(2200);
  });

  test("for values of any kind in place of a record", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(checkMovement(value, false) >= 0).toBe(movementSchema.safeParse(value).success);
      }),
      { seed: 23 },
    );
  });

  test.each([["__proto__"], ["constructor"], ["prototype"], ["toString"]])("a member called %s is refused", (name) => {
    const record: unknown = JSON.parse(JSON.stringify(minimal).replace('"txId"', `"${name}":{},"txId"`));
    expect(checkMovement(record, true)).toBe(REFUSED);
  });
});

describe("the length of the shortest text", () => {
  test("is the length of compact JSON when nothing is escaped and no object is empty", () => {
    const record = {
      ...minimal,
      travel: { nights: 0, travellers: 999 },
      memoClasses: ["rent", "gift"],
      debtor: { ...minimal.debtor, own: true, links: [{ kind: "phone", token: "p" }] },
      creditor: { ...minimal.creditor, own: false },
    };
    expect(checkMovement(record, true)).toBe(JSON.stringify(record).length);
  });

  test("a text with a repeated key is always longer", () => {
    const keys = fc.constantFrom("schema", "txId", "rail", "amount", "currency");
    fc.assert(
      fc.property(keys, fc.constantFrom("", "x", "tx/1", "EUR"), (key, value) => {
        const text = `{"${key}":${JSON.stringify(value)},${JSON.stringify(minimal).slice(1)}`;
        expect(checkMovement(JSON.parse(text), true)).toBeLessThan(text.length);
      }),
      { seed: 24 },
    );
  });
});
