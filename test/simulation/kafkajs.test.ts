/**
 * Faults that live in kafkajs, shown by fake brokers under the real client: our producer loses nothing, the two bugs
 * that the protocol names do.
 */
import kafkajs, { type RecordMetadata } from "kafkajs";
import { afterEach, describe, expect, test } from "vitest";
import type { Bus, OutRecord } from "../../src/stream/bus.ts";
import { createKafkaBus } from "../../src/stream/kafka-bus.ts";
import { createProducer, type RawProducer } from "../../src/stream/kafka-producer.ts";
import { type FakeCluster, type ProduceFault, startFakeCluster } from "./fake-broker.ts";
import { createRandom } from "./random.ts";

const TOPIC = "views";
const PARTITIONS = 4;
const RETRY = { retries: 3, initialRetryTime: 20, maxRetryTime: 100 };

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function cluster(fault: (request: number) => ProduceFault): Promise<FakeCluster> {
  const fake = await startFakeCluster(TOPIC, PARTITIONS);
  closers.push(() => fake.close());
  fake.fault = fault;
  return fake;
}

/** A kafkajs producer with the settings of `kafka-bus.ts`, but quick to try again. */
function rawProducer(fake: FakeCluster): kafkajs.Producer {
  const kafka = new kafkajs.Kafka({
    brokers: [...fake.brokers],
    requestTimeout: 1_000,
    retry: RETRY,
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: RETRY,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  closers.push(() => producer.disconnect());
  return producer;
}

/** One record for each partition. */
function batch(number: number): OutRecord[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, key: null, value: `b${number}` }));
}

function messages(number: number): { partition: number; key: null; value: string }[] {
  return batch(number).map(({ partition }) => ({ partition, key: null, value: `b${number}` }));
}

/** Values in the order of their first occurrence. */
function firsts(fake: FakeCluster): string[][] {
  return fake.logs.map((log) => [...new Set(log)]);
}

const on =
  (...faults: ProduceFault[]) =>
  (request: number): ProduceFault =>
    faults[request] ?? "none";

function busOf(fake: FakeCluster): Bus {
  return createKafkaBus(
    {
      brokers: fake.brokers,
      clientId: "simulation",
      tls: undefined,
      sasl: undefined,
      sessionTimeoutMs: 6_000,
      requestTimeoutMs: 1_000,
      watchdogMs: 60_000,
      giveUpMs: 5_000,
    },
    { debug: () => undefined, retrying: () => undefined },
  );
}

describe("our admin", () => {
  test.each(["now", "asked"] as const)("reads the ends of logs when leaders have moved: %s", async (when) => {
    const fake = await cluster(on());
    const bus = busOf(fake);
    const producer = await bus.producer("simulation");
    closers.push(() => producer.close());
    await producer.send(TOPIC, batch(0));
    const admin = await bus.admin();
    closers.push(() => admin.close());
    const expected = batch(0).map(({ partition }) => ({ partition, low: 0n, high: 1n }));
    expect(await admin.ranges(TOPIC)).toEqual(expected);
    for (const partition of [1, 2, 1]) {
      fake.move(partition, when);
      expect(await admin.ranges(TOPIC)).toEqual(expected);
    }
  });
});

describe("our producer under faults of the broker", () => {
  test("loses nothing and keeps the order, whatever becomes of its requests", async () => {
    const random = createRandom(20_260_105);
    const fake = await cluster(() => (random.chance(35) ? random.pick(["unread", "unanswered", "moved"]) : "none"));
    const bus = busOf(fake);
    const producer = await bus.producer("simulation");
    closers.push(() => producer.close());
    const numbers = Array.from({ length: 25 }, (_, i) => i);
    for (const number of numbers) await producer.send(TOPIC, batch(number));
    expect(firsts(fake)).toEqual(fake.logs.map(() => numbers.map((number) => `b${number}`)));
    expect(Math.min(...Object.values(fake.happened))).toBeGreaterThan(2);
  }, 60_000);
});

describe("a bug planted over kafkajs is found", () => {
  test("two sends open: after a lost reply an acknowledged record is missing", async () => {
    const fake = await cluster(on("none", "none", "unanswered"));
    const raw = rawProducer(fake);
    await raw.connect();
    const send = (number: number) => raw.send({ topic: TOPIC, acks: -1, messages: [messages(number)[0]!] });
    await send(0);
    await send(1);
    await Promise.all([send(2), send(3)]);
    expect(firsts(fake)[0]).not.toEqual(["b0", "b1", "b2", "b3"]);
  });

  test("a reply that leaves a partition out, taken for an acknowledgement: its record is missing", async () => {
    // The leader of a partition of the first broker moves to the second, which has answered by then.
    const run = async (isTrusting: boolean): Promise<string[][]> => {
      const fake = await cluster(on("none", "none", "moved"));
      const create = (): RawProducer => (isTrusting ? trusting(rawProducer(fake)) : rawProducer(fake));
      const producer = createProducer(create, { address: "fake", hungMs: 5_000, retrying: () => undefined });
      closers.push(() => producer.close());
      for (const number of [0, 1]) await producer.send(TOPIC, batch(number));
      return firsts(fake);
    };
    expect(await run(true)).not.toEqual(Array(PARTITIONS).fill(["b0", "b1"]));
    expect(await run(false)).toEqual(Array(PARTITIONS).fill(["b0", "b1"]));
  });
});

/** Believes that whatever was sent is acknowledged when a reply came at all. */
function trusting(raw: kafkajs.Producer): RawProducer {
  return {
    connect: () => raw.connect(),
    disconnect: () => raw.disconnect(),
    async send(request) {
      await raw.send(request);
      return request.messages.map(
        ({ partition }): RecordMetadata => ({ topicName: request.topic, partition, errorCode: 0 }),
      );
    },
  };
}
