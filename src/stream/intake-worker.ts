/**
 * Intake: reads the input topics, decodes, routes, packs and writes views, merging its partitions by event
 * time. An input offset is committed only when every view (profile, reject) of it is acknowledged. One send
 * is open at a time; the next batch is parsed meanwhile. After a crash or a rebalance it begins again at
 * the committed position: what it then repeats has origins that screening has seen.
 */
import { type DriftBoard, DriftGate } from "./drift.ts";
import { type Batch, BatchBuilder } from "./intake-batch.ts";
import { Inputs } from "./intake-inputs.ts";
import type { Lane } from "./intake-lane.ts";
import type { IntakeDeps, IntakeWorker, LaneHealth } from "./intake-ports.ts";
import { encodeMetadata, positionAfter } from "./positions.ts";

/** Messages between two looks at timers and sockets. */
const SLICE = 2_000;
const COMMIT_EVERY_MS = 200;
/** How often the drift board is read; more often while something waits for it. */
const BOARD_EVERY_MS = 100;
const BOARD_HELD_MS = 20;

/** Builds the worker; nothing happens before `run`. */
export function createIntakeWorker(deps: IntakeDeps): IntakeWorker {
  return new Worker(deps);
}

class Worker implements IntakeWorker {
  private readonly deps: IntakeDeps;
  private readonly builder: BatchBuilder;
  private readonly gate: DriftGate;
  private readonly ending = new AbortController();
  private readonly inputs: Inputs;
  private sending: Promise<void> | undefined;
  private pumping: Promise<void> | undefined;
  private boarding: Promise<void> | undefined;
  private wake: () => void = () => undefined;
  private woken = false;
  private dirty = false;
  private committing = false;
  private committedAt = 0;
  private released = 0;
  /** Greatest event time passed on, and given to a send. */
  private passedTime = Number.NEGATIVE_INFINITY;
  private dispatchedTime = Number.NEGATIVE_INFINITY;
  /** Least event time in the batch, and in the batch being sent. */
  private builtFrom = Number.POSITIVE_INFINITY;
  private sentFrom = Number.POSITIVE_INFINITY;
  private dead = false;

  constructor(deps: IntakeDeps) {
    this.deps = deps;
    this.builder = new BatchBuilder(deps.topics, deps.config);
    this.gate = new DriftGate(deps.config);
    this.inputs = new Inputs(deps, this.builder, this.ending.signal, {
      nudge: () => this.nudge(),
      dropped: () => this.dropped(),
    });
  }

  get joined(): boolean {
    return this.deps.consumer.joined;
  }

  async run(): Promise<void> {
    const { consumer, topics } = this.deps;
    this.pumping = this.pump().catch((error: unknown) => this.fail(error));
    this.boarding = this.board();
    await consumer.run([topics.transactions, topics.parties], {
      assigned: (partitions, generation) => {
        if (this.deps.board) this.gate.forget(this.deps.clock.now());
        return this.inputs.assigned(partitions, generation);
      },
      revoked: () => this.inputs.revoked(),
      batch: (batch) => this.inputs.fetched(batch),
      failed: (error) => this.fail(error),
    });
  }

  async stop(): Promise<void> {
    const { consumer, producer, board } = this.deps;
    this.ending.abort();
    this.nudge();
    await this.pumping;
    await this.boarding;
    if (!this.dead) await this.commit();
    const names = [...this.inputs.lanes.keys()];
    if (board) await board.exchange(new Map(), names).catch(() => undefined);
    await consumer.close();
    await producer.close();
  }

  lanes(): LaneHealth[] {
    return [...this.inputs.lanes.values()].map((lane) => ({
      ...lane.at,
      lag: lane.lag(),
      movedAt: lane.movedAt,
      held: lane.held,
      halted: lane.state === "halted",
    }));
  }

  // Passing on.

