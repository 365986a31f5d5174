/**
 * Requests of a process to a server, over a network that loses, delays and repeats nothing on purpose but may drop a
 * request, or its reply after the server has acted: the caller cannot tell which.
 */
import type { SimProcess } from "./process.ts";

/** In percent of requests. All zero once the faults are over. */
export interface NetworkFaults {
  /** Dropped on the way there: nothing was done. */
  lost: number;
  /** Done, but the answer is lost. */
  unanswered: number;
  /** Given up by the caller and done all the same, much later. */
  late: number;
}

export interface NetworkCounts {
  lost: number;
  unanswered: number;
  late: number;
}

export interface Network {
  readonly faults: NetworkFaults;
  readonly counts: NetworkCounts;
}

/** What a request came to, as the caller sees it. */
export type Outcome<T> =
  | { readonly kind: "answer"; readonly value: T }
  /** No answer. `reached`: unknown to the caller, for the caller's own tests only. */
  | { readonly kind: "silence" };

/** A connection on which requests arrive, and are answered, in the order in which they were sent. */
export interface Channel {
  arrived: number;
  answered: number;
}

/** After so long without an answer a caller gives up. */
const TIMEOUT_MS = 400;

/** Sends a request; `act` is what the server does with it, once or not at all. */
export function request<T>(
  process: SimProcess,
  network: Network,
  what: string,
  act: () => T,
  channel: Channel = { arrived: 0, answered: 0 },
): Promise<Outcome<T>> {
  const { scheduler, name } = process;
  const { random } = scheduler;
  const { faults, counts } = network;
  const arrives = Math.max(channel.arrived, scheduler.now + latency(random.between(0, 1)));
  const back = latency(random.between(0, 1));
  const answer = (what: string, go: () => void): void => {
    channel.answered = Math.max(channel.answered, scheduler.now + back);
    process.later(what, channel.answered - scheduler.now, go);
  };
  return new Promise((resolve, reject) => {
    const silent = (): void => process.later(`${what} timed out`, TIMEOUT_MS, () => resolve({ kind: "silence" }));
    if (random.chance(faults.lost)) {
      counts.lost++;
      silent();
      return;
    }
    if (random.chance(faults.late)) {
      counts.late++;
      silent();
      scheduler.after(random.between(TIMEOUT_MS, 4_000), `${name} ${what} late`, () => void act());
      return;
    }
    const mute = random.chance(faults.unanswered);
    channel.arrived = arrives;
    scheduler.after(arrives - scheduler.now, `${name} ${what} arrives`, () => {
      // What a process had not handed to the network dies with it.
      if (process.dead && random.chance(50)) return;
      try {
        const value = act();
        if (!mute) return answer(what, () => resolve({ kind: "answer", value }));
        counts.unanswered++;
        silent();
      } catch (error) {
        answer(what, () => reject(error));
      }
    });
  });
}

/** Mostly short, sometimes not. */
function latency(unit: number): number {
  return unit < 0.95 ? 0.1 + unit * 1.5 : unit * 40;
}
