/**
 * Contributions of recent events to one measure, oldest first: sequence number, event time and value of each, one
 * after the other in one list of numbers. Most measures of most entities hold a few; three lists for each took eight
 * times the memory, and most of the time of screening went into making and leaving them.
 */

/** Numbers of one contribution. */
export const CELLS = 3;

/** How many contributions a list holds. */
export function contributionsIn(recent: readonly number[]): number {
  return recent.length / CELLS;
}

/** Sequence number of the event behind contribution `i`. */
export function seqAt(recent: readonly number[], i: number): number {
  return recent[i * CELLS] as number;
}

/** Event time of contribution `i`, epoch ms. */
export function timeAt(recent: readonly number[], i: number): number {
  return recent[i * CELLS + 1] as number;
}

/** What contribution `i` adds. */
export function valueAt(recent: readonly number[], i: number): number {
  return recent[i * CELLS + 2] as number;
}

/** Event time of the newest contribution; -Infinity without any. */
export function newestIn(recent: readonly number[]): number {
  return recent.length === 0 ? Number.NEGATIVE_INFINITY : (recent[recent.length - 2] as number);
}

/** Index of the first contribution later than `bound`; the number of them when none is. */
export function firstTimeAbove(recent: readonly number[], bound: number): number {
  return firstCellAbove(recent, 1, bound);
}

/** Index of the first contribution of an event after `seq`; the number of them when none is. */
export function firstSeqAbove(recent: readonly number[], seq: number): number {
  return firstCellAbove(recent, 0, seq);
}

/** The contributions from index `low` up to `high`, as a list of its own. */
export function sliceOf(recent: readonly number[], low: number, high: number): number[] {
  return recent.slice(low * CELLS, high * CELLS);
}

/** Takes `count` contributions out, from index `at` on. */
export function takeOutAt(recent: number[], at: number, count: number): void {
  recent.splice(at * CELLS, count * CELLS);
}

/** The event times, for statistics over them. */
export function timesOf(recent: readonly number[], low: number, high: number): number[] {
  return columnOf(recent, 1, low, high);
}

/** The values, for statistics over them. */
export function valuesOf(recent: readonly number[], low: number, high: number): number[] {
  return columnOf(recent, 2, low, high);
}

/** The sequence numbers of the events behind them. */
export function seqsOf(recent: readonly number[], low: number, high: number): number[] {
  return columnOf(recent, 0, low, high);
}

function columnOf(recent: readonly number[], column: number, low: number, high: number): number[] {
  const found: number[] = [];
  for (let i = low; i < high; i += 1) found.push(recent[i * CELLS + column] as number);
  return found;
}

/** Both columns ascend. */
function firstCellAbove(recent: readonly number[], column: number, bound: number): number {
  let low = 0;
  let high = recent.length / CELLS;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // The index is within the list: low <= middle < high.
    if ((recent[middle * CELLS + column] as number) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}
