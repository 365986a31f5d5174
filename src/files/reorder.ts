/**
 * The rows of one file, put in order within a bounded number of rows. Rows that come in order are appended;
 * one that is early or late is put in its place among those that are held.
 */
import { UsageError } from "../base/errors.ts";
import { compareItems } from "./item-order.ts";
import type { Item } from "./items.ts";

export interface ReorderQueue {
  /** First row in order, undefined when there is none. */
  readonly head: Item | undefined;
  /** The head is safe to take: enough rows are held, or the file is at its end. */
  readonly ready: boolean;
  /** Why the file could not be read to its end; its rows before that are all held. */
  readonly fault: Error | undefined;
  /** Takes the head. */
  shift(): Item;
  /** Reads until the queue is ready. Throws UsageError only; other faults are kept in `fault`. */
  fill(): Promise<void>;
  close(): Promise<void>;
}

/** A queue over the batches of one file that holds at least `rows` rows before it gives one away. */
export function createReorderQueue(batches: AsyncGenerator<readonly Item[]>, rows: number): ReorderQueue {
  let items: Item[] = [];
  let start = 0;
  let ended = false;
  let fault: Error | undefined;

  async function fill(): Promise<void> {
    if (start > 0) {
      items = items.slice(start);
      start = 0;
    }
    while (!ended && items.length <= rows) {
      const batch = await next();
      for (const item of batch) insert(items, item);
    }
  }

  async function next(): Promise<readonly Item[]> {
    try {
      const result = await batches.next();
      if (result.done !== true) return result.value;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      fault = error instanceof Error ? error : new Error(String(error));
    }
    ended = true;
    return [];
  }

  return {
    get head() {
      return items[start];
    },
    get ready() {
      return ended || items.length - start > rows;
    },
    get fault() {
      return fault;
    },
    shift() {
      const item = items[start];
      if (item === undefined) throw new Error("invariant broken: an empty queue has no head");
      start += 1;
      return item;
    },
    fill,
    async close() {
      await batches.return(undefined);
    },
  };
}

/** Appends, or puts in place by binary search: after all rows that are not greater. */
function insert(items: Item[], item: Item): void {
  const last = items[items.length - 1];
  if (last === undefined || compareItems(last, item) <= 0) {
    items.push(item);
    return;
  }
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareItems(items[middle] as Item, item) <= 0) low = middle + 1;
    else high = middle;
  }
  items.splice(low, 0, item);
}
