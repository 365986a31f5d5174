import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { mergeFiles, REORDER_ROWS_MAX } from "../../src/files/merge.ts";
import { rates } from "../intake/support.ts";
import { outline, type Read, readAll, row, scratch } from "./support.ts";

const write = scratch();
let files = 0;

async function merge(
  contents: readonly string[],
  parties: readonly string[] = [],
): Promise<Read & { readonly late: number }> {
  const paths = (group: readonly string[]) => group.map((content) => write(`f${files++}.ndjson`, content));
  const merged = mergeFiles(paths(contents), { rates, parties: paths(parties) });
  const read = await readAll(merged);
  return { ...read, late: merged.late };
}

/** Ids and contents in the order of delivery. */
function delivered({ items }: Read): string[] {
  return items.map(({ decoded }) => JSON.stringify(decoded));
}

describe("the order", () => {
  const rows = [
    ...Array.from({ length: 40 }, (_, i) => row(i % 7, `t${i % 23}`)),
    row(3, "same", { memoClasses: ["a"] }),
    row(3, "same", { memoClasses: ["b"] }),
    row(3, "same", { amount: "11" }),
    row(3, "same", { amount: "11" }),
  ];

  test("does not depend on how rows are spread over files, nor on the order of files and rows", async () => {
    const expected = delivered(await merge([rows.join("\n")]));
    expect(expected).toHaveLength(rows.length);
    const spread = fc.tuple(
      fc.shuffledSubarray(rows, { minLength: rows.length }),
      fc.array(fc.nat(3), { minLength: rows.length, maxLength: rows.length }),
    );
    await fc.assert(
      fc.asyncProperty(spread, async ([shuffled, places]) => {
        const contents = [0, 1, 2, 3].map((file) => shuffled.filter((_, i) => places[i] === file).join("\n"));
        const read = await merge(contents);
        expect(delivered(read)).toEqual(expected);
        expect(read.late).toBe(0);
      }),
      { seed: 51, numRuns: 60 },
    );
  });

  test("is by time, then id", async () => {
    const { items } = await merge([`${row(2, "b")}\n${row(9, "c")}`, `${row(1, "z")}\n${row(2, "a")}`]);
    const ids = items.map(({ decoded }) => (decoded.kind === "tx" ? decoded.tx.id : decoded.kind));
    expect(ids).toEqual(["z", "a", "b", "c"]);
  });

  test("what is known of a party comes before what it does at the same time, in any order of its file", async () => {
    const party = (second: number, token: string) =>
      JSON.stringify({
        schema: "party/1",
        party: token,
        validFrom: new Date(Date.UTC(2026, 2, 4) + second * 1000).toISOString(),
      });
    const { items } = await merge([`${row(1)}\n${row(5)}`], [`${party(5, "Q")}\n${party(1, "P")}`]);
    expect(outline(items)).toEqual(["2 profile", "1 tx", "1 profile", "2 tx"]);
  });

  test("rejected rows keep their place in their file", async () => {
    const { items } = await merge([`${row(1)}\n{bad\n${row(5)}`, `{worse\n${row(3)}`]);
    expect(outline(items)).toEqual(["1 MALFORMED_JSON", "1 tx", "2 MALFORMED_JSON", "2 tx", "3 tx"]);
  });

  test("rows up to the bound late are put in order, a row beyond it is delivered late and counted", async () => {
    const sorted = Array.from({ length: REORDER_ROWS_MAX + 5_000 }, (_, i) => row(i + 10));
    const late = (at: number) => [...sorted.slice(0, at), row(1, "late"), ...sorted.slice(at)].join("\n");
    const inOrder = await merge([late(REORDER_ROWS_MAX)]);
    expect(inOrder.late).toBe(0);
    expect(inOrder.items[0]?.decoded).toMatchObject({ tx: { id: "late" } });
    const beyond = await merge([late(REORDER_ROWS_MAX + 4_500)]);
    expect(beyond.late).toBe(1);
    expect(beyond.items).toHaveLength(sorted.length + 1);
    expect(beyond.items[0]?.decoded).toMatchObject({ tx: { id: "t10" } });
  });
});

describe("files", () => {
  test("empty ones and none", async () => {
    expect((await merge(["", "\n"])).items).toEqual([]);
    expect((await merge([])).items).toEqual([]);
  });

  test("a missing one is a fault of usage, before anything is delivered", async () => {
    const read = await readAll(mergeFiles([write("ok.ndjson", row(1)), "/no/such.ndjson"], { rates }));
    expect(read.error).toBeInstanceOf(UsageError);
    expect(read.error?.message).toBe("/no/such.ndjson: no such file");
    expect(read.items).toEqual([]);
  });

  test("one that breaks off: its rows and the earlier ones of the others are delivered, then the fault", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => row(i, `p${i}`)).join("\n");
    const packed = gzipSync(rows);
    const cut = write("cut.ndjson.gz", packed.subarray(0, packed.length - 100));
    const other = write("other.ndjson", `${row(1, "o1")}\n${row(100_000, "o2")}`);
    const { items, error } = await readAll(mergeFiles([other, cut], { rates }));
    expect(error?.message).toMatch(/cut\.ndjson\.gz: the gzip data breaks off/);
    expect(items.length).toBeGreaterThan(1000);
    expect(items.map(({ decoded }) => decoded.kind === "tx" && decoded.tx.id).slice(0, 4)).toEqual([
      "p0",
      "o1",
      "p1",
      "p2",
    ]);
    expect(JSON.stringify(items)).not.toContain("o2");
  });

  test("times ahead of the reference, and bytes read", async () => {
    const path = write("ahead.ndjson", `${row(1)}\n${row(86_400)}\n`);
    const merged = mergeFiles([path], { rates, asOf: Date.UTC(2026, 2, 4, 12) });
    expect(outline((await readAll(merged)).items)).toEqual(["1 tx", "2 FAR_FUTURE"]);
    expect(merged.bytesRead).toBe(Buffer.byteLength(`${row(1)}\n${row(86_400)}\n`));
  });

  test("a mapping at fault is told before anything is read, with its findings", () => {
    const mapping = write("bad.yaml", "schema: mapping/v1\nfields: { txId: x, nope: y }\n");
    let caught: unknown;
    try {
      mergeFiles([], { rates, mapping });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(UsageError);
    expect((caught as UsageError).diagnostics.map(({ code }) => code)).toContain("E021");
    expect(() => mergeFiles([], { rates, mapping: "/no/such.yaml" })).toThrow("/no/such.yaml: no such mapping file");
  });

  test("reading may stop early", async () => {
    const path = write("long.ndjson", Array.from({ length: 20_000 }, (_, i) => row(i)).join("\n"));
    let batches = 0;
    for await (const items of mergeFiles([path], { rates })) {
      batches += items.length > 0 ? 1 : 0;
      break;
    }
    expect(batches).toBe(1);
  });
});
