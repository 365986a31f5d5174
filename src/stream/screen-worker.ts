/**
 * Screening over a log: takes the views partitions that the group assigns, runs each (`partition-runner.ts`), drains
 * their outboxes (`publisher.ts`), and claims again what it lost while the group still gives it to this worker.
 */

import type { Lane, PlacedPack } from "../store/port.ts";
import { backoffMs } from "./backoff.ts";
import type { Batch, TopicPartition } from "./bus.ts";
import { isPassing, PartitionRunner, type RunnerHost } from "./partition-runner.ts";
import { PartitionState } from "./partition-state.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { type TakeOver, takeOver } from "./rebuild.ts";
import type { HaltCode, ScreenDeps } from "./screen-ports.ts";
import { pause } from "./settle.ts";

export interface ScreenStatus {
  readonly partition: number;
  readonly state: "claiming" | "running" | "halted";
  /** Set when halted. */
  readonly reason: string;
  readonly next: bigint;
  /** One past the end of the log when last seen. */
  readonly high: bigint;
  readonly publishedTo: bigint | undefined;
  /** Entries in the fuller lane of the outbox. */
  readonly waiting: number;
  /** Greatest event time taken, epoch ms; -Infinity before the first. */
  readonly eventTimeMs: number;
  readonly entities: number;
  /** In force at `next`, as far as it is known. */
  readonly pack: PlacedPack | undefined;
}

export interface ScreenWorker {
  /** Joins the group; resolves when the connection stands. */
  start(): Promise<void>;
  /** Finishes what is in hand, commits, waits up to `deadlineMs` for the outbox, leaves the group. */
  stop(deadlineMs?: number): Promise<void>;
  status(): ScreenStatus[];
  /** Holds a partition back, or lets it go on: for drift between partitions. */
  hold(partition: number, held: boolean): void;
}

const LANE_LIMIT = 10_000;
const PUBLISHED_AGAIN_MS = 5_000;

/** Builds the worker; nothing happens before `start`. */
export function createScreenWorker(deps: ScreenDeps): ScreenWorker {
  return new Worker(deps);
}

class Worker implements ScreenWorker {
  private readonly deps: ScreenDeps;
  private readonly owned = new Map<number, PartitionRunner>();
  private readonly halted = new Map<number, string>();
  /** Times in a row that a partition was fenced. */
  private readonly fences = new Map<number, number>();
  /** What the group was told last, and when. */
  private readonly told = new Map<number, { readonly offset: bigint; readonly at: number }>();
  private readonly ending = new AbortController();
  private readonly publisher: Publisher;
  private readonly host: RunnerHost;
  private assigned = new Set<number>();
  private generation = -1;
  private stopping = false;
  private telling: Promise<void> | undefined;

  constructor(deps: ScreenDeps) {
    this.deps = deps;
    this.publisher = createPublisher(deps, {
      changed: (partition) => this.laneMoved(partition),
      verify: (partition, lane) => this.verify(partition, lane),
    });
    this.host = {
      signal: this.ending.signal,
      isMine: (runner) => this.isMine(runner),
      cacheBytes: () => deps.config.cacheBytes / Math.max(1, this.assigned.size),
      committed: (runner, { outbox, to }) => {
        const { partition } = runner;
        this.fences.delete(partition);
        this.tellRebuilt(runner, to.next);
        this.publisher.committed(partition, outbox, to.next);
        this.laneMoved(partition);
      },
      // One that was dropped meanwhile has nothing to say about the partition any more.
      lost: (runner, reason) => {
        if (!runner.state.gone) this.background(this.again(runner.partition, reason));
      },
      halt: (runner, code, message) => {
        if (!runner.state.gone) this.halt(runner.partition, code, message);
      },
      failed: (error) => this.fail(error),
    };
  }

  async start(): Promise<void> {
    const { consumer, topics, config, failed } = this.deps;
    this.background(this.keepTelling(config.publishedEveryMs ?? 50));
    await consumer.run([topics.views.name], {
      assigned: async (partitions, generation) => this.take(partitions, generation),
      revoked: () => {
        this.generation = -1;
      },
      batch: (batch) => this.batch(batch),
      failed,
    });
  }

  async stop(deadlineMs = 10_000): Promise<void> {
    const { clock, producers, consumer } = this.deps;
    this.stopping = true;
    const end = clock.now() + deadlineMs;
    const commits = Promise.all([...this.owned.values()].map((owned) => owned.finish()));
    await Promise.race([commits, clock.sleep(deadlineMs, this.ending.signal)]);
    await this.publisher.drained(Math.max(0, end - clock.now()));
    await this.tellPublished();
    this.ending.abort();
    for (const { state } of this.owned.values()) state.gone = true;
    const ended = this.publisher.stop();
    await Promise.all([producers.alerts.close(), producers.marks.close()]);
    await ended;
    await consumer.close();
  }

