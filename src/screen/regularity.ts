/**
 * How regular contributions are, which tells a family remitter from a collector: spread of the gaps between them, the
 * day of the month, equal amounts.
 */
import { DAY_MS } from "../base/limits.ts";

/** Days of the month within this distance of each other are one: weekends and holidays move a payment. */
const SAME_DAY_WITHIN = 2;
const DAYS_OF_MONTH = 31;

/**
 * Coefficient of variation of the gaps: standard deviation over mean, 0 for a clock. Unknown with fewer than three
 * contributions or when all have one time.
 */
export function gapVariation(times: readonly number[]): number | undefined {
  const gaps = times.length - 1;
  if (gaps < 2) return undefined;
  // The indexes lie within the array.
  const mean = ((times[gaps] as number) - (times[0] as number)) / gaps;
  if (mean === 0) return undefined;
  let squares = 0;
  for (let i = 1; i <= gaps; i += 1) {
    const distance = (times[i] as number) - (times[i - 1] as number) - mean;
    squares += distance * distance;
  }
  return Math.sqrt(squares / gaps) / mean;
}

/**
 * Greatest share of contributions whose UTC day of the month lies within two days of one day, the 1st following the
 * 31st. Unknown of nothing.
 */
export function sameDayShare(times: readonly number[]): number | undefined {
  if (times.length === 0) return undefined;
  const days = new Array<number>(DAYS_OF_MONTH).fill(0);
  for (const time of times) {
    const day = new Date(Math.floor(time / DAY_MS) * DAY_MS).getUTCDate() - 1;
    days[day] = (days[day] as number) + 1;
  }
  let best = 0;
  for (let centre = 0; centre < DAYS_OF_MONTH; centre += 1) {
    let count = 0;
    for (let step = -SAME_DAY_WITHIN; step <= SAME_DAY_WITHIN; step += 1) {
      count += days[(centre + step + DAYS_OF_MONTH) % DAYS_OF_MONTH] as number;
    }
    best = Math.max(best, count);
  }
  return best / times.length;
}

/** Share of the most frequent value. Unknown of nothing. */
export function equalShare(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const counts = new Map<number, number>();
  let best = 0;
  for (const value of values) {
    const count = (counts.get(value) ?? 0) + 1;
    counts.set(value, count);
    if (count > best) best = count;
  }
  return best / values.length;
}
