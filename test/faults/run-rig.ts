/**
 * A whole run on real Kafka and Redis for tests that break parts of it: topics and keys of its own, processes of
 * `palermo run`, and what came out of it all. What should have come out, and the comparison, stand in oracle.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, Redis } from "ioredis";
import { type Admin, Kafka, logLevel, Partitioners, type Producer } from "kafkajs";
import { loadRules } from "../../src/cli/load-rules.ts";
import type { Alert, AlertStub } from "../../src/domain/alert.ts";
import type { Lists } from "../../src/rules/lists.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { createEngine } from "../../src/screen/engine.ts";
import { createSettler } from "../../src/screen/settled.ts";
import type { Entity } from "../../src/screen/state.ts";
import { parsePack, type Stored } from "../../src/store/port.ts";
import { toStored } from "../../src/store/redis.ts";
import { type PalermoProcess, startPalermo } from "./palermo-process.ts";
import { RATES, RULES } from "./sample.ts";

export type Role = "intake" | "screen" | "both";
export type Env = Readonly<Record<string, string>>;

export interface RigOptions {
  readonly brokers: readonly string[];
  readonly redisUrl: string;
  /** The test's own client of a cluster; its processes get `redisUrl` as the first node. */
  readonly cluster?: Cluster;
  /** What the processes are told of broker and Redis, where that is a proxy. */
  readonly seen?: { readonly brokers?: readonly string[]; readonly redisUrl?: string };
  /** Partitions of the input, 2 by default, and of the views, 8. */
  readonly inputs?: number;
  readonly views?: number;
  /** Folder of the rules; default: a few with short windows. */
  readonly rules?: string;
  readonly replicas?: number;
  /**
   * More configuration of every process, which wins over the rig's own. Drift is not held by default, since all of the
   * sample is within the lateness.
   */
  readonly env?: Env;
}

/** What the topics of alerts hold; stubs are passed over. */
export interface Published {
  /** Settled form, as lines. */
  readonly settled: string[];
  readonly records: number;
  /** Records whose id and revision stood there before. */
  readonly repeats: number;
  /** Repeats whose content was another one. */
  readonly contradictions: number;
}

export interface RunRig {
  readonly id: string;
  readonly pack: Pack;
  readonly lists: Lists;
  readonly rulesDir: string;
  readonly topics: Readonly<Record<"transactions" | "parties" | "views" | "alerts" | "rejected", string>>;
  readonly views: number;
  readonly redis: Redis | Cluster;
  readonly admin: Admin;
  readonly processes: readonly PalermoProcess[];
  /** Configuration of the processes, for other verbs on the same run. */
  readonly env: Env;
  /** Starts a process of `palermo run`. */
  launch(role: Role, env?: Env): PalermoProcess;
  /** Waits until a worker that is alone has all partitions, so that what it rebuilds later it had lost. */
  claimed(palermo: PalermoProcess): Promise<void>;
  /** As `launch`, and waits until it runs. */
  start(role: Role, env?: Env): Promise<PalermoProcess>;
  /** Sends lines to the input; by default in turn over its partitions. */
  feed(lines: readonly (string | Buffer)[], partitionOf?: (i: number) => number): Promise<void>;
  /** Sends profiles to the parties topic. */
  feedParties(lines: readonly string[]): Promise<void>;
  /** Views positions in the store, summed. */
  position(): Promise<bigint>;
  /** Records of the views topic. */
  viewsEnd(): Promise<bigint>;
  /** Alerts that wait in the outbox. */
  waiting(): Promise<number>;
  /** Makes the alert topics refuse every write, or accept them again. */
  blockAlerts(blocked: boolean): Promise<void>;
  /** Waits until everything fed is screened and what follows from it is published; gives the ms that it took. */
  settled(total: number): Promise<number>;
  alerts(): Promise<Published>;
  /** Hash of the pack in force in each views partition, as the store has it. */
  packs(): Promise<(string | undefined)[]>;
  /** Records of a topic, to its present end, by partition. */
  log(topic: string): Promise<LoggedRecord[][]>;
  /** Values of entities in the store by key. */
  values(): Promise<Map<string, Stored>>;
  /** Values of a topic, to its present end. */
  read(topic: string): Promise<string[]>;
  /** Entities in the store by key. */
  entities(): Promise<Map<string, Entity>>;
  close(): Promise<void>;
}

