/**
 * One input partition as intake reads it: records fetched and not yet packed, the next one decoded, and
 * the position that is acknowledged. Plain state; `intake-worker.ts` moves it.
 */
import type { Decoded, Decoder } from "../intake/decode.ts";
import type { BusRecord, TopicPartition } from "./bus.ts";
import type { Position } from "./positions.ts";

/** Fetches of one partition that may wait in memory, about 1 MiB each. */
const QUEUED_MAX = 3;
/** A partition that had nothing new for so long is at its end (the broker said so), */
const QUIET_MS = 500;
/** or surely is, when its last offsets are control records that nobody delivers. */
const SILENT_MS = 5_000;

/** The next record of a lane. */
export interface Head {
  readonly record: BusRecord;
  readonly decoded: Decoded;
  /** Event time; -Infinity for what waits for nobody: rejects and profiles. */
  readonly time: number;
}

export class Lane {
  readonly at: TopicPartition;
  readonly name: string;
  /** Number of its source with the packer. */
  readonly source: number;
  private readonly decoder: Decoder;
  /** Profiles: read ahead of movements until what stood there at the start is read. */
  readonly catchUpTo: bigint | undefined;
  /** `confirming`: the next record must be the one before the position. */
  state: "starting" | "confirming" | "reading" | "halted" = "starting";
  /** Everything before it is acknowledged. */
  position: Position | undefined;
  /** Offset that the next fetched record should have. */
  expected = 0n;
  highWatermark = 0n;
  /** Where a fetch began that seemed to leave a hole. */
  hole: bigint | undefined;
  /** Greatest event time passed on. */
  time = Number.NEGATIVE_INFINITY;
  /** Of the shell's clock: last fetch, last time that something of it was acknowledged. */
  arrivedAt: number;
  movedAt: number;
  head: Head | undefined;
  paused = false;
  /** Waits for slower partitions. */
  held = false;
  /** Records passed on. */
  passed = 0;
  private queue: (readonly BusRecord[])[] = [];
  private read = 0;
  /** Everything before it was passed on. */
  private passedTo = 0n;

  constructor(at: TopicPartition, source: number, decoder: Decoder, catchUpTo: bigint | undefined, now: number) {
    this.at = at;
    this.decoder = decoder;
    this.name = `${at.topic}:${at.partition}`;
    this.source = source;
    this.catchUpTo = catchUpTo;
    this.arrivedAt = now;
    this.movedAt = now;
  }

  /** Takes a fetch that continues where the last one ended. */
  push(records: readonly BusRecord[], now: number): void {
    // A lane that was idle has not been standing still.
    if (this.queue.length === 0 && this.head === undefined) this.movedAt = now;
    this.arrivedAt = now;
    this.queue.push(records);
  }

  /** Fetching should stop until some of what waits is passed on. */
  get full(): boolean {
    return this.queue.length >= QUEUED_MAX;
  }

  /** Records that the broker had and that are not passed on. */
  lag(): number {
    const next = this.head?.record.offset ?? this.queue[0]?.[this.read]?.offset ?? this.expected;
    return this.highWatermark > next ? Number(this.highWatermark - next) : 0;
  }

  /** Decodes the next record as head, when there is one and no head yet. */
  look(): void {
    if (this.head !== undefined) return;
    const batch = this.queue[0];
    const record = batch?.[this.read];
    if (batch === undefined || record === undefined) return;
    this.read++;
    if (this.read === batch.length) {
      this.queue.shift();
      this.read = 0;
    }
    const decoded = decode(this.decoder, record);
    this.head = { record, decoded, time: timeOf(decoded) };
  }

  /** The head was passed on. */
  pass(): void {
    if (this.head !== undefined) {
      if (this.head.time > this.time) this.time = this.head.time;
      this.passedTo = this.head.record.offset + 1n;
    }
    this.head = undefined;
    this.passed++;
  }

  /** Whether everything there is was passed on. */
  atEnd(now: number): boolean {
    if (this.head !== undefined || this.queue.length > 0 || this.state === "starting") return false;
    const silentMs = now - this.arrivedAt;
    return silentMs >= (this.expected >= this.highWatermark ? QUIET_MS : SILENT_MS);
  }

  /** Still reads profiles that stood there at the start: movements wait for them. */
  get catchingUp(): boolean {
    if (this.catchUpTo === undefined) return false;
    const next = this.head?.record.offset ?? this.queue[0]?.[this.read]?.offset ?? this.expected;
    return next < this.catchUpTo;
  }

  /**
   * Profiles that stood there at the start are passed on and not acknowledged: should this worker die, another begins
   * with them again, and movements that others pass on meanwhile would be ahead of them.
   */
  get unacknowledged(): boolean {
    if (this.catchUpTo === undefined) return false;
    const upTo = this.passedTo < this.catchUpTo ? this.passedTo : this.catchUpTo;
    return (this.position?.next ?? 0n) < upTo;
  }

  /** Event time before which it will pass nothing on; undefined: it holds nobody back. */
  bound(now: number): number | undefined {
    if (this.state === "halted") return undefined;
    if (this.catchUpTo !== undefined) return this.catchingUp && !this.atEnd(now) ? 0 : undefined;
    if (this.head !== undefined) return this.head.time === Number.NEGATIVE_INFINITY ? this.time : this.head.time;
    return this.atEnd(now) ? undefined : this.time;
  }
}

const NO_VALUE: Decoded = {
  kind: "reject",
  reject: { code: "SCHEMA", field: "", expected: "one JSON object", found: "a record without value" },
};

function decode(decoder: Decoder, record: BusRecord): Decoded {
  if (record.value === null) return NO_VALUE;
  // A record of a producer that gives no time cannot be judged by it.
  return decoder.decodeJson(record.value, record.timestamp > 0 ? { asOf: record.timestamp } : undefined);
}

function timeOf(decoded: Decoded): number {
  if (decoded.kind === "tx") return decoded.tx.time;
  return decoded.kind === "event" ? decoded.event.time : Number.NEGATIVE_INFINITY;
}
