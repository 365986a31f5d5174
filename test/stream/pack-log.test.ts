/** The topic of packs: what is published comes back or is refused with a reason; the latest activation holds everywhere. */
import { randomBytes, randomUUID } from "node:crypto";
import { setImmediate as tick } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/base/hash.ts";
import { loadPack } from "../../src/rules/load.ts";
import { PACK_HASH_VERSION } from "../../src/rules/semantic-hash.ts";
import type { SourceFile } from "../../src/rules/source.ts";
import { createPackActivator, type PackActivator, startPackKeeper } from "../../src/stream/pack-activation.ts";
import { createPackEngines, type PackEngines } from "../../src/stream/pack-engines.ts";
import { decodePack, encodePack, PACK_BYTES_MAX, type PublishedPack } from "../../src/stream/pack-format.ts";
import { openPackLog, type PackLog } from "../../src/stream/pack-log.ts";
import { RecordReader } from "../../src/stream/record.ts";
import { PackError } from "../../src/stream/screen-ports.ts";
import { indicator, RATES } from "../screen/build.ts";
import { createMemoryBus, type MemoryBus } from "./memory-bus.ts";

const VIEWS = { name: "views", partitions: 3 };

/** Source files of a small pack; `min` tells it from others. */
function files(min: number): SourceFile[] {
  const rule = indicator(
    "T-A",
    `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates: { n: { count: events, last: 1d }, s: { sum: tx.amount, last: 1d } }
when: { all: [ { many: agg.n >= ${min} }, { sum: agg.s >= 1 EUR } ] }
`,
  );
  return [
    { path: "t/T-A.yaml", text: rule },
    { path: "lists/rates.yaml", text: RATES },
  ];
}

function packed(source: readonly SourceFile[]): PublishedPack {
  return { files: source, hashVersion: PACK_HASH_VERSION, tunedAt: undefined };
}

function hashOf(source: readonly SourceFile[]): string {
  return loadPack(source).pack?.hash ?? "none";
}

interface Process {
  readonly log: PackLog;
  readonly activator: PackActivator;
  readonly engines: PackEngines;
}

let bus: MemoryBus;
let opened: PackLog[] = [];
beforeEach(() => {
  bus = createMemoryBus();
  bus.create("packs", 1);
  bus.create(VIEWS.name, VIEWS.partitions);
});
afterEach(async () => {
  for (const log of opened) await log.close();
  opened = [];
});

async function open(): Promise<Process> {
  const producer = bus.producer();
  const log = await openPackLog({
    topic: "packs",
    consumer: bus.consumer(`packs-${randomUUID()}`),
    admin: bus.admin(),
    producer,
    unique: randomUUID,
    failed: (error) => expect(error).toBeUndefined(),
  });
  opened.push(log);
  const activator = createPackActivator({ log, views: VIEWS });
  return { log, activator, engines: createPackEngines(log, "default") };
}

/** Hash and number of every pack record of a partition, in order. */
function records(partition: number): [string, bigint][] {
  return bus.records(VIEWS.name, partition).flatMap(({ value }): [string, bigint][] => {
    const { pack } = new RecordReader(value as Buffer, VIEWS.partitions);
    return pack === undefined ? [] : [[pack.hash, pack.activation]];
  });
}

function put(key: string, value: Uint8Array | string | null): void {
  bus.append("packs", [{ partition: 0, key, value }]);
}

describe("a published pack", () => {
  test("comes back in another process, compiled, under its own hash", async () => {
    const [one, two] = [await open(), await open()];
    const source = files(3);
    const activation = await one.activator.activate(hashOf(source), packed(source));
    await two.log.catchUp();
    expect(two.log.latest()).toEqual(activation);
    expect((await two.log.read(hashOf(source))).files).toEqual(source);
    const loaded = await two.engines.open(hashOf(source));
    expect(loaded.pack.hash).toBe(hashOf(source));
    expect(await two.engines.loadTagged(loaded.engine.tag)).toBe(loaded.engine);
    for (const p of [0, 1, 2]) expect(records(p)).toEqual([[hashOf(source), activation.activation]]);
  });

  test("is written once, however often it is activated", async () => {
    const { activator, log } = await open();
    for (let i = 0; i < 3; i++) await activator.activate(hashOf(files(3)), packed(files(3)));
    await log.catchUp();
    expect(log.activations()).toHaveLength(3);
    expect(bus.all("packs").filter(({ key }) => String(key) === hashOf(files(3)))).toHaveLength(1);
  });

  test("that is too large is refused before anything is written", async () => {
    const { activator } = await open();
    const noise = randomBytes(6 << 20).toString("base64");
    const huge = [...files(3), { path: "lists/huge.yaml", text: noise }];
    await expect(activator.activate("h", packed(huge))).rejects.toThrow(
      /a pack has at most 4194304: shorten its lists/,
    );
    expect(bus.all("packs")).toEqual([]);
    expect(records(0)).toEqual([]);
  });
});

