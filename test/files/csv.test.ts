import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { readCsv } from "../../src/files/csv.ts";
import { readRecords } from "../../src/files/records.ts";
import { openSource } from "../../src/files/source.ts";
import { createDecoder } from "../../src/intake/decode.ts";
import { readMapping } from "../../src/intake/mapping.ts";
import { decoder, rates } from "../intake/support.ts";
import { outline, readAll, scratch } from "./support.ts";

const write = scratch();
const HEADER =
  "txId,occurredAt,rail,amount,currency,debtor.kind,debtor.account,debtor.own,creditor.kind,creditor.account";
const good = (id: string) => `${id},2026-03-04T10:11:12Z,transfer,10,EUR,account,A,true,account,B`;

async function read(content: string | Buffer, name = "in.csv") {
  return readAll(readRecords(openSource(write(name, content)), decoder, undefined));
}

describe("columns named by fields", () => {
  test.each([
    ["nothing", "", []],
    ["a header only", HEADER, []],
    ["rows", `${HEADER}\n${good("1")}\n${good("2")}\n`, ["2 tx", "3 tx"]],
    ["carriage returns, a byte order mark, blank lines", `\ufeff${HEADER}\r\n\r\n${good("1")}\r\n`, ["3 tx"]],
    [
      "a row too short and a row too long",
      `${HEADER}\na,b\n${good("1")},x\n${good("2")}`,
      ["2 MALFORMED_CSV", "3 MALFORMED_CSV", "4 tx"],
    ],
    ["a quote in the middle", `${HEADER}\n"a"b,${good("1")}\n${good("2")}`, ["2 MALFORMED_CSV", "3 tx"]],
    ["a bad amount", `${HEADER}\n${good("1").replace(",10,", ",-10,")}`, ["2 BAD_AMOUNT"]],
    ["a bad flag", `${HEADER}\n${good("1").replace(",true,", ",maybe,")}`, ["2 SCHEMA"]],
    ["a bad time", `${HEADER}\n${good("1").replace("2026-", "")}`, ["2 BAD_TIME"]],
  ])("%s", async (_, content, expected) => {
    const { items, error } = await read(content);
    expect(error).toBeUndefined();
    expect(outline(items)).toEqual(expected);
  });

  test.each([";", "\t", "|"])("other delimiters are found from the header: %j", async (delimiter) => {
    const content = `${HEADER}\n${good("1")}`.replaceAll(",", delimiter);
    expect(outline((await read(content, "in.tsv")).items)).toEqual(["2 tx"]);
  });

  test("quotes, delimiters and line ends inside cells; lines are those where rows begin", async () => {
    const content = `${HEADER},act.place\n${good('"a,1"')},"x"\n${good("2")},"one\ntwo ""three"""\n${good("3")},y\n`;
    const { items } = await read(content);
    expect(outline(items)).toEqual(["2 tx", "3 SCHEMA", "5 tx"]);
    expect(items[0]?.decoded).toMatchObject({ tx: { id: "a,1", actPlace: "x" } });
  });

  test("bytes that are not UTF-8", async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${HEADER}\n`),
      Buffer.from([0xff]),
      Buffer.from(`${good("1")}\n${good("2")}`),
    ]);
    expect(outline((await read(bytes)).items)).toEqual(["2 BAD_UTF8", "3 tx"]);
  });

  test("gzip", async () => {
    expect(outline((await read(gzipSync(`${HEADER}\n${good("1")}`), "in.csv.gz")).items)).toEqual(["2 tx"]);
  });

  test("parties, with lists by position", async () => {
    const content =
      'account,validFrom,homeCell,minor,holders.0.party,holders.0.role\nA,2026-01-01T00:00:00Z,"1,2",false,P,holder\n';
    const { items } = await read(content);
    expect(items[0]?.decoded).toMatchObject({
      profile: { entity: "account:A", minor: false, homeCell: "1,2", holders: [{ party: "P", role: "holder" }] },
    });
  });

  test("events", async () => {
    const { items } = await read(
      "eventId,occurredAt,type,entity.kind,entity.token\ne,2026-01-01T00:00:00Z,tick,party,P\n",
    );
    expect(outline(items)).toEqual(["2 event"]);
  });

  test.each([
    [`${HEADER},txId\n`, /names the column "txId" twice/],
    [`${HEADER},nationality\n`, /no field is called "nationality" in tx\/1; .*--mapping/],
    [`${HEADER},__proto__\n`, /may not be called "__proto__"/],
    ["sourceNodeId,targetNodeId\n1,2\n", /no field is called "sourceNodeId"/],
  ])("a header at fault is a fault of usage: %j", async (content, message) => {
    const { error } = await read(content);
    expect(error).toBeInstanceOf(UsageError);
    expect(error?.message).toMatch(message);
  });
});

test("a quote that is never closed costs its row, however far the next one is", async () => {
  const few = Array.from({ length: 3 }, (_, i) => good(String(i))).join("\n");
  const many = Array.from({ length: 30_000 }, (_, i) => good(String(i))).join("\n");
  for (const [tail, count] of [
    ["", 0],
    [few, 3],
    [many, 30_000],
  ] as const) {
    const { items, error } = await read(`${HEADER}\n${good("1")}\n"${good("2")}\n${tail}`);
    expect(error).toBeUndefined();
    expect(outline(items.slice(0, 3))).toEqual(["2 tx", "3 MALFORMED_CSV", "4 tx"].slice(0, count + 2));
    expect(items).toHaveLength(count + 2);
  }
});

test("where the pieces of the file are cut has no effect", async () => {
  const cells = [
    good('"a,1"'),
    good('"x""y"'),
    "short",
    `${good("2")}\r`,
    `"bad"z,${good("3")}`,
    "",
    good("ö😀"),
    good("4"),
  ];
  const bytes = Buffer.from([HEADER, ...cells].join("\n"));
  const expected = outline((await read(bytes)).items);
  expect(expected).toEqual(["2 tx", "3 tx", "4 MALFORMED_CSV", "5 tx", "6 MALFORMED_CSV", "8 tx", "9 tx"]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
      const ends = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const pieces = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
      const source = openSource("-", Readable.from(pieces));
      const items = readCsv(source, decoder, { mapped: false, delimiter: undefined });
      expect(outline((await readAll(items)).items)).toEqual(expected);
    }),
    { seed: 61, numRuns: 100 },
  );
});

test("with a mapping, columns may be called anything and rows are counted", async () => {
  const text = `
schema: mapping/v1
source: csv
delimiter: "#"
fields:
  txId: { template: "r{row}-l{line}-{Account.1}" }
  occurredAt: "2026-03-04T10:11:12Z"
  rail: transfer
  amount: { from: "Amount Paid" }
  currency: EUR
  debtor.kind: cash
  creditor.kind: account
  creditor.account: { from: Account.1 }
`;
  const { mapping } = readMapping({ path: "m.yaml", text });
  const mapped = createDecoder({ rates, mapping });
  const source = openSource(write("any.txt", "Amount Paid#Account.1\n1#X\n\n-1#Y\n2#Z\n"));
  const { items } = await readAll(readRecords(source, mapped, mapping));
  expect(outline(items)).toEqual(["2 tx", "4 BAD_AMOUNT", "5 tx"]);
  expect(items[2]?.decoded).toMatchObject({ tx: { id: "r3-l5-Z", creditor: { account: "Z" } } });
});
