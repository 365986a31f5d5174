/**
 * One process of the cluster, as the outside acts on it: every wait of its code is a place where it may be killed or
 * frozen. A killed process never goes on; a frozen one goes on later and does not know it, while the world moved.
 */
import type { Clock } from "../../src/stream/screen-ports.ts";
import type { Scheduler } from "./scheduler.ts";

/** What may happen at each wait, in percent. All zero once the faults are over. */
export interface WaitFaults {
  crash: number;
  freeze: number;
}

/** What was done to processes; the counts of all processes of a run add up here. */
export interface WaitCounts {
  /** Waits that ended: places where something could have happened. */
  waits: number;
  crashes: number;
  freezes: number;
  /** Waits at which a process died, by what it waited for. */
  readonly crashedAt: Map<string, number>;
}

export class SimProcess {
  readonly name: string;
  readonly scheduler: Scheduler;
  /** Killed, or ended by itself. */
  dead = false;
  private readonly faults: WaitFaults;
  private readonly counts: WaitCounts;
  private frozenUntil = 0;
  private readonly died: () => void;

  constructor(name: string, scheduler: Scheduler, faults: WaitFaults, counts: WaitCounts, died: () => void) {
    this.name = name;
    this.scheduler = scheduler;
    this.faults = faults;
    this.counts = counts;
    this.died = died;
  }

  /** Its clock: virtual, and held while it is frozen. */
  readonly clock: Clock = {
    now: () => Math.floor(this.scheduler.now),
    sleep: (ms, signal) => this.sleep(ms, signal),
    breathe: () => this.wait("breathe", 0),
  };

  kill(): void {
    if (this.dead) return;
    this.dead = true;
    this.died();
  }

  freeze(ms: number): void {
    this.counts.freezes++;
    this.frozenUntil = Math.max(this.frozenUntil, this.scheduler.now + ms);
  }

  /** Calls `go` in this process after `ms`: unless it is dead by then, and not while it is frozen. */
  later(what: string, ms: number, go: () => void): void {
    this.scheduler.after(ms, `${this.name} ${what}`, () => this.arrive(what, go));
  }

  /** Resolves in this process after `ms`. */
  wait(what: string, ms: number): Promise<void> {
    return new Promise((resolve) => this.later(what, ms, resolve));
  }

  private arrive(what: string, go: () => void): void {
    if (this.dead) return;
    if (this.frozenUntil > this.scheduler.now) {
      this.scheduler.after(this.frozenUntil - this.scheduler.now, `${this.name} ${what}`, () => this.arrive(what, go));
      return;
    }
    this.counts.waits++;
    const { random } = this.scheduler;
    if (this.faults.crash > 0 && random.chance(this.faults.crash)) {
      this.counts.crashes++;
      this.counts.crashedAt.set(what, (this.counts.crashedAt.get(what) ?? 0) + 1);
      this.kill();
      return;
    }
    if (this.faults.freeze > 0 && random.chance(this.faults.freeze)) {
      this.freeze(random.chance(50) ? random.between(5, 200) : random.between(300, 3_000));
      this.scheduler.after(this.frozenUntil - this.scheduler.now, `${this.name} ${what}`, () => this.arrive(what, go));
      return;
    }
    go();
  }

  private sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal?.removeEventListener("abort", done);
        resolve();
      };
      signal?.addEventListener("abort", done, { once: true });
      this.later("sleep", ms, done);
    });
  }
}
