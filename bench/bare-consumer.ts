/**
 * The measure of the end-to-end benchmark, as a process of its own: kafkajs reads the topic and parses each message
 * as JSON, nothing more. Arguments: brokers, topic, number of messages. Prints seconds and CPU from the first one on.
 */
import { randomUUID } from "node:crypto";
import kafkajs from "kafkajs";
import { quietenKafkaTimers } from "../src/stream/kafka-timers.ts";

quietenKafkaTimers();
const [brokers = "", topic = "", wanted = "0"] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ brokers: brokers.split(","), logLevel: kafkajs.logLevel.NOTHING });
const consumer = kafka.consumer({
  groupId: `bare-${randomUUID()}`,
  maxBytesPerPartition: 1 << 20,
  maxWaitTimeInMs: 20,
});
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
let left = Number(wanted);
let fields = 0;
let started = 0;
let usage = process.cpuUsage();
await new Promise<void>((resolve, reject) => {
  const eachBatch = async ({ batch }: { batch: kafkajs.Batch }): Promise<void> => {
    if (started === 0) {
      started = performance.now();
      usage = process.cpuUsage();
    }
    for (const { value } of batch.messages) {
      const parsed = JSON.parse((value as Buffer).toString("utf8")) as object;
      if ("txId" in parsed || "id" in parsed) fields++;
    }
    left -= batch.messages.length;
    if (left <= 0) resolve();
  };
  consumer.run({ autoCommit: false, eachBatch }).catch(reject);
});
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(usage);
process.stdout.write(`${JSON.stringify({ seconds, cpuUs: user + system, fields })}\n`);
await consumer.disconnect();
process.exit(0);
