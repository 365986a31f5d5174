/**
 * One thread of virtual time for a whole cluster. Whatever waits (a request on its way, a timer, a reply) stands
 * here as an event; the earliest is run, then everything that it set in motion runs until it waits again. Which of
 * two comes first is decided by latencies from the seed, so the same seed gives the same run, step by step.
 */
import type { Random } from "./random.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly label: string;
  readonly run: () => void;
}

export class Scheduler {
  readonly random: Random;
  /** Events run. */
  steps = 0;
  /** Of everything that was run and when: equal for equal runs. */
  trace = 0x811c9dc5;
  private nowMs: number;
  private order = 0;
  private readonly heap: Event[] = [];

  constructor(random: Random, startMs: number) {
    this.random = random;
    this.nowMs = startMs;
  }

  /** Epoch ms, with fractions. */
  get now(): number {
    return this.nowMs;
  }

  /** Runs `run` after `ms`; events of one moment run in the order in which they were asked for. */
  after(ms: number, label: string, run: () => void): void {
    const { heap } = this;
    heap.push({ at: this.nowMs + Math.max(0, ms), order: this.order++, label, run });
    for (let i = heap.length - 1; i > 0; ) {
      const up = (i - 1) >> 1;
      if (!isBefore(heap[i] as Event, heap[up] as Event)) break;
      [heap[i], heap[up]] = [heap[up] as Event, heap[i] as Event];
      i = up;
    }
  }

  /** Runs events until `done` says so. Throws when that takes more virtual ms, or nothing is left to run. */
  async run(done: () => boolean, limitMs: number): Promise<void> {
    const end = this.nowMs + limitMs;
    while (!done()) {
      const event = this.pop();
      if (event === undefined) throw new Error("nothing is left to run");
      if (event.at > end) throw new Error(`not done after ${limitMs / 1_000} s of virtual time`);
      this.nowMs = event.at;
      this.steps++;
      this.note(event.label);
      event.run();
      // All promises that this resolved run to their next wait before the next event.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private note(label: string): void {
    let hash = this.trace;
    const micros = Math.round(this.nowMs * 1_000);
    for (const part of [micros % 2 ** 31, Math.floor(micros / 2 ** 31)]) hash = Math.imul(hash ^ part, 0x01000193);
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    this.trace = hash >>> 0;
  }

  private pop(): Event | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      if (left >= heap.length) return first;
      const right = left + 1;
      const least = right < heap.length && isBefore(heap[right] as Event, heap[left] as Event) ? right : left;
      if (!isBefore(heap[least] as Event, heap[i] as Event)) return first;
      [heap[i], heap[least]] = [heap[least] as Event, heap[i] as Event];
      i = least;
    }
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}
