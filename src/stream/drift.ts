/**
 * Keeps partitions together in event time. Kafka orders within a partition only, so workers that drain a
 * backlog at their own pace would deliver an entity's events hours apart. Each worker tells a shared board
 * where its partitions stand; one that is ahead of the slowest waits, the slowest never does. What is told
 * is the event time of the next record, not of the last: a partition whose next record is of next month
 * holds nobody back until then, and does not run ahead itself.
 */

/** Where one partition stands. */
export interface DriftEntry {
  /** Event time of its next record where known, else of its last, epoch ms. */
  readonly head: number;
  /** Nothing is left to read: it holds nobody back. */
  readonly atEnd: boolean;
  /** Changes whenever the partition moves. */
  readonly progress: number;
}

/** The shared part: one hash for a stage, partition name to entry. */
export interface DriftBoard {
  /** Writes own entries, removes those of partitions given up, returns what all workers wrote. */
  exchange(own: ReadonlyMap<string, DriftEntry>, gone: readonly string[]): Promise<Map<string, SeenEntry>>;
}

/** An entry as its writer's clock dates it, epoch ms. */
export interface SeenEntry extends DriftEntry {
  readonly writtenAt: number;
}

export interface DriftOptions {
  /** How far ahead of the slowest a partition may be, ms of event time. */
  readonly aheadMs: number;
  /** A partition that has not moved for so long holds nobody back any more. */
  readonly waitMs: number;
}

/** An entry that was not renewed for so long says nothing about the end of its partition any more. */
const STALE_MS = 5_000;

/** What one worker knows of the partitions of others. */
export class DriftGate {
  /** Partitions that were waited for in vain, since the start. */
  released = 0;
  private readonly options: DriftOptions;
  private readonly others = new Map<string, Other>();
  private unknownSince: number | undefined;

  constructor(options: DriftOptions) {
    this.options = options;
  }

  /** Other partitions than before belong to others now: nothing may pass until the board was read for them. */
  forget(now: number): void {
    this.unknownSince = now;
  }

  /** Takes the board's entries for the partitions named, which are those of other workers. */
  update(names: Iterable<string>, board: ReadonlyMap<string, SeenEntry>, now: number): void {
    this.unknownSince = undefined;
    const wanted = new Set(names);
    for (const name of this.others.keys()) if (!wanted.has(name)) this.others.delete(name);
    for (const name of wanted) {
      const entry = board.get(name);
      const before = this.others.get(name);
      const fresh = entry !== undefined && Math.abs(now - entry.writtenAt) < STALE_MS;
      const head = entry?.head ?? Number.NEGATIVE_INFINITY;
      const progress = entry?.progress ?? -1;
      const moved = before === undefined || before.progress !== progress || before.head !== head;
      const movedAt = moved ? now : before.movedAt;
      const waited = !moved && (before?.released ?? false);
      this.others.set(name, { head, progress, movedAt, atEnd: fresh && entry.atEnd, released: waited });
    }
  }

  /** The greatest event time that may be passed on now. */
  limit(now: number): number {
    const { aheadMs, waitMs } = this.options;
    let least = Number.POSITIVE_INFINITY;
    if (aheadMs === 0) return least;
    if (this.unknownSince !== undefined) {
      return now - this.unknownSince < waitMs ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    }
    for (const other of this.others.values()) {
      if (other.atEnd) continue;
      if (now - other.movedAt >= waitMs) {
        if (!other.released) this.released++;
        other.released = true;
      } else if (other.head < least) least = other.head;
    }
    return least + aheadMs;
  }
}

/** The board as a Redis hash; `call` sends one command. */
export function createRedisBoard(
  call: (command: string, args: readonly string[]) => Promise<unknown>,
  key: string,
  now: () => number,
): DriftBoard {
  return {
    async exchange(own, gone) {
      const fields: string[] = [];
      for (const [name, entry] of own) fields.push(name, encodeEntry(entry, now()));
      if (gone.length > 0) await call("HDEL", [key, ...gone]);
      if (fields.length > 0) await call("HSET", [key, ...fields]);
      return readBoard(await call("HGETALL", [key]));
    },
  };
}

/** A board for workers of one process, and for tests. */
export function createMemoryBoard(now: () => number): DriftBoard {
  const entries = new Map<string, SeenEntry>();
  return {
    async exchange(own, gone) {
      for (const name of gone) entries.delete(name);
      for (const [name, entry] of own) entries.set(name, { ...entry, writtenAt: now() });
      return new Map(entries);
    },
  };
}

/** Head, at its end, progress, time of writing. */
export function encodeEntry(entry: DriftEntry, writtenAt: number): string {
  const head = Number.isFinite(entry.head) ? entry.head : "";
  return `${head};${entry.atEnd ? 1 : 0};${entry.progress};${writtenAt}`;
}

/** Reads it back; undefined for text that is none. */
export function decodeEntry(text: string): SeenEntry | undefined {
  const match = /^(-?\d{1,16})?;([01]);(-?\d{1,16});(\d{1,16})$/.exec(text);
  if (!match) return undefined;
  return {
    head: match[1] === undefined ? Number.NEGATIVE_INFINITY : Number(match[1]),
    atEnd: match[2] === "1",
    progress: Number(match[3]),
    writtenAt: Number(match[4]),
  };
}

interface Other {
  readonly head: number;
  readonly progress: number;
  readonly movedAt: number;
  readonly atEnd: boolean;
  released: boolean;
}

/** HGETALL comes as a flat list, or as an object from clients that shape it. */
function readBoard(reply: unknown): Map<string, SeenEntry> {
  const pairs: [string, string][] = [];
  if (Array.isArray(reply))
    for (let i = 0; i + 1 < reply.length; i += 2) pairs.push([String(reply[i]), String(reply[i + 1])]);
  else if (typeof reply === "object" && reply !== null) {
    for (const [name, text] of Object.entries(reply)) pairs.push([name, String(text)]);
  }
  const entries = new Map<string, SeenEntry>();
  for (const [name, text] of pairs) {
    const entry = decodeEntry(text);
    if (entry) entries.set(name, entry);
  }
  return entries;
}
