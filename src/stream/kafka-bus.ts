/**
 * A broker through kafkajs 2.2.4: connections, TLS and SASL. kafkajs's own log goes to `debug` as one line without its
 * fields, which may hold addresses of records but never data.
 */
import kafkajs, { type KafkaConfig, type LogEntry, type SASLOptions } from "kafkajs";
import { backoffMs, sleep } from "./backoff.ts";
import type { Bus, ConsumerOptions } from "./bus.ts";
import { BusError } from "./bus.ts";
import { createAdmin } from "./kafka-admin.ts";
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
