/**
 * The group consumer of the port over kafkajs. It adds what kafkajs leaves out: an assigned partition is
 * paused until the worker says from where to read; a `generation` that grows with every assignment and
 * every loss of one; heartbeats while a batch is in hand; one place that restarts after a crash; a
 * watchdog for a fetch loop that has died without an error.
 */
import type { EachBatchPayload, Consumer as KafkaConsumer, KafkaMessage } from "kafkajs";
import { assert } from "../base/assert.ts";
import { backoffMs, sleep, within } from "./backoff.ts";
import { BusError, type BusRecord, type Consumer, type ConsumerHandlers, type TopicPartition } from "./bus.ts";
import { explain, lostMembership } from "./kafka-errors.ts";

/** The part of a kafkajs consumer that is used. */
export type RawConsumer = Pick<
  KafkaConsumer,
  "connect" | "subscribe" | "run" | "on" | "pause" | "resume" | "seek" | "commitOffsets" | "disconnect"
>;

export interface KafkaConsumerOptions {
  readonly group: string;
  readonly address: string;
  /** How often the group hears of a member whose batch takes long. */
  readonly heartbeatMs: number;
  /** A member that has neither fetched nor heard from the group for so long fails. */
  readonly watchdogMs: number;
  readonly retrying: (message: string, attempt: number) => void;
}

/** Builds a consumer; `create` makes a raw one, not yet connected, at the start and after each crash. */
export function createConsumer(create: () => RawConsumer, options: KafkaConsumerOptions): Consumer {
  return new GroupConsumer(create, options);
}

class GroupConsumer implements Consumer {
  generation = 0;
  joined = false;
  private readonly create: () => RawConsumer;
  private readonly options: KafkaConsumerOptions;
  private readonly ending = new AbortController();
  private raw: RawConsumer | undefined;
  /** kafkajs ignores commits, without a word, until the first join is done. */
  private running: Promise<unknown> = Promise.resolve();
  private topics: readonly string[] = [];
  private handlers: ConsumerHandlers | undefined;
  private started = new Set<string>();
  private held = new Set<string>();
  private beat: (() => Promise<void>) | undefined;
  private busy = false;
  private aliveAt = Date.now();
  private joinedAt = Date.now();
  private watchdog: NodeJS.Timeout | undefined;
  private crashes = 0;

  constructor(create: () => RawConsumer, options: KafkaConsumerOptions) {
    this.create = create;
    this.options = options;
  }

  async run(topics: readonly string[], handlers: ConsumerHandlers): Promise<void> {
    assert(this.handlers === undefined, "a consumer runs once");
    this.topics = topics;
    this.handlers = handlers;
    this.watchdog = setInterval(() => this.watch(), Math.max(1_000, this.options.watchdogMs / 10));
    await this.connect();
  }

  start(at: TopicPartition, offset: bigint): void {
    if (!this.joined || this.raw === undefined) return;
    this.started.add(nameOf(at));
    this.tell((raw) => {
      raw.seek({ topic: at.topic, partition: at.partition, offset: String(offset) });
      if (!this.held.has(nameOf(at))) raw.resume([{ topic: at.topic, partitions: [at.partition] }]);
    });
  }

  halt(at: TopicPartition): void {
    this.started.delete(nameOf(at));
    this.tell((raw) => raw.pause([{ topic: at.topic, partitions: [at.partition] }]));
  }

  pause(at: TopicPartition): void {
    if (this.held.has(nameOf(at))) return;
    this.held.add(nameOf(at));
    this.tell((raw) => raw.pause([{ topic: at.topic, partitions: [at.partition] }]));
  }

  resume(at: TopicPartition): void {
    if (!this.held.delete(nameOf(at))) return;
    if (!this.started.has(nameOf(at))) return;
    this.tell((raw) => raw.resume([{ topic: at.topic, partitions: [at.partition] }]));
  }

  async commit(
    offsets: readonly (TopicPartition & { readonly offset: bigint; readonly metadata: string })[],
    generation: number,
  ): Promise<boolean> {
    if (offsets.length === 0) return true;
    if (!this.joined || generation !== this.generation || this.raw === undefined) return false;
    try {
      await this.running;
      if (generation !== this.generation) return false;
      await this.raw.commitOffsets(offsets.map((o) => ({ ...o, offset: String(o.offset) })));
      return this.joined && generation === this.generation;
    } catch (error) {
      if (lostMembership(error)) this.lose();
      else
        this.options.retrying(explain(error, `committing offsets of ${this.options.group}`, this.address).message, 0);
      return false;
    }
  }

  async heartbeat(): Promise<boolean> {
    if (!this.joined || this.beat === undefined) return this.joined;
    try {
      await this.beat();
    } catch (error) {
      if (lostMembership(error)) this.lose();
    }
    return this.joined;
  }

  async close(): Promise<void> {
    this.ending.abort();
    clearInterval(this.watchdog);
    const last = this.raw;
    if (last) await within(10_000, "leaving the group", last.disconnect()).catch(() => undefined);
    this.raw = undefined;
    this.lose();
  }

  private get address(): string {
    return this.options.address;
  }

