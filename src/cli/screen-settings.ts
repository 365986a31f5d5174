/** What the service and the rebuild have in common: how the configuration becomes a store and a screening worker. */
import type { RedisStoreOptions } from "../store/redis.ts";
import type { Config } from "../stream/config.ts";
import { redisClient } from "../stream/connect.ts";
import { PARTITIONER } from "../stream/record.ts";
import type { ScreenConfig } from "../stream/screen-ports.ts";

const MEBIBYTE = 2 ** 20;

/** The store of a deployment whose views topic has so many partitions. */
export function storeOptions(config: Config, viewsPartitions: number): RedisStoreOptions {
  return {
    url: config.redis.url,
    cluster: config.redis.cluster,
    client: redisClient(config.redis),
    prefix: config.redis.prefix,
    tenant: config.tenant,
    layout: { partitions: viewsPartitions, hash: PARTITIONER },
  };
}

/** The settings of a screening worker. */
export function screenConfig(config: Config): ScreenConfig {
  return {
    tenant: config.tenant,
    group: config.screen.group,
    cacheBytes: config.screen.cacheMb * MEBIBYTE,
    commitEntities: config.commit.entities,
    commitBytes: config.commit.bytes,
    commitMs: config.commit.ms,
    laneLimit: config.screen.laneLimit,
  };
}
