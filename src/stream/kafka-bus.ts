/**
 * A broker through kafkajs 2.2.4: connections, TLS and SASL, and the admin of the port. kafkajs's own log
 * goes to `debug` as one line without its fields, which may hold addresses of records but never data.
 */
import kafkajs, { type KafkaConfig, type LogEntry, type SASLOptions } from "kafkajs";
import { backoffMs, sleep } from "./backoff.ts";
import type { Admin, Bus, ConsumerOptions, GroupOffset, PartitionRange, TopicSpec, TopicState } from "./bus.ts";
import { BusError } from "./bus.ts";
import { createConsumer } from "./kafka-consumer.ts";
import { explain } from "./kafka-errors.ts";
import { createProducer } from "./kafka-producer.ts";

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** PEM texts; undefined: plain TCP. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  readonly sasl:
    | { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string }
    | undefined;
  readonly sessionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly watchdogMs: number;
  /** Give up connecting after so long; 0: never. */
  readonly giveUpMs: number;
}

export type SaslMechanism = "plain" | "scram-sha-256" | "scram-sha-512";

export interface BusLog {
  debug(message: string): void;
  /** An attempt failed and will be repeated. */
  retrying(message: string, attempt: number): void;
}

/** Most bytes of one fetch of one partition: what one batch of the worker is cut from. */
const FETCH_BYTES_DEFAULT = 1 << 20;
/**
 * What is written meanwhile ends the wait at once; only a partition that is resumed waits for its end. Idle, with 20 ms
 * a consumer of 16 partitions cost the broker 5 % of a core and its own process as much, with this a fifth.
 */
const FETCH_WAIT_MS_DEFAULT = 100;
const HEARTBEAT_MS = 1_000;
/** Looks at the metadata of topics just created before that counts as failed, about half a minute. */
const LEADERS_TRIES = 30;

/** Opens nothing yet: each producer, consumer and admin connects when asked for. `signal` ends the waiting for it. */
export function createKafkaBus(settings: KafkaSettings, log: BusLog, signal?: AbortSignal): Bus {
  const kafka = new kafkajs.Kafka(kafkaConfig(settings, log));
  const address = settings.brokers.join(", ");
  return {
    async producer(name) {
      const create = () =>
        kafka.producer({
          allowAutoTopicCreation: false,
          idempotent: true,
          maxInFlightRequests: 1,
          // A few tries of its own, then the port's producer takes over with a fresh one and a clear message.
          retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 2_000 },
          createPartitioner: () => (args) => args.message.partition ?? 0,
        });
      await reach(`connecting producer ${name}`, address, { ...settings, signal }, log, async () => {
        const probe = kafka.admin({ retry: { retries: 0 } });
        try {
          await probe.connect();
        } finally {
          await probe.disconnect().catch(() => undefined);
        }
      });
      const hungMs = settings.requestTimeoutMs * 3;
      return createProducer(create, { address, hungMs, retrying: log.retrying });
    },
    consumer(group, options: ConsumerOptions = {}) {
      const create = () =>
        kafka.consumer({
          groupId: group,
          sessionTimeout: settings.sessionTimeoutMs,
          rebalanceTimeout: Math.max(settings.sessionTimeoutMs, 60_000),
          heartbeatInterval: HEARTBEAT_MS,
          maxBytesPerPartition: options.maxBytesPerPartition ?? FETCH_BYTES_DEFAULT,
          maxWaitTimeInMs: options.maxWaitMs ?? FETCH_WAIT_MS_DEFAULT,
          allowAutoTopicCreation: false,
          // The port's consumer restarts: one place, with a backoff and a message.
          retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 2_000, restartOnFailure: async () => false },
        });
      const { watchdogMs } = settings;
      return createConsumer(create, { group, address, heartbeatMs: HEARTBEAT_MS, watchdogMs, retrying: log.retrying });
    },
    async admin() {
      const raw = kafka.admin({ retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 2_000 } });
      await reach("connecting", address, { ...settings, signal }, log, () => raw.connect());
      return createAdmin(raw, address);
    },
  };
}

/** Repeats `work` with backoff while a retry can help; says each time what was tried. */
async function reach(
  attempt: string,
  address: string,
  settings: { readonly giveUpMs: number; readonly signal: AbortSignal | undefined },
  log: BusLog,
  work: () => Promise<void>,
): Promise<void> {
  const since = Date.now();
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const why = explain(error, attempt, address);
      if (!why.retriable || settings.signal?.aborted) throw why;
      const triedMs = Date.now() - since;
      if (settings.giveUpMs > 0 && triedMs >= settings.giveUpMs) {
        const seconds = Math.round(triedMs / 1_000);
        throw new BusError(`${why.message}; tried ${tries + 1} times in ${seconds} s. Check kafka.brokers`, false);
      }
      log.retrying(why.message, tries);
      await sleep(backoffMs(tries), settings.signal);
    }
  }
}

