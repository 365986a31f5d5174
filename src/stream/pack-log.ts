/**
 * The topic of packs as one process knows it: read from its beginning, then on and on. Its order is the order of
 * activations: the offset of an activation is its number, and the one with the greatest number holds everywhere.
 */
import type { PackInForce } from "../store/port.ts";
import { type Admin, BusError, type BusRecord, type Consumer, type Producer } from "./bus.ts";
import {
  activationKey,
  decodeActivation,
  decodePack,
  encodeActivation,
  encodePack,
  isActivationKey,
  type PublishedPack,
} from "./pack-format.ts";
import { PackError } from "./screen-ports.ts";

export interface Activation extends PackInForce {
  /** When the broker took it, epoch ms. */
  readonly atMs: number;
}

export interface PackLog {
  /** Hashes of the packs that were published. */
  hashes(): readonly string[];
  /** By number, ascending. */
  activations(): readonly Activation[];
  /** The one that holds. */
  latest(): Activation | undefined;
  /** Resolves when everything that the topic has now is known. Throws BusError. */
  catchUp(): Promise<void>;
  /** A published pack. Throws PackError when it is missing or damaged, BusError when the topic cannot be read. */
  read(hash: string): Promise<PublishedPack>;
  /** Publishes a pack that is not there yet. Throws PackError when it is too large. */
  publish(hash: string, pack: PublishedPack): Promise<void>;
  /** Writes an activation and resolves with its number. Only the topic of packs knows of it then. */
  activate(hash: string): Promise<Activation>;
  /** The producer that it writes with, for records of the same calls. */
  readonly producer: Producer;
  /** Told of each activation that is read from now on. */
  onActivation(listener: (activation: Activation) => void): void;
  close(): Promise<void>;
}

export interface PackLogDeps {
  readonly topic: string;
  /** Of a group of its own. */
  readonly consumer: Consumer;
  readonly admin: Pick<Admin, "ranges">;
  /** Nobody else may have a send open on it. */
  readonly producer: Producer;
  readonly unique: () => string;
  /** The topic cannot be read any more. */
  readonly failed: (error: Error) => void;
}

/** Opens the topic; resolves when what it had is known. */
export async function openPackLog(deps: PackLogDeps): Promise<PackLog> {
  const log = new TopicReader(deps);
  await log.start();
  return log;
}

class TopicReader implements PackLog {
  private readonly deps: PackLogDeps;
  private readonly packs = new Map<string, Buffer>();
  private readonly known: Activation[] = [];
  private readonly keys = new Map<string, Activation>();
  private readonly listeners: ((activation: Activation) => void)[] = [];
  private waiting: { readonly upTo: bigint; readonly resolve: () => void; readonly reject: (e: Error) => void }[] = [];
  private next = 0n;
  private failure: Error | undefined;
  readonly producer: Producer;

  constructor(deps: PackLogDeps) {
    this.deps = deps;
    this.producer = deps.producer;
  }

  async start(): Promise<void> {
    const { consumer, topic } = this.deps;
    await consumer.run([topic], {
      assigned: async (partitions) => {
        for (const at of partitions) consumer.start(at, this.next);
      },
      revoked: () => undefined,
      batch: async ({ records, end }) => {
        for (const record of records) this.take(record);
        this.advance(end);
      },
      failed: (error) => this.fail(error),
    });
    await this.catchUp();
  }

  hashes(): readonly string[] {
    return [...this.packs.keys()];
  }

  activations(): readonly Activation[] {
    return this.known;
  }

  latest(): Activation | undefined {
    return this.known.at(-1);
  }

  onActivation(listener: (activation: Activation) => void): void {
    this.listeners.push(listener);
  }

  async catchUp(): Promise<void> {
    const { admin, topic } = this.deps;
    if (this.failure !== undefined) throw this.failure;
    const [range] = await admin.ranges(topic);
    const upTo = range?.high ?? 0n;
    if (upTo <= this.next) return;
    // An empty log that had records, such as one cut short, would be waited for in vain.
    if (range !== undefined && range.low >= upTo) return;
    await new Promise<void>((resolve, reject) => this.waiting.push({ upTo, resolve, reject }));
  }

  async read(hash: string): Promise<PublishedPack> {
    if (!this.packs.has(hash)) await this.catchUp();
    const bytes = this.packs.get(hash);
    if (bytes === undefined) throw new PackError(`pack ${hash} was never published in ${this.deps.topic}`);
    try {
      return decodePack(bytes);
    } catch (error) {
      if (!(error instanceof PackError)) throw error;
      throw new PackError(`pack ${hash} in ${this.deps.topic}: ${error.message}`);
    }
  }

  async publish(hash: string, pack: PublishedPack): Promise<void> {
    if (this.packs.has(hash)) return;
    const { producer, topic } = this.deps;
    await producer.send(topic, [{ partition: 0, key: hash, value: encodePack(pack) }]);
  }

  async activate(hash: string): Promise<Activation> {
    const { producer, topic, unique } = this.deps;
    const key = activationKey(unique());
    await producer.send(topic, [{ partition: 0, key, value: encodeActivation(hash) }]);
    await this.catchUp();
    const found = this.keys.get(key);
    if (found === undefined) throw new BusError(`an activation written to ${topic} does not stand there`, true);
    return found;
  }

  async close(): Promise<void> {
    this.fail(new BusError(`reading ${this.deps.topic}: closed`, false), true);
    await this.deps.consumer.close();
    await this.deps.producer.close();
  }

  private take(record: BusRecord): void {
    if (record.offset < this.next) return;
    this.next = record.offset + 1n;
    const key = record.key?.toString("utf8") ?? "";
    if (!isActivationKey(key)) {
      // A copy: the record shares memory with the whole fetch.
      if (record.value === null) this.packs.delete(key);
      else this.packs.set(key, Buffer.from(record.value));
      return;
    }
    const hash = record.value === null ? undefined : decodeActivation(record.value);
    // What is no activation puts nothing in force.
    if (hash === undefined) return;
    const activation = { hash, activation: record.offset, atMs: record.timestamp };
    // Sent twice after a lost reply: the last copy counts, since it is the one that compaction keeps.
    const before = this.keys.get(key);
    if (before !== undefined) this.known.splice(this.known.indexOf(before), 1);
    this.keys.set(key, activation);
    this.known.push(activation);
    for (const listener of this.listeners) listener(activation);
  }

  private advance(end: bigint): void {
    if (end > this.next) this.next = end;
    const done = this.waiting.filter(({ upTo }) => upTo <= this.next);
    this.waiting = this.waiting.filter(({ upTo }) => upTo > this.next);
    for (const { resolve } of done) resolve();
  }

  private fail(error: Error, isClosed = false): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
    if (!isClosed) this.deps.failed(error);
  }
}
