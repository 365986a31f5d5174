/** Row 11: the network to broker and Redis is slow, cut, half-open, or comes in slices of one byte. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type KafkaService, type RedisService, startKafka, startRedis } from "../../services/index.ts";
import { freePorts } from "../../services/process.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";
import { movements } from "../sample.ts";

const HELD_MS = 6_000;

let kafka: KafkaService;
let redis: RedisService;
let proxies: { readonly kafka: TcpProxy; readonly redis: TcpProxy };
beforeAll(async () => {
  // The broker tells clients its address, so it must tell that of the proxy.
  const [port] = (await freePorts(1)) as [number];
  kafka = await startKafka({ listeners: { PROXIED: "PLAINTEXT" }, advertised: { PROXIED: `127.0.0.1:${port}` } });
  redis = await startRedis({ appendOnly: true });
  const behind = Number(kafka.listeners.PROXIED?.split(":")[1]);
  proxies = { kafka: await startProxy(behind, port), redis: await startProxy(redis.port) };
});
afterAll(async () => {
  for (const each of [proxies.kafka, proxies.redis, kafka, redis]) await each.close();
});

const TOXICS: readonly (readonly [string, (proxy: TcpProxy) => void])[] = [
  ["latency of 200 ms each way", (proxy) => proxy.delay(200)],
  ["reset of every connection", (proxy) => proxy.reset()],
  ["half-open: replies vanish", (proxy) => proxy.swallowReplies()],
  ["black hole: nothing passes", (proxy) => proxy.swallowAll()],
  ["slices of one byte", (proxy) => proxy.slice(1)],
];
const ROUNDS = TOXICS.length * 2;
const TOTAL = ROUNDS * 600;

faultTest(
  {
    row: "11",
    fault: "slow, cut and half-open network",
    how: `our TCP proxy before broker and Redis in turn, ${HELD_MS / 1_000} s each: ${TOXICS.map(([name]) => name).join(", ")}`,
    mustHold: "oracle; timeouts fire, nobody ends, no commit is repeated blindly",
    timeoutMs: 420_000,
  },
  (measure) => {
    const seen = { brokers: [`127.0.0.1:${proxies.kafka.port}`], redisUrl: `redis://127.0.0.1:${proxies.redis.port}` };
    const env = { PALERMO_KAFKA_REQUEST_TIMEOUT_MS: "3000" };
    return withRig({ brokers: kafka.brokers, redisUrl: redis.url, seen, env }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const palermo = await rig.start("both");
      await rig.claimed(palermo);
      let round = 0;
      for (const name of ["redis", "kafka"] as const) {
        for (const [what, poison] of TOXICS) {
          poison(proxies[name]);
          await rig.feed(lines.slice((round * TOTAL) / ROUNDS, ((round + 1) * TOTAL) / ROUNDS));
          await sleep(HELD_MS);
          proxies[name].heal();
          round++;
          measure(`${name}, ${what}: settled ms`, await rig.settled((round * TOTAL) / ROUNDS));
        }
      }
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      expect(palermo.log()).not.toContain("rebuilding");
      expect(await palermo.stop()).toBe(0);
    });
  },
);