  status(): ScreenStatus[] {
    return [...this.assigned]
      .sort((a, b) => a - b)
      .map((partition) => {
        const owned = this.owned.get(partition);
        const reason = this.halted.get(partition);
        return {
          partition,
          state: reason !== undefined ? "halted" : owned === undefined ? "claiming" : "running",
          reason: reason ?? "",
          next: owned?.state.nextOffset ?? 0n,
          high: owned?.high ?? 0n,
          publishedTo: this.publisher.publishedTo(partition),
          waiting: this.publisher.waiting(partition),
          eventTimeMs: owned?.state.eventTime ?? Number.NEGATIVE_INFINITY,
          entities: owned?.state.entityCount ?? 0,
          pack: owned?.state.pack,
        };
      });
  }

  hold(partition: number, held: boolean): void {
    const owned = this.owned.get(partition);
    if (owned !== undefined) this.setHeld(owned, "drift", held);
  }

  /** A new assignment: partitions kept go on where they are, new ones are claimed. No batch is in hand. */
  private take(partitions: readonly TopicPartition[], generation: number): void {
    this.generation = generation;
    this.assigned = new Set(partitions.map(({ partition }) => partition));
    for (const partition of this.owned.keys()) if (!this.assigned.has(partition)) this.drop(partition);
    for (const partition of this.halted.keys()) if (!this.assigned.has(partition)) this.halted.delete(partition);
    const fresh: number[] = [];
    for (const partition of this.assigned) {
      if (this.halted.has(partition)) continue;
      const owned = this.owned.get(partition);
      if (owned === undefined) fresh.push(partition);
      else this.resume(owned, generation);
    }
    if (fresh.length > 0) this.background(this.acquire(fresh, generation));
  }

  private resume(owned: PartitionRunner, generation: number): void {
    owned.generation = generation;
    owned.held.clear();
    this.deps.consumer.start(this.at(owned.partition), owned.readFrom);
    this.laneMoved(owned.partition);
  }

  /** Claims until it succeeds, the assignment changes or the worker stops. */
  private async acquire(partitions: readonly number[], generation: number): Promise<void> {
    for (let attempt = 0; this.isCurrent(generation); attempt++) {
      try {
        const found = await takeOver(this.deps, partitions);
        if (!this.isCurrent(generation)) return;
        for (const one of found) this.begin(one, generation);
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        await this.pause(error.message, attempt);
      }
    }
  }

  private begin(found: TakeOver, generation: number): void {
    const { partition } = found;
    if (found.kind === "fenced") this.background(this.again(partition, "another worker claimed it"));
    else if (found.kind === "halt") this.halt(partition, found.code, found.message);
    else this.run(found, generation);
  }

  private run(found: Extract<TakeOver, { kind: "start" }>, generation: number): void {
    const { events, topics, consumer } = this.deps;
    const { partition, owner, claim, position, readFrom, mutedTo, high } = found;
    const settings = { partition, partitions: topics.views.partitions };
    const state = new PartitionState(settings, owner, position, claim, mutedTo);
    const runner = new PartitionRunner(this.deps, this.host, state, generation, high);
    if (readFrom < position.next) runner.confirmFirst(position);
    if (found.rebuilt) runner.rebuilding = { from: readFrom, to: high, since: this.deps.clock.now() };
    this.owned.set(partition, runner);
    this.told.delete(partition);
    this.publisher.add(partition, claim.waiting, position.next, mutedTo);
    if (found.rebuilt) events.rebuilding?.(partition, readFrom, mutedTo);
    else events.claimed?.(partition, position.next, claim.waiting);
    consumer.start(this.at(partition), readFrom);
    this.laneMoved(partition);
  }

  private tellRebuilt(runner: PartitionRunner, next: bigint): void {
    const { rebuilding } = runner;
    if (rebuilding === undefined || next < rebuilding.to) return;
    runner.rebuilding = undefined;
    const { from, to, since } = rebuilding;
    this.deps.events.rebuilt?.(runner.partition, Number(to - from), this.deps.clock.now() - since);
  }

  private async batch(batch: Batch): Promise<void> {
    const owned = this.owned.get(batch.partition);
    if (owned === undefined || batch.generation !== owned.generation || !this.isMine(owned)) return;
    owned.high = batch.highWatermark;
    await owned.take(batch.records);
  }

  /** Lost: forgets the partition and, while the group still gives it to us, claims it again after a while. */
  private async again(partition: number, reason: string): Promise<void> {
    const { generation } = this;
    this.drop(partition);
    this.deps.events.fenced?.(partition, reason);
    const fences = (this.fences.get(partition) ?? 0) + 1;
    this.fences.set(partition, fences);
    await this.deps.clock.sleep(backoffMs(fences - 1, 50, 2_000), this.ending.signal);
    if (!(await this.deps.consumer.heartbeat())) return;
    if (this.isCurrent(generation) && this.assigned.has(partition)) await this.acquire([partition], generation);
  }

  private drop(partition: number): void {
    const owned = this.owned.get(partition);
    if (owned === undefined) return;
    owned.state.gone = true;
    this.owned.delete(partition);
    this.publisher.remove(partition);
    this.deps.consumer.halt(this.at(partition));
    // A hold would outlive the halt, and nobody would be left to lift it.
    if (owned.held.size > 0) this.deps.consumer.resume(this.at(partition));
  }

