/**
 * Recorded data for the verbs that look into it: files merged by time and handed on row by row, with progress on
 * a terminal. What each verb keeps is its own affair; rows pass by.
 */

import type { Item } from "../files/items.ts";
import { mergeFiles } from "../files/merge.ts";
import type { Lists } from "../rules/lists.ts";
import type { Embedded } from "../screen/embedded.ts";
import type { Terminal } from "./output.ts";
import { createProgress } from "./progress.ts";
import { checkPaths } from "./replay-files.ts";

/** Options that every verb over recorded data has. */
export interface RecordedOptions {
  readonly rules?: string;
  readonly lists?: string;
  readonly tuning?: string;
  readonly parties?: readonly string[];
  readonly mapping?: string;
  readonly set?: Readonly<Record<string, string>>;
  /** Reference for times in the far future, epoch ms. */
  readonly asOf?: number;
  readonly json?: boolean;
}

/** Rows that passed. */
export interface Recorded {
  readonly transactions: number;
  readonly rejected: number;
}

/**
 * Hands on every row in the order of event time until `take` gives false. Throws UsageError for a file that is
 * missing, SourceError for one that breaks off.
 */
export async function readRecorded(
  files: readonly string[],
  options: RecordedOptions,
  lists: Lists,
  terminal: Terminal,
  take: (item: Item) => boolean,
): Promise<Recorded> {
  const parties = options.parties ?? [];
  const bytesTotal = checkPaths({ inputs: [...files, ...parties], outputs: [] });
  const { rates, vocabulary } = lists;
  const asOf = options.asOf ?? terminal.now();
  const merged = mergeFiles(files, {
    parties,
    mapping: options.mapping,
    rates,
    vocabulary,
    asOf,
    stdin: terminal.stdin,
  });
  const progress = createProgress(terminal, bytesTotal);
  let transactions = 0;
  let rejected = 0;
  try {
    for await (const items of merged) {
      for (const item of items) {
        if (item.decoded.kind === "tx") transactions += 1;
        else if (item.decoded.kind === "reject") rejected += 1;
        if (!take(item)) return { transactions, rejected };
      }
      progress.update(transactions, merged.bytesRead);
    }
  } finally {
    progress.clear();
  }
  return { transactions, rejected };
}

/** Screens one row; a rejected one is left out. */
export function screenItem(embedded: Embedded, { decoded }: Item): void {
  if (decoded.kind === "tx") embedded.pushTx(decoded.tx);
  else if (decoded.kind === "profile") embedded.pushProfile(decoded.profile);
  else if (decoded.kind === "event") embedded.pushEvent(decoded.event);
}
