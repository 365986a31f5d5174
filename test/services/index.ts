/**
 * Kafka and Redis for tests. Most tests share one of each, whose addresses Vitest hands over:
 *
 *     const brokers = inject("kafkaBrokers"); // string[]
 *     const url = inject("redisUrl");
 *
 * and keep apart by topic names and key prefixes of their own. A test that kills or reconfigures a server starts its
 * own with the functions below and closes it. Both kinds are processes of this machine, or containers where
 * PALERMO_TEST_SERVICES=docker; PALERMO_TEST_KAFKA (host:port,...) and PALERMO_TEST_REDIS (redis://...) put running
 * servers in the place of the shared ones.
 */
import { type KafkaOptions, type KafkaService, startLocalKafka } from "./kafka.ts";
import { type RedisOptions, type RedisService, startLocalRedis } from "./redis.ts";

export type { KafkaOptions, KafkaService } from "./kafka.ts";
export type { Service } from "./process.ts";
export type { RedisOptions, RedisService } from "./redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Addresses of the shared broker. */
    kafkaBrokers: string[];
    /** Address of the shared Redis. */
    redisUrl: string;
  }
}

/** Starts a broker that belongs to the caller, who closes it. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaService> {
  return inDocker() ? (await import("./docker.ts")).startDockerKafka(options) : startLocalKafka(options);
}

/** Starts a Redis that belongs to the caller, who closes it. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisService> {
  return inDocker() ? (await import("./docker.ts")).startDockerRedis(options) : startLocalRedis(options);
}

function inDocker(): boolean {
  const wanted = process.env.PALERMO_TEST_SERVICES ?? "local";
  if (wanted !== "local" && wanted !== "docker") {
    throw new Error(`PALERMO_TEST_SERVICES is "${wanted}": it may be "local" (the default) or "docker"`);
  }
  return wanted === "docker";
}
