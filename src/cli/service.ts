/**
 * The composition of `palermo run`: pack, broker, store, workers, endpoint. Everything with a lifetime is
 * made here and closed here, in reverse; the parts get each other as arguments.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { LATENESS_JUDGED_MS } from "../base/limits.ts";
import { type HttpServer, startHttp } from "../http/server.ts";
import { namespaceOf, progressKey } from "../store/keys.ts";
import { openRedisStore } from "../store/redis.ts";
import { type Connection, connectRedis } from "../store/redis-connection.ts";
import { SYSTEM_CLOCK } from "../stream/backoff.ts";
import type { Admin, Bus } from "../stream/bus.ts";
import type { Config } from "../stream/config.ts";
import { openBus, redisClient } from "../stream/connect.ts";
import { createRedisBoard, type DriftBoard } from "../stream/drift.ts";
import { busLog, createLogger, intakeEvents, screenEvents } from "../stream/events.ts";
import type { IntakeWorker } from "../stream/intake-ports.ts";
import { createIntakeWorker } from "../stream/intake-worker.ts";
import { createMetrics, type Metrics } from "../stream/metrics.ts";
import { createPace, type Pace } from "../stream/pace.ts";
import { startScreenDrift } from "../stream/screen-drift.ts";
import type { PackSource } from "../stream/screen-ports.ts";
import { createScreenWorker, type ScreenWorker } from "../stream/screen-worker.ts";
import { ensureTopics, type Topics } from "../stream/topics.ts";
import { createDecoders } from "./decoders.ts";
import { createHealth } from "./health.ts";
import { loadRules } from "./load-rules.ts";
import { openPackService, type PackService } from "./pack-service.ts";
import { screenConfig, storeOptions } from "./screen-settings.ts";

export interface ServiceHost {
  /** Takes one log line. */
  readonly write: (line: string) => void;
  /** Ends the waiting for services at the start. */
  readonly signal: AbortSignal;
  /** A worker cannot go on: the process should end. */
  readonly failed: () => void;
}

export interface Service {
  /** Where the endpoint listens. */
  readonly address: string;
  /** Reads the rules again, and activates them when they are sound. */
  reload(): void;
  /** From now on it is not ready any more. */
  stopping(reason: string): void;
  stop(): Promise<void>;
}

