/**
 * A whole run on real Kafka and Redis for tests that kill parts of it: rules with short windows, movements that fit
 * within the lateness that is judged, processes of `palermo run`, and what one ordered pass gives for the same.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { type Admin, Kafka, logLevel, Partitioners } from "kafkajs";
import { loadRules } from "../../src/cli/load-rules.ts";
import type { Alert, AlertStub } from "../../src/domain/alert.ts";
import { createDecoder } from "../../src/intake/decode.ts";
import { createEmbedded, type Embedded } from "../../src/screen/embedded.ts";
import { createEngine } from "../../src/screen/engine.ts";
import { createSettler } from "../../src/screen/settled.ts";
import type { Entity } from "../../src/screen/state.ts";
import { indicator, typology } from "../screen/build.ts";
import { type PalermoProcess, startPalermo } from "./palermo-process.ts";

const RULES: Readonly<Record<string, string>> = {
  "T-IN": indicator(
    "T-IN",
    `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates:
  n: { count: events, last: 2h }
  senders: { distinct: other.id, last: 2h, cap: 64 }
when: { all: [ { many: agg.n >= 28 }, { spread: agg.senders >= 20 } ] }
`,
  ),
  "T-BIG": indicator(
    "T-BIG",
    `
subject: account
scope: { rail: [transfer], direction: [out] }
aggregates:
  biggest: { max: tx.amount, last: 2h }
when: { all: [ { big: agg.biggest >= 995 EUR }, { some: agg.biggest >= 900 EUR } ] }
`,
  ),
  "T-AL": typology(
    "T-AL",
    `
subject: party
hits:
  came: { of: T-IN, from: accounts, last: 3h, count: episodes }
  left: { of: T-BIG, from: accounts, last: 3h, count: episodes }
scoring:
  indicators:
    - came: { family: receipts, points: 30, when: hits.came >= 1 }
    - left: { family: spending, points: 30, when: hits.left >= 1 }
alert_when: { all: [ { enough: score.total >= 30 } ] }
alone: { because: test }
severity: { medium: 30, high: 60 }
suppress: { for: 6h }
`,
  ),
};

const RATES = `
schema: list/v1
id: rates
type: rates
title: Fictional rates
owner: test
source: fictional
version: 1
reviewBy: 2030-01-01
base: EUR
entries:
  - { from: 2020-01-01, rates: { USD: "1.10" } }
`;

const T0 = Date.UTC(2026, 0, 5, 12, 0, 0);
/** All within the lateness that is judged: in whatever order partitions drain, no view comes too late. */
const SPAN_MS = 50 * 60_000;

/** `n` transfers among `n / 20` accounts as lines of tx/1, in order of time, from a seed. */
export function movements(n: number, seed: number): string[] {
  let state = seed >>> 0;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
  const accounts = Math.max(2, Math.floor(n / 20));
  const side = (i: number): object => ({ own: true, kind: "account", account: `k1.A${i}`, party: `k1.P${i}` });
  return Array.from({ length: n }, (_, i) => {
    const from = next(accounts);
    const to = (from + 1 + next(accounts - 1)) % accounts;
    const amount = `${1 + next(1_000)}.${String(next(100)).padStart(2, "0")}`;
    const occurredAt = new Date(T0 + Math.floor((i * SPAN_MS) / n)).toISOString();
    const common = { schema: "tx/1", txId: `t${i}`, occurredAt, rail: "transfer", channel: "online" };
    return JSON.stringify({ ...common, amount, currency: "EUR", debtor: side(from), creditor: side(to) });
  });
}

/** What one ordered pass in memory gives. */
export interface Reference {
  readonly settled: string[];
  readonly embedded: Embedded;
}