export interface LoggedRecord {
  readonly offset: bigint;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

const FEED_BYTES = 400_000;
/** So that a run that hangs tells its logs before its test ends. */
const SETTLE_MS = 150_000;
let rigs = 0;

/** Topics and keys of its own on the given services. */
export async function createRunRig(options: RigOptions): Promise<RunRig> {
  const { brokers, inputs = 2, views = 8 } = options;
  const id = `f${process.pid}-${Date.now().toString(36)}${rigs++}`;
  const dir = mkdtempSync(join(tmpdir(), "palermo-faults-"));
  const rulesDir = options.rules ?? writeRules(join(dir, "rules"));
  const { pack, lists } = loadRules({ rules: rulesDir, tenant: "default" });
  const kafka = new Kafka({
    clientId: id,
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, retries: 30, maxRetryTime: 1_000 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const redis =
    options.cluster ?? new Redis(options.redisUrl, { retryStrategy: () => 100, maxRetriesPerRequest: null });
  redis.on("error", () => undefined);
  const own = (name: string): string => `${id}.${name}`;
  const topics = {
    transactions: `${id}-transactions`,
    parties: own("parties"),
    views: own("views"),
    alerts: own("alerts"),
    rejected: own("rejected"),
  };
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const replicationFactor = options.replicas ?? 1;
  await admin.createTopics({
    topics: [{ topic: topics.transactions, numPartitions: inputs, replicationFactor }],
    waitForLeaders: true,
  });
  const env = environment(id, rulesDir, topics.transactions, { ...options, views });
  const processes: PalermoProcess[] = [];
  const launch = (role: Role, more: Env = {}): PalermoProcess => {
    const palermo = startPalermo(["run"], { ...env, PALERMO_ROLE: role, ...more });
    processes.push(palermo);
    return palermo;
  };
  const keyOf = (p: number, name: string): string => `${id}:default:{p${p}}:${name}`;
  const partitions = Array.from({ length: views }, (_, p) => p);
  const values = async (): Promise<Map<string, Stored>> => {
    const found = new Map<string, Stored>();
    for (const p of partitions) {
      const prefix = keyOf(p, "e:");
      const keys = await keysOf(redis, prefix);
      if (keys.length === 0) continue;
      for (const [i, value] of (await redis.mgetBuffer(...keys)).entries()) {
        const key = keys[i] ?? "";
        if (value !== null) found.set(key.slice(prefix.length), toStored(value, key));
      }
    }
    return found;
  };
  return {
    id,
    pack,
    lists,
    rulesDir,
    topics,
    views,
    redis,
    admin,
    processes,
    env,
    launch,
    async start(role, more) {
      const palermo = launch(role, more);
      await palermo.logged('"msg":"running"');
      return palermo;
    },
    async claimed(palermo) {
      while (palermo.times("partition claimed").length < views) await sleep(20);
    },
    async feed(lines, partitionOf = (i) => i % inputs) {
      let messages: Fed[] = [];
      let bytes = 0;
      for (const [i, value] of lines.entries()) {
        // A broker takes batches of 1 MiB.
        if (messages.length > 0 && bytes + value.length > FEED_BYTES) {
          await sendAll(producer, topics.transactions, messages);
          messages = [];
          bytes = 0;
        }
        messages.push({ value, partition: partitionOf(i) });
        bytes += value.length;
      }
      await sendAll(producer, topics.transactions, messages);
    },
    async feedParties(lines) {
      const messages = lines.map((value) => ({ value, key: partyKey(value) }));
      if (messages.length > 0) await producer.send({ topic: topics.parties, messages });
    },
    position: () => sum(partitions.map(async (p) => BigInt((await redis.hget(keyOf(p, "meta"), "next")) ?? 0))),
    viewsEnd: async () => sum((await admin.fetchTopicOffsets(topics.views)).map(async ({ high }) => BigInt(high))),
    waiting: async () => Number(await sum(partitions.map((p) => redis.llen(keyOf(p, "out:alerts"))))),
    async blockAlerts(blocked) {
      // One replica cannot satisfy two: a write is refused as one that may be repeated.
      const configEntries = [{ name: "min.insync.replicas", value: blocked ? "2" : "1" }];
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topics.alerts, configEntries }] });
    },
    async settled(total) {
      const since = Date.now();
      for (let quiet = 0; quiet < 3; await sleep(150)) {
        const ended = processes.find((one) => !one.running && failed(one));
        if (ended !== undefined) throw new Error(`palermo ended:\n${ended.log()}`);
        const left = await leftOf(admin, id, topics, total).catch((error: unknown) => `cannot tell: ${String(error)}`);
        quiet = left === undefined ? quiet + 1 : 0;
        if (Date.now() - since > SETTLE_MS) throw new Error(`not settled within ${SETTLE_MS} ms: ${left}`);
      }
      return Date.now() - since;
    },
    async alerts() {
      const values = [topics.alerts, `${topics.alerts}.protected`].map((topic) => readAll(kafka, admin, topic));
      return publishedOf((await Promise.all(values)).flat());
    },
    packs: () =>
      Promise.all(
        partitions.map(async (p) => {
          const text = await redis.hget(keyOf(p, "meta"), "pack");
          return text === null ? undefined : parsePack(text).hash;
        }),
      ),
    log: (topic) => readLog(kafka, admin, topic),
    values,
    read: (topic) => readAll(kafka, admin, topic),
    async entities() {
      const engine = createEngine(pack, { tailKeep: 1 });
      const found = [...(await values())];
      return new Map(found.map(([key, { value, additions }]) => [key, engine.decode(key, value, additions)]));
    },
    async close() {
      for (const palermo of processes) if (palermo.running) await palermo.kill();
      await producer.disconnect();
      await admin.disconnect();
      if (options.cluster === undefined) redis.disconnect();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The rig's own rules as files; gives their folder. */
function writeRules(folder: string): string {
  mkdirSync(join(folder, "lists"), { recursive: true });
  for (const [name, text] of Object.entries(RULES)) writeFileSync(join(folder, `${name}.yaml`), text);
  writeFileSync(join(folder, "lists", "rates.yaml"), RATES);
  return folder;
}

interface Fed {
  readonly value: string | Buffer;
  readonly partition: number;
}

/**
 * Sends until the broker has said of each partition that it took its share: while leaders move, kafkajs reports a send
 * as done that left one out. What is sent twice counts once.
 */
async function sendAll(producer: Producer, topic: string, messages: readonly Fed[]): Promise<void> {
  for (let left = messages; left.length > 0; ) {
    const taken = new Set((await producer.send({ topic, messages: [...left] })).map(({ partition }) => partition));
    left = left.filter(({ partition }) => !taken.has(partition));
  }
}

/** Profiles of one party or account stay in order. */
function partyKey(line: string): string {
  const { party, account } = JSON.parse(line) as { readonly party?: string; readonly account?: string };
  return account ?? party ?? "";
}

function environment(id: string, rulesDir: string, input: string, options: RigOptions): Env {
  const { brokers, redisUrl, seen = {}, views } = options;
  return {
    PALERMO_KAFKA_BROKERS: (seen.brokers ?? brokers).join(","),
    PALERMO_KAFKA_SESSION_TIMEOUT_MS: "6000",
    PALERMO_REDIS_URL: seen.redisUrl ?? redisUrl,
    PALERMO_REDIS_PREFIX: id,
    PALERMO_TOPIC_PREFIX: `${id}.`,
    PALERMO_TOPIC_TRANSACTIONS: input,
    PALERMO_VIEWS_PARTITIONS: String(views),
    PALERMO_INTAKE_GROUP: `${id}-intake`,
    PALERMO_SCREEN_GROUP: `${id}-screen`,
    PALERMO_RULES: rulesDir,
    PALERMO_HTTP_HOST: "127.0.0.1",
    PALERMO_HTTP_PORT: "0",
    PALERMO_DRIFT_AHEAD_MS: "0",
    ...(options.cluster === undefined ? {} : { PALERMO_REDIS_CLUSTER: "true" }),
    ...options.env,
  };
}

async function sum(numbers: Promise<number | bigint>[]): Promise<bigint> {
  return (await Promise.all(numbers)).reduce<bigint>((total, n) => total + BigInt(n), 0n);
}

/** It said why it could not go on; one that was killed says nothing. */
function failed(palermo: PalermoProcess): boolean {
  return palermo.log().includes('"level":60') || palermo.log().includes("palermo: ");
}

async function keysOf(redis: Redis | Cluster, prefix: string): Promise<string[]> {
  const nodes = redis.isCluster ? (redis as Cluster).nodes("master") : [redis as Redis];
  const found = await Promise.all(nodes.map((node) => node.keys(`${prefix.replace(/[{}]/g, "?")}*`)));
  return found.flat();
}

/** What is not read and published yet, in words; undefined when nothing is. */
async function leftOf(
  admin: Admin,
  id: string,
  topics: { readonly transactions: string; readonly views: string },
  total: number,
): Promise<string | undefined> {
  const look = async (topic: string, group: string): Promise<{ readonly left: string; readonly high: number }> => {
    const ends = await admin.fetchTopicOffsets(topic);
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const offsets = new Map(committed?.partitions.map(({ partition, offset }) => [partition, offset]));
    const behind = ends.filter(({ partition, high }) => high !== "0" && offsets.get(partition) !== high);
    const left = behind.map(({ partition, high }) => `${topic}:${partition} at ${offsets.get(partition)} of ${high}`);
    return { left: left.join(", "), high: ends.reduce((all, { high }) => all + Number(high), 0) };
  };
  const input = await look(topics.transactions, `${id}-intake`);
  if (input.left !== "") return input.left;
  if (input.high < total) return `${topics.transactions} has ${input.high} of ${total}`;
  const { left } = await look(topics.views, `${id}-screen`);
  return left === "" ? undefined : left;
}

function publishedOf(values: readonly string[]): Published {
  const settler = createSettler();
  const seen = new Map<string, string>();
  let repeats = 0;
  let contradictions = 0;
  for (const value of values) {
    const alert = JSON.parse(value) as Alert | AlertStub;
    if (alert.schema !== "alert/1") continue;
    const name = `${alert.alertId}/${alert.revision}`;
    const before = seen.get(name);
    if (before !== undefined) repeats++;
    if (before !== undefined && before !== value) contradictions++;
    seen.set(name, value);
    settler.add(alert);
  }
  return { settled: settler.lines(), records: values.length, repeats, contradictions };
}

/** Reads a topic to its present end. */
async function readAll(kafka: Kafka, admin: Admin, topic: string): Promise<string[]> {
  return (await readLog(kafka, admin, topic)).flatMap((records) => records.map(({ value }) => String(value)));
}

async function readLog(kafka: Kafka, admin: Admin, topic: string): Promise<LoggedRecord[][]> {
  const ends = await admin.fetchTopicOffsets(topic);
  const left = new Map(ends.filter(({ high, low }) => high !== low).map((at) => [at.partition, BigInt(at.high)]));
  const log = ends.map((): LoggedRecord[] => []);
  if (left.size === 0) return log;
  const consumer = kafka.consumer({ groupId: `${topic}-reader-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          for (const { offset, value, headers } of batch.messages) {
            const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]);
            log[batch.partition]?.push({ offset: BigInt(offset), value, headers: Object.fromEntries(texts) });
          }
          if (BigInt(batch.lastOffset()) + 1n >= (left.get(batch.partition) ?? 0n)) left.delete(batch.partition);
          if (left.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return log;
}
