/**
 * The processes of one run: the workers of production, made as `palermo run` makes them, with the ports of this
 * folder under them. A process that dies is started again after a while, as a supervisor would.
 */
import { LATENESS_JUDGED_MS } from "../../src/base/limits.ts";
import { createDecoder } from "../../src/intake/decode.ts";
import type { StateStore } from "../../src/store/port.ts";
import type { Consumer, Producer } from "../../src/stream/bus.ts";
import type { IntakeWorker } from "../../src/stream/intake-ports.ts";
import { createIntakeWorker } from "../../src/stream/intake-worker.ts";
import { createPace } from "../../src/stream/pace.ts";
import { encodePackRecord, PARTITIONER } from "../../src/stream/record.ts";
import { type ScreenDrift, startScreenDrift } from "../../src/stream/screen-drift.ts";
import { PackError, type PackSource, type ScreenEngine } from "../../src/stream/screen-ports.ts";
import { createScreenWorker, type ScreenWorker } from "../../src/stream/screen-worker.ts";
import { createAdmin, createConsumer, createProducer, type KafkaLink } from "./kafka-client.ts";
import { KafkaServer } from "./kafka-server.ts";
import type { Network, NetworkFaults } from "./network.ts";
import type { Rules } from "./pack.ts";
import type { Plan, Role } from "./plan.ts";
import { SimProcess, type WaitCounts, type WaitFaults } from "./process.ts";
import { connectBoard, connectStore, type Functions, RedisServer } from "./redis.ts";
import type { Scheduler } from "./scheduler.ts";

export const GROUPS = { intake: "intake", screen: "screen" } as const;
const DRIFT = { aheadMs: 5_000, waitMs: 1_800_000 };

/** Wrong parts to put in the place of right ones: how bugs are planted without touching the workers. */
export interface Wrong {
  readonly functions?: Partial<Functions>;
  store?(store: StateStore): StateStore;
  producer?(producer: Producer): Producer;
  consumer?(consumer: Consumer): Consumer;
  engine?(engine: ScreenEngine): ScreenEngine;
  /** `engines` in the order in which they take force. */
  packs?(source: PackSource, engines: readonly ScreenEngine[]): PackSource;
}

/** What happened in a run. */
export interface Counts extends WaitCounts {
  starts: number;
  fenced: number;
  rebuilds: number;
  readonly troubles: Map<string, number>;
}

export interface Running {
  readonly process: SimProcess;
  readonly role: Role;
  intake: IntakeWorker | undefined;
  screen: ScreenWorker | undefined;
  stopping: boolean;
}

export class Cluster {
  readonly kafka: KafkaServer;
  readonly redis: RedisServer;
  readonly running = new Set<Running>();
  /** What must never be told, whatever goes wrong outside: a worker that gave up, a partition that halted. */
  readonly complaints: string[] = [];
  readonly counts: Counts;
  private readonly scheduler: Scheduler;
  private readonly plan: Plan;
  private readonly rules: Rules;
  private readonly engines: readonly ScreenEngine[];
  private readonly wrong: Wrong;
  private readonly waits: WaitFaults;
  private readonly kafkaNetwork: Network;
  private readonly redisNetwork: Network;
  private redelivered: number;
  private tokens = 0;

  constructor(scheduler: Scheduler, plan: Plan, rules: Rules, engines: readonly ScreenEngine[], wrong: Wrong) {
    this.scheduler = scheduler;
    this.plan = plan;
    this.rules = rules;
    this.engines = engines.map((engine) => wrong.engine?.(engine) ?? engine);
    this.wrong = wrong;
    this.waits = { ...plan.waits };
    this.kafkaNetwork = networkOf(plan.kafka);
    this.redisNetwork = networkOf(plan.redis);
    this.redelivered = plan.redelivered;
    this.counts = {
      ...{ waits: 0, crashes: 0, freezes: 0, starts: 0, fenced: 0, rebuilds: 0 },
      crashedAt: new Map(),
      troubles: new Map(),
    };
    this.kafka = new KafkaServer(scheduler);
    this.redis = new RedisServer(scheduler, { partitions: plan.views, hash: PARTITIONER }, wrong.functions);
    this.kafka.create("transactions", plan.inputs);
    this.kafka.create("parties", 1);
    this.kafka.create("views", plan.views);
    this.kafka.create("profiles", plan.views);
    this.kafka.create("rejected", 1);
    for (const topic of ["alerts", "protected", "shadow", "rejected"]) this.kafka.create(topic, plan.alerts);
  }

