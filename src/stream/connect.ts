/** From the configuration to a broker connection: reads the PEM files and says which one is at fault. */
import { readFileSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import type { Bus } from "./bus.ts";
import type { Config } from "./config-schema.ts";
import { type BusLog, createKafkaBus, type KafkaSettings } from "./kafka-bus.ts";
import { quietenKafkaTimers } from "./kafka-timers.ts";

/**
 * Opens nothing yet; connections come with producers, consumers and the admin. `giveUpMs`: stop trying to
 * connect after so long, 0 never; `signal` ends the trying. Throws UsageError when a certificate file cannot be read.
 */
export function openBus(config: Config, log: BusLog, giveUpMs: number, signal?: AbortSignal): Bus {
  quietenKafkaTimers();
  return createKafkaBus(kafkaSettings(config.kafka, giveUpMs), log, signal);
}

/** kafkajs's settings of the section `kafka`. */
export function kafkaSettings(kafka: Config["kafka"], giveUpMs: number): KafkaSettings {
  const { brokers, clientId, sessionTimeoutMs, requestTimeoutMs, watchdogMs, sasl } = kafka;
  if (sasl.mechanism !== undefined && (sasl.username === undefined || sasl.password === undefined)) {
    throw new UsageError("kafka.sasl.mechanism is set: kafka.sasl.username and kafka.sasl.password are needed too");
  }
  if (sasl.mechanism === undefined && (sasl.username !== undefined || sasl.password !== undefined)) {
    throw new UsageError(
      "kafka.sasl has a user or password but no mechanism: set kafka.sasl.mechanism, such as scram-sha-512",
    );
  }
  return {
    brokers,
    clientId,
    sessionTimeoutMs,
    requestTimeoutMs,
    watchdogMs,
    giveUpMs,
    tls: kafka.tls.enabled || hasFiles(kafka.tls) ? readTls("kafka.tls", kafka.tls) : undefined,
    sasl:
      sasl.mechanism === undefined
        ? undefined
        : { mechanism: sasl.mechanism, username: sasl.username ?? "", password: sasl.password ?? "" },
  };
}

/** ioredis's settings of the section `redis` beside the URL; user and password win over those in it. */
export function redisClient(redis: Config["redis"]): {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsTexts;
} {
  return {
    ...(redis.username === undefined ? {} : { username: redis.username }),
    ...(redis.password === undefined ? {} : { password: redis.password }),
    ...(redis.url.startsWith("rediss:") || hasFiles(redis.tls) ? { tls: readTls("redis.tls", redis.tls) } : {}),
  };
}

export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

function hasFiles(tls: TlsFiles): boolean {
  return tls.ca !== undefined || tls.cert !== undefined || tls.key !== undefined;
}

function readTls(section: string, files: TlsFiles): TlsTexts {
  const texts: { ca?: string; cert?: string; key?: string } = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const path = files[name];
    if (path === undefined) continue;
    try {
      texts[name] = readFileSync(path, "utf8");
    } catch (error) {
      throw new UsageError(
        `${section}.${name}: ${path} cannot be read: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  return texts;
}
