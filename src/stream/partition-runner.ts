/**
 * One owned views partition at work: takes its records in order, reads the entities they need, folds, and moves state,
 * position and outbox together by one fenced commit after the other. The commit in flight is not waited for: the next
 * records are folded meanwhile, and what they change stays in the cache until it is committed itself.
 */
import type { EntityKey } from "../domain/entity.ts";
import { type Commit, type Position, type Stored, StoreError } from "../store/port.ts";
import { BusError, type BusRecord } from "./bus.ts";
import type { PartitionState, ReadRecord } from "./partition-state.ts";
import { readRecord } from "./partition-state.ts";
import { confirms } from "./positions.ts";
import { type HaltCode, PackError, type ScreenDeps, type ScreenEngine } from "./screen-ports.ts";
import { pause, settle } from "./settle.ts";

/** What a runner asks of the worker that it belongs to. */
export interface RunnerHost {
  /** The partition is still ours and the worker is not stopping. */
  isMine(runner: PartitionRunner): boolean;
  /** Entities of all partitions share this: bytes for one. */
  cacheBytes(): number;
  committed(runner: PartitionRunner, commit: Commit): void;
  lost(runner: PartitionRunner, reason: string): void;
  halt(runner: PartitionRunner, code: HaltCode, message: string): void;
  /** Something that no waiting mends. */
  failed(error: unknown): void;
  readonly signal: AbortSignal;
}

/** Values read in one round trip, and so about what is held beyond the cache of each partition. */
const READ_KEYS = 500;

export class PartitionRunner {
  readonly state: PartitionState;
  /** The assignment that it works under. */
  generation: number;
  /** One past the end of the log when last seen. */
  high: bigint;
  /** A rebuild under way: up to which offset, since when. */
  rebuilding: { readonly from: bigint; readonly to: bigint; readonly since: number } | undefined;
  /** Why the partition is held back now. */
  readonly held = new Set<"lane" | "drift">();
  private readonly deps: ScreenDeps;
  private readonly host: RunnerHost;
  /** The position whose record is read first and compared; undefined once that is done. */
  private confirm: Position | undefined;
  /** Where a fetch began that seemed to leave a hole. */
  private doubted: bigint | undefined;
  /** The commit under way; undefined when there is none. */
  private flight: Promise<void> | undefined;
  /** The entities of some records are read and not folded yet. */
  private grouping = false;
  /** When the first record after the last close was taken. */
  private openedAt = 0;

  constructor(deps: ScreenDeps, host: RunnerHost, state: PartitionState, generation: number, high: bigint) {
    this.deps = deps;
    this.host = host;
    this.state = state;
    this.generation = generation;
    this.high = high;
  }

  get partition(): number {
    return this.state.partition;
  }

  /** Where to read from. */
  get readFrom(): bigint {
    return this.confirm === undefined ? this.state.nextOffset : this.confirm.next - 1n;
  }

  /** The record before `position` is to be read first and compared. */
  confirmFirst(position: Position): void {
    this.confirm = position;
  }

  /** Everything taken is committed. */
  get idle(): boolean {
    return this.flight === undefined && !this.state.pending.records;
  }

  /** Takes a fetch: resolves when all of it is folded, whether committed or not. */
  async take(records: readonly BusRecord[]): Promise<void> {
    try {
      await this.screen(this.accept(records));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.host.halt(this, "STORE_REFUSED", error.message);
    }
  }

  /** The records to take: compared with the position, without a gap. Halts the partition where they do not fit. */
  private accept(fetched: readonly BusRecord[]): readonly BusRecord[] {
    const changed = (why: string): readonly BusRecord[] => {
      this.host.halt(this, "LOG_CHANGED", why);
      return [];
    };
    const wanted = this.readFrom;
    const records = fetched.filter(({ offset }) => offset >= wanted);
    const first = records[0];
    if (first !== undefined && first.offset > wanted && this.doubted !== first.offset) {
      // A fetch from before the partition was claimed anew looks like a hole too: believed when a second one shows it.
      this.doubted = first.offset;
      this.deps.consumer.start({ topic: this.deps.topics.views.name, partition: this.partition }, wanted);
      return [];
    }
    if (this.confirm !== undefined && first !== undefined) {
      const wrong = confirms(this.confirm, first);
      if (wrong !== undefined) return changed(wrong);
      this.confirm = undefined;
    }
    let expected = this.state.nextOffset;
    const fresh = records.filter(({ offset }) => offset >= expected);
    for (const { offset } of fresh) {
      if (offset !== expected) return changed(`offset ${expected} is missing: the log goes on at ${offset}`);
      expected++;
    }
    return fresh;
  }