  /** Faults of the network that were drawn. */
  get networkFaults(): number {
    return [this.kafkaNetwork, this.redisNetwork]
      .map(({ counts }) => counts.lost + counts.unanswered + counts.late)
      .reduce((a, b) => a + b, 0);
  }

  /** From now on everything goes well. */
  calm(): void {
    Object.assign(this.waits, { crash: 0, freeze: 0 });
    for (const { faults } of [this.kafkaNetwork, this.redisNetwork]) {
      Object.assign(faults, { lost: 0, unanswered: 0, late: 0 });
    }
    this.redelivered = 0;
    this.redis.refusesUntil = 0;
    this.kafka.blocked.clear();
  }

  start(role: Role): void {
    const name = `${role}-${++this.counts.starts}`;
    const process = new SimProcess(name, this.scheduler, this.waits, this.counts, () => {
      this.running.delete(running);
      this.scheduler.after(this.scheduler.random.between(5, 300), `start ${role}`, () => this.start(role));
    });
    const running: Running = { process, role, intake: undefined, screen: undefined, stopping: false };
    this.running.add(running);
    this.launch(running).catch((error: unknown) => this.complain(process, error));
  }

  /** Asks a process to finish and end; it is not started again. */
  async stop(running: Running): Promise<void> {
    if (running.stopping) return;
    running.stopping = true;
    try {
      await running.screen?.stop(2_000);
      await running.intake?.stop();
    } catch (error) {
      this.complain(running.process, error);
    }
    running.process.dead = true;
    this.running.delete(running);
  }

  private async launch(running: Running): Promise<void> {
    const { process, role } = running;
    const link: KafkaLink = {
      process,
      server: this.kafka,
      network: this.kafkaNetwork,
      fetchRecords: this.plan.fetchRecords,
    };
    await process.wait("starting", this.scheduler.random.between(1, 50));
    if (role !== "screen") await this.launchIntake(running, link);
    if (role !== "intake") await this.launchScreen(running, link);
  }

  private async launchIntake(running: Running, link: KafkaLink): Promise<void> {
    const { process } = running;
    const { plan } = this;
    const admin = createAdmin(link);
    const decoder = createDecoder({ rates: this.rules.lists.rates });
    const worker = createIntakeWorker({
      consumer: this.consumer(link, GROUPS.intake),
      admin,
      producer: this.producer(link, "intake"),
      decoders: { transactions: decoder, parties: decoder },
      board: connectBoard(process, this.redis, this.redisNetwork),
      pace: createPace(
        admin,
        { views: "views", group: GROUPS.screen, aheadMs: LATENESS_JUDGED_MS / 2, waitMs: DRIFT.waitMs },
        process.clock,
      ),
      topics: {
        transactions: "transactions",
        parties: "parties",
        views: { name: "views", partitions: plan.views },
        profiles: { name: "profiles", partitions: plan.views },
        rejected: { name: "rejected", partitions: 1 },
      },
      config: {
        group: GROUPS.intake,
        epoch: 0,
        batchViews: plan.batchViews,
        batchBytes: plan.batchBytes,
        rejectedBytes: false,
        ...DRIFT,
      },
      events: {
        halted: (at, message) => this.complain(process, `${at.topic}:${at.partition} halted: ${message}`),
        released: (n) => this.complain(process, `${n} partitions were no longer waited for`),
      },
      clock: process.clock,
      failed: (error) => this.complain(process, error),
    });
    running.intake = worker;
    await worker.run();
  }

