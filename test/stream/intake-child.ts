/** An intake worker in a process of its own, for tests that kill it: brokers and prefix are its arguments. */
import { connectRedis } from "../../src/store/redis-connection.ts";
import { createRedisBoard } from "../../src/stream/drift.ts";
import { startIntake } from "./support.ts";

const [brokers = "", prefix = "", redisUrl = ""] = process.argv.slice(2);
const redis = redisUrl === "" ? undefined : connectRedis({ url: redisUrl });
const board = redis && createRedisBoard((command, args) => redis.call(command, args), `${prefix}:drift`, Date.now);
const { worker, failures, stop } = await startIntake({
  brokers: brokers.split(","),
  prefix,
  board,
  config: { batchViews: 200 },
});
process.on("SIGTERM", () => {
  stop().then(() => process.exit(0));
});
setInterval(() => {
  if (failures.length > 0) process.exit(1);
}, 100);
process.send?.({ joined: worker.joined });