function kafkaConfig(settings: KafkaSettings, log: BusLog): KafkaConfig {
  const { tls, sasl } = settings;
  return {
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    requestTimeout: settings.requestTimeoutMs,
    connectionTimeout: 5_000,
    retry: { retries: 1, initialRetryTime: 100 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry: LogEntry) => log.debug(`kafkajs: ${entry.namespace}: ${entry.log.message}`),
    ...(tls === undefined ? {} : { ssl: { ...tls } }),
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
  };
}

type RawAdmin = ReturnType<kafkajs.Kafka["admin"]>;

function createAdmin(raw: RawAdmin, address: string): Admin {
  const ask = async <T>(attempt: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, attempt, address);
    }
  };
  return {
    describe: (names) => ask("describing topics", () => describe(raw, names)),
    create: (topics) => ask(`creating topics`, () => createTopics(raw, topics)),
    ranges: (topic) => ask(`reading offsets of ${topic}`, () => ranges(raw, topic)),
    groupOffsets: (group, topic) => ask(`reading offsets of group ${group}`, () => groupOffsets(raw, group, topic)),
    members: (group) =>
      ask(`describing group ${group}`, async () => (await raw.describeGroups([group])).groups[0]?.members.length ?? 0),
    brokers: () => ask("describing the cluster", async () => (await raw.describeCluster()).brokers.length),
    close: () => raw.disconnect(),
  };
}

async function describe(raw: RawAdmin, names: readonly string[]): Promise<TopicState[]> {
  const existing = new Set(await raw.listTopics());
  const wanted = names.filter((name) => existing.has(name));
  if (wanted.length === 0) return [];
  const { topics } = await metadataOf(raw, wanted, () => true);
  const configs = await topicConfigs(raw, wanted);
  return topics.map((topic) => ({
    name: topic.name,
    partitions: topic.partitions.length,
    replicationFactor: Math.min(...topic.partitions.map((p) => p.replicas.length)),
    config: configs.get(topic.name) ?? {},
  }));
}

/** Empty where the user may not describe configurations: the checks that need them are then left out. */
async function topicConfigs(raw: RawAdmin, names: readonly string[]): Promise<Map<string, Record<string, string>>> {
  const resources = names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }));
  try {
    const reply = await raw.describeConfigs({ includeSynonyms: false, resources });
    return new Map(
      reply.resources.map((r) => [
        r.resourceName,
        Object.fromEntries(r.configEntries.map((entry) => [entry.configName, entry.configValue])),
      ]),
    );
  } catch {
    return new Map();
  }
}

async function createTopics(raw: RawAdmin, topics: readonly TopicSpec[]): Promise<void> {
  for (const topic of topics) {
    await raw.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: topic.replicationFactor,
          configEntries: Object.entries(topic.config).map(([name, value]) => ({ name, value })),
        },
      ],
    });
  }
  const names = topics.map((topic) => topic.name);
  if (names.length === 0) return;
  await metadataOf(raw, names, ({ topics: known }) =>
    known.every((topic) => topic.partitions.every((partition) => partition.leader >= 0)),
  );
}

type Metadata = Awaited<ReturnType<RawAdmin["fetchTopicMetadata"]>>;

/**
 * Metadata of topics that exist. It follows their creation with a delay that grows with the broker's load and differs
 * from broker to broker: one that has not heard of a topic yet says that there is none.
 */
async function metadataOf(raw: RawAdmin, topics: string[], isDone: (found: Metadata) => boolean): Promise<Metadata> {
  for (let tries = 0; ; tries++) {
    try {
      const found = await raw.fetchTopicMetadata({ topics });
      if (isDone(found) || tries >= LEADERS_TRIES) return found;
    } catch (error) {
      if (tries >= LEADERS_TRIES || !explain(error, "", "").retriable) throw error;
    }
    await sleep(backoffMs(tries, 50, 1_000));
  }
}

async function ranges(raw: RawAdmin, topic: string): Promise<PartitionRange[]> {
  const offsets = await raw.fetchTopicOffsets(topic);
  return offsets
    .map((o) => ({ partition: o.partition, low: BigInt(o.low), high: BigInt(o.high) }))
    .sort((a, b) => a.partition - b.partition);
}

async function groupOffsets(raw: RawAdmin, group: string, topic: string): Promise<GroupOffset[]> {
  const [reply] = await raw.fetchOffsets({ groupId: group, topics: [topic] });
  return (reply?.partitions ?? [])
    .map((p) => {
      const offset = BigInt(p.offset);
      return { partition: p.partition, offset: offset < 0n ? undefined : offset, metadata: p.metadata ?? "" };
    })
    .sort((a, b) => a.partition - b.partition);
}