  private async launchScreen(running: Running, link: KafkaLink): Promise<void> {
    const { process } = running;
    const { plan, counts } = this;
    const topic = (name: string) => ({ name, partitions: plan.alerts });
    const store = connectStore(process, this.redis, this.redisNetwork);
    const worker = createScreenWorker({
      consumer: this.consumer(link, GROUPS.screen),
      admin: createAdmin(link),
      producers: { alerts: this.producer(link, "alerts"), marks: this.producer(link, "marks") },
      store: this.wrong.store?.(store) ?? store,
      packs: this.packs(process),
      topics: {
        views: { name: "views", partitions: plan.views },
        alerts: topic("alerts"),
        protected: topic("protected"),
        shadow: topic("shadow"),
        rejected: topic("rejected"),
      },
      config: {
        tenant: "simulation",
        group: GROUPS.screen,
        cacheBytes: plan.cacheBytes,
        commitEntities: plan.commitEntities,
        commitBytes: 4 << 20,
        commitMs: plan.commitMs,
        laneLimit: plan.laneLimit,
      },
      events: {
        fenced: () => void counts.fenced++,
        rebuilding: () => void counts.rebuilds++,
        halted: (partition, code, message) => this.complain(process, `views:${partition} halted, ${code}: ${message}`),
      },
      clock: process.clock,
      token: () => `${process.name}-${++this.tokens}`,
      failed: (error) => this.complain(process, error),
    });
    running.screen = worker;
    await worker.start();
    const board = connectBoard(process, this.redis, this.redisNetwork);
    const drift: ScreenDrift = startScreenDrift(worker, plan.views, board, DRIFT, process.clock, {
      waiting: () => undefined,
      released: (n) => this.complain(process, `${n} views partitions were no longer waited for`),
    });
    const { stop } = worker;
    running.screen = Object.assign(Object.create(worker) as ScreenWorker, {
      stop: async (ms?: number) => {
        await drift.stop();
        await stop.call(worker, ms);
      },
    });
  }

  /** Puts the second pack in force when so many records of views stand there. */
  reloadAfter(records: number): void {
    const end = this.kafka.onAppend(["views"], () => {
      if (this.kafka.logs("views").reduce((n, log) => n + log.length, 0) < records) return;
      end();
      this.reload();
    });
  }

  /** A record into every views partition, as any process may write it, some twice. */
  private reload(): void {
    const { random } = this.scheduler;
    const [, next] = this.engines;
    if (next === undefined) return;
    const value = encodePackRecord({ hash: next.pack.hash, activation: 1n }, this.plan.views);
    for (let partition = 0; partition < this.plan.views; partition++) {
      for (let left = random.chance(20) ? 2 : 1; left > 0; left--) {
        this.scheduler.after(random.between(0, 500), "pack", () =>
          this.kafka.append("views", partition, [{ partition, key: null, value }]),
        );
      }
    }
  }

  /** Packs as one process gets them: published elsewhere, so that it must wait for them. */
  private packs(process: SimProcess): PackSource {
    const find = async (fits: (engine: ScreenEngine) => boolean): Promise<ScreenEngine> => {
      await process.wait("pack", this.scheduler.random.between(0, 20));
      const found = this.engines.find(fits);
      if (found === undefined) throw new PackError("a pack that was never published");
      return found;
    };
    const source: PackSource = {
      load: (hash) => find(({ pack }) => pack.hash === hash),
      loadTagged: (tag) => find((engine) => engine.tag === tag),
      inForceAt: async () => ({ hash: (await find(() => true)).pack.hash, activation: 0n }),
    };
    return this.wrong.packs?.(source, this.engines) ?? source;
  }

  private consumer(link: KafkaLink, group: string): Consumer {
    const consumer = createConsumer(link, group, () => this.scheduler.random.chance(this.redelivered));
    return this.wrong.consumer?.(consumer) ?? consumer;
  }

  private producer(link: KafkaLink, name: string): Producer {
    const producer = createProducer(link, name);
    return this.wrong.producer?.(producer) ?? producer;
  }

  private complain(process: SimProcess, what: unknown): void {
    if (process.dead) return;
    this.complaints.push(`${process.name}: ${what instanceof Error ? (what.stack ?? what.message) : String(what)}`);
  }
}

function networkOf(faults: NetworkFaults): Network {
  return { faults: { ...faults }, counts: { lost: 0, unanswered: 0, late: 0 } };
}
