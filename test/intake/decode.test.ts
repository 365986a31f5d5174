import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RECORD_BYTES_MAX } from "../../src/base/limits.ts";
import { createDecoder } from "../../src/intake/decode.ts";
import { decode, decoder, movement, rates, refusal, txOf } from "./support.ts";

const text = JSON.stringify(movement());

function codeOf(input: string | Uint8Array): string {
  const decoded = decoder.decodeJson(input);
  return decoded.kind === "reject" ? decoded.reject.code : decoded.kind;
}

describe("bytes and texts", () => {
  test("bytes, a view into larger bytes, and a text give the same", () => {
    const bytes = Buffer.from(`  ${text}  `);
    const expected = decoder.decodeJson(text);
    expect(expected.kind).toBe("tx");
    expect(decoder.decodeJson(bytes)).toEqual(expected);
    expect(decoder.decodeJson(new Uint8Array(bytes.buffer, bytes.byteOffset + 2, text.length))).toEqual(expected);
  });

  test("text that is not ASCII", () => {
    const record = movement({ act: { place: "Malmö 😀 \ufffd" } });
    expect(txOf(record).actPlace).toBe("Malmö 😀 \ufffd");
    expect(decoder.decodeJson(Buffer.from(JSON.stringify(record))).kind).toBe("tx");
  });

  test.each([
    ["a lone continuation byte", [0x80]],
    ["a cut sequence", [0xc3]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["FF", [0xff]],
  ])("bytes that are not UTF-8: %s", (_, bytes) => {
    for (const rest of ["", "ö"]) {
      const [before, after] = JSON.stringify(movement({ conductor: `${rest}@` })).split("@");
      const record = Buffer.concat([Buffer.from(before ?? ""), Buffer.from(bytes), Buffer.from(after ?? "")]);
      expect(codeOf(record)).toBe("BAD_UTF8");
    }
    expect(codeOf(text.replace("t1", "\ud800"))).toBe("BAD_UTF8");
  });

  test("larger than the cap, in bytes and not in characters", () => {
    expect(codeOf(" ".repeat(RECORD_BYTES_MAX + 1))).toBe("TOO_LARGE");
    expect(codeOf(Buffer.alloc(2_000_000, 32))).toBe("TOO_LARGE");
    expect(codeOf("ö".repeat(RECORD_BYTES_MAX / 2 + 1))).toBe("TOO_LARGE");
    expect(codeOf(text.padEnd(RECORD_BYTES_MAX))).toBe("tx");
  });
});

describe("JSON", () => {
  test.each(["", " ", "{", "{}}", "nul", "{'a':1}", '{"a":1,}', "[1,", "NaN", text.slice(0, -1), `\ufeff${text}`])(
    "%j is malformed",
    (input) => {
      expect(codeOf(input)).toBe("MALFORMED_JSON");
    },
  );

  test("the fault's place is told, what stood there is not", () => {
    const decoded = decoder.decodeJson('{"name": "Jane Doe" "x"}');
    expect(decoded).toMatchObject({ kind: "reject", reject: { found: "a fault at character 20" } });
    expect(JSON.stringify(decoded)).not.toContain("Jane");
  });

  test.each(["null", "1", '"x"', "[]", "[{}]", "true"])("%s is no record", (input) => {
    expect(codeOf(input)).toBe("SCHEMA");
  });

  test("half a million brackets", () => {
    expect(codeOf("[".repeat(500_000) + "]".repeat(500_000))).toBe("SCHEMA");
    expect(codeOf(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`)).toBe("SCHEMA");
  });

  test("written in any way that JSON allows", () => {
    const expected = decoder.decodeJson(text);
    expect(decoder.decodeJson(JSON.stringify(movement(), null, 2))).toEqual(expected);
    expect(decoder.decodeJson(text.replaceAll(":", " : ").replace("10 : 11 : 12", "10:11:12"))).toEqual(expected);
    expect(decoder.decodeJson(text.replace('"t1"', '"\\u0074\\u0031"').replace('"rail"', '"r\\u0061il"'))).toEqual(
      expected,
    );
  });
});

describe("keys", () => {
  test.each([
    ['{"txId":"other",', "txId"],
    ['{"tx\\u0049d":"other",', "txId"],
    ['{ "rail" :"cash",', "rail"],
    ['{"debtor":{"kind":"cash"},', "debtor"],
  ])("a repeated one is refused: %s", (start, field) => {
    const decoded = decoder.decodeJson(start + text.slice(1));
    expect(decoded).toMatchObject({ kind: "reject", reject: { code: "DUPLICATE_KEY", field } });
  });

  test("a repeated one is refused at any depth, in lists too", () => {
    const deep = text.replace('"account":"A"', '"account":"A","account":"A"');
    expect(decoder.decodeJson(deep)).toMatchObject({ reject: { code: "DUPLICATE_KEY", field: "debtor.account" } });
    const links = JSON.stringify(
      movement({ debtor: { kind: "account", account: "A", links: [{ kind: "phone", token: "f" }] } }),
    );
    const listed = links.replace('"token":"f"', '"token":"f","token":"f"');
    expect(decoder.decodeJson(listed)).toMatchObject({ reject: { field: "debtor.links.0.token" } });
  });

  test("is found wherever it is put, however the text is spaced", () => {
    const record = movement({ act: { country: "AA", place: "x" }, memoClasses: ["a", "b"] });
    const keys = ["schema", "txId", "rail", "amount", "kind", "account", "country", "place"];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.constantFrom(0, 1, 3), fc.boolean(), (key, indent, escaped) => {
        const written = JSON.stringify(record, null, indent);
        const pattern = new RegExp(`"${key}":( ?"[^"]*")`);
        const first = escaped ? `\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}` : key;
        expect(codeOf(written.replace(pattern, `"${first}":$1,"${key}":$1`))).toBe("DUPLICATE_KEY");
      }),
      { seed: 31 },
    );
  });

  test.each(["__proto__", "constructor", "prototype", "\\u005f_proto__"])("%s is refused", (key) => {
    expect(decoder.decodeJson(`{"${key}":{"own":true},${text.slice(1)}`)).toMatchObject({
      reject: { code: "FORBIDDEN_KEY" },
    });
    expect(decoder.decodeJson(text.replace('"kind"', `"${key}":1,"kind"`))).toMatchObject({
      reject: { code: "FORBIDDEN_KEY" },
    });
    expect(({} as { own?: unknown }).own).toBeUndefined();
  });

  test("an unknown one is named", () => {
    expect(refusal(movement({ comment: "x" }))).toBe("SCHEMA comment");
    expect(refusal(movement({ debtor: { kind: "account", account: "A", nationality: "x" } }))).toBe(
      "SCHEMA debtor.nationality",
    );
  });
});

