/**
 * Bugs that the protocol is there to exclude, each as a wrong part under or beside the workers of production: if the
 * simulation did not find them, its silence would mean nothing. Some are
 * wrong functions in Redis, others wrong clients or a wrong engine.
 */
import type { MarkView } from "../../src/domain/view.ts";
import type { Entity } from "../../src/screen/state.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import {
  type Commit,
  type CommitResult,
  type Lane,
  type StateStore,
  type Stored,
  StoreError,
} from "../../src/store/port.ts";
import type { Consumer } from "../../src/stream/bus.ts";
import type { PackSource, ScreenEngine } from "../../src/stream/screen-ports.ts";
import type { Wrong } from "./cluster.ts";
import type { Plan } from "./plan.ts";

export interface Plant {
  /** What is wrong, for the reader. */
  readonly says: string;
  /** A fresh wrong part: it may keep state of its own. */
  wrong(): Wrong;
  /** What brings it to light soon; the rest is drawn from the seed. */
  readonly plan?: Partial<Plan>;
}

/** Work gets on, so that there is something to go wrong with. */
const STEADY = { engine: "tally", waits: { crash: 0, freeze: 0 } } as const;

export const PLANTS: Readonly<Record<string, Plant>> = {
  "commit-without-position": {
    says: "a commit is accepted where the position is missing, as after FLUSHALL",
    wrong: () => ({ functions: { commit: lenientCommit } }),
    plan: { ...STEADY, troubles: ["flush"], troubleEveryMs: 300, troubledMs: 8_000 },
  },
  "kept-cache": {
    says: "entities stay in the cache when the partition was lost meanwhile",
    wrong: () => ({ store: keepingStore }),
    plan: { ...STEADY, troubles: ["expel", "join", "leave"], troubleEveryMs: 200, troubledMs: 8_000 },
  },
  "offset-ahead-of-outbox": {
    says: "the group is told what was read, not what was published",
    wrong: () => ({ consumer: aheadConsumer }),
  },
  "blind-retry": {
    says: "after a lost reply a deletion from the outbox is called again, and it deletes by number",
    wrong: () => ({ functions: { published: countedPublished }, store: blindStore }),
    plan: {
      ...{ ...STEADY, messages: 80, commitEntities: 1, fetchRecords: 1, laneLimit: 10_000, troubles: [] },
      redis: { lost: 0, unanswered: 15, late: 0 },
    },
  },
  "outbox-deleted-early": {
    says: "the outbox is deleted before the broker has acknowledged",
    wrong: () => ({ store: hastyStore }),
    plan: { ...STEADY, troubles: ["block", "crash"], troubleEveryMs: 150, troubledMs: 8_000 },
  },
  "batch-edge": {
    says: "of each entity only the first alert between two commits is told",
    wrong: () => ({ engine: edgeEngine }),
  },
  "latest-pack": {
    says: "where the log's beginning is read again, the pack of now judges it",
    wrong: () => ({ packs: latestPacks }),
    plan: { ...STEADY, reload: true, messages: 60, troubles: ["flush"], troubleEveryMs: 300, troubledMs: 8_000 },
  },
  "mark-at-about": {
    says: "a mark is judged at the date of the flow, before its cause",
    wrong: () => ({ engine: aboutEngine }),
    plan: { engine: "marks", messages: 16 },
  },
};

/** What `simulate` is given for it. */
export function planted({ wrong, plan = {} }: Plant): { readonly wrong: Wrong; readonly plan: Partial<Plan> } {
  return { wrong: wrong(), plan };
}

/** All of it is one step: nothing else of the simulation runs between its waits. */
async function lenientCommit(store: MemoryStore, commit: Commit): Promise<CommitResult> {
  const { partition, owner, from } = commit;
  if ((await store.position(partition)) === undefined) {
    await store.claim(partition, owner);
    await store.init(partition, owner, from);
  }
  return store.commit(commit);
}

/** Deletes as many as it is told, whichever they are. */
async function countedPublished(
  store: MemoryStore,
  partition: number,
  lane: Lane,
  sequences: readonly string[],
): Promise<number> {
  const oldest = await store.outbox(partition, lane, sequences.length);
  return store.published(
    partition,
    lane,
    oldest.map(({ sequence }) => sequence),
  );
}

function blindStore(store: StateStore): StateStore {
  return {
    ...store,
    async published(partition, lane, sequences) {
      for (;;) {
        try {
          return await store.published(partition, lane, sequences);
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
        }
      }
    },
  };
}

/** What this process read or wrote once it never reads again. */
function keepingStore(store: StateStore): StateStore {
  const kept = new Map<string, Stored>();
  return {
    ...store,
    async read(partition, keys) {
      const found = await store.read(partition, keys);
      return found.map((stored, i) => {
        const name = `${partition} ${keys[i]}`;
        const mine = kept.get(name) ?? stored;
        if (mine !== undefined) kept.set(name, mine);
        return mine;
      });
    },
    async commit(commit) {
      const result = await store.commit(commit);
      if (result.kind === "committed") {
        for (const { key, value, isAddition } of commit.entities) {
          const name = `${commit.partition} ${key}`;
          const before = kept.get(name);
          const grown = before !== undefined && isAddition;
          const pieces = grown ? { ...before, additions: [...before.additions, value] } : { value, additions: [] };
          kept.set(name, { ...pieces, writtenAt: 0n });
        }
      }
      return result;
    },
  };
}

function hastyStore(store: StateStore): StateStore {
  return {
    ...store,
    async outbox(partition, lane, limit) {
      const entries = await store.outbox(partition, lane, limit);
      if (entries.length > 0) {
        await store.published(
          partition,
          lane,
          entries.map(({ sequence }) => sequence),
        );
      }
      return entries;
    },
  };
}

function aheadConsumer(consumer: Consumer): Consumer {
  const read = new Map<string, bigint>();
  const wrong: Consumer = Object.create(consumer);
  wrong.run = (topics, handlers) =>
    consumer.run(topics, {
      ...handlers,
      async batch(batch) {
        read.set(`${batch.topic}:${batch.partition}`, batch.end);
        await handlers.batch(batch);
      },
    });
  wrong.commit = (offsets, generation) =>
    consumer.commit(
      offsets.map((at) => ({ ...at, offset: read.get(`${at.topic}:${at.partition}`) ?? at.offset })),
      generation,
    );
  return wrong;
}

function edgeEngine(engine: ScreenEngine): ScreenEngine {
  const told = new WeakSet<Entity>();
  return {
    ...engine,
    apply(entity, view, out) {
      const before = out.length;
      const verdict = engine.apply(entity, view, out);
      const alerts = out.splice(before).filter((output) => output.kind !== "alert" || !told.has(entity));
      if (alerts.some(({ kind }) => kind === "alert")) told.add(entity);
      out.push(...alerts);
      return verdict;
    },
    encode(entity) {
      told.delete(entity);
      return engine.encode(entity);
    },
  };
}

function latestPacks(source: PackSource, engines: readonly ScreenEngine[]): PackSource {
  return { ...source, inForceAt: async () => ({ hash: engines.at(-1)?.pack.hash ?? "", activation: 1n }) };
}

function aboutEngine(engine: ScreenEngine): ScreenEngine {
  return {
    ...engine,
    apply: (entity, view, out) =>
      engine.apply(entity, view.kind === "mark" ? ({ ...view, time: view.about } satisfies MarkView) : view, out),
  };
}