  private async screen(records: readonly BusRecord[]): Promise<void> {
    const { state } = this;
    for (let at = 0; at < records.length; ) {
      this.makeRoom();
      this.grouping = true;
      const group: ReadRecord[] = [];
      const wanted = new Set<EntityKey>();
      let entered = false;
      for (; at < records.length && wanted.size < READ_KEYS && !entered; at++) {
        const read = this.decode(records[at] as BusRecord);
        if (read === undefined) return;
        // What stands before a change of the pack is folded before it, what stands behind is read after it.
        entered = state.changesPack(read);
        if (entered && group.length > 0) break;
        if (group.length === 0 && !(await this.ready(read))) return;
        state.missing(read, wanted);
        group.push(read);
      }
      if (wanted.size > 0 && !(await this.fill([...wanted]))) return;
      for (const read of group) {
        if (!state.pending.records) this.openedAt = this.deps.clock.now();
        state.take(read);
        if (this.isFull() && !(await this.room())) return;
      }
      this.grouping = false;
      this.report(wanted.size);
    }
    this.commit();
  }

  /** Between groups only: what a group was found to need must stay until it is folded. */
  private makeRoom(): void {
    if (!this.grouping) this.state.evict(this.host.cacheBytes());
  }

  private decode(record: BusRecord): ReadRecord | undefined {
    try {
      return readRecord(record, this.deps.topics.views.partitions);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.host.halt(this, "BAD_RECORD", `offset ${record.offset}: ${error.message}`);
      return undefined;
    }
  }

  /** Reads entities into the cache. False: the partition is not ours any more. */
  private async fill(keys: readonly EntityKey[]): Promise<boolean> {
    const { store, token } = this.deps;
    const { state, partition } = this;
    for (let attempt = 0; this.host.isMine(this); attempt++) {
      try {
        const values = await store.read(partition, keys);
        if (!this.host.isMine(this)) return false;
        if (state.ownsAll(values)) return await this.admit(keys, values);
        // Written beyond our position: by the owner after us, or the state is torn. The token tells which.
        const claim = await store.renew(partition, state.owner, token());
        if (claim === undefined) this.host.lost(this, "its entities are written by another worker");
        else this.host.halt(this, "FOREIGN_STATE", foreignState(partition, state.closedAt.next));
        return false;
      } catch (error) {
        if (!isPassing(error)) throw error;
        await this.pause(error.message, attempt);
      }
    }
    return false;
  }

  private async admit(keys: readonly EntityKey[], values: readonly (Stored | undefined)[]): Promise<boolean> {
    const { state } = this;
    try {
      for (const tag of state.unknownTags(values)) {
        if (!(await this.learn(() => this.deps.packs.loadTagged(tag)))) return false;
      }
      state.admit(keys, values);
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.host.halt(this, "FOREIGN_STATE", `a value in the store is not an entity's: ${error.message}`);
      return false;
    }
  }

  /** Sees to it that the pack for a record is in force or can take force. False: not ours any more, or halted. */
  private async ready(read: ReadRecord): Promise<boolean> {
    const { state, deps, partition } = this;
    const { record } = read;
    if (read.pack !== undefined && state.changesPack(read)) {
      const { hash } = read.pack;
      if (!(await this.learn(() => deps.packs.load(hash)))) return false;
      deps.events.packChanged?.(partition, record.offset, read.pack);
      return true;
    }
    if (state.pack === undefined) {
      const known = await this.ask(() => deps.packs.inForceAt(record.timestamp));
      if (known === undefined) return false;
      state.enter(known);
    }
    const { hash } = state.pack ?? { hash: "" };
    return state.canFold || this.learn(() => deps.packs.load(hash));
  }