describe("fields", () => {
  test.each([
    [{ schema: "tx/2" }, "SCHEMA schema"],
    [{ schema: 1 }, "SCHEMA schema"],
    [{ amount: 250 }, "SCHEMA amount"],
    [{ amount: "-250.00" }, "BAD_AMOUNT amount"],
    [{ amount: "0.00" }, "BAD_AMOUNT amount"],
    [{ amount: "1e9" }, "BAD_AMOUNT amount"],
    [{ amount: "250.001" }, "BAD_AMOUNT amount"],
    [{ amount: "99999999999999999999" }, "BAD_AMOUNT amount"],
    [{ amount: "9".repeat(100_000) }, "BAD_AMOUNT amount"],
    [{ amount: "900000000000000", currency: "ETH" }, "BAD_AMOUNT amount"],
    [{ currency: "XXX" }, "UNKNOWN_CURRENCY currency"],
    [{ currency: "eur" }, "UNKNOWN_CURRENCY currency"],
    [{ currency: 978 }, "SCHEMA currency"],
    [{ occurredAt: "2026-02-30T00:00:00Z" }, "BAD_TIME occurredAt"],
    [{ occurredAt: "04.03.2026" }, "BAD_TIME occurredAt"],
    [{ occurredAt: 1_772_000_000 }, "SCHEMA occurredAt"],
    [{ txId: "" }, "SCHEMA txId"],
    [{ txId: "a\u0007" }, "SCHEMA txId"],
    [{ txId: "x".repeat(129) }, "SCHEMA txId"],
    [{ rail: "pigeon" }, "SCHEMA rail"],
    [{ debtor: null }, "SCHEMA debtor"],
    [{ debtor: [] }, "SCHEMA debtor"],
    [{ debtor: { kind: "account" } }, "SCHEMA debtor.account"],
    [{ debtor: { kind: "card", account: "A" } }, "SCHEMA debtor.card"],
    [{ creditor: { kind: "wallet" } }, "SCHEMA creditor.wallet"],
    [{ creditor: { kind: "person" } }, "SCHEMA creditor.party"],
    [{ creditor: { kind: "merchant", merchant: { mcc: "7011" } } }, "SCHEMA creditor.merchant.id"],
    [{ creditor: { kind: "cash", balanceAfter: "1.001" } }, "BAD_AMOUNT creditor.balanceAfter"],
    [{ creditor: { kind: "cash", currency: "QQQ" } }, "UNKNOWN_CURRENCY creditor.currency"],
    [{ act: { cell: "somewhere" } }, "SCHEMA act.cell"],
    [{ charges: [{ amount: "1", currency: "QQQ", bearer: "debtor" }] }, "UNKNOWN_CURRENCY charges.0.currency"],
    [{ charges: [{ amount: "1.001", currency: "EUR", bearer: "debtor" }] }, "BAD_AMOUNT charges.0.amount"],
    [{ refs: Array.from({ length: 17 }, () => ({ kind: "invoice", token: "x" })) }, "SCHEMA refs"],
    [{ travel: { nights: -1 } }, "SCHEMA travel.nights"],
    [{ ultimateDebtor: { kind: "account" } }, "SCHEMA ultimateDebtor.account"],
  ])("%j is refused as %s", (members, expected) => {
    expect(refusal(movement(members))).toBe(expected);
  });

  test("what stood in an identifier is not repeated, what stood in a code is", () => {
    const name = decode(movement({ txId: "Jane\u0007Doe" }));
    expect(JSON.stringify(name)).not.toContain("Jane");
    expect(decode(movement({ currency: "XXX" }))).toMatchObject({
      reject: { found: '"XXX"', expected: "an ISO 4217 code or a known asset code" },
    });
    expect(decode(movement({ rail: "Jane Doe" }))).toMatchObject({ reject: { found: "a text of 8 characters" } });
  });

  test("a missing field is told with what it should be", () => {
    const { amount: _, ...rest } = movement();
    expect(decode(rest)).toMatchObject({
      reject: { code: "SCHEMA", field: "amount", expected: "a string", found: "nothing" },
    });
  });
});