export interface RunRig {
  readonly redis: Redis;
  /** Starts a process of `palermo run` and waits until it runs. */
  start(role: "intake" | "screen" | "both"): Promise<PalermoProcess>;
  /** Sends movements, dealt out over the input partitions in turn. */
  feed(lines: readonly string[]): Promise<void>;
  /** Sends profiles to the parties topic. */
  feedParties(lines: readonly string[]): Promise<void>;
  reference(lines: readonly string[]): Reference;
  /** Views positions in the store, summed. */
  position(): Promise<bigint>;
  /** Records of the views topic. */
  viewsEnd(): Promise<bigint>;
  /** Alerts that wait in the outbox. */
  waiting(): Promise<number>;
  /** Makes the alert topics refuse every write, or accept them again. */
  blockAlerts(blocked: boolean): Promise<void>;
  /** Waits until everything fed is screened, and everything that follows from it is published. */
  settled(total: number): Promise<void>;
  /** Settled form of what the alert topics hold; stubs are passed over. */
  alerts(): Promise<string[]>;
  /** Entities in the store by key. */
  entities(): Promise<Map<string, Entity>>;
  close(): Promise<void>;
}

const VIEWS = 8;

export interface RunRigOptions {
  /** Folder of the rules; default: a few with short windows. */
  readonly rules?: string;
  /** Partitions of the transactions topic; default 2. */
  readonly inputs?: number;
  /** Configuration in environment form that wins over the rig's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Topics and keys of its own on the given services. */
export async function createRunRig(
  brokers: readonly string[],
  redisUrl: string,
  options: RunRigOptions = {},
): Promise<RunRig> {
  const id = `f${process.pid}-${Date.now().toString(36)}`;
  const inputs = options.inputs ?? 2;
  const dir = mkdtempSync(join(tmpdir(), "palermo-faults-"));
  const rules = options.rules ?? writeRules(join(dir, "rules"));
  const { pack, lists } = loadRules({ rules, tenant: "default" });
  const kafka = new Kafka({ clientId: id, brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const redis = new Redis(redisUrl);
  const topics = {
    transactions: `${id}-transactions`,
    views: `${id}.views`,
    alerts: `${id}.alerts`,
    parties: `${id}.parties`,
  };
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await admin.createTopics({ topics: [{ topic: topics.transactions, numPartitions: inputs }], waitForLeaders: true });
  const env = {
    PALERMO_KAFKA_BROKERS: brokers.join(","),
    PALERMO_KAFKA_SESSION_TIMEOUT_MS: "6000",
    PALERMO_REDIS_URL: redisUrl,
    PALERMO_REDIS_PREFIX: id,
    PALERMO_TOPIC_PREFIX: `${id}.`,
    PALERMO_TOPIC_TRANSACTIONS: topics.transactions,
    PALERMO_VIEWS_PARTITIONS: String(VIEWS),
    PALERMO_INTAKE_GROUP: `${id}-intake`,
    PALERMO_SCREEN_GROUP: `${id}-screen`,
    PALERMO_RULES: rules,
    PALERMO_HTTP_HOST: "127.0.0.1",
    PALERMO_HTTP_PORT: "0",
    PALERMO_DRIFT_AHEAD_MS: "0",
    ...options.env,
  };
  const processes: PalermoProcess[] = [];
  const laneKeys = (lane: string): string[] =>
    Array.from({ length: VIEWS }, (_, p) => `${id}:default:{p${p}}:out:${lane}`);
  const sum = async (numbers: Promise<number | bigint>[]): Promise<bigint> =>
    (await Promise.all(numbers)).reduce<bigint>((total, n) => total + BigInt(n), 0n);
  return {
    redis,
    async start(role) {
      const palermo = startPalermo(["run"], { ...env, PALERMO_ROLE: role });
      processes.push(palermo);
      await palermo.logged('"msg":"running"');
      return palermo;
    },
    async feed(lines) {
      const messages = lines.map((value, i) => ({ value, partition: i % inputs }));
      for (let at = 0; at < messages.length; at += 1_000) {
        await producer.send({ topic: topics.transactions, messages: messages.slice(at, at + 1_000) });
      }
    },
    async feedParties(lines) {
      const messages = lines.map((value) => ({ value, key: partyKey(value) }));
      if (messages.length > 0) await producer.send({ topic: topics.parties, messages });
    },
    reference(lines) {
      const settler = createSettler();
      const decoder = createDecoder({ rates: lists.rates });
      const embedded = createEmbedded(pack, {
        alert: (alert) => settler.add(alert),
        hit: () => undefined,
        verdict: () => undefined,
      });
      for (const line of lines) {
        const decoded = decoder.decodeJson(line);
        if (decoded.kind !== "tx") throw new Error(`not a movement: ${JSON.stringify(decoded)}`);
        embedded.pushTx(decoded.tx);
      }
      return { settled: settler.lines(), embedded };
    },
    position: () =>
      sum(
        Array.from({ length: VIEWS }, async (_, p) =>
          BigInt((await redis.hget(`${id}:default:{p${p}}:meta`, "next")) ?? 0),
        ),
      ),
    viewsEnd: async () => sum((await admin.fetchTopicOffsets(topics.views)).map(async ({ high }) => BigInt(high))),
    waiting: async () => Number(await sum(laneKeys("alerts").map((key) => redis.llen(key)))),
    async blockAlerts(blocked) {
      // One replica cannot satisfy two: a write is refused as one that may be repeated.
      const configEntries = [{ name: "min.insync.replicas", value: blocked ? "2" : "1" }];
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topics.alerts, configEntries }] });
    },
    async settled(total) {
      for (let quiet = 0; quiet < 4; await sleep(250)) {
        const ended = processes.find((one) => !one.running && !killed(one));
        if (ended !== undefined) throw new Error(`palermo ended:\n${ended.log()}`);
        quiet = (await isDone(admin, id, topics, total)) ? quiet + 1 : 0;
      }
    },
    async alerts() {
      const settler = createSettler();
      const take = (value: string): void => {
        const alert = JSON.parse(value) as Alert | AlertStub;
        if (alert.schema === "alert/1") settler.add(alert);
      };
      for (const topic of [topics.alerts, `${topics.alerts}.protected`]) await readAll(kafka, admin, topic, take);
      return settler.lines();
    },
    async entities() {
      const engine = createEngine(pack, { tailKeep: 1 });
      const found = new Map<string, Entity>();
      for (let p = 0; p < VIEWS; p++) {
        const prefix = `${id}:default:{p${p}}:e:`;
        const keys = await redis.keys(`${prefix.replace(/[{}]/g, "?")}*`);
        if (keys.length === 0) continue;
        for (const [i, value] of (await redis.mgetBuffer(...keys)).entries()) {
          const key = (keys[i] ?? "").slice(prefix.length);
          if (value !== null) found.set(key, engine.decode(key, value.subarray(8)));
        }
      }
      return found;
    },
    async close() {
      for (const palermo of processes) if (palermo.running) await palermo.kill();
      await producer.disconnect();
      await admin.disconnect();
      redis.disconnect();
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

function killed(palermo: PalermoProcess): boolean {
  return !palermo.log().includes('"level":60') && !palermo.log().includes("palermo: ");
}

async function isDone(
  admin: Admin,
  id: string,
  topics: { readonly transactions: string; readonly views: string },
  total: number,
): Promise<boolean> {
  const same = async (topic: string, group: string): Promise<{ readonly done: boolean; readonly high: number }> => {
    const ends = await admin.fetchTopicOffsets(topic);
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const offsets = new Map(committed?.partitions.map(({ partition, offset }) => [partition, offset]));
    const done = ends.every(({ partition, high }) => high === "0" || offsets.get(partition) === high);
    return { done, high: ends.reduce((all, { high }) => all + Number(high), 0) };
  };
  const input = await same(topics.transactions, `${id}-intake`);
  if (!input.done || input.high < total) return false;
  return (await same(topics.views, `${id}-screen`)).done;
}

/** Profiles of one party or account stay in order. */
function partyKey(line: string): string {
  const { party, account } = JSON.parse(line) as { readonly party?: string; readonly account?: string };
  return account ?? party ?? "";
}

/** Reads a topic to its present end. */
async function readAll(kafka: Kafka, admin: Admin, topic: string, take: (value: string) => void): Promise<void> {
  const left = new Map(
    (await admin.fetchTopicOffsets(topic))
      .filter(({ high }) => high !== "0")
      .map((at) => [at.partition, BigInt(at.high)]),
  );
  if (left.size === 0) return;
  const consumer = kafka.consumer({ groupId: `${topic}-reader-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ partition, message }) => {
          take(String(message.value));
          if (BigInt(message.offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
          if (left.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
}
