/**
 * Keeps intake from running ahead of screening in event time. What screening derives (a hit told to a holder, a mark
 * along money) is appended to the views topic behind everything that intake has written by then; would that be days of
 * event time, as in a backlog, it would reach its entity days late and no longer be judged in order. So intake writes
 * at most `aheadMs` beyond the event time up to which all is screened, with everything that follows from it.
 *
 * That is found out from the broker alone: the screening group's offset is its published position, up to which all
 * derived views stand in the log. The ends of the log are noted; when the group has passed them, what was derived from
 * before stands in front of the ends of now; and so on until nothing more can follow.
 */
import { DERIVED_HOPS_MAX } from "../base/limits.ts";
import type { Admin } from "./bus.ts";
import type { Clock } from "./screen-ports.ts";

export interface PaceOptions {
  readonly views: string;
  /** Consumer group of screening. */
  readonly group: string;
  /** How far beyond the confirmed event time intake may write, ms. */
  readonly aheadMs: number;
  /** A partition that has not moved for so long is not waited for. */
  readonly waitMs: number;
}

export interface Pace {
  /** The greatest event time that may be passed on now; `head` is that of the next record. */
  limit(head: number): number;
  /** Messages up to `time` are on their way. */
  passed(time: number): void;
  /** Of what had passed, only what is not later than `time` is still on its way: the rest was given up unsent. */
  dropped(time: number): void;
  /** What had passed up to `time` is acknowledged by the broker. */
  sent(time: number): void;
  /**
   * Looks whether screening has moved on, when that is due; to be called often. Throws BusError. A look costs the
   * broker six requests: ten a second while nothing was under way took 7 % of a core, broker and intake together.
   */
  look(): Promise<void>;
  /** Partitions that were waited for in vain, since the start. */
  readonly released: number;
}

/** How soon after a look the next one is due: while intake waits for it, */
const WAITING_MS = 20;
/** (half as long again after each look in vain, up to this), */
const WAITING_LONG_MS = 100;
/** when more than half of what intake may run ahead is used up, */
const NEAR_MS = 100;
/** and else. */
const FAR_MS = 1_000;

/** Knows nothing before the first `look`: until then nothing may pass. */
export function createPace(admin: Pick<Admin, "ranges" | "groupOffsets">, options: PaceOptions, clock: Clock): Pace {
  const waits = new Map<number, Wait>();
  let rounds: Round[] = [];
  let passed = Number.NEGATIVE_INFINITY;
  let sent = Number.NEGATIVE_INFINITY;
  let confirmed = Number.NEGATIVE_INFINITY;
  let isPrimed = false;
  let released = 0;
  /** The last one that asked was told to wait. */
  let isWaiting = false;
  const timer = new LookTimer();

  /** Notes which partitions stand still although there is something to read. */
  const observe = (ends: Ends, offsets: Ends): void => {
    const now = clock.now();
    for (const [partition, end] of ends) {
      const offset = offsets.get(partition) ?? 0n;
      const wait = waits.get(partition);
      if (offset >= end) waits.delete(partition);
      else if (wait?.offset !== offset) waits.set(partition, { offset, since: now, isGivenUp: false });
      else if (!wait.isGivenUp && now - wait.since >= options.waitMs) {
        wait.isGivenUp = true;
        released++;
      }
    }
  };
  const hasPassed = (ends: Ends, offsets: Ends): boolean => {
    for (const [partition, end] of ends) {
      if ((offsets.get(partition) ?? 0n) < end && !waits.get(partition)?.isGivenUp) return false;
    }
    return true;
  };
  const confirm = (time: number): void => {
    isPrimed = true;
    timer.found();
    if (time > confirmed) confirmed = time;
  };
  return {
    limit(head) {
      // With nothing under way, whatever comes next may go.
      const from = confirmed >= passed ? Math.max(head, confirmed) : confirmed;
      const limit = isPrimed ? from + options.aheadMs : Number.NEGATIVE_INFINITY;
      isWaiting = head > limit;
      return limit;
    },
    passed(time) {
      if (time > passed) passed = time;
    },
    dropped(time) {
      if (time < passed) passed = time;
    },
    sent(time) {
      if (time > sent) sent = time;
    },
    async look() {
      // A look only ever lets more pass, so one left out does no harm; with nothing under way it would change nothing.
      if (isPrimed && confirmed >= passed) return;
      if (!timer.isDue(clock.now(), isWaiting || !isPrimed, passed - confirmed > options.aheadMs / 2)) return;
      const time = sent;
      // Offsets before ends: a group that has passed ends read later has passed everything.
      const offsets = await offsetsOf(admin, options);
      const ends = await endsOf(admin, options);
      observe(ends, offsets);
      if (hasPassed(ends, offsets)) {
        confirm(time);
        rounds = [];
        return;
      }
      const open: Round[] = [];
      for (const round of rounds) {
        if (!hasPassed(round.ends, offsets)) open.push(round);
        else if (round.left === 1) confirm(round.time);
        else open.push({ time: round.time, ends, left: round.left - 1 });
      }
      const newest = open.at(-1)?.time ?? (isPrimed ? confirmed : undefined);
      if (open.length < ROUNDS_MAX && (newest === undefined || time > newest)) {
        open.push({ time, ends, left: DERIVED_HOPS_MAX });
      }
      rounds = open;
    },
    get released() {
      return released;
    },
  };
}

async function offsetsOf(admin: Pick<Admin, "groupOffsets">, { group, views }: PaceOptions): Promise<Ends> {
  const offsets = new Map<number, bigint>();
  for (const { partition, offset } of await admin.groupOffsets(group, views)) {
    if (offset !== undefined) offsets.set(partition, offset);
  }
  return offsets;
}

async function endsOf(admin: Pick<Admin, "ranges">, { views }: PaceOptions): Promise<Ends> {
  const ends = new Map<number, bigint>();
  for (const { partition, low, high } of await admin.ranges(views)) if (high > low) ends.set(partition, high);
  return ends;
}

/** When the broker is asked again. */
class LookTimer {
  private lookedAt = Number.NEGATIVE_INFINITY;
  private waitingMs = WAITING_MS;

  /** Whether to look now; then the next time counts from here. */
  isDue(now: number, isWaiting: boolean, isNear: boolean): boolean {
    const everyMs = isWaiting ? this.waitingMs : isNear ? NEAR_MS : FAR_MS;
    // A clock that was set back counts as time passed.
    if (Math.abs(now - this.lookedAt) < everyMs) return false;
    this.lookedAt = now;
    if (isWaiting) this.waitingMs = Math.min(this.waitingMs * 1.5, WAITING_LONG_MS);
    return true;
  }

  /** A look was not in vain. */
  found(): void {
    this.waitingMs = WAITING_MS;
  }
}

/** Partition to offset. */
type Ends = ReadonlyMap<number, bigint>;

/** Rounds under way at a time; more would only cost. */
const ROUNDS_MAX = 16;

/** One noted state of the log. */
interface Round {
  /** Up to here everything sent stands in front of the ends. */
  readonly time: number;
  readonly ends: Ends;
  /** Generations that may still follow. */
  readonly left: number;
}

interface Wait {
  readonly offset: bigint;
  readonly since: number;
  isGivenUp: boolean;
}