  /** Stands still until an operator acts; the other partitions go on. */
  private halt(partition: number, code: HaltCode, message: string): void {
    this.drop(partition);
    this.deps.consumer.halt(this.at(partition));
    this.halted.set(partition, `${code}: ${message}`);
    this.deps.events.halted?.(partition, code, `${message}. ${REMEDIES[code]}`);
  }

  private laneMoved(partition: number): void {
    const owned = this.owned.get(partition);
    if (owned === undefined) return;
    const limit = this.deps.config.laneLimit ?? LANE_LIMIT;
    const waiting = this.publisher.waiting(partition);
    if (waiting >= limit) this.setHeld(owned, "lane", true);
    else if (waiting <= limit / 2) this.setHeld(owned, "lane", false);
  }

  private setHeld(owned: PartitionRunner, why: "lane" | "drift", held: boolean): void {
    const { consumer, events } = this.deps;
    // Between two assignments the consumer keeps no holds, and `resume` begins without any.
    if (!this.isMine(owned)) return;
    const before = owned.held.size;
    if (held) owned.held.add(why);
    else owned.held.delete(why);
    if (before === 0 && owned.held.size > 0) {
      consumer.pause(this.at(owned.partition));
      events.paused?.(owned.partition, why);
    } else if (before > 0 && owned.held.size === 0) {
      consumer.resume(this.at(owned.partition));
      events.resumed?.(owned.partition);
    }
  }

  private async keepTelling(everyMs: number): Promise<void> {
    while (!this.stopping) {
      await this.deps.clock.sleep(everyMs, this.ending.signal);
      if (!this.stopping) await this.tellPublished();
    }
  }

  /** The group's offset is the published position: the outbox is empty up to there. One commit at a time. */
  private async tellPublished(): Promise<void> {
    await this.telling;
    this.telling = this.commitOffsets().finally(() => {
      this.telling = undefined;
    });
    await this.telling;
  }

  private async commitOffsets(): Promise<void> {
    const { generation } = this;
    const at = this.deps.clock.now();
    const knownMs = this.deps.config.publishedAgainMs ?? PUBLISHED_AGAIN_MS;
    const moved: [number, bigint][] = [];
    for (const partition of this.owned.keys()) {
      const offset = this.publisher.publishedTo(partition);
      const told = this.told.get(partition);
      const isKnown = told !== undefined && told.offset === offset && at - told.at < knownMs;
      if (offset !== undefined && !isKnown) moved.push([partition, offset]);
    }
    if (moved.length === 0 || generation < 0) return;
    const offsets = moved.map(([partition, offset]) => ({ ...this.at(partition), offset, metadata: "" }));
    if (!(await this.deps.consumer.commit(offsets, generation))) return;
    for (const [partition, offset] of moved) this.told.set(partition, { offset, at });
  }

  /** Whether the store still holds what was committed: a flushed or rolled back one does not. */
  private async verify(partition: number, lane: Lane): Promise<number | undefined> {
    const owned = this.owned.get(partition);
    if (owned === undefined) return undefined;
    const { owner, committed } = owned.state;
    const claim = await this.deps.store.renew(partition, owner, owner);
    if (owned.state.gone || owned.state.owner !== owner) return undefined;
    if (claim?.position !== undefined && claim.position.next >= committed) return claim.waiting[lane];
    this.host.lost(owned, "the store has another owner, or forgot what was committed");
    return undefined;
  }

  private readonly waiting = (reason: string, retryInMs: number): void => {
    this.deps.events.storeWaiting?.(reason, retryInMs);
  };

  private pause(reason: string, attempt: number): Promise<void> {
    return pause({ clock: this.deps.clock, waiting: this.waiting, signal: this.ending.signal }, reason, attempt);
  }

  private at(partition: number): TopicPartition {
    return { topic: this.deps.topics.views.name, partition };
  }

  private isCurrent(generation: number): boolean {
    return generation === this.generation && generation >= 0 && !this.stopping;
  }

  private isMine(owned: PartitionRunner): boolean {
    return !owned.state.gone && this.isCurrent(owned.generation);
  }

  /** What nobody awaits: its failure ends the worker. */
  private background(work: Promise<void>): void {
    work.catch((error: unknown) => this.fail(error));
  }

  private fail(error: unknown): void {
    this.deps.failed(error instanceof Error ? error : new Error(String(error)));
  }
}

const REMEDIES: Readonly<Record<HaltCode, string>> = {
  LOG_CHANGED:
    "The views topic is not the log that this state was made from: restore it, or rebuild the state from what the " +
    "topic has (stop the workers, palermo rebuild --partition)",
  BAD_RECORD:
    "The views topic holds a record that this program did not write: check who else writes it, and its version",
  FOREIGN_STATE:
    "Stop the workers and run palermo rebuild --partition for this partition, or restore a consistent copy of Redis",
  STORE_REFUSED: "See the reason; nothing was written",
  PACK_UNUSABLE:
    "The log puts a pack in force that this process cannot use: activate one that it can (palermo packs), or start a " +
    "version of the program that can",
};
