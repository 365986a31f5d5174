/**
 * kafkajs 2.2.4 keeps a timer of 1 ms running for ever on every connection: its request queue sets the
 * next check for "now minus the epoch", which a timer reads as 1 ms. Measured at 3.4 % of a core for each
 * idle consumer; newer Node versions also print a TimeoutNegativeWarning. The queue needs the timer only
 * while requests wait, so the method is replaced by one that asks for it only then.
 */
import { createRequire } from "node:module";

interface RequestQueue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
}

interface QueuePrototype {
  scheduleCheckPendingRequests?: (this: RequestQueue) => void;
}

const CHECK_EVERY_MS = 10;

/** Quietens the timers of the kafkajs that is loaded. False when its inside is not the one known here. */
export function quietenKafkaTimers(): boolean {
  const load = createRequire(import.meta.url);
  let prototype: QueuePrototype | undefined;
  try {
    if ((load("kafkajs/package.json") as { version?: string }).version !== "2.2.4") return false;
    prototype = (load("kafkajs/src/network/requestQueue") as { prototype?: QueuePrototype }).prototype;
  } catch {
    return false;
  }
  if (typeof prototype?.scheduleCheckPendingRequests !== "function") return false;
  prototype.scheduleCheckPendingRequests = scheduleOnlyWhenPending;
  return true;
}

function scheduleOnlyWhenPending(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
  const throttledMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledMs > 0 ? throttledMs : CHECK_EVERY_MS,
  );
}
