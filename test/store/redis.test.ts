import { Redis } from "ioredis";
import { inject } from "vitest";
import { openRedisStore } from "../../src/store/redis.ts";
import { describeStore, LAYOUT } from "./conformance.ts";

describeStore("Redis", async () => {
  const url = inject("redisUrl");
  const options = { url, prefix: `conformance-${process.pid}`, tenant: "t", layout: LAYOUT };
  const store = await openRedisStore(options);
  const admin = new Redis(url);
  return {
    store,
    reopen: (layout) => openRedisStore({ ...options, layout }),
    flush: async () => {
      const keys = await admin.keys(`${options.prefix}:*`);
      if (keys.length > 0) await admin.del(...keys);
    },
    close: async () => {
      admin.disconnect();
      await store.close();
    },
  };
});