describe("times ahead", () => {
  const asOf = Date.UTC(2026, 2, 4, 10, 0, 0);
  const ahead = createDecoder({ rates, asOf });
  const at = (occurredAt: string) => JSON.stringify(movement({ occurredAt }));

  test("a year ahead is refused, a clock that is five minutes fast is not", () => {
    expect(ahead.decodeJson(at("2027-03-04T10:00:00Z"))).toMatchObject({
      reject: { code: "FAR_FUTURE", field: "occurredAt" },
    });
    expect(ahead.decodeJson(at("2026-03-04T10:05:00Z")).kind).toBe("tx");
    expect(ahead.decodeJson(at("2026-03-04T10:05:00.001Z")).kind).toBe("reject");
  });

  test("a record's own reference goes before the decoder's", () => {
    expect(ahead.decodeJson(at("2027-03-04T10:00:00Z"), { asOf: Date.UTC(2027, 5, 1) }).kind).toBe("tx");
  });

  test("profiles and events too", () => {
    const profile = { schema: "party/1", party: "P", validFrom: "2027-01-01T00:00:00Z" };
    expect(ahead.decodeJson(JSON.stringify(profile))).toMatchObject({
      reject: { code: "FAR_FUTURE", field: "validFrom" },
    });
  });
});

describe("vocabulary", () => {
  const strict = createDecoder({
    rates,
    vocabulary: {
      merchantClasses: new Set(["lodging"]),
      memoClasses: new Set(["rent"]),
      segments: new Set(["retail"]),
    },
  });
  const shop = (word: string) => movement({ creditor: { kind: "merchant", merchant: { id: "M", class: word } } });
  const code = (record: unknown) => strict.decodeJson(JSON.stringify(record));

  test("words that it has not are refused, in each classified field", () => {
    expect(code(shop("lodging")).kind).toBe("tx");
    expect(code(shop("palace"))).toMatchObject({
      reject: { code: "UNKNOWN_VOCABULARY", field: "creditor.merchant.class" },
    });
    expect(code(movement({ memoClasses: ["rent", "x"] }))).toMatchObject({ reject: { field: "memoClasses.1" } });
    const party = { schema: "party/1", party: "P", validFrom: "2026-01-01T00:00:00Z" };
    expect(code({ ...party, segment: "x" })).toMatchObject({
      reject: { code: "UNKNOWN_VOCABULARY", field: "segment" },
    });
    expect(code({ ...party, segment: "retail", industry: "any" }).kind).toBe("profile");
  });
});

test("nothing that can be sent makes it throw", () => {
  const pieces = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constant(text),
    fc.constantFrom("{", "}", '"', ":", "\\", ",", "__proto__"),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 4 }), (parts) => {
      expect(["tx", "reject"]).toContain(decoder.decodeJson(parts.join("")).kind);
    }),
    { seed: 32, numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(decoder.decodeJson(bytes).kind).toBe("reject");
    }),
    { seed: 33 },
  );
});
