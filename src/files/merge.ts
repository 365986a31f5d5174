/**
 * Many files as one stream in the order of event time. Each file may be out of order by up to
 * REORDER_ROWS_MAX rows; the files are then merged row by row. The order is total (time, kind, id, content),
 * so neither the order of the names nor the way in which rows are spread over files has an effect on it.
 */
import type { Readable } from "node:stream";
import type { Rates } from "../domain/money.ts";
import type { FieldVocabulary } from "../intake/context.ts";
import { createDecoder } from "../intake/decode.ts";
import { compareItems } from "./item-order.ts";
import type { Item } from "./items.ts";
import { readMappingFile } from "./mapping-file.ts";
import { readRecords } from "./records.ts";
import { createReorderQueue, type ReorderQueue } from "./reorder.ts";
import { openSource, type Source } from "./source.ts";

export type { Item } from "./items.ts";

/** A row may stand this many rows later in its file than its time says; about 12 MB a file. */
export const REORDER_ROWS_MAX = 8_192;
/** Files of parties are small and seldom sorted by date: they are put in order almost whole. */
export const REORDER_PARTIES_MAX = 262_144;

export interface MergeOptions {
  readonly rates: Rates;
  /** Files of `party/1` records. */
  readonly parties?: readonly string[] | undefined;
  /** Path of a mapping file, for the transactions; parties are always in Palermo's own form. */
  readonly mapping?: string | undefined;
  readonly vocabulary?: FieldVocabulary | undefined;
  /** Epoch ms that event times may not lie ahead of. */
  readonly asOf?: number | undefined;
  /** Stands for `-`. */
  readonly stdin?: Readable | undefined;
}

/** Rows in order, in batches. */
export interface Merged extends AsyncIterable<readonly Item[]> {
  /** Bytes taken from all files so far, as they lie there. */
  readonly bytesRead: number;
  /** Rows that came too late in their file to be put in order; they are delivered where they were found. */
  readonly late: number;
}

/**
 * Merges files. Throws UsageError at once for a faulty mapping file, and while reading for a file that is
 * missing; SourceError for one that breaks off, after the rows before that.
 */
export function mergeFiles(files: readonly string[], options: MergeOptions): Merged {
  const mapping = options.mapping === undefined ? undefined : readMappingFile(options.mapping);
  const { rates, vocabulary, asOf } = options;
  const decoder = createDecoder({ rates, vocabulary, mapping, asOf });
  const plain = mapping === undefined ? decoder : createDecoder({ rates, vocabulary, asOf });
  const sources: Source[] = [];
  const open = (file: string): Source => {
    const source = openSource(file, options.stdin);
    sources.push(source);
    return source;
  };
  const queues = [
    ...(options.parties ?? []).map((file) =>
      createReorderQueue(readRecords(open(file), plain, undefined), REORDER_PARTIES_MAX),
    ),
    ...files.map((file) => createReorderQueue(readRecords(open(file), decoder, mapping), REORDER_ROWS_MAX)),
  ];
  const state = { late: 0 };
  return {
    get bytesRead() {
      return sources.reduce((bytes, source) => bytes + source.bytesRead, 0);
    },
    get late() {
      return state.late;
    },
    [Symbol.asyncIterator]: () => mergeQueues(queues, state),
  };
}

/** Rows handed on at once. */
const BATCH_ROWS = 2_048;

async function* mergeQueues(queues: readonly ReorderQueue[], state: { late: number }): AsyncGenerator<readonly Item[]> {
  const waiting: ReorderQueue[] = [];
  let batch: Item[] = [];
  let before: Item | undefined;
  try {
    for (const queue of queues) {
      await queue.fill();
      enqueue(waiting, queue);
    }
    for (let queue = waiting.shift(); queue !== undefined; queue = waiting.shift()) {
      const bound = waiting[0]?.head;
      while (queue.head !== undefined && (bound === undefined || compareItems(queue.head, bound) <= 0)) {
        const item = queue.shift();
        if (before !== undefined && compareItems(item, before) < 0) state.late += 1;
        else before = item;
        batch.push(item);
        if (batch.length >= BATCH_ROWS) {
          yield batch;
          batch = [];
        }
        if (!queue.ready) await queue.fill();
      }
      if (queue.head === undefined && queue.fault !== undefined) {
        yield batch;
        throw queue.fault;
      }
      enqueue(waiting, queue);
    }
    if (batch.length > 0) yield batch;
  } finally {
    await Promise.all(queues.map((queue) => queue.close()));
  }
}

/** Keeps the queues sorted by their first rows; one that is at its end is left out, one with a fault comes first. */
function enqueue(waiting: ReorderQueue[], queue: ReorderQueue): void {
  const { head } = queue;
  if (head === undefined) {
    if (queue.fault !== undefined) waiting.unshift(queue);
    return;
  }
  let at = waiting.length;
  while (at > 0) {
    const other = (waiting[at - 1] as ReorderQueue).head;
    if (other === undefined || compareItems(other, head) <= 0) break;
    at -= 1;
  }
  waiting.splice(at, 0, queue);
}
