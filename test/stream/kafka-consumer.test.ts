/** The group consumer over a raw one that behaves as kafkajs does when it crashes: its group is gone before it tells. */
import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { TopicPartition } from "../../src/stream/bus.ts";
import { createConsumer, type RawConsumer } from "../../src/stream/kafka-consumer.ts";
import { waitFor } from "../services/process.ts";

const at = { topic: "views", partition: 0 };

/** One that joins at once. `crash` is told as kafkajs does it. */
function rawConsumer(asked: string[]): RawConsumer & { crash(): void } {
  const events = new EventEmitter();
  let inGroup = false;
  const ask = (what: string): void => {
    if (!inGroup) throw new Error("Consumer group was not initialized, consumer#run must be called first");
    asked.push(what);
  };
  const raw = {
    connect: async () => undefined,
    disconnect: async () => undefined,
    subscribe: async () => undefined,
    async run() {
      inGroup = true;
      events.emit("consumer.group_join", { payload: { memberAssignment: { views: [0] } } });
    },
    on: (name: string, listener: (event: unknown) => void) => void events.on(name, listener),
    pause: () => ask("pause"),
    resume: () => ask("resume"),
    seek: () => ask("seek"),
    commitOffsets: async () => undefined,
    crash() {
      inGroup = false;
      events.emit("consumer.crash", { payload: { error: new Error("connect ECONNREFUSED") } });
    },
  };
  return raw as unknown as RawConsumer & { crash(): void };
}

test("a crash loses the assignment, joins again and throws at nobody", async () => {
  const made: ReturnType<typeof rawConsumer>[] = [];
  const asked: string[] = [];
  const consumer = createConsumer(
    () => {
      const raw = rawConsumer(asked);
      made.push(raw);
      return raw;
    },
    { group: "g", address: "a:1", heartbeatMs: 1_000, watchdogMs: 60_000, retrying: () => undefined },
  );
  const assignments: (readonly TopicPartition[])[] = [];
  const revoked: number[] = [];
  await consumer.run(["views"], {
    assigned: async (partitions) => void assignments.push(partitions),
    revoked: (generation) => void revoked.push(generation),
    batch: async () => undefined,
    failed: (error) => expect.unreachable(error.message),
  });
  consumer.start(at, 5n);
  expect(asked).toEqual(["pause", "seek", "resume"]);
  made[0]?.crash();
  expect(revoked).toHaveLength(1);
  expect(consumer.joined).toBe(false);
  await waitFor("it has joined again", () => consumer.joined);
  expect(assignments).toEqual([[at], [at]]);
  expect(made).toHaveLength(2);
  await consumer.close();
});

test("what is asked of a consumer that has lost its group and has not told yet is nobody's fault", async () => {
  const raw = rawConsumer([]);
  const consumer = createConsumer(() => raw, {
    ...{ group: "g", address: "a:1", heartbeatMs: 1_000, watchdogMs: 60_000, retrying: () => undefined },
  });
  const nothing = async (): Promise<void> => undefined;
  await consumer.run(["views"], {
    assigned: nothing,
    revoked: () => undefined,
    batch: nothing,
    failed: () => undefined,
  });
  consumer.start(at, 0n);
  // As kafkajs is between its crash and the event.
  (raw as unknown as { run: unknown }).run = nothing;
  const before = consumer.generation;
  Object.assign(raw, {
    pause: () => {
      throw new Error("Consumer group was not initialized, consumer#run must be called first");
    },
  });
  consumer.pause(at);
  consumer.halt(at);
  expect(consumer.generation).toBe(before);
  Object.assign(raw, {
    pause: () => {
      throw new Error("something else");
    },
  });
  expect(() => consumer.halt(at)).toThrow("something else");
  await consumer.close().catch(() => undefined);
});
