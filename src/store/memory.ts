/**
 * The state store in memory, for tests and simulation: the same promises as `redis.ts`, checked by the same suite.
 * One object stands for one server; any number of workers may share it. Time to live is ignored.
 */
import { assert } from "../base/assert.ts";
import {
  type Claim,
  type Commit,
  type CommitResult,
  formatLayout,
  LANES,
  type Lane,
  type Layout,
  layoutMismatch,
  type OutboxEntry,
  type PlacedPack,
  type Position,
  type Seen,
  type StateStore,
  type Stored,
} from "./port.ts";

export interface MemoryStore extends StateStore {
  /** Forgets everything, as FLUSHALL does. */
  flush(): void;
  /** The same data as a program of another layout sees them. */
  withLayout(layout: Layout): MemoryStore;
  /** Forgets the position of a partition and keeps its entities, as a torn restore would. */
  forgetPosition(partition: number): void;
  /** Keys of the entities of one partition, sorted. */
  entities(partition: number): string[];
}

interface Partition {
  owner: string | undefined;
  position: Position | undefined;
  pack: PlacedPack | undefined;
  layout: string | undefined;
  readonly seen: Map<string, Seen>;
  readonly lanes: Record<Lane, OutboxEntry[]>;
  readonly values: Map<string, Stored>;
}

/** An empty store. */
export function createMemoryStore(layout: Layout): MemoryStore {
  return over(new Map(), layout);
}

function over(partitions: Map<number, Partition>, layout: Layout): MemoryStore {
  const of = (partition: number): Partition => {
    let state = partitions.get(partition);
    if (state === undefined) {
      state = newPartition();
      partitions.set(partition, state);
    }
    return state;
  };
  return {
    async claim(partition, owner) {
      const state = of(partition);
      if (state.layout !== undefined && state.layout !== formatLayout(layout)) {
        throw layoutMismatch(partition, state.layout, layout);
      }
      const claim = claimOf(state, state.owner);
      state.owner = owner;
      return claim;
    },
    async renew(partition, owner, fresh) {
      const state = of(partition);
      if (state.owner !== owner) return undefined;
      state.owner = fresh;
      return claimOf(state, owner);
    },
    async init(partition, owner, position) {
      const state = of(partition);
      if (state.owner !== owner || state.position !== undefined) return false;
      state.seen.clear();
      for (const lane of LANES) state.lanes[lane] = [];
      state.position = position;
      state.pack = undefined;
      state.layout = formatLayout(layout);
      return true;
    },
    read: async (partition, keys) => keys.map((key) => of(partition).values.get(key)),
    commit: async (commit) => apply(of(commit.partition), commit),
    outbox: async (partition, lane, limit) => of(partition).lanes[lane].slice(0, limit),
    async published(partition, lane, sequences) {
      const state = of(partition);
      const acknowledged = new Set(sequences);
      let gone = 0;
      for (const entry of state.lanes[lane]) {
        if (!acknowledged.has(entry.sequence)) break;
        gone += 1;
      }
      state.lanes[lane] = state.lanes[lane].slice(gone);
      return state.lanes[lane].length;
    },
    position: async (partition) => of(partition).position,
    pack: async (partition) => of(partition).pack,
    close: async () => undefined,
    flush: () => partitions.clear(),
    forgetPosition: (partition) => {
      of(partition).position = undefined;
    },
    withLayout: (other) => over(partitions, other),
    entities: (partition) => [...of(partition).values.keys()].sort(),
  };
}

function newPartition(): Partition {
  return {
    owner: undefined,
    position: undefined,
    pack: undefined,
    layout: undefined,
    seen: new Map(),
    lanes: { alerts: [], marks: [] },
    values: new Map(),
  };
}

function claimOf(state: Partition, previousOwner: string | undefined): Claim {
  return {
    position: state.position,
    pack: state.pack,
    seen: [...state.seen.values()],
    previousOwner,
    waiting: { alerts: state.lanes.alerts.length, marks: state.lanes.marks.length },
  };
}

function apply(state: Partition, commit: Commit): CommitResult {
  const { position } = state;
  if (state.owner === undefined || position === undefined) {
    return { kind: "fenced", reason: `the partition has no ${state.owner ? "position" : "owner"}` };
  }
  if (state.owner !== commit.owner) return { kind: "fenced", reason: `owned by ${state.owner}` };
  if (position.next !== commit.from.next || position.fingerprint !== commit.from.fingerprint) {
    return { kind: "fenced", reason: `next is ${position.next}, not ${commit.from.next}` };
  }
  assert(commit.to.next > commit.from.next, "a commit must advance");
  const lanes: Record<Lane, OutboxEntry[]> = { alerts: [...state.lanes.alerts], marks: [...state.lanes.marks] };
  for (const entry of commit.outbox) {
    const last = lanes[entry.lane].at(-1);
    assert(last === undefined || last.sequence < entry.sequence, `outbox out of order at ${entry.sequence}`);
    lanes[entry.lane].push({ ...entry, value: Uint8Array.from(entry.value) });
  }
  for (const { key, isAddition } of commit.entities) {
    assert(!isAddition || state.values.has(key), `an addition to nothing: ${key}`);
  }
  for (const { key, value, isAddition } of commit.entities) {
    const known = state.values.get(key);
    const bytes = Uint8Array.from(value);
    const stored =
      known !== undefined && isAddition
        ? { value: known.value, additions: [...known.additions, bytes] }
        : { value: bytes, additions: [] };
    state.values.set(key, { writtenAt: commit.to.next, ...stored });
  }
  for (const seen of commit.seen) state.seen.set(seen.source, seen);
  Object.assign(state.lanes, lanes);
  state.position = commit.to;
  state.pack = commit.pack;
  return { kind: "committed" };
}
