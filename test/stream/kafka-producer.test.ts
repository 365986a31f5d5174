/** What the producer adds to kafkajs, over a fake raw producer: faults that a healthy broker never shows. */
import type { RecordMetadata } from "kafkajs";
import { expect, test } from "vitest";
import { BusError } from "../../src/stream/bus.ts";
import { createProducer, type RawMessage, type RawProducer, unacknowledged } from "../../src/stream/kafka-producer.ts";

interface Sent {
  readonly producer: number;
  readonly partitions: number[];
  readonly values: string[];
}

/** Raw producers that answer by a script: one entry for each send, the last one for all that follow. */
function scripted(script: ((messages: RawMessage[]) => RecordMetadata[] | Promise<RecordMetadata[]>)[]) {
  const sent: Sent[] = [];
  const disconnected: number[] = [];
  let made = 0;
  const create = (): RawProducer => {
    const producer = ++made;
    return {
      connect: async () => undefined,
      disconnect: async () => {
        disconnected.push(producer);
      },
      async send({ messages }) {
        const step = script[Math.min(sent.length, script.length - 1)]!;
        sent.push({
          producer,
          partitions: messages.map((m) => m.partition),
          values: messages.map((m) => String(m.value)),
        });
        return step(messages);
      },
    };
  };
  const retried: string[] = [];
  const options = { address: "broker:9092", hungMs: 200, retrying: (message: string) => retried.push(message) };
  return { producer: createProducer(create, options), sent, disconnected, retried };
}

function acknowledging(...partitions: number[]): RecordMetadata[] {
  return partitions.map((partition) => ({ topicName: "views", partition, errorCode: 0 }));
}

const all = (messages: RawMessage[]): RecordMetadata[] => acknowledging(...messages.map((m) => m.partition));
const RECORDS = [0, 1, 2].map((partition) => ({ partition, key: null, value: `v${partition}` }));

test("a reply that leaves a partition out is no acknowledgement: a new producer sends the whole batch again", async () => {
  const { producer, sent, disconnected, retried } = scripted([() => acknowledging(0, 2), all]);
  await producer.send("views", RECORDS);
  expect(sent.map((s) => s.producer)).toEqual([1, 2]);
  expect(sent[1]?.values).toEqual(["v0", "v1", "v2"]);
  expect(disconnected).toEqual([1]);
  expect(retried).toEqual(["the reply leaves out partition 1 of views"]);
});

test("an error code in the reply, or another topic's partition, does not count either", () => {
  const messages = RECORDS.map((record) => ({ ...record }));
  const reply = [
    { topicName: "views", partition: 0, errorCode: 3 },
    { topicName: "other", partition: 1, errorCode: 0 },
    { topicName: "views", partition: 2, errorCode: 0 },
  ];
  expect(unacknowledged("views", messages, reply)).toEqual([0, 1]);
});

test("a lost connection is retried with a new producer, and the message names the broker", async () => {
  const lost = (): never => {
    throw Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionClosedError", retriable: true });
  };
  const { producer, sent, retried } = scripted([lost, lost, all]);
  await producer.send("views", RECORDS);
  expect(sent.map((s) => s.producer)).toEqual([1, 2, 3]);
  expect(retried[0]).toBe("writing views at broker:9092: Closed connection");
});

test("a send that hangs is given up", async () => {
  const { producer, sent, retried } = scripted([() => new Promise(() => undefined), all]);
  await producer.send("views", RECORDS);
  expect(sent).toHaveLength(2);
  expect(retried[0]).toContain("no answer within 200 ms");
});

test("what no retry can mend is thrown at once, with the fix", async () => {
  const refuse = (): never => {
    throw Object.assign(new Error("The request included a message larger than the max message size"), {
      type: "MESSAGE_TOO_LARGE",
    });
  };
  const { producer, sent } = scripted([refuse]);
  await expect(producer.send("views", RECORDS)).rejects.toThrow(/max\.message\.bytes/);
  expect(sent).toHaveLength(1);
});

test("two sends at a time are an error of the program", async () => {
  let release: (reply: RecordMetadata[]) => void = () => undefined;
  const { producer } = scripted([
    () =>
      new Promise((resolve) => {
        release = resolve;
      }),
  ]);
  const first = producer.send("views", RECORDS);
  await expect(producer.send("views", RECORDS)).rejects.toThrow(/one send at a time/);
  await new Promise((resolve) => setImmediate(resolve));
  release(acknowledging(0, 1, 2));
  await first;
});

test("closing ends the retries", async () => {
  const { producer } = scripted([() => acknowledging()]);
  const sending = producer.send("views", RECORDS);
  const ended = expect(sending).rejects.toThrow(BusError);
  await producer.close();
  await ended;
});

test("nothing to send is nothing sent", async () => {
  const { producer, sent } = scripted([all]);
  await producer.send("views", []);
  expect(sent).toEqual([]);
});