describe("what cannot be used", () => {
  const whole = (source: readonly SourceFile[]): Buffer =>
    encodePack({ files: source, hashVersion: PACK_HASH_VERSION, tunedAt: undefined });
  const json = (value: unknown): Buffer => gzipSync(JSON.stringify(value));
  const hash = "a".repeat(64);
  const pairs = [["x.yaml", "schema: rule/v1"]];
  const digest = sha256Hex(JSON.stringify(pairs));
  const cases: [string, Buffer, RegExp][] = [
    ["bytes that are not packed", Buffer.from("no gzip"), /cannot be unpacked/],
    ["a cut value", whole(files(3)).subarray(0, 100), /cannot be unpacked/],
    ["text that is no JSON", gzipSync("{"), /cannot be unpacked/],
    ["another format", json({ format: 2, hashVersion: 1, digest, files: pairs }), /not a published pack of format 1/],
    ["a field too many", json({ format: 1, hashVersion: 1, digest, files: pairs, x: 1 }), /not a published pack/],
    ["files that are none", json({ format: 1, hashVersion: 1, digest, files: [["x"]] }), /not a published pack/],
    ["changed files", json({ format: 1, hashVersion: 1, digest: "0", files: pairs }), /digest/],
    ["rules with errors", whole([{ path: "x.yaml", text: "schema: rule/v1" }]), /does not compile.*x\.yaml:1:1/],
    ["the files of another pack", whole(files(4)), /is another one/],
    ["what unfolds without bound", gzipSync(Buffer.alloc(80 << 20, 32)), /cannot be unpacked/],
    ["what is too large", Buffer.alloc(PACK_BYTES_MAX + 1, 1), /at most 4194304/],
  ];
  for (const [what, bytes, why] of cases) {
    test(`${what}: refused with the reason`, async () => {
      put(hash, bytes);
      const { engines } = await open();
      await expect(engines.load(hash)).rejects.toThrow(PackError);
      await expect(engines.load(hash)).rejects.toThrow(why);
      await expect(engines.load(hash)).rejects.toThrow(hash);
    });
  }

  test("a pack that is not there, or was taken away", async () => {
    put(hash, whole(files(3)));
    put(hash, null);
    const { engines } = await open();
    await expect(engines.load(hash)).rejects.toThrow(/never published in packs/);
    await expect(engines.loadTagged(7)).rejects.toThrow(/never published/);
    await expect(engines.inForceAt(0)).rejects.toThrow(/no pack was ever activated/);
  });

  test("a pack that comes later is found at the next question", async () => {
    const { engines } = await open();
    await expect(engines.load(hashOf(files(3)))).rejects.toThrow(PackError);
    put(hashOf(files(3)), whole(files(3)));
    expect((await engines.load(hashOf(files(3)))).pack.hash).toBe(hashOf(files(3)));
  });

  test("a hash computed by other rules is taken as it is called", async () => {
    put(hash, encodePack({ files: files(3), hashVersion: PACK_HASH_VERSION + 1, tunedAt: undefined }));
    const { engines } = await open();
    expect((await engines.open(hash)).pack.hash).toBe(hash);
  });

  test("activations that are none put nothing in force; the reading goes on behind them", async () => {
    for (const value of ["", "{", '{"format":1}', '{"format":1,"hash":7}', null])
      put(`activation/${randomUUID()}`, value);
    const { log, activator } = await open();
    expect(log.latest()).toBeUndefined();
    await activator.activate(hashOf(files(3)), packed(files(3)));
    expect(log.latest()?.hash).toBe(hashOf(files(3)));
  });

  test("any bytes are decoded or refused, never anything else", () => {
    const base = whole(files(3));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.nat(), (flips, cut) => {
        const bytes = Buffer.from(base.subarray(0, 1 + (cut % base.length)));
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        try {
          expect(decodePack(bytes).files).toEqual(files(3));
        } catch (error) {
          expect(error).toBeInstanceOf(PackError);
        }
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});

describe("several processes", () => {
  test("that start with one pack at the same time agree, and a later start adds nothing", async () => {
    const two = [await open(), await open()];
    const source = files(3);
    const brought = await Promise.all(
      two.map(({ activator }) => activator.bringIn(hashOf(source), packed(source), "new")),
    );
    expect(brought).toContain("activated");
    for (const p of [0, 1, 2]) expect(new Set(records(p).map(([hash]) => hash))).toEqual(new Set([hashOf(source)]));
    const before = bus.all("packs").length;
    const third = await open();
    expect(await third.activator.bringIn(hashOf(source), packed(source), "new")).toBe("in_force");
    expect(bus.all("packs")).toHaveLength(before);
  });

  test("with different packs: the later activation holds in every partition, and no restart turns it back", async () => {
    const [one, two] = [await open(), await open()];
    const [older, newer] = [files(3), files(4)];
    expect(await one.activator.bringIn(hashOf(older), packed(older), "new")).toBe("activated");
    expect(await two.activator.bringIn(hashOf(newer), packed(newer), "new")).toBe("activated");
    for (let i = 0; i < 3; i++) {
      const again = await open();
      expect(await again.activator.bringIn(hashOf(older), packed(older), "new")).toBe("superseded");
      expect(await again.activator.bringIn(hashOf(newer), packed(newer), "new")).toBe("in_force");
    }
    for (const p of [0, 1, 2]) {
      const last = records(p).reduce((a, b) => (b[1] > a[1] ? b : a));
      expect(last).toEqual([hashOf(newer), two.log.latest()?.activation]);
    }
    expect(await one.activator.bringIn(hashOf(older), packed(older), "never")).toBe("left");
    expect(await one.activator.bringIn(hashOf(older), packed(older), "always")).toBe("activated");
  });

  test("without a pack in force, one that may not activate says so", async () => {
    const { activator } = await open();
    expect(await activator.bringIn(hashOf(files(3)), packed(files(3)), "never")).toBe("none");
  });

  test("an activation that was sent twice counts by its last copy, as after compaction", async () => {
    const { log } = await open();
    put("activation/one", '{"format":1,"hash":"h1"}');
    put("activation/two", '{"format":1,"hash":"h2"}');
    put("activation/one", '{"format":1,"hash":"h1"}');
    await log.catchUp();
    expect(log.activations().map(({ hash, activation }) => [hash, activation])).toEqual([
      ["h2", 1n],
      ["h1", 2n],
    ]);
  });

  test("one that dies between its activation and the views leaves it to others", async () => {
    const { log, activator } = await open();
    put(hashOf(files(3)), encodePack({ files: files(3), hashVersion: PACK_HASH_VERSION, tunedAt: undefined }));
    put("activation/dead", JSON.stringify({ format: 1, hash: hashOf(files(3)) }));
    await log.catchUp();
    let now = 0;
    const clock = {
      now: () => now,
      sleep: async () => {
        now += 1_000;
        await tick();
      },
    };
    const status = () =>
      [0, 1, 2].map((partition) => {
        const [known] = partition === 2 ? [{ hash: hashOf(files(3)), activation: 1n, from: 0n }] : [];
        return { ...STATUS, partition, pack: known };
      });
    const keeper = startPackKeeper({ log, activator, status }, clock as never, (reason) => expect(reason).toBe(""));
    while (records(1).length === 0 || now < 30_000) await tick();
    await keeper.stop();
    // Once each, and not where it is in force.
    expect([0, 1, 2].map((p) => records(p))).toEqual([[[hashOf(files(3)), 1n]], [[hashOf(files(3)), 1n]], []]);
  });
});

const STATUS = {
  partition: 0,
  state: "running" as const,
  reason: "",
  next: 0n,
  high: 0n,
  publishedTo: undefined,
  waiting: 0,
  eventTimeMs: 0,
  entities: 0,
  pack: undefined,
};

describe("where the log says nothing", () => {
  test("the activation of that time holds, before the first the first", async () => {
    const { log } = await open();
    const engines = createPackEngines(
      {
        ...log,
        read: log.read.bind(log),
        hashes: () => [],
        catchUp: async () => undefined,
        activations: () => [
          { hash: "h1", activation: 1n, atMs: 100 },
          { hash: "h2", activation: 5n, atMs: 200 },
        ],
      },
      "default",
    );
    expect((await engines.inForceAt(50)).hash).toBe("h1");
    expect((await engines.inForceAt(199)).hash).toBe("h1");
    expect(await engines.inForceAt(200)).toEqual({ hash: "h2", activation: 5n });
  });
});

test("the hash of a pack is what it was: a change of it needs the next PACK_HASH_VERSION", () => {
  expect([PACK_HASH_VERSION, hashOf(files(3))]).toMatchInlineSnapshot(`
    [
      1,
      "764fb0458326af26244e0b61854eea5b1c98e69986e58f841a2b6efaa1d8d694",
    ]
  `);
});