/** Starts everything; resolves when the workers have joined. Throws what prevents it. */
export async function startService(config: Config, host: ServiceHost): Promise<Service> {
  const log = createLogger(config.log.level, { write: host.write });
  const metrics = createMetrics(true);
  const health = createHealth(config.http.stalledMs, SYSTEM_CLOCK.now);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse().splice(0)) {
      await closer().catch((error: unknown) => log.warn(`closing: ${messageOf(error)}`));
    }
  };
  const fail = (error: Error): void => {
    health.failed(error.message);
    log.fatal(error.message);
    host.failed();
  };
  try {
    const http = await startEndpoint(config, metrics, health.checks);
    closers.push(() => http.close());
    log.info({ role: config.role, address: http.address }, "starting");
    const parts: Parts = { config, log, metrics, host, closers, fail };
    let reload = (): void => undefined;
    await startWorkers(parts, {
      ...health,
      packs(packs) {
        health.packs(packs);
        reload = packs.reload;
      },
    });
    health.started();
    log.info({ role: config.role }, "running");
    return {
      address: http.address,
      reload: () => reload(),
      stopping(reason) {
        health.stopping();
        log.info({ reason }, "stopping");
      },
      async stop() {
        health.stopping();
        await close();
        log.info("stopped");
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Parts {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly host: ServiceHost;
  /** Called in reverse order. */
  readonly closers: (() => Promise<void>)[];
  readonly fail: (error: Error) => void;
}

interface Watched {
  intake(worker: IntakeWorker): void;
  screen(worker: ScreenWorker, joined: () => boolean): void;
  packs(packs: PackService): void;
}

async function startWorkers(parts: Parts, watched: Watched): Promise<void> {
  const { config, log, metrics, host } = parts;
  const { rules: dir, lists, tuning, tenant } = config;
  const rules = loadRules({ rules: dir, lists, tuning, tenant, now: SYSTEM_CLOCK.now() });
  for (const warning of rules.warnings) log.warn(warning);
  log.info({ pack: rules.pack.hash, rules: rules.pack.rules.length }, "rules loaded");
  const admin = await openBus(config, busLog(log, metrics, "admin"), 0, host.signal).admin();
  parts.closers.push(() => admin.close());
  const topics = await ensureTopics(admin, config, rules.pack.horizonMs, (message) => log.warn(message));
  const packs = await openPackService({
    ...{ config, log, metrics, admin, topics, own: rules, failed: parts.fail, clock: SYSTEM_CLOCK },
    bus: openBus(config, busLog(log, metrics, "packs"), 0, host.signal),
  });
  parts.closers.push(() => packs.close());
  watched.packs(packs);
  const redis = connectDrift(parts);
  const boardOf = (stage: string): DriftBoard | undefined =>
    config.drift.aheadMs === 0
      ? undefined
      : createRedisBoard(
          (command, args) => redis.call(command, args),
          progressKey(namespaceOf(config.redis.prefix, config.tenant), stage),
          SYSTEM_CLOCK.now,
        );
  if (config.role !== "screen") {
    const bus = openBus(config, busLog(log, metrics, "intake"), 0, host.signal);
    const producer = await bus.producer("intake");
    const decoders = createDecoders(config.mapping, packs.lists);
    packs.onLists(decoders.use);
    const worker = createIntakeWorker({
      consumer: bus.consumer(config.intake.group),
      admin,
      producer,
      decoders,
      board: boardOf("intake"),
      pace: paceOf(config, admin, topics),
      topics: { ...topics, transactions: topics.transactions.name, parties: topics.parties.name },
      config: { ...config.intake, ...config.drift },
      events: intakeEvents(log, metrics),
      clock: SYSTEM_CLOCK,
      failed: parts.fail,
    });
    parts.closers.push(() => worker.stop());
    watched.intake(worker);
    await worker.run();
  }
  const screen =
    config.role === "intake"
      ? undefined
      : await startScreen(parts, watched, { packs: packs.engines, admin, topics, board: boardOf("screen") });
  packs.started(screen);
}

/** Half of what may come late is left to the input itself. */
function paceOf(config: Config, admin: Admin, topics: Topics): Pace | undefined {
  if (config.drift.aheadMs === 0) return undefined;
  const { waitMs } = config.drift;
  const options = { views: topics.views.name, group: config.screen.group, aheadMs: LATENESS_JUDGED_MS / 2, waitMs };
  return createPace(admin, options, SYSTEM_CLOCK);
}

interface ScreenParts {
  readonly packs: PackSource;
  readonly admin: Awaited<ReturnType<Bus["admin"]>>;
  readonly topics: Topics;
  readonly board: DriftBoard | undefined;
}

async function startScreen(parts: Parts, watched: Watched, screen: ScreenParts): Promise<ScreenWorker> {
  const { packs, admin, topics, board } = screen;
  const { config, log, metrics, host } = parts;
  const bus = openBus(config, busLog(log, metrics, "screen"), 0, host.signal);
  const store = await openRedisStore({
    ...storeOptions(config, topics.views.partitions),
    warn: (message) => log.warn(message),
    signal: host.signal,
    events: redisEvents(log, metrics),
  });
  parts.closers.push(() => store.close());
  const consumer = bus.consumer(config.screen.group);
  const worker = createScreenWorker({
    consumer,
    admin,
    producers: { alerts: await bus.producer("alerts"), marks: await bus.producer("marks") },
    store,
    packs,
    topics,
    config: screenConfig(config),
    events: screenEvents(log, metrics, topics.views.name),
    clock: SYSTEM_CLOCK,
    token: randomUUID,
    failed: parts.fail,
  });
  parts.closers.push(() => worker.stop(config.stop.deadlineMs / 2));
  watched.screen(worker, () => consumer.joined);
  await worker.start();
  if (board) {
    const drift = startScreenDrift(worker, topics.views.partitions, board, config.drift, SYSTEM_CLOCK, {
      waiting: (reason) => log.debug({ stage: "screen" }, `drift board: ${reason}`),
      released: (partitions) => metrics.driftReleased.inc({ stage: "screen" }, partitions),
    });
    parts.closers.push(() => drift.stop());
  }
  return worker;
}

/** A connection of its own: the board must not wait behind commits, nor they behind it. */
function connectDrift({ config, log, metrics, closers }: Parts): Connection {
  const redis = connectRedis({
    url: config.redis.url,
    cluster: config.redis.cluster,
    client: redisClient(config.redis),
    events: redisEvents(log, metrics),
  });
  closers.push(async () => redis.close());
  return redis;
}

function redisEvents(log: Logger, metrics: Metrics) {
  return {
    connected: (address: string) => log.info({ address }, "connected to Redis"),
    disconnected(address: string, reason: string, retryInMs: number) {
      metrics.retries.inc({ stage: "store" });
      log.warn({ address, retryInMs }, `Redis at ${address}: ${reason}; trying again`);
    },
  };
}

async function startEndpoint(
  config: Config,
  metrics: Metrics,
  checks: Parameters<typeof startHttp>[0]["checks"],
): Promise<HttpServer> {
  const { registry } = metrics;
  return startHttp({
    ...config.http,
    checks,
    metrics: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
