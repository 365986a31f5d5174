/**
 * A Redis in memory behind an unreliable connection. What it holds is `store/memory.ts`, which passes the same suite
 * as the real one. Every change stands in a list, so that a failover can lose the tail of it: the new master has an
 * earlier, consistent prefix.
 */
import { createMemoryStore, type MemoryStore } from "../../src/store/memory.ts";
import {
  type Commit,
  type CommitResult,
  type Lane,
  type Layout,
  type StateStore,
  StoreError,
} from "../../src/store/port.ts";
import { createMemoryBoard, type DriftBoard } from "../../src/stream/drift.ts";
import { type Network, type Outcome, request } from "./network.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the server does when it is called; a planted bug gives others. */
export interface Functions {
  commit(store: MemoryStore, commit: Commit): Promise<CommitResult>;
  published(store: MemoryStore, partition: number, lane: Lane, sequences: readonly string[]): Promise<number>;
}

const FUNCTIONS: Functions = {
  commit: (store, commit) => store.commit(commit),
  published: (store, partition, lane, sequences) => store.published(partition, lane, sequences),
};

export class RedisServer {
  /** Until then it refuses what writes, as one that loads or is out of memory. */
  refusesUntil = 0;
  store: MemoryStore;
  readonly board: DriftBoard;
  readonly functions: Functions;
  private readonly scheduler: Scheduler;
  private readonly layout: Layout;
  private changes: ((store: MemoryStore) => unknown)[] = [];
  private readonly links = new Set<() => void>();

  constructor(scheduler: Scheduler, layout: Layout, wrong: Partial<Functions> = {}) {
    this.functions = { ...FUNCTIONS, ...wrong };
    this.scheduler = scheduler;
    this.layout = layout;
    this.store = createMemoryStore(layout);
    this.board = createMemoryBoard(() => Math.floor(scheduler.now));
  }

  get refuses(): boolean {
    return this.scheduler.now < this.refusesUntil;
  }

  change<T>(act: (store: MemoryStore) => T): T {
    this.changes.push(act);
    const done = act(this.store);
    // Nobody may be left to hear of a failure; who is left hears of it by the answer.
    Promise.resolve(done).catch(() => undefined);
    return done;
  }

  /** Another node takes over that has not seen the last `lost` changes; every connection breaks. */
  failOver(lost: number): void {
    this.changes.length = Math.max(0, this.changes.length - lost);
    const fresh = createMemoryStore(this.layout);
    this.store = fresh;
    void this.replay(fresh, [...this.changes]);
    this.breakLinks();
  }

  /** Done before anything else happens: none of its waits is for an event. */
  private async replay(store: MemoryStore, changes: readonly ((store: MemoryStore) => unknown)[]): Promise<void> {
    for (const act of changes) {
      // A change that fails again is one that failed before.
      await Promise.resolve(act(store)).catch(() => undefined);
    }
  }

  flush(): void {
    this.changes = [];
    this.store.flush();
  }

  breakLinks(): void {
    for (const broken of [...this.links]) broken();
  }

  /** `broken` is called once when the connection breaks; the result ends the waiting for that. */
  watchLink(broken: () => void): () => void {
    this.links.add(broken);
    return () => this.links.delete(broken);
  }
}

/** The store as one process reaches it. */
export function connectStore(process: SimProcess, server: RedisServer, network: Network): StateStore {
  const channel = { arrived: 0, answered: 0 };
  const send = <T>(what: string, act: () => T): Promise<Outcome<T>> => {
    const answered = request(process, network, `redis ${what}`, act, channel);
    return new Promise((resolve, reject) => {
      const end = server.watchLink(() => process.later(`redis ${what} broken`, 0, () => resolve({ kind: "silence" })));
      answered.then(resolve, reject).finally(end);
    });
  };
  const call = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    const outcome = await send(what, () => (server.refuses ? undefined : act()));
    if (outcome.kind === "silence") throw new StoreError(`${what}: connection lost`, true);
    if (outcome.value === undefined) throw new StoreError(`${what}: LOADING`, true);
    return outcome.value;
  };
  return {
    claim: (partition, owner) => call("claim", () => server.change((store) => store.claim(partition, owner))),
    renew: (partition, owner, fresh) =>
      call("renew", () => server.change((store) => store.renew(partition, owner, fresh))),
    init: (partition, owner, position) =>
      call("init", () => server.change((store) => store.init(partition, owner, position))),
    read: (partition, keys) => call("read", () => server.store.read(partition, keys)),
    async commit(commit): Promise<CommitResult> {
      const outcome = await send("commit", () =>
        server.refuses ? undefined : server.change((held) => server.functions.commit(held, commit)),
      );
      if (outcome.kind === "silence") return { kind: "unknown", reason: "connection lost" };
      return outcome.value ?? { kind: "retry", reason: "OOM" };
    },
    outbox: (partition, lane, limit) => call("outbox", () => server.store.outbox(partition, lane, limit)),
    published: (partition, lane, sequences) =>
      call("published", () => server.change((held) => server.functions.published(held, partition, lane, sequences))),
    position: (partition) => server.store.position(partition),
    pack: (partition) => server.store.pack(partition),
    close: async () => undefined,
  };
}

/** The drift board as one process reaches it. */
export function connectBoard(process: SimProcess, server: RedisServer, network: Network): DriftBoard {
  return {
    async exchange(own, gone) {
      const copy = new Map(own);
      const outcome = await request(process, network, "redis board", () => server.board.exchange(copy, gone));
      if (outcome.kind === "silence") throw new StoreError("drift board: connection lost", true);
      return outcome.value;
    },
  };
}