  private async pump(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const more = this.pass();
      if (this.builder.messages > 0 && this.sending === undefined) this.dispatch();
      else if (!more || this.builder.full) {
        await this.pause();
        continue;
      }
      await this.deps.clock.breathe();
    }
    await this.sending;
    if (this.builder.messages > 0 && !this.dead) this.dispatch();
    await this.sending;
  }

  /** Adds messages in order of event time until the batch is full or none may go; true: it only stopped for breath. */
  private pass(): boolean {
    const { events } = this.deps;
    const now = this.deps.clock.now();
    for (let budget = SLICE; budget > 0; ) {
      if (this.builder.full) return false;
      const turn = this.turn(now);
      if (turn === undefined) return false;
      const { lane, until } = turn;
      for (; budget > 0 && lane.head !== undefined && lane.head.time <= until && !this.builder.full; budget--) {
        const { time } = lane.head;
        if (time < this.builtFrom && time !== Number.NEGATIVE_INFINITY) this.builtFrom = time;
        const refused = this.builder.add(lane, lane.head);
        if (refused !== undefined) events.rejected?.(lane.at, refused);
        lane.pass();
        lane.look();
      }
      this.deps.pace?.passed(lane.time);
      if (lane.time > this.passedTime) this.passedTime = lane.time;
      if (lane.paused && !lane.full) {
        lane.paused = false;
        this.deps.consumer.resume(lane.at);
      }
    }
    return true;
  }

  /** The lane with the earliest head, and up to when it may go on. */
  private turn(now: number): { readonly lane: Lane; readonly until: number } | undefined {
    const { aheadMs } = this.deps.config;
    let limit = this.gate.limit(now);
    let first: Lane | undefined;
    let second = Number.POSITIVE_INFINITY;
    for (const lane of this.inputs.lanes.values()) {
      lane.look();
      const bound = lane.bound(now);
      if (
        aheadMs > 0 &&
        bound !== undefined &&
        bound + aheadMs < limit &&
        (lane.head === undefined || lane.catchingUp)
      ) {
        limit = bound + aheadMs;
      }
      if (lane.head === undefined) continue;
      if (first === undefined || lane.head.time < (first.head?.time ?? 0)) {
        if (first?.head !== undefined) second = first.head.time;
        first = lane;
      } else if (lane.head.time < second) second = lane.head.time;
    }
    if (first?.head === undefined) return undefined;
    const { pace } = this.deps;
    if (pace !== undefined) limit = Math.min(limit, pace.limit(first.head.time));
    for (const lane of this.inputs.lanes.values()) this.hold(lane, lane.head !== undefined && lane.head.time > limit);
    if (first.held) return undefined;
    return { lane: first, until: Math.min(limit, second) };
  }

  private hold(lane: Lane, held: boolean): void {
    if (lane.held === held) return;
    lane.held = held;
    this.deps.events.held?.(lane.at, held);
  }

  /** Another worker passes on what this one had not sent: nobody waits for it here any more. */
  private dropped(): void {
    this.builtFrom = Number.POSITIVE_INFINITY;
    this.passedTime = this.dispatchedTime;
    this.deps.pace?.dropped(this.dispatchedTime);
  }

  // Sending.

  private dispatch(): void {
    const batch = this.builder.take();
    const upTo = this.passedTime;
    this.dispatchedTime = upTo;
    this.sentFrom = this.builtFrom;
    this.builtFrom = Number.POSITIVE_INFINITY;
    const sending = this.send(batch)
      .then(() => {
        this.sentFrom = Number.POSITIVE_INFINITY;
        this.deps.pace?.sent(upTo);
      })
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.sending = undefined;
        this.nudge();
      });
    this.sending = sending;
  }

  private async send(batch: Batch): Promise<void> {
    const { producer, topics, clock, events } = this.deps;
    const since = clock.now();
    await producer.send(topics.rejected.name, batch.rejects);
    await producer.send(topics.profiles.name, batch.profiles);
    await producer.send(topics.views.name, batch.views);
    const now = clock.now();
    for (const [lane, record] of batch.ends) {
      lane.position = positionAfter(record);
      lane.movedAt = now;
    }
    this.dirty = true;
    const bytes = batch.views.reduce((sum, record) => sum + (record.value?.length ?? 0), 0);
    const { messages, views, rejects } = batch;
    events.sent?.({ messages, rejects: rejects.length, records: views.length, bytes, tookMs: now - since });
    if (now - this.committedAt >= (this.deps.config.commitEveryMs ?? COMMIT_EVERY_MS)) await this.commit();
  }

  /** Commits the acknowledged positions. A refusal is no loss: what follows is only repeated. */
  private async commit(): Promise<void> {
    if (!this.dirty || this.committing) return;
    const { consumer, config, clock } = this.deps;
    this.committing = true;
    this.dirty = false;
    this.committedAt = clock.now();
    const offsets = [...this.inputs.lanes.values()].flatMap(({ at, position, state }) =>
      position === undefined || state === "halted"
        ? []
        : [{ ...at, offset: position.next, metadata: encodeMetadata(position, config.epoch) }],
    );
    const { generation } = consumer;
    if (!(await consumer.commit(offsets, generation)) && generation === consumer.generation) this.dirty = true;
    this.committing = false;
  }

  // Time.

  /** Exchanges standings with other workers, commits what is due, tells the lag. */
  private async board(): Promise<void> {
    const { board, clock, config, events } = this.deps;
    while (!this.ending.signal.aborted) {
      const lanes = [...this.inputs.lanes.values()];
      await clock.sleep(lanes.some((lane) => lane.held) ? BOARD_HELD_MS : BOARD_EVERY_MS, this.ending.signal);
      const now = clock.now();
      try {
        const others = board && config.aheadMs > 0 ? await this.exchange(board, now) : undefined;
        // Screening is looked at after the board: what others had sent by then is among what it must have taken.
        await this.deps.pace?.look();
        others?.();
      } catch (error) {
        events.waiting?.("drift board", messageOf(error));
      }
      if (this.gate.released > this.released) {
        events.released?.(this.gate.released - this.released);
        this.released = this.gate.released;
      }
      for (const lane of lanes) events.lag?.(lane.at, lane.lag());
      const due = now - this.committedAt >= (config.commitEveryMs ?? COMMIT_EVERY_MS);
      if (due && this.sending === undefined) await this.commit();
      this.nudge();
    }
  }

  /** Tells the board where the lanes stand; the result takes over what it says of others. */
  private async exchange(board: DriftBoard, now: number): Promise<() => void> {
    const { everywhere, lanes } = this.inputs;
    // What is not acknowledged yet counts as still to come: others may not pass it.
    const open = Math.min(this.builtFrom, this.sentFrom);
    const own = new Map(
      [...lanes]
        .filter(([, lane]) => lane.state !== "halted")
        .map(([name, lane]) => {
          const bound = lane.unacknowledged ? 0 : lane.bound(now);
          const settled = bound ?? (lane.catchUpTo === undefined ? lane.time : Number.MAX_SAFE_INTEGER);
          const isOpen = open < Number.POSITIVE_INFINITY && lane.catchUpTo === undefined;
          const head = !isOpen ? settled : bound === undefined ? open : Math.min(bound, open);
          const entry = { head, atEnd: bound === undefined && !isOpen, progress: lane.passed };
          return [name, entry] as const;
        }),
    );
    const gone = [...this.inputs.gone];
    const entries = await board.exchange(own, gone);
    for (const name of gone) this.inputs.gone.delete(name);
    return () => {
      // What was read says nothing of an assignment that came meanwhile.
      if (everywhere === undefined || everywhere !== this.inputs.everywhere) return;
      const others = everywhere.filter((name) => !lanes.has(name));
      this.gate.update(others, entries, this.deps.clock.now());
    };
  }

  private nudge(): void {
    this.woken = true;
    this.wake();
  }

  private async pause(): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.woken = false;
    this.wake = () => undefined;
  }

  private fail(error: unknown): void {
    if (this.dead) return;
    this.dead = true;
    this.ending.abort();
    this.nudge();
    this.deps.failed(error instanceof Error ? error : new Error(String(error)));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
