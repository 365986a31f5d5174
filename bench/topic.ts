/** The input topic of a benchmark: making it, filling it as fast as the broker takes it or at a given pace. */
import { setTimeout as sleep } from "node:timers/promises";
import { fnv1a32 } from "../src/base/hash.ts";
import type { OutRecord, Producer } from "../src/stream/bus.ts";
import { loadConfig } from "../src/stream/config.ts";
import { openBus } from "../src/stream/connect.ts";

export interface Message {
  readonly key: string;
  readonly value: string;
}

export const SILENT = { debug: () => undefined, retrying: () => undefined };

/** A bus of this process on the benchmark's broker. */
export function benchBus(brokers: readonly string[]): ReturnType<typeof openBus> {
  return openBus(loadConfig({ flags: { "kafka.brokers": brokers.join(",") } }), SILENT, 30_000);
}

/** Creates a topic with so many partitions. */
export async function createTopic(brokers: readonly string[], name: string, partitions: number): Promise<void> {
  const admin = await benchBus(brokers).admin();
  await admin.create([{ name, partitions, replicationFactor: 1, config: {} }]);
  await admin.close();
}

/** Records of one send: kafkajs's grouping by partition costs the square of them. */
const SEND = 1_000;

/** Writes the messages in their order, partition by key. */
export async function fill(
  brokers: readonly string[],
  topic: string,
  partitions: number,
  messages: Iterable<Message>,
): Promise<number> {
  const producer = await benchBus(brokers).producer("fill");
  let waiting: OutRecord[] = [];
  let count = 0;
  for (const message of messages) {
    waiting.push(recordOf(message, partitions));
    count++;
    if (waiting.length < SEND) continue;
    await producer.send(topic, waiting);
    waiting = [];
  }
  await producer.send(topic, waiting);
  await producer.close();
  return count;
}

/** Writes the messages evenly at `rate` a second, in sends 5 ms apart or as soon as the last one is done. */
export async function pace(
  producer: Producer,
  topic: string,
  partitions: number,
  messages: Iterable<Message>,
  rate: number,
): Promise<void> {
  const started = performance.now();
  let sent = 0;
  let waiting: OutRecord[] = [];
  for (const message of messages) {
    waiting.push(recordOf(message, partitions));
    const dueMs = ((sent + waiting.length) * 1_000) / rate;
    if (dueMs <= performance.now() - started) continue;
    await producer.send(topic, waiting);
    sent += waiting.length;
    waiting = [];
    const early = dueMs + 5 - (performance.now() - started);
    if (early > 0) await sleep(early);
  }
  await producer.send(topic, waiting);
}

function recordOf({ key, value }: Message, partitions: number): OutRecord {
  return { partition: fnv1a32(key) % partitions, key, value };
}
