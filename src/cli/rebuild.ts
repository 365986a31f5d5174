/**
 * `palermo rebuild`: takes the state of views partitions away and makes it anew from the views topic, with the same
 * screening worker as the service. It stays silent up to what was published, so no alert is sent twice.
 */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { UsageError } from "../base/errors.ts";
import { openRedisStore, type RedisStore } from "../store/redis.ts";
import { SYSTEM_CLOCK } from "../stream/backoff.ts";
import type { Admin, Bus, Consumer, PartitionRange } from "../stream/bus.ts";
import type { Config } from "../stream/config.ts";
import { openBus } from "../stream/connect.ts";
import { createPackEngines } from "../stream/pack-engines.ts";
import type { PackSource, ScreenEngine } from "../stream/screen-ports.ts";
import { createScreenWorker, type ScreenWorker } from "../stream/screen-worker.ts";
import { ensureTopics, type Topics, topicNames } from "../stream/topics.ts";
import { openPacks } from "./open-packs.ts";
import { counted, EXIT_OK, grouped, type Terminal } from "./output.ts";
import { createProgress } from "./progress.ts";
import { type RunOptions, readConfig } from "./run.ts";
import { screenConfig, storeOptions } from "./screen-settings.ts";

export interface RebuildOptions extends RunOptions {
  /** Views partitions; all where none is named. */
  readonly partition?: readonly number[] | undefined;
  /** Do not ask. */
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** What a rebuild did. */
export interface RebuildSummary {
  readonly partitions: readonly number[];
  readonly records: number;
  readonly transactions: number;
  readonly views: number;
  readonly alerts: number;
  readonly seconds: number;
  readonly transactionsPerSecond: number;
}

const GIVE_UP_MS = 30_000;
const LOOK_MS = 100;

/** Runs the verb. Throws UsageError when it may not begin, BusError and StoreError when a service is not reached. */
export async function runRebuild(options: RebuildOptions, terminal: Terminal): Promise<number> {
  const config = readConfig(options, terminal.env);
  const say = (line: string): void => void terminal.stderr.write(`${line}\n`);
  const log = {
    debug: () => undefined,
    retrying: (message: string) => say(`palermo rebuild: ${message}; trying again`),
  };
  const bus = openBus(config, log, GIVE_UP_MS);
  const admin = await bus.admin();
  try {
    const ranges = await checkStart(admin, config, options.partition);
    const topics = await ensureTopics(admin, config, undefined, () => undefined);
    if (!(await confirmed(options, terminal, config, ranges))) {
      say("Nothing was changed.");
      return EXIT_OK;
    }
    const store = await openRedisStore(storeOptions(config, topics.views.partitions));
    try {
      const partitions = new Set(ranges.map(({ partition }) => partition));
      await takeAway(store, partitions);
      const tally = { transactions: 0, views: 0, alerts: 0, since: Number.NaN };
      const log = await openPacks(config, bus, admin, topics.packs.name);
      try {
        const packs = counting(createPackEngines(log, config.tenant), tally, terminal.now);
        const settings = screenConfig(config);
        const done = await replay({ bus, admin, store, topics, packs, settings, ranges, tally, terminal });
        report({ ...done, partitions: [...partitions] }, options, terminal);
      } finally {
        await log.close();
      }
      return EXIT_OK;
    } finally {
      await store.close();
    }
  } finally {
    await admin.close();
  }
}

/** The partitions to rebuild as the log has them. Throws UsageError with what stands in the way. */
async function checkStart(
  admin: Admin,
  config: Config,
  wanted: readonly number[] | undefined,
): Promise<PartitionRange[]> {
  const { views } = topicNames(config.topic);
  if ((await admin.describe([views])).length === 0) {
    throw new UsageError(`there is no topic ${views}: nothing to rebuild from. Check topic.prefix`);
  }
  const ranges = await admin.ranges(views);
  const unknown = (wanted ?? []).filter((partition) => !ranges.some((range) => range.partition === partition));
  if (unknown.length > 0) {
    throw new UsageError(`${views} has the partitions 0 to ${ranges.length - 1}, and no ${unknown.join(", ")}`);
  }
  const members = await admin.members(config.screen.group);
  if (members > 0) {
    throw new UsageError(
      `${counted(members, "worker screens", "workers screen")} in group ${config.screen.group}: stop them first. ` +
        "A worker that finds no state rebuilds it by itself; this is for state that is there and must go",
    );
  }
  return ranges.filter(({ partition }) => wanted === undefined || wanted.includes(partition));
}

async function confirmed(
  { yes }: RebuildOptions,
  terminal: Terminal,
  config: Config,
  ranges: readonly PartitionRange[],
): Promise<boolean> {
  if (yes === true) return true;
  const { stdin, stderr } = terminal;
  if ((stdin as { readonly isTTY?: boolean }).isTTY !== true) {
    throw new UsageError("a rebuild deletes state: say --yes where nobody can be asked");
  }
  const prefix = config.redis.prefix === "" ? config.tenant : `${config.redis.prefix}:${config.tenant}`;
  const question =
    `This deletes the state of ${counted(ranges.length, "partition")} in Redis (keys ${prefix}:...) and makes it ` +
    `anew from ${counted(recordsOf(ranges), "record")} of ${topicNames(config.topic).views}. Go on? [y/N] `;
  const reader = createInterface({ input: stdin, output: stderr });
  try {
    return /^y(es)?$/i.test((await reader.question(question)).trim());
  } finally {
    reader.close();
  }
}

/** The positions first: when this is broken off, a partition without one is never gone on with. */
async function takeAway(store: RedisStore, partitions: ReadonlySet<number>): Promise<void> {
  for (const partition of partitions) await store.forget(partition);
  for await (const portion of store.entityKeys()) {
    const keys = new Map<number, string[]>();
    for (const { partition, key } of portion) {
      if (partitions.has(partition)) keys.set(partition, [...(keys.get(partition) ?? []), key]);
    }
    for (const [partition, names] of keys) await store.deleteEntities(partition, names);
  }
}

interface Tally {
  transactions: number;
  views: number;
  alerts: number;
  /** When the first view was folded: joining the group before it is no work. */
  since: number;
}

/** Counts what is folded under any pack of the log: a movement once, at the first of its views. */
function counting(packs: PackSource, tally: Tally, now: () => number): PackSource {
  const known = new Map<string, ScreenEngine>();
  const wrap = (engine: ScreenEngine): ScreenEngine => {
    const before = known.get(engine.pack.hash);
    if (before !== undefined) return before;
    const apply: ScreenEngine["apply"] = (entity, view, out, packed) => {
      if (tally.views++ === 0) tally.since = now();
      if (view.kind === "tx" && view.index === 0) tally.transactions++;
      return engine.apply(entity, view, out, packed);
    };
    const counted = { ...engine, apply };
    known.set(engine.pack.hash, counted);
    return counted;
  };
  return {
    load: async (hash) => wrap(await packs.load(hash)),
    loadTagged: async (tag) => wrap(await packs.loadTagged(tag)),
    inForceAt: (timeMs) => packs.inForceAt(timeMs),
  };
}

interface Replay {
  readonly bus: Bus;
  readonly admin: Admin;
  readonly store: RedisStore;
  readonly topics: Topics;
  readonly packs: PackSource;
  readonly settings: ReturnType<typeof screenConfig>;
  readonly ranges: readonly PartitionRange[];
  readonly tally: Tally;
  readonly terminal: Terminal;
}

/** Screens the log up to the end that it had, and publishes what had not been. */
async function replay(parts: Replay): Promise<Omit<RebuildSummary, "partitions">> {
  const { bus, admin, store, topics, packs, settings, ranges, tally, terminal } = parts;
  const since = terminal.now();
  const records = recordsOf(ranges);
  const progress = createProgress(terminal, records);
  const producers = { alerts: await bus.producer("alerts"), marks: await bus.producer("marks") };
  let failure: Error | undefined;
  const worker = createScreenWorker({
    // A group of its own, since nobody else may get any of these partitions; the published positions are the service's.
    consumer: only(bus.consumer(`palermo-rebuild-${process.pid}-${since}`), ranges),
    ...{
      admin,
      producers,
      store,
      topics,
      packs,
      config: settings,
      clock: SYSTEM_CLOCK,
      token: randomUUID,
    },
    events: {
      published: (_partition, lane, entries) => {
        if (lane === "alerts") tally.alerts += entries;
      },
      storeWaiting: (reason) => terminal.stderr.write(`palermo rebuild: store: ${reason}; trying again\n`),
    },
    failed: (error) => {
      failure ??= error;
    },
  });
  try {
    await worker.start();
    for (let open = records; open > 0; ) {
      await SYSTEM_CLOCK.sleep(LOOK_MS);
      if (failure !== undefined) throw failure;
      open = leftOf(worker, ranges);
      progress.update(tally.transactions, records - open);
    }
  } finally {
    progress.clear();
    await worker.stop(GIVE_UP_MS);
  }
  const done = terminal.now();
  const { transactions, views, alerts } = tally;
  const seconds = views === 0 ? 0 : Math.max(0.001, (done - tally.since) / 1_000);
  const transactionsPerSecond = views === 0 ? 0 : Math.round(transactions / seconds);
  return { records, transactions, views, alerts, seconds, transactionsPerSecond };
}

/** Records that are still to be screened, or whose outputs are still to be published. Throws when one stands still. */
function leftOf(worker: ScreenWorker, ranges: readonly PartitionRange[]): number {
  const status = new Map(worker.status().map((at) => [at.partition, at]));
  let left = 0;
  for (const { partition, low, high } of ranges) {
    const at = status.get(partition);
    if (at?.state === "halted") throw new Error(`partition ${partition} stands still: ${at.reason}`);
    const next = at?.state === "running" ? at.next : low;
    if (next < high) left += Number(high - next);
    else if ((at?.waiting ?? 0) > 0) left++;
  }
  return left;
}

/** The consumer with an assignment of nothing but these partitions. */
function only(consumer: Consumer, ranges: readonly PartitionRange[]): Consumer {
  const wanted = new Set(ranges.map(({ partition }) => partition));
  return {
    run: (topics, handlers) =>
      consumer.run(topics, {
        assigned: (all, generation) =>
          handlers.assigned(
            all.filter(({ partition }) => wanted.has(partition)),
            generation,
          ),
        revoked: (generation) => handlers.revoked(generation),
        batch: (batch) => handlers.batch(batch),
        failed: (error) => handlers.failed(error),
      }),
    get generation() {
      return consumer.generation;
    },
    get joined() {
      return consumer.joined;
    },
    start: (at, offset) => consumer.start(at, offset),
    halt: (at) => consumer.halt(at),
    pause: (at) => consumer.pause(at),
    resume: (at) => consumer.resume(at),
    commit: (offsets, generation) => consumer.commit(offsets, generation),
    heartbeat: () => consumer.heartbeat(),
    close: () => consumer.close(),
  };
}

function recordsOf(ranges: readonly PartitionRange[]): number {
  return ranges.reduce((sum, { low, high }) => sum + Number(high - low), 0);
}

function report(summary: RebuildSummary, { json }: RebuildOptions, { stdout }: Terminal): void {
  if (json === true) {
    stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  const { partitions, transactions, views, seconds, transactionsPerSecond, alerts } = summary;
  stdout.write(
    `Rebuilt ${counted(partitions.length, "partition")} from ${counted(views, "view")} of ` +
      `${counted(transactions, "transaction")} in ${seconds.toFixed(1)} s (${grouped(transactionsPerSecond)}/s); ` +
      `${counted(alerts, "alert")} that had not been published ${alerts === 1 ? "was" : "were"} sent.\n`,
  );
}
