/** What is told of runs: sums over many, and one as plain data. */
import type { Result } from "./simulate.ts";

/** One line on all of them. */
export function totalsOf(results: readonly Result[]): string {
  const sum = (of: (result: Result) => number): number => results.reduce((total, result) => total + of(result), 0);
  const failed = results.filter(({ faults }) => faults.length > 0).map(({ seed }) => seed);
  return (
    `${results.length} runs from seed ${results[0]?.seed}: ${sum(crashPoints)} crash points ` +
    `(${sum(({ counts }) => counts.crashes)} deaths, ${sum(({ counts }) => counts.freezes)} pauses) at ` +
    `${sum(({ counts }) => counts.waits)} waits, ${sum(({ networkFaults }) => networkFaults)} lost or late messages, ` +
    `${sum(({ counts }) => counts.fenced)} fenced, ${sum(({ counts }) => counts.rebuilds)} rebuilds; ` +
    (failed.length === 0 ? "all well" : `FAILED: seeds ${failed.join(", ")}`)
  );
}

/** Places at which a process was killed or frozen. */
export function crashPoints({ counts }: Result): number {
  return counts.crashes + counts.freezes;
}

/** A run as JSON can hold it. */
export function describeResult({ seed, trace, steps, faults, counts, networkFaults, plan }: Result): unknown {
  const { crashedAt, troubles, ...numbers } = counts;
  const maps = { crashedAt: Object.fromEntries(crashedAt), troubles: Object.fromEntries(troubles) };
  return { seed, trace, steps, faults, networkFaults, ...numbers, ...maps, plan };
}
