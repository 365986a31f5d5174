/**
 * Puts packs in force. An activation gets its number from the topic of packs; then a record with that number goes into
 * every partition of the views topic, and a partition goes over where its record stands. Records may be repeated and
 * may come late: of two numbers the greater holds. So any number of processes may write them, and one that finds a
 * partition behind completes what a process that died has begun.
 */

import type { PackInForce } from "../store/port.ts";
import type { PublishedPack } from "./pack-format.ts";
import type { Activation, PackLog } from "./pack-log.ts";
import { encodePackRecord } from "./record.ts";
import type { Clock, TopicRef } from "./screen-ports.ts";
import type { ScreenStatus } from "./screen-worker.ts";

/** When a process brings the pack of its own rules into force at its start. */
export type StartPolicy = "new" | "always" | "never";

/** What became of the own pack at the start. */
export type Brought = "in_force" | "activated" | "superseded" | "left" | "none";

export interface PackActivator {
  /** Publishes a pack where it is needed and puts it in force everywhere. */
  activate(hash: string, pack: PublishedPack): Promise<Activation>;
  /**
   * At the start. `new`: a pack that was never in force is activated; one that was and has been replaced is not, so
   * that a process that is started again with old rules does not turn the others back.
   */
  bringIn(hash: string, pack: PublishedPack, policy: StartPolicy): Promise<Brought>;
  /** Writes the record of the latest activation to partitions that lack it. */
  spread(activation: PackInForce, partitions: readonly number[]): Promise<void>;
}

export interface ActivatorDeps {
  readonly log: PackLog;
  readonly views: TopicRef;
}

/** Calls may overlap: they are done one after the other. */
export function createPackActivator({ log, views }: ActivatorDeps): PackActivator {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  const all = Array.from({ length: views.partitions }, (_, partition) => partition);
  const spread = (activation: PackInForce, partitions: readonly number[]): Promise<void> => {
    const value = encodePackRecord(activation, views.partitions);
    return log.producer.send(
      views.name,
      partitions.map((partition) => ({ partition, key: null, value })),
    );
  };
  const activate = async (hash: string, pack: PublishedPack): Promise<Activation> => {
    await log.publish(hash, pack);
    const activation = await log.activate(hash);
    await spread(activation, all);
    return activation;
  };
  return {
    activate: (hash, pack) => inTurn(() => activate(hash, pack)),
    spread: (activation, partitions) => inTurn(() => spread(activation, partitions)),
    bringIn: (hash, pack, policy) =>
      inTurn(async () => {
        await log.catchUp();
        const latest = log.latest();
        if (latest?.hash === hash) return "in_force";
        if (policy === "never") return latest === undefined ? "none" : "left";
        const wasInForce = log.activations().some((activation) => activation.hash === hash);
        if (policy === "new" && wasInForce) return "superseded";
        await activate(hash, pack);
        return "activated";
      }),
  };
}

export interface PackKeeper {
  stop(): Promise<void>;
}

/** How often partitions are looked at, and how long one may lack the latest activation before it is written again. */
const LOOK_EVERY_MS = 1_000;
const PATIENCE_MS = 5_000;

/** Completes activations that a process left unfinished. `failed` is told when the broker does not take a record. */
export function startPackKeeper(
  deps: { readonly log: PackLog; readonly activator: PackActivator; readonly status: () => readonly ScreenStatus[] },
  clock: Clock,
  failed: (reason: string) => void,
): PackKeeper {
  const ending = new AbortController();
  /** Partition -> activation that was written for it by this process. */
  const written = new Map<number, bigint>();
  let noticed: { readonly activation: bigint; readonly atMs: number } | undefined;

  const look = async (): Promise<void> => {
    const latest = deps.log.latest();
    if (latest === undefined) return;
    if (noticed?.activation !== latest.activation) noticed = { activation: latest.activation, atMs: clock.now() };
    if (clock.now() - noticed.atMs < PATIENCE_MS) return;
    const behind = deps
      .status()
      .filter(({ state, pack }) => state === "running" && (pack === undefined || pack.activation < latest.activation))
      .map(({ partition }) => partition)
      .filter((partition) => written.get(partition) !== latest.activation);
    if (behind.length === 0) return;
    await deps.activator.spread(latest, behind);
    for (const partition of behind) written.set(partition, latest.activation);
  };

  const loop = (async () => {
    while (!ending.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, ending.signal);
      if (ending.signal.aborted) return;
      await look().catch((error: unknown) => failed(error instanceof Error ? error.message : String(error)));
    }
  })();

  return {
    async stop() {
      ending.abort();
      await loop;
    },
  };
}
