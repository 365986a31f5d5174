/**
 * The packs of a running service: brings its rules in at the start, follows what others activate, reloads on request
 * and when files change.
 */
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import type { Logger } from "pino";
import { UsageError } from "../base/errors.ts";
import { watchFolders } from "../files/watch.ts";
import type { Check } from "../http/server.ts";
import type { Lists } from "../rules/lists.ts";
import type { Admin, Bus } from "../stream/bus.ts";
import type { Config } from "../stream/config.ts";
import type { Metrics } from "../stream/metrics.ts";
import { type Brought, createPackActivator, type PackActivator, startPackKeeper } from "../stream/pack-activation.ts";
import { createPackEngines, type LoadedPack, type PackEngines } from "../stream/pack-engines.ts";
import { type Activation, openPackLog, type PackLog } from "../stream/pack-log.ts";
import { type Clock, PackError } from "../stream/screen-ports.ts";
import type { ScreenWorker } from "../stream/screen-worker.ts";
import { checkRetention, type Topics } from "../stream/topics.ts";
import { type LoadedRules, loadRules, published } from "./load-rules.ts";
import { shippedRulesDir } from "./paths.ts";
import { createReloader, type ReloadReport } from "./reload.ts";

export interface PackService {
  readonly engines: PackEngines;
  /** Of the pack in force at the start. */
  readonly lists: Lists;
  /** Told when other lists hold. */
  onLists(listener: (lists: Lists) => void): void;
  /** The service runs: completes activations on its partitions and looks out for changes of files. */
  started(worker: Pick<ScreenWorker, "status"> | undefined): void;
  /** Reads the rules again because somebody asked for it. */
  reload(): void;
  check(): Check;
  close(): Promise<void>;
}

export interface PackServiceDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly admin: Admin;
  readonly topics: Topics;
  readonly own: LoadedRules;
  readonly failed: (error: Error) => void;
}

const WATCH = { everyMs: 1_000, restMs: 500 };
/** Idle reading of a topic that hardly ever changes: one request a second. */
const PACKS_WAIT_MS = 1_000;
const FINDINGS_LOGGED_MAX = 20;
/** How soon an override that has expired is noticed. */
const TIME_MS = 15 * 60_000;
const CLOSE_WAIT_MS = 2_000;

/** Throws UsageError when no pack is in force, or one that this process cannot use. */
export async function openPackService(deps: PackServiceDeps): Promise<PackService> {
  const { config, log, bus, admin, topics, own } = deps;
  const producer = await bus.producer("packs");
  const packs = await openPackLog({
    topic: topics.packs.name,
    consumer: bus.consumer(`${config.screen.group}-packs-${randomUUID()}`, { maxWaitMs: PACKS_WAIT_MS }),
    admin,
    producer,
    unique: randomUUID,
    failed: deps.failed,
  });
  try {
    const engines = createPackEngines(packs, config.tenant);
    engines.keep(own.pack, own.lists);
    const activator = createPackActivator({ log: packs, views: topics.views });
    const brought = await activator.bringIn(own.pack.hash, published(own, config), config.packs.activate);
    tellBrought(log, brought, own.pack.hash, packs.latest());
    const current = await openInForce(packs, engines);
    return run({ ...deps, packs, engines, activator, current });
  } catch (error) {
    await packs.close();
    throw error;
  }
}

interface Running extends PackServiceDeps {
  readonly packs: PackLog;
  readonly engines: PackEngines;
  readonly activator: PackActivator;
  readonly current: LoadedPack;
}

