/** One run of the simulation: a cluster, a workload, trouble from the seed, peace, and the verdict. */
import { createEngine } from "../../src/screen/engine.ts";
import type { ScreenEngine } from "../../src/stream/screen-ports.ts";
import { createFakeEngine, fakeEngine } from "../stream/fake-engine.ts";

import { Cluster, type Counts, type Running, type Wrong } from "./cluster.ts";
import { type Abaci, createCountingEngine } from "./counting-engine.ts";
import { differences, INPUTS, isSettled } from "./oracle.ts";
import { loadRules } from "./pack.ts";
import { drawPlan, type Plan, type Role, type Trouble } from "./plan.ts";
import { createRandom, type Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { createWorkload, EVENTS_FROM, type Message } from "./workload.ts";

const DAY_MS = 86_400_000;
/** Virtual time in which a run must come to rest when all trouble is over. */
const SETTLE_MS = 3 * 3_600_000;

export interface Result {
  readonly seed: number;
  /** Equal for equal runs. */
  readonly trace: number;
  readonly steps: number;
  /** What does not hold; empty when all is well. */
  readonly faults: readonly string[];
  readonly counts: Counts;
  readonly networkFaults: number;
  readonly plan: Plan;
}

/** By engine of the plan; the second takes force in mid-run where the plan says so. */
const RULES = {
  tally: [loadRules()],
  rules: [loadRules(), loadRules({ edited: true })],
  marks: [loadRules({ marks: true }), loadRules({ marks: true, edited: true })],
} as const;
/** Of the engine that only counts. */
const TALLIES = [fakeEngine, createFakeEngine("another fake", 2)];

export interface Options {
  /** Plants a bug. */
  readonly wrong?: Wrong;
  /** Instead of what the seed draws. */
  readonly plan?: Partial<Plan>;
  /** Told of the cluster before anything happens: for looking on. */
  readonly observe?: (cluster: Cluster, scheduler: Scheduler) => void;
}

/** Runs one seed to its end. */
export async function simulate(seed: number, { wrong = {}, plan: given, observe }: Options = {}): Promise<Result> {
  const random = createRandom(seed);
  const plan = { ...drawPlan(random), ...given };
  const workload = createWorkload(random, plan.messages, plan.inputs, plan.troubledMs * 0.8);
  // The log's clock is far ahead of the events, which are a backlog.
  const scheduler = new Scheduler(random, EVENTS_FROM + 30 * DAY_MS);

  const [rules] = RULES[plan.engine];
  const cluster = new Cluster(scheduler, plan, rules, enginesOf(plan), wrong);
  observe?.(cluster, scheduler);
  const faults: string[] = [];
  try {
    for (const role of plan.roles) cluster.start(role);
    feed(scheduler, cluster, workload.messages, workload.isBacklog ? 0 : plan.troubledMs * 0.8);
    const troubles = new Troubles(scheduler, cluster, plan);
    if (plan.reload) cluster.reloadAfter(random.below(plan.messages));
    const end = scheduler.now + plan.troubledMs;
    await scheduler.run(() => scheduler.now >= end, plan.troubledMs + 60_000);
    troubles.over();
    cluster.calm();
    feed(scheduler, cluster, workload.last, 5_000);
    await settle(scheduler, cluster, plan, workload.messages.length + workload.last.length);
    faults.push(...(await differences(cluster, plan, rules, enginesOf(plan))));
  } catch (error) {
    faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  faults.push(...cluster.complaints);
  const { counts, networkFaults } = cluster;
  return { seed, trace: scheduler.trace, steps: scheduler.steps, faults, counts, networkFaults, plan };
}

/** The pack in force from the beginning, and one to follow. */
function enginesOf(plan: Plan): ScreenEngine[] {
  const abaci: Abaci = new WeakMap();
  const all =
    plan.engine === "tally" ? TALLIES : RULES[plan.engine].map(({ pack }) => createEngine(pack, { tailKeep: 1 }));
  return all.map((engine) => createCountingEngine(engine, abaci));
}

/** Spreads messages over a stretch of virtual time. */
function feed(scheduler: Scheduler, cluster: Cluster, messages: readonly Message[], overMs: number): void {
  const gap = overMs / messages.length;
  for (const [i, { topic, partition, value }] of messages.entries()) {
    scheduler.after(i * gap, "message", () =>
      cluster.kafka.append(topic, partition, [{ partition, key: null, value }]),
    );
  }
}

async function settle(scheduler: Scheduler, cluster: Cluster, plan: Plan, messages: number): Promise<void> {
  let quiet = 0;
  const isFed = (): boolean =>
    INPUTS.flatMap((topic) => cluster.kafka.logs(topic)).reduce((n, log) => n + log.length, 0) >= messages;
  const look = (): void => {
    scheduler.after(200, "look", () => {
      isSettled(cluster, plan).then((settled) => {
        quiet = settled && isFed() ? quiet + 1 : 0;
        look();
      });
    });
  };
  look();
  await scheduler.run(() => quiet >= 4 || cluster.complaints.length > 0, SETTLE_MS);
}

/** What befalls the cluster as a whole, at random times. */
class Troubles {
  private readonly scheduler: Scheduler;
  private readonly cluster: Cluster;
  private readonly plan: Plan;
  private readonly random: Random;
  private isOver = false;

  constructor(scheduler: Scheduler, cluster: Cluster, plan: Plan) {
    this.scheduler = scheduler;
    this.cluster = cluster;
    this.plan = plan;
    this.random = scheduler.random;
    if (plan.troubles.length > 0) this.next();
  }

  /** No more from now on; what was stopped is started again. */
  over(): void {
    this.isOver = true;
    for (const role of ["intake", "screen"] as const) {
      const isThere = [...this.cluster.running].some(
        (one) => !one.stopping && (one.role === role || one.role === "both"),
      );
      if (!isThere) this.cluster.start(role);
    }
  }

  private next(): void {
    this.scheduler.after(this.random.between(0, 2 * this.plan.troubleEveryMs), "trouble", () => {
      if (this.isOver) return;
      const trouble = this.random.pick(this.plan.troubles);
      const { troubles } = this.cluster.counts;
      troubles.set(trouble, (troubles.get(trouble) ?? 0) + 1);
      this.befall(trouble);
      this.next();
    });
  }

  private befall(trouble: Trouble): unknown {
    const { cluster, random } = this;
    const { redis } = cluster;
    const victim = random.pick([...cluster.running]) as Running | undefined;
    switch (trouble) {
      case "crash":
        if (victim !== undefined) cluster.counts.crashes++;
        return victim?.process.kill();
      case "freeze":
        return victim?.process.freeze(random.between(50, 5_000));
      case "stop":
        return this.replace(victim);
      case "join":
        return this.more();
      case "leave":
        if (cluster.running.size > this.plan.roles.length && victim !== undefined) void cluster.stop(victim);
        return;
      case "expel":
        return this.expel();
      case "failover":
        return redis.failOver(random.below(random.pick([1, 8, 60])));
      case "flush":
        return redis.flush();
      case "link":
        return redis.breakLinks();
      case "refuse":
        redis.refusesUntil = this.scheduler.now + random.between(10, 3_000);
        return;
      case "block":
        return this.block(random.pick(["alerts", "views", "protected"]));
      default:
        throw new Error(`no such trouble: ${trouble satisfies never}`);
    }
  }

  /** A rolling restart: one finishes in peace, another begins. */
  private replace(victim: Running | undefined): void {
    if (victim === undefined || victim.stopping) return;
    void this.cluster.stop(victim);
    this.cluster.start(victim.role);
  }

  private more(): void {
    if (this.cluster.running.size < this.plan.roles.length + 2)
      this.cluster.start(this.random.pick<Role>(["intake", "screen"]));
  }

  /** The group gives up on a member that does not know it. */
  private expel(): void {
    const group = this.cluster.kafka.group(this.random.pick(["intake", "screen"]));
    const member = this.random.pick(group.memberNames) as string | undefined;
    if (member !== undefined) group.remove(member);
  }

  private block(topic: string): void {
    const { blocked } = this.cluster.kafka;
    blocked.add(topic);
    this.scheduler.after(this.random.between(100, 5_000), "unblock", () => void blocked.delete(topic));
  }
}
