/**
 * `npm run sizing`: measures what one transaction and one entity cost, and computes from that what a deployment needs;
 * the tables go into docs/operations.md between its marks.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Redis } from "ioredis";
import { fnv1a32 } from "../src/base/hash.ts";
import { readRuleFiles } from "../src/files/rules-dir.ts";
import { createDecoder } from "../src/intake/decode.ts";
import { routeTx } from "../src/intake/route.ts";
import type { Lists } from "../src/rules/lists.ts";
import { loadPack } from "../src/rules/load.ts";
import type { Pack } from "../src/rules/plan.ts";
import { createEmbedded } from "../src/screen/embedded.ts";
import { encodeEntity } from "../src/screen/entity-codec.ts";
import { inputSource, ViewPacker } from "../src/stream/record.ts";
import { lines } from "./generate.ts";
import { runPass } from "./pipeline.ts";
import { machine } from "./report.ts";
import { type Services, startServices } from "./services.ts";
import { createTopic, fill } from "./topic.ts";

const DAY_S = 86_400;
const PAGE = "docs/operations.md";
const MARKS = ["<!-- sizing: begin -->", "<!-- sizing: end -->"] as const;
/** Movements of an account within the longest window, and the share of accounts that is taken to be so busy. */
const ACTIVITY = [
  { name: "quiet", movements: 10, share: 0.7 },
  { name: "typical", movements: 60, share: 0.25 },
  { name: "busy", movements: 1_000, share: 0.05 },
] as const;

interface Units {
  readonly messageBytes: number;
  readonly viewsPerTx: number;
  readonly viewBytesPerTx: number;
  /** By activity: encoded bytes of an entity, and bytes of Redis memory with its key. */
  readonly entityBytes: readonly number[];
  readonly redisBytes: readonly number[];
  /** CPU microseconds a transaction, by process. */
  readonly cpuUs: Readonly<Record<string, number>>;
}

/** What a load needs. Rounded up; `replicas` of the broker's topics are counted in the disk figures. */
interface Load {
  readonly rate: number;
  readonly entities: number;
}

const LOADS: readonly Load[] = [
  { rate: 100, entities: 1_000_000 },
  { rate: 1_000, entities: 10_000_000 },
  { rate: 10_000, entities: 100_000_000 },
];
const REPLICAS = 3;
const INPUT_DAYS = 30;
const VIEWS_DAYS = 275;
/** A process is planned half busy, so that a backlog drains as fast as it grew and one may fail. */
const BUSY = 0.5;
/** Redis memory beside the data: fragmentation, buffers, and pages copied while its file is rewritten. */
const REDIS_SPARE = 1.5;
const MASTER_GIB = 32;