function run(deps: Running): PackService {
  const { config, log, metrics, packs, engines, activator, own, current } = deps;
  const listeners: ((lists: Lists) => void)[] = [];
  const closers: (() => void | Promise<void>)[] = [];
  const tellInForce = (hash: string): void => {
    metrics.packInfo.reset();
    metrics.packInfo.set({ hash }, 1);
  };
  tellInForce(current.pack.hash);
  packs.onActivation(({ hash, activation }) => {
    tellInForce(hash);
    log.info({ pack: hash, activation: String(activation) }, "a pack was activated");
    // Compiled now, so that no partition waits for it later.
    engines.open(hash).then(
      ({ lists }) => {
        if (packs.latest()?.hash === hash) for (const listener of listeners) listener(lists);
      },
      (error: unknown) => log.error({ pack: hash }, `the pack that was activated: ${messageOf(error)}`),
    );
  });
  const reloader = createReloader({
    load: () => loadRules({ ...config, now: deps.clock.now() }),
    check: ({ horizonMs }) => checkRetention(config, horizonMs),
    inForce: () => packs.latest()?.hash,
    async activate(rules) {
      engines.keep(rules.pack, rules.lists);
      await activator.activate(rules.pack.hash, published(rules, config));
    },
    first: own.pack.hash,
    told(report) {
      metrics.packReloads.inc({ result: report.result });
      tellReload(log, report, packs.latest()?.hash);
    },
  });
  return {
    engines,
    lists: current.lists,
    onLists: (listener) => void listeners.push(listener),
    started(worker) {
      if (worker !== undefined) {
        const status = (): ReturnType<ScreenWorker["status"]> => worker.status();
        const keeper = startPackKeeper({ log: packs, activator, status }, deps.clock, (reason) =>
          log.warn(`completing an activation: ${reason}`),
        );
        closers.push(() => keeper.stop());
      }
      if (!config.packs.watch) return;
      const ending = new AbortController();
      const dirs = [config.rules ?? shippedRulesDir(), ...(config.lists === undefined ? [] : [config.lists])];
      if (config.tuning !== undefined) dirs.push(dirname(config.tuning));
      const watching = follow(watchFolders(dirs, ending.signal, WATCH), () => reloader.reload("files"));
      const passing = atTimes(deps.clock, ending.signal, () => reloader.reload("time"));
      closers.push(async () => {
        ending.abort();
        await Promise.all([watching, passing]);
      });
    },
    reload: () => void reloader.reload("signal"),
    check: () => ({ name: "pack", ok: true, detail: standing(packs.latest(), own.pack.hash) }),
    async close() {
      for (const close of closers.splice(0)) await close();
      // A broker that does not answer must not keep the process.
      await Promise.race([reloader.idle(), deps.clock.sleep(CLOSE_WAIT_MS)]);
      await packs.close();
    },
  };
}

async function follow(changes: AsyncGenerator<void>, changed: () => Promise<void>): Promise<void> {
  for await (const _ of changes) await changed();
}

async function atTimes(clock: Clock, signal: AbortSignal, due: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(TIME_MS, signal);
    if (!signal.aborted) await due();
  }
}

async function openInForce(packs: PackLog, engines: PackEngines): Promise<LoadedPack> {
  const latest = packs.latest();
  if (latest === undefined) {
    throw new UsageError(
      "no pack is in force yet, and packs.activate is never: start one process that may activate its rules",
    );
  }
  try {
    return await engines.open(latest.hash);
  } catch (error) {
    if (!(error instanceof PackError)) throw error;
    throw new UsageError(`the pack in force cannot be used: ${error.message}. Activate another: palermo packs --help`);
  }
}

function tellBrought(log: Logger, brought: Brought, hash: string, latest: Activation | undefined): void {
  const fields = { pack: hash, inForce: latest?.hash };
  if (brought === "superseded") {
    log.warn(fields, `the rules given here were in force and have been replaced: to go back, palermo packs --activate`);
  } else if (brought === "left") log.info(fields, "other rules than those given here are in force");
  else log.info(fields, brought === "activated" ? "the rules given here take force" : "the rules given are in force");
}

function tellReload(log: Logger, report: ReloadReport, inForce: string | undefined): void {
  const { result, reason, hash, message, findings, failedTests } = report;
  const fields = { reload: result, reason, pack: hash, inForce };
  if (result === "unchanged") {
    log[reason === "time" ? "debug" : "info"](fields, message);
    return;
  }
  if (result === "activated") {
    log.info(fields, "rules reloaded: they take force at the next record of each partition");
    return;
  }
  log.error(fields, `rules not reloaded, the pack in force goes on: ${message}`);
  const errors = findings.filter(({ severity }) => severity === "error");
  for (const { file, line, column, code, message: what } of errors.slice(0, FINDINGS_LOGGED_MAX)) {
    log.error({ reload: result, code }, `${file}:${line}:${column}: ${what}`);
  }
  for (const { file, line, name, ruleId, problems } of failedTests.slice(0, FINDINGS_LOGGED_MAX)) {
    log.error({ reload: result, rule: ruleId }, `${file}:${line}: test "${name}": ${problems.join("; ")}`);
  }
}

function standing(latest: Activation | undefined, own: string): string {
  if (latest === undefined) return "none is in force";
  const since = new Date(latest.atMs).toISOString();
  const whose = latest.hash === own ? "the rules given at the start" : `other rules than given at the start (${own})`;
  return `${latest.hash} in force since ${since}: ${whose}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
