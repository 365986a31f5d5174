/** A store that refuses, forgets replies and lets commits come late, all from a seed; one wrapper for each process. */
import { setImmediate as tick } from "node:timers/promises";
import { type Commit, type CommitResult, type StateStore, StoreError } from "../../src/store/port.ts";

export interface FaultyStore extends StateStore {
  /** The process died: none of its calls returns any more. */
  kill(): void;
  /** Faults stop; late commits that are still on their way arrive. */
  calm(): void;
  /** What happened, for the assertion that the test did test something. */
  readonly faults: Record<string, number>;
}

/** A generator of numbers below `n`. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 9) % below;
  };
}

/** Wraps a store that several processes share. `percent`: how often a call goes wrong. */
export function createFaultyStore(inner: StateStore, random: (below: number) => number, percent: number): FaultyStore {
  const faults: Record<string, number> = {};
  const never = new Promise<never>(() => undefined);
  let dead = false;
  let chance = percent;
  const wrong = (what: string): boolean => {
    if (random(100) >= chance) return false;
    faults[what] = (faults[what] ?? 0) + 1;
    return true;
  };
  const call = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    for (let i = random(3); i >= 0; i--) await tick();
    if (dead) return never;
    if (wrong(`${name} unsent`)) throw new StoreError("not connected", true);
    const result = await work();
    if (dead) return never;
    if (wrong(`${name} reply lost`)) throw new StoreError("connection reset", true);
    return result;
  };
  const commit = async (what: Commit): Promise<CommitResult> => {
    for (let i = random(3); i >= 0; i--) await tick();
    if (dead) return never;
    if (wrong("commit refused")) return { kind: "retry", reason: "OOM" };
    if (wrong("commit lost")) return { kind: "unknown", reason: "connection reset" };
    if (wrong("commit late")) {
      void (async () => {
        for (let i = random(40); i >= 0; i--) await tick();
        await inner.commit(what);
      })();
      return { kind: "unknown", reason: "timed out" };
    }
    const result = await inner.commit(what);
    if (dead) return never;
    return wrong("commit reply lost") ? { kind: "unknown", reason: "connection reset" } : result;
  };
  return {
    faults,
    kill: () => {
      dead = true;
    },
    calm: () => {
      chance = 0;
    },
    claim: (partition, owner) => call("claim", () => inner.claim(partition, owner)),
    renew: (partition, owner, fresh) => call("renew", () => inner.renew(partition, owner, fresh)),
    init: (partition, owner, position) => call("init", () => inner.init(partition, owner, position)),
    read: (partition, keys) => call("read", () => inner.read(partition, keys)),
    outbox: (partition, lane, limit) => call("outbox", () => inner.outbox(partition, lane, limit)),
    published: (partition, lane, sequences) => call("published", () => inner.published(partition, lane, sequences)),
    position: (partition) => inner.position(partition),
    pack: (partition) => inner.pack(partition),
    commit,
    close: async () => undefined,
  };
}
