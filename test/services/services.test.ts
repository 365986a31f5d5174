/** The services themselves: what other tests take for granted of them. */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { Kafka, logLevel } from "kafkajs";
import { afterEach, describe, expect, inject, it } from "vitest";
import { type Service, startKafka, startRedis } from "./index.ts";

const owned: Service[] = [];
afterEach(async () => {
  await Promise.all(owned.splice(0).map((service) => service.close()));
});
function own<T extends Service>(service: T): T {
  owned.push(service);
  return service;
}

describe("shared services", () => {
  it("Kafka takes a message and gives it back", async () => {
    const topic = `services-${randomUUID()}`;
    await createTopic(inject("kafkaBrokers"), topic);
    await produce(inject("kafkaBrokers"), topic, ["one", "two"]);
    expect(await consume(inject("kafkaBrokers"), topic, 2)).toEqual(["one", "two"]);
  });

  it("Redis answers", async () => {
    expect(await withRedis(inject("redisUrl"), (redis) => redis.ping())).toBe("PONG");
  });
});

describe("a Redis of one's own", () => {
  it("keeps append-only data over kill -9, at the same address", async () => {
    const service = own(await startRedis({ appendOnly: true }));
    await withRedis(service.url, (redis) => redis.set("amount", "1250"));
    await service.kill();
    await expect(withRedis(service.url, (redis) => redis.ping())).rejects.toThrow();
    await service.restart();
    expect(await withRedis(service.url, (redis) => redis.get("amount"))).toBe("1250");
  });

  it("takes further arguments", async () => {
    const service = own(await startRedis({ args: ["--maxmemory", "5mb"] }));
    expect(await withRedis(service.url, (redis) => redis.config("GET", "maxmemory"))).toEqual(["maxmemory", "5242880"]);
  });

  it("is gone after close", async () => {
    const service = await startRedis();
    await service.close();
    await service.close();
    await expect(withRedis(service.url, (redis) => redis.ping())).rejects.toThrow();
    await expect(service.restart()).rejects.toThrow(/closed|no such container/i);
  });

  it("says why it could not start", async () => {
    await expect(startRedis({ args: ["--maxmemory-policy", "sometimes"] })).rejects.toThrow();
  });
});

describe("a Kafka of one's own", () => {
  it("keeps messages over a stop and over kill -9, at the same address", async () => {
    const service = own(await startKafka());
    const topic = `services-${randomUUID()}`;
    await createTopic(service.brokers, topic);
    await produce(service.brokers, topic, ["before"]);
    await service.stop();
    await service.restart();
    await produce(service.brokers, topic, ["between"]);
    await service.kill();
    await service.restart();
    await produce(service.brokers, topic, ["after"]);
    expect(await consume(service.brokers, topic, 3)).toEqual(["before", "between", "after"]);
  });

  it("opens a listener with passwords beside the plain one", async () => {
    const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_teller="secret-of-test";`;
    const properties = {
      "sasl.enabled.mechanisms": "PLAIN",
      "listener.name.clients.plain.sasl.jaas.config": login,
    };
    const service = own(await startKafka({ listeners: { CLIENTS: "SASL_PLAINTEXT" }, properties }));
    const connect = async (password: string): Promise<number> => {
      const admin = new Kafka({
        brokers: [service.listeners.CLIENTS ?? ""],
        sasl: { mechanism: "plain", username: "teller", password },
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
      }).admin();
      try {
        await admin.connect();
        return (await admin.describeCluster()).brokers.length;
      } finally {
        await admin.disconnect();
      }
    };
    expect(await connect("secret-of-test")).toBe(1);
    await expect(connect("wrong")).rejects.toThrow(/authentication/i);
  });
});

function client(brokers: string[]): Kafka {
  return new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 100, retries: 10 } });
}

async function createTopic(brokers: string[], topic: string): Promise<void> {
  const admin = client(brokers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
}

async function produce(brokers: string[], topic: string, values: string[]): Promise<void> {
  const producer = client(brokers).producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
}

async function consume(brokers: string[], topic: string, count: number): Promise<string[]> {
  const consumer = client(brokers).consumer({ groupId: randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      values.push(message.value?.toString("utf8") ?? "");
      if (values.length === count) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return values;
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
