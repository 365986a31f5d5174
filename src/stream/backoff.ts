/** Waiting between attempts, and waiting at most so long: the two timers of the shell, and its clock. */
import type { Clock } from "./screen-ports.ts";

/** Delay before attempt `n` (0, 1, ...): 100 ms doubling up to 10 s. Deterministic; callers are few. */
export function backoffMs(attempt: number, firstMs = 100, mostMs = 10_000): number {
  return Math.min(firstMs * 2 ** Math.min(attempt, 20), mostMs);
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** `work`, or a rejection that says `what` after `ms`. The work itself goes on unobserved. */
export function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} gave no answer within ${ms} ms`)), ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** The clock of a process. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep,
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
};