  /** Connects and joins; after a failure again, until it stands or cannot. */
  private async connect(): Promise<void> {
    for (; !this.ending.signal.aborted; this.crashes++) {
      const raw = this.create();
      try {
        await within(60_000, "connecting", raw.connect());
        await raw.subscribe({ topics: [...this.topics], fromBeginning: true });
        if (this.ending.signal.aborted) {
          // Closed meanwhile, when there was nothing yet to disconnect.
          await raw.disconnect();
          return;
        }
        this.raw = raw;
        this.listen(raw);
        this.aliveAt = Date.now();
        this.joinedAt = Date.now();
        const running = raw.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: (payload) => this.take(raw, payload),
        });
        this.running = running.catch(() => undefined);
        await running;
        return;
      } catch (error) {
        raw.disconnect().catch(() => undefined);
        if (this.raw === raw) this.raw = undefined;
        const why = explain(error, `joining group ${this.options.group}`, this.address);
        if (!why.retriable) throw why;
        this.options.retrying(why.message, this.crashes);
        await sleep(backoffMs(this.crashes), this.ending.signal);
      }
    }
  }

  private listen(raw: RawConsumer): void {
    const alive = (): void => {
      this.aliveAt = Date.now();
    };
    raw.on("consumer.fetch", alive);
    raw.on("consumer.heartbeat", alive);
    raw.on("consumer.rebalancing", () => {
      if (raw === this.raw) this.lose();
    });
    raw.on("consumer.group_join", (event) => {
      if (raw === this.raw) this.assign(event.payload.memberAssignment);
    });
    raw.on("consumer.crash", (event) => {
      if (raw === this.raw) this.recover(event.payload.error);
    });
  }

  /** Runs within kafkajs's join, before it fetches: pausing here leaves no gap. */
  private assign(assignment: Record<string, number[]>): void {
    this.lose();
    this.aliveAt = Date.now();
    this.crashes = 0;
    this.generation++;
    this.joined = true;
    const partitions: TopicPartition[] = [];
    for (const [topic, numbers] of Object.entries(assignment)) {
      this.tell((raw) => raw.pause([{ topic, partitions: numbers }]));
      for (const partition of [...numbers].sort((a, b) => a - b)) partitions.push({ topic, partition });
    }
    this.handlers?.assigned(partitions, this.generation).catch((error: unknown) => this.fail(error));
  }

  private lose(): void {
    if (!this.joined) return;
    const lost = this.generation;
    this.joined = false;
    this.generation++;
    this.pauseStarted();
    this.started.clear();
    this.held.clear();
    this.handlers?.revoked(lost);
  }

  private recover(error: Error): void {
    this.raw = undefined;
    this.lose();
    this.beat = undefined;
    if (this.ending.signal.aborted) return;
    const why = explain(error, `reading as group ${this.options.group}`, this.address);
    if (!why.retriable) {
      this.fail(why);
      return;
    }
    this.options.retrying(why.message, this.crashes);
    sleep(backoffMs(this.crashes++), this.ending.signal)
      .then(() => this.connect())
      .catch((again: unknown) => this.fail(again));
  }

  private async take(raw: RawConsumer, payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages, highWatermark } = payload.batch;
    const name = nameOf({ topic, partition });
    const generation = this.generation;
    // What is not resolved is fetched again, from where `start` says.
    if (raw !== this.raw || !this.started.has(name) || this.ending.signal.aborted || payload.isStale()) return;
    const last = messages.at(-1);
    if (last === undefined) return;
    this.beat = payload.heartbeat;
    let lost: unknown;
    const timer = setInterval(() => {
      payload.heartbeat().catch((error: unknown) => {
        if (!lostMembership(error)) return;
        lost ??= error;
        this.lose();
      });
    }, this.options.heartbeatMs);
    this.busy = true;
    try {
      const end = BigInt(payload.batch.lastOffset()) + 1n;
      const records = messages.map(recordOf);
      await this.handlers?.batch({ topic, partition, records, end, highWatermark: BigInt(highWatermark), generation });
    } catch (error) {
      return this.fail(error);
    } finally {
      clearInterval(timer);
      this.busy = false;
      this.aliveAt = Date.now();
    }
    // kafkajs must learn of it too: it joins again when its handler throws this.
    if (lost !== undefined) throw lost;
    if (generation === this.generation && this.started.has(name)) payload.resolveOffset(last.offset);
  }

  private fail(error: unknown): void {
    if (this.ending.signal.aborted) return;
    this.pauseStarted();
    this.started.clear();
    this.handlers?.failed(error instanceof Error ? error : new Error(String(error)));
  }

  /** Without it kafkajs would fetch at once, again and again, what `take` does not accept. */
  private pauseStarted(): void {
    for (const name of this.started) {
      const colon = name.lastIndexOf(":");
      const at = { topic: name.slice(0, colon), partitions: [Number(name.slice(colon + 1))] };
      this.tell((raw) => raw.pause([at]));
    }
  }

  /**
   * Between its crash and telling of it kafkajs has no group any more and throws for every such call. Then there is
   * nothing to pause or to seek: `recover` follows, and with the next assignment all begins anew.
   */
  private tell(work: (raw: RawConsumer) => void): void {
    if (this.raw === undefined) return;
    try {
      work(this.raw);
    } catch (error) {
      if (!/group was not initialized/.test(error instanceof Error ? error.message : "")) throw error;
    }
  }

  private watch(): void {
    const silentMs = Date.now() - this.aliveAt;
    // A fetch loop without a membership is as dead as one that does not turn: rebalances end within a minute.
    if (this.joined) this.joinedAt = Date.now();
    const outside = Date.now() - this.joinedAt > this.options.watchdogMs + 60_000;
    if (this.busy || this.raw === undefined || (silentMs < this.options.watchdogMs && !outside)) return;
    this.aliveAt = Date.now();
    const seconds = Math.round(silentMs / 1_000);
    this.fail(
      new BusError(
        `group ${this.options.group} at ${this.address}: no fetch for ${seconds} s, kafkajs is stuck`,
        false,
      ),
    );
  }
}

function nameOf(at: TopicPartition): string {
  return `${at.topic}:${at.partition}`;
}

function recordOf(message: KafkaMessage): BusRecord {
  return {
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    timestamp: Number(message.timestamp),
    headers: message.headers ?? {},
  };
}