async function main(): Promise<void> {
  const files = readRuleFiles("rules");
  const { pack, lists } = loadPack(files, {});
  if (pack === undefined) throw new Error("the shipped pack does not compile");
  const services = await startServices();
  try {
    const units: Units = {
      ...perTransaction(lists),
      ...(await perEntity(pack, lists, services.redisUrl)),
      cpuUs: await cpu(services, 100_000),
    };
    const text = page(units, pack.rules.length);
    process.stdout.write(text);
    const before = readFileSync(PAGE, "utf8");
    const [begin, end] = MARKS.map((mark) => before.indexOf(mark)) as [number, number];
    if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the tables: ${MARKS.join(" ... ")}`);
    writeFileSync(PAGE, `${before.slice(0, begin + MARKS[0].length)}\n\n${text}\n${before.slice(end)}`);
  } finally {
    await services.close();
  }
}

/** Bytes and views of the transactions of a retail bank, as the other benchmarks have them. */
function perTransaction(lists: Lists): Pick<Units, "messageBytes" | "viewsPerTx" | "viewBytesPerTx"> {
  const count = 20_000;
  const decoder = createDecoder({ rates: lists.rates });
  const packer = new ViewPacker(16);
  const source = packer.source(inputSource("transactions", 0, 0));
  let messageBytes = 0;
  let views = 0;
  let viewBytes = 0;
  const take = (): void => {
    for (const { value } of packer.take()) viewBytes += value?.length ?? 0;
  };
  let offset = 0;
  for (const line of lines(count, { accounts: 10_000 })) {
    messageBytes += line.length;
    const decoded = decoder.decodeJson(line);
    if (decoded.kind !== "tx") throw new Error("the generator made a bad row");
    for (const [index, view] of routeTx(decoded.tx).entries()) {
      packer.add(source, offset, index, view);
      views++;
    }
    offset++;
    if (packer.views >= 1_024) take();
  }
  take();
  return { messageBytes: messageBytes / count, viewsPerTx: views / count, viewBytesPerTx: viewBytes / count };
}

/** Entities with so many movements over 90 days: encoded, and stored as a run stores them. */
async function perEntity(pack: Pack, lists: Lists, url: string): Promise<Pick<Units, "entityBytes" | "redisBytes">> {
  const redis = new Redis(url);
  const entityBytes: number[] = [];
  const redisBytes: number[] = [];
  try {
    for (const { movements } of ACTIVITY) {
      const values = entitiesWith(pack, lists, movements);
      entityBytes.push(values.reduce((sum, value) => sum + value.length, 0) / values.length);
      await redis.flushall();
      const before = await memoryOf(redis);
      const copies = 20_000;
      let pipeline = redis.pipeline();
      for (let i = 0; i < copies; i++) {
        const value = values[i % values.length] as Uint8Array;
        const key = `palermo:default:{p${i % 16}}:e:account:k1.${fnv1a32(String(i)).toString(36).padStart(26, "0")}`;
        pipeline.set(key, Buffer.concat([Buffer.alloc(8), value]), "PX", 365 * DAY_S * 1_000);
        if (i % 1_000 === 999) {
          await pipeline.exec();
          pipeline = redis.pipeline();
        }
      }
      redisBytes.push(((await memoryOf(redis)) - before) / copies);
    }
    await redis.flushall();
    return { entityBytes, redisBytes };
  } finally {
    redis.disconnect();
  }
}

/** Encoded accounts and parties, each with about so many movements, under the shipped rules. */
function entitiesWith(pack: Pack, lists: Lists, movements: number): Uint8Array[] {
  // Few busy ones tell as much, and cost far less, than many.
  const accounts = Math.max(6, Math.min(50, Math.floor(5_000 / movements)));
  const count = Math.ceil((movements * accounts) / 2);
  const decoder = createDecoder({ rates: lists.rates });
  const nothing = (): void => undefined;
  const embedded = createEmbedded(pack, { alert: nothing, hit: nothing, verdict: nothing });
  for (const line of lines(count, { accounts, gapMs: (90 * DAY_S * 1_000) / count })) {
    const decoded = decoder.decodeJson(line);
    if (decoded.kind === "tx") embedded.pushTx(decoded.tx);
  }
  const values: Uint8Array[] = [];
  for (const key of embedded.keys()) {
    const entity = embedded.entity(key);
    if (entity !== undefined && /^(account|party):/.test(key)) values.push(encodeEntity(entity, pack));
  }
  return values;
}

async function memoryOf(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
}

/** One pass of the whole pipeline in two processes. */
async function cpu(services: Services, count: number): Promise<Record<string, number>> {
  const topic = "sizing";
  await createTopic(services.brokers, topic, 4);
  const messages = function* () {
    let i = 0;
    for (const value of lines(count, { accounts: 20_000, gapMs: 35 })) yield { key: `tx-${i++}`, value };
  };
  await fill(services.brokers, topic, 4, messages());
  const { cpuUs } = await runPass({ services, name: "sizing-run", topic, roles: ["intake", "screen"] });
  return Object.fromEntries(Object.entries(cpuUs).map(([who, used]) => [who, used / count]));
}

function page(units: Units, rules: number): string {
  const round = (value: number): string => Math.round(value).toLocaleString("en-US");
  const mixed = (of: readonly number[]): number =>
    ACTIVITY.reduce((sum, { share }, i) => sum + share * (of[i] ?? 0), 0);
  const rows = [
    ["input message, JSON", `${round(units.messageBytes)} bytes`],
    ["views of a transaction", units.viewsPerTx.toFixed(1)],
    ["views of a transaction, packed", `${round(units.viewBytesPerTx)} bytes`],
    ...ACTIVITY.map(({ name, movements }, i) => [
      `entity, ${name} (${movements} movements in 90 days): encoded, in Redis`,
      `${round(units.entityBytes[i] ?? 0)}, ${round(units.redisBytes[i] ?? 0)} bytes`,
    ]),
    ...Object.entries(units.cpuUs).map(([who, used]) => [`CPU of ${who} a transaction`, `${used.toFixed(1)} us`]),
  ];
  const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
    [head, head.map(() => "---"), ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const needs = LOADS.map((load) => needsOf(load, units, mixed(units.redisBytes)));
  return (
    `Measured on ${machine()}, ${rules} rules:\n\n${table(["unit", "cost"], rows)}\n\n` +
    `What follows for a load (formulas below):\n\n${table(["", ...LOADS.map(titleOf)], turned(needs))}\n`
  );
}

function titleOf({ rate, entities }: Load): string {
  return `${rate.toLocaleString("en-US")} tx/s, ${(entities / 1e6).toLocaleString("en-US")} million entities`;
}

function needsOf({ rate, entities }: Load, units: Units, redisBytes: number): [string, string][] {
  const processes = (who: string): number => Math.max(1, Math.ceil((rate * (units.cpuUs[who] ?? 0)) / 1e6 / BUSY));
  const screen = processes("screen");
  const partitions = Math.max(16, 2 ** Math.ceil(Math.log2(4 * screen)));
  const gib = (bytes: number): string => {
    const size = bytes / 2 ** 30;
    return size >= 1_024 ? `${(size / 1_024).toFixed(1)} TiB` : `${size < 10 ? size.toFixed(1) : Math.round(size)} GiB`;
  };
  const memory = entities * redisBytes * REDIS_SPARE;
  return [
    ["intake processes, a core each", String(processes("intake"))],
    ["screening processes, a core each", String(screen)],
    ["partitions of the views", String(partitions)],
    ["partitions of the input, at least", String(Math.max(4, processes("intake")))],
    ["broker cores", String(Math.max(1, Math.ceil((rate * (units.cpuUs.broker ?? 0) * REPLICAS) / 1e6 / BUSY)))],
    ["Redis memory, masters", `${gib(memory)}, ${Math.ceil(memory / 2 ** 30 / MASTER_GIB)}`],
    [
      `input log, ${INPUT_DAYS} days, ${REPLICAS} replicas`,
      gib(rate * DAY_S * INPUT_DAYS * units.messageBytes * REPLICAS),
    ],
    [
      `views log, ${VIEWS_DAYS} days, ${REPLICAS} replicas`,
      gib(rate * DAY_S * VIEWS_DAYS * units.viewBytesPerTx * REPLICAS),
    ],
    ["views written", `${gib(rate * units.viewBytesPerTx * DAY_S)} a day`],
    [
      "rebuild of everything from the views",
      durationOf((rate * DAY_S * VIEWS_DAYS * (units.cpuUs.screen ?? 0)) / 1e6 / screen),
    ],
  ];
}

function durationOf(seconds: number): string {
  return seconds < 3_600 ? `${Math.ceil(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

function turned(columns: readonly (readonly [string, string][])[]): string[][] {
  return (columns[0] ?? []).map(([name], i) => [name, ...columns.map((column) => column[i]?.[1] ?? "")]);
}

await main().catch((error: Error) => {
  process.stderr.write(`sizing: ${error.message}\n`);
  process.exitCode = 1;
});
