/**
 * The producer of the port over a raw kafkajs producer, with what kafkajs does not check: a send counts
 * as acknowledged only when the reply names every partition that was written to, with error 0 (kafkajs
 * asks again only brokers that have not answered, so a partition whose leader moved to one that has is
 * dropped in silence). Otherwise the raw producer is thrown away, and a new one sends the whole batch.
 */
import type { RecordMetadata } from "kafkajs";
import { assert } from "../base/assert.ts";
import { backoffMs, sleep, within } from "./backoff.ts";
import { BusError, type OutRecord, type Producer } from "./bus.ts";
import { explain } from "./kafka-errors.ts";

/** The part of a kafkajs producer that is used. */
export interface RawProducer {
  connect(): Promise<void>;
  send(request: { topic: string; acks: number; messages: RawMessage[] }): Promise<RecordMetadata[]>;
  disconnect(): Promise<void>;
}

export interface RawMessage {
  readonly partition: number;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers?: Record<string, string>;
}

export interface ProducerOptions {
  /** For messages: the brokers as configured. */
  readonly address: string;
  /** A raw producer that hangs this long in one send is thrown away. */
  readonly hungMs: number;
  /** Told of every attempt that failed and will be repeated. */
  readonly retrying: (message: string, attempt: number) => void;
}

/** Builds a producer; `create` makes a raw one, not yet connected, each time one is needed. */
export function createProducer(create: () => RawProducer, options: ProducerOptions): Producer {
  const ending = new AbortController();
  let raw: RawProducer | undefined;
  let open = false;

  const connected = async (): Promise<RawProducer> => {
    if (raw) return raw;
    const fresh = create();
    try {
      await within(options.hungMs, "connecting", fresh.connect());
    } catch (error) {
      discard(fresh);
      throw error;
    }
    raw = fresh;
    return fresh;
  };

  const attempt = async (topic: string, messages: RawMessage[]): Promise<void> => {
    const producer = await connected();
    const reply = await within(options.hungMs, "the send", producer.send({ topic, acks: -1, messages }));
    const missing = unacknowledged(topic, messages, reply);
    if (missing.length === 0) return;
    throw new BusError(`the reply leaves out partition ${missing.join(", ")} of ${topic}`, true);
  };

  return {
    async send(topic: string, records: readonly OutRecord[]): Promise<void> {
      assert(!open, "one send at a time: acknowledged records are lost with two on an idempotent kafkajs producer");
      if (records.length === 0) return;
      open = true;
      try {
        const messages = records.map(rawMessage);
        for (let tries = 0; ; tries++) {
          if (ending.signal.aborted) throw new BusError(`writing ${topic}: the producer is closed`, false);
          try {
            return await attempt(topic, messages);
          } catch (error) {
            if (raw) discard(raw);
            raw = undefined;
            const why = explain(error, `writing ${topic}`, options.address);
            if (!why.retriable) throw why;
            options.retrying(why.message, tries);
          }
          await sleep(backoffMs(tries), ending.signal);
        }
      } finally {
        open = false;
      }
    },
    async close(): Promise<void> {
      ending.abort();
      const last = raw;
      raw = undefined;
      if (last) await within(5_000, "disconnecting", last.disconnect()).catch(() => undefined);
    },
  };
}

/** Partitions written to that the reply does not acknowledge, ascending. */
export function unacknowledged(topic: string, messages: readonly RawMessage[], reply: RecordMetadata[]): number[] {
  const acknowledged = new Set<number>();
  for (const { topicName, partition, errorCode } of reply) {
    if (topicName === topic && errorCode === 0) acknowledged.add(partition);
  }
  const written = new Set(messages.map((message) => message.partition));
  return [...written].filter((partition) => !acknowledged.has(partition)).sort((a, b) => a - b);
}

function discard(producer: RawProducer): void {
  // Its connection may be the reason why it is thrown away: nobody waits for its goodbye.
  producer.disconnect().catch(() => undefined);
}

function rawMessage(record: OutRecord): RawMessage {
  const message = { partition: record.partition, key: bytes(record.key), value: bytes(record.value) };
  return record.headers ? { ...message, headers: { ...record.headers } } : message;
}

function bytes(value: string | Uint8Array | null): string | Buffer | null {
  if (value === null || typeof value === "string" || Buffer.isBuffer(value)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
