/**
 * What the workers ask of a log broker, and no more: a producer with one send open at a time, a group
 * consumer that starts each partition where it is told, an admin. `kafka-bus.ts` implements it over
 * kafkajs; a simulation can implement it over memory. Offsets are bigint.
 */

/** One record to write. The writer chooses the partition. */
export interface OutRecord {
  readonly partition: number;
  readonly key: string | Uint8Array | null;
  /** Null is a tombstone of a compacted topic. */
  readonly value: Uint8Array | string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Producer {
  /**
   * Writes records in their order within each partition and resolves when the broker has acknowledged
   * every partition among them. Retries what can be retried for as long as it takes, so a record may
   * stand in the log more than once; throws BusError when a retry cannot help or the producer is closed.
   * A second send while one is open is an error of the program.
   */
  send(topic: string, records: readonly OutRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** One record read. Buffers may share memory with the whole fetch: copy what outlives the batch. */
export interface BusRecord {
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** As the broker stored it, epoch ms. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
}

/** Records of one partition in offset order; never empty. */
export interface Batch extends TopicPartition {
  readonly records: readonly BusRecord[];
  /** One past the last offset that the fetch covered: control records after the last record count. */
  readonly end: bigint;
  /** One past the last record that the broker had when it answered. */
  readonly highWatermark: bigint;
  /** The assignment under which it was fetched. */
  readonly generation: number;
}

export interface ConsumerHandlers {
  /**
   * The group gave out partitions anew; this is the whole assignment, and none of it is read until
   * `Consumer.start` says from where. No batch handler runs meanwhile.
   */
  assigned(partitions: readonly TopicPartition[], generation: number): Promise<void>;
  /** The assignment may have been given to others: what follows under `generation` is void. */
  revoked(generation: number): void;
  /** One batch at a time. The next one is fetched when it resolves; a throw ends the consumer. */
  batch(batch: Batch): Promise<void>;
  /** The consumer ended for a reason that a retry cannot mend. */
  failed(error: Error): void;
}

export interface OffsetCommit extends TopicPartition {
  /** Next offset to read. */
  readonly offset: bigint;
  /** Kept by the group beside the offset, at most 4,096 bytes. */
  readonly metadata: string;
}

export interface Consumer {
  /** Joins the group and begins to call the handlers; resolves when the connection stands. */
  run(topics: readonly string[], handlers: ConsumerHandlers): Promise<void>;
  /** Grows by one with each assignment and each loss of one. */
  readonly generation: number;
  /** Joined and not in the middle of a rebalance. */
  readonly joined: boolean;
  /** Reads an assigned partition from `offset` on; also moves one that is already read. */
  start(at: TopicPartition, offset: bigint): void;
  /** Stops reading an assigned partition until `start`, for one that must halt. */
  halt(at: TopicPartition): void;
  /** Holds a started partition back, for back-pressure and drift; keeps its place. */
  pause(at: TopicPartition): void;
  resume(at: TopicPartition): void;
  /** False: the group moved on (or cannot be reached now), nothing may be assumed committed. */
  commit(offsets: readonly OffsetCommit[], generation: number): Promise<boolean>;
  /** Asks the group whether this member still belongs to it. Batches in hand are kept alive without it. */
  heartbeat(): Promise<boolean>;
  /** Lets the batch in hand finish and leaves the group. Commit first: afterwards it is refused. */
  close(): Promise<void>;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicState {
  readonly name: string;
  readonly partitions: number;
  /** The smallest over its partitions. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface PartitionRange {
  readonly partition: number;
  /** First offset that the log still has. */
  readonly low: bigint;
  /** One past its last. */
  readonly high: bigint;
}

export interface GroupOffset {
  readonly partition: number;
  /** Undefined: the group never committed here. */
  readonly offset: bigint | undefined;
  readonly metadata: string;
}

export interface Admin {
  /** Topics among `names` that exist. */
  describe(names: readonly string[]): Promise<TopicState[]>;
  /** Creates what does not exist yet; one that another process creates at the same time is no error. */
  create(topics: readonly TopicSpec[]): Promise<void>;
  ranges(topic: string): Promise<PartitionRange[]>;
  groupOffsets(group: string, topic: string): Promise<GroupOffset[]>;
  /** Members of a consumer group now; 0 for one that nobody knows. */
  members(group: string): Promise<number>;
  brokers(): Promise<number>;
  close(): Promise<void>;
}

/** One broker (cluster), as a process sees it. */
export interface Bus {
  /** `name` is for logs and metrics. Each producer has its own connection and its own open send. */
  producer(name: string): Promise<Producer>;
  consumer(group: string, options?: ConsumerOptions): Consumer;
  admin(): Promise<Admin>;
}

export interface ConsumerOptions {
  /** Most bytes of one partition in one fetch. */
  readonly maxBytesPerPartition?: number;
  /** How long the broker may wait for the first byte, ms: how soon a partition is read that was resumed meanwhile. */
  readonly maxWaitMs?: number;
}

/** A broker refused, or cannot be reached; the message names the address, what was tried and the fix. */
export class BusError extends Error {
  /** A retry may help. */
  readonly retriable: boolean;
  constructor(message: string, retriable: boolean) {
    super(message);
    this.name = "BusError";
    this.retriable = retriable;
  }
}