  private async learn(load: () => Promise<ScreenEngine>): Promise<boolean> {
    const engine = await this.ask(load);
    if (engine !== undefined) this.state.learn(engine);
    return engine !== undefined;
  }

  /** Asks the source of packs; waits while it cannot answer. Undefined: not ours any more, or halted. */
  private async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 0; this.host.isMine(this); attempt++) {
      try {
        const answer = await question();
        return this.host.isMine(this) ? answer : undefined;
      } catch (error) {
        if (error instanceof PackError) {
          this.host.halt(this, "PACK_UNUSABLE", error.message);
          return undefined;
        }
        if (!isPassing(error)) throw error;
        await this.pause(error.message, attempt);
      }
    }
    return undefined;
  }

  private isFull(): boolean {
    const { config, clock } = this.deps;
    const { entities, bytes } = this.state.pending;
    return (
      entities >= config.commitEntities || bytes >= config.commitBytes || clock.now() - this.openedAt >= config.commitMs
    );
  }

  /** Makes room in a full commit: one is in flight at a time, so the next one waits for it. */
  private async room(): Promise<boolean> {
    while (this.flight !== undefined && this.host.isMine(this) && this.isFull()) await this.flight;
    if (!this.host.isMine(this)) return false;
    if (this.isFull()) this.commit();
    return true;
  }

  /** Sends off what was taken, unless a commit is in flight: then that follows when it is done. */
  private commit(): void {
    const { state } = this;
    if (this.flight !== undefined || state.gone) return;
    const commit = state.close();
    if (commit === undefined) return;
    this.flight = this.carry(commit).then(() => {
      this.flight = undefined;
      this.commit();
    });
    this.flight.catch((error: unknown) => this.host.failed(error));
  }

  private async carry(commit: Commit): Promise<void> {
    const { deps } = this;
    const { state, partition } = this;
    const since = deps.clock.now();
    const ended = (): boolean => state.gone || this.host.signal.aborted;
    const settled = await settle({ ...deps, waiting: this.waiting, ended, signal: this.host.signal }, commit);
    if (settled.kind === "lost" && !state.gone) return this.host.lost(this, settled.reason);
    if (settled.kind !== "committed" || state.gone) return;
    state.owner = settled.owner;
    state.acknowledge();
    this.makeRoom();
    this.host.committed(this, commit);
    const bytes = commit.entities.reduce((sum, { value }) => sum + value.length, 0);
    const tookMs = deps.clock.now() - since;
    deps.events.committed?.({ partition, next: commit.to.next, entities: commit.entities.length, bytes, tookMs });
  }

  /** Commits what was taken and waits for it; for a graceful stop. */
  async finish(): Promise<void> {
    this.commit();
    while (this.flight !== undefined) await this.flight;
  }

  private report(missed: number): void {
    const { events } = this.deps;
    const { partition, state } = this;
    const counts = state.takeCounts();
    events.verdicts?.(partition, counts.verdicts);
    if (counts.repeated > 0) events.repeated?.(partition, counts.repeated);
    if (counts.hits > 0) events.hits?.(partition, counts.hits);
    for (const { entity, bytes } of counts.oversized) events.oversized?.(partition, entity, bytes);
    events.cache?.(partition, state.entityCount, missed);
  }

  private readonly waiting = (reason: string, retryInMs: number): void => {
    this.deps.events.storeWaiting?.(reason, retryInMs);
  };

  private pause(reason: string, attempt: number): Promise<void> {
    return pause({ clock: this.deps.clock, waiting: this.waiting, signal: this.host.signal }, reason, attempt);
  }
}

/** Worth waiting for: the store or the broker cannot be used now. */
export function isPassing(error: unknown): error is StoreError | BusError {
  return (error instanceof StoreError || error instanceof BusError) && error.retriable;
}

function foreignState(partition: number, next: bigint): string {
  return `an entity of partition ${partition} was written beyond the partition's position ${next}`;
}
