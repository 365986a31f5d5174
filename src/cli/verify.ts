/**
 * `palermo verify`: holds what a run left behind (state in Redis, alerts and rejects in their topics) against one naive
 * pass over its input topics. For after a fault: kill anything, let it settle, and see that nothing is lost or twice.
 */
import { UsageError } from "../base/errors.ts";
import type { Alert } from "../domain/alert.ts";
import { readAlertRecord } from "../files/settled.ts";
import type { Pack } from "../rules/plan.ts";
import { createEngine, type Engine } from "../screen/engine.ts";
import { createSettler, type SettledAlert } from "../screen/settled.ts";
import type { Entity } from "../screen/state.ts";
import type { Stored } from "../store/port.ts";
import { openRedisStore } from "../store/redis.ts";
import { sleep } from "../stream/backoff.ts";
import type { Admin, Bus, PartitionRange } from "../stream/bus.ts";
import type { Config } from "../stream/config.ts";
import { openBus } from "../stream/connect.ts";
import { type TopicNames, topicNames } from "../stream/topics.ts";
import { readTopicsOnce } from "./alerts-topic.ts";
import { createDecoders } from "./decoders.ts";
import { loadRules } from "./load-rules.ts";
import { openPacks } from "./open-packs.ts";
import { EXIT_OK, EXIT_REJECTED, type Terminal } from "./output.ts";
import { createProgress } from "./progress.ts";
import { type RunOptions, readConfig } from "./run.ts";
import { storeOptions } from "./screen-settings.ts";
import { compareAlerts, compareEntity, type Difference } from "./verify-compare.ts";
import { createPass, type Pass, placeOf } from "./verify-pass.ts";
import { printFindings } from "./verify-report.ts";

export interface VerifyOptions extends RunOptions {
  /** Seconds to wait until everything is screened and published. */
  readonly wait?: number | undefined;
  /** Differences that are listed. */
  readonly limit?: number | undefined;
  readonly json?: boolean | undefined;
}

/** What was compared, and what differs. */
export interface Findings {
  readonly input: {
    readonly transactions: number;
    readonly profiles: number;
    readonly events: number;
    readonly rejected: number;
  };
  readonly alerts: {
    readonly expected: number;
    readonly published: number;
    /** Records that carry an id and a revision that stood there before. */
    readonly repeats: number;
  };
  readonly entities: { readonly expected: number; readonly stored: number };
  readonly rejects: { readonly expected: number; readonly told: number };
  readonly differences: readonly Difference[];
  /** Why the comparison may not be whole, such as input that retention took away. */
  readonly reservations: readonly string[];
}

const WAIT_SECONDS = 30;
const LISTED = 20;
const GIVE_UP_MS = 10_000;
const LOOK_MS = 250;

/** Runs the verb: 0 when all agrees, 3 when something differs. Throws UsageError when there is nothing to compare. */
export async function runVerify(options: VerifyOptions, terminal: Terminal): Promise<number> {
  const config = readConfig(options, terminal.env);
  const log = { debug: () => undefined, retrying: () => undefined };
  const bus = openBus(config, log, GIVE_UP_MS);
  const { pack, lists } = loadRules({ ...config, now: terminal.now() });
  const admin = await bus.admin();
  try {
    const names = topicNames(config.topic);
    await checkTopics(admin, names);
    const ends = await untilSettled(admin, config, names, (options.wait ?? WAIT_SECONDS) * 1_000, terminal);
    const hashes = await packsInForce(config, bus, admin, names);
    checkPack(pack, hashes);
    const reservations = [...reservationsOf(names, ends), ...packReservations(hashes)];
    const decoders = createDecoders(config.mapping, lists);
    const builder = createPass((topic) => (topic === names.parties ? decoders.parties : decoders.transactions));
    await readTopicsOnce(bus, [names.transactions, names.parties], (topic, partition, record) =>
      builder.add({ topic, partition, ...record }),
    );
    const progress = createProgress(terminal, undefined);
    const pass = builder.finish(pack, (transactions) => progress.update(transactions, 0));
    progress.clear();
    const published = await readPublished(bus, names);
    const told = await readRejects(bus, names);
    const state = await compareState(config, pack, pass, ends.get(names.views)?.length ?? 0);
    if (!sameEnds(ends, await endsOf(admin, names))) {
      throw new UsageError("the topics moved while they were read: stop what feeds them, then verify again");
    }
    const differences = [
      ...compareAlerts(published.settled, pass.alerts),
      ...state.differences,
      ...compareRejects(told, pass.rejected),
    ];
    const { transactions, profiles, events, rejected } = pass;
    const findings: Findings = {
      input: { transactions, profiles, events, rejected: rejected.size },
      alerts: { expected: pass.alerts.length, published: published.settled.length, repeats: published.repeats },
      entities: { expected: pass.embedded.entities, stored: state.stored },
      rejects: { expected: rejected.size, told: told.size },
      differences,
      reservations,
    };
    printFindings(findings, { limit: options.limit ?? LISTED, json: options.json === true }, terminal);
    return differences.length === 0 ? EXIT_OK : EXIT_REJECTED;
  } finally {
    await admin.close();
  }
}

async function checkTopics(admin: Admin, names: TopicNames): Promise<void> {
  const { transactions, parties, views, packs, alerts, shadow } = names;
  const wanted = [transactions, parties, views, packs, alerts, names.protected, shadow];
  const known = new Set((await admin.describe(wanted)).map((topic) => topic.name));
  const missing = wanted.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new UsageError(`no such topic: ${missing.join(", ")}. Has palermo run been started with this configuration?`);
  }
}

type Ends = ReadonlyMap<string, readonly PartitionRange[]>;

async function endsOf(admin: Admin, names: TopicNames): Promise<Ends> {
  const ends = new Map<string, readonly PartitionRange[]>();
  for (const name of [names.transactions, names.parties, names.views]) ends.set(name, await admin.ranges(name));
  return ends;
}

function sameEnds(a: Ends, b: Ends): boolean {
  return [...a].every(([name, ranges]) => ranges.every(({ high }, i) => b.get(name)?.[i]?.high === high));
}

/**
 * Waits until intake has passed on all of the input and everything that screening made of it is published. Throws
 * UsageError with what is behind when that does not come about.
 */
async function untilSettled(
  admin: Admin,
  config: Config,
  names: TopicNames,
  waitMs: number,
  terminal: Terminal,
): Promise<Ends> {
  const groups = [
    [names.transactions, config.intake.group],
    [names.parties, config.intake.group],
    [names.views, config.screen.group],
  ] as const;
  const until = terminal.now() + waitMs;
  for (let quiet = 0; ; ) {
    const ends = await endsOf(admin, names);
    const behind: string[] = [];
    for (const [name, group] of groups) {
      const offsets = new Map((await admin.groupOffsets(group, name)).map((at) => [at.partition, at.offset]));
      const lag = (ends.get(name) ?? []).reduce(
        (sum, { partition, low, high }) => sum + Number(high - (offsets.get(partition) ?? low)),
        0,
      );
      if (lag > 0) behind.push(`${name}: ${lag} records behind (group ${group})`);
    }
    // What screening derives comes back as views: it is over when two looks in a row find nothing.
    quiet = behind.length === 0 ? quiet + 1 : 0;
    if (quiet === 2) return ends;
    if (behind.length > 0 && terminal.now() >= until) {
      throw new UsageError(
        `not everything is screened and published yet; is palermo run running?\n  ${behind.join("\n  ")}`,
      );
    }
    await sleep(LOOK_MS);
  }
}

function reservationsOf(names: TopicNames, ends: Ends): string[] {
  return [names.transactions, names.parties].flatMap((name) => {
    const gone = (ends.get(name) ?? []).reduce((sum, { low }) => sum + Number(low), 0);
    return gone === 0
      ? []
      : [`${name} no longer has its first ${gone} records: what they caused shows as extra or as differing`];
  });
}

/** Hashes of the packs that were put in force, in order. */
async function packsInForce(config: Config, bus: Bus, admin: Admin, names: TopicNames): Promise<string[]> {
  const log = await openPacks(config, bus, admin, names.packs);
  try {
    return log.activations().map(({ hash }) => hash);
  } finally {
    await log.close();
  }
}

function checkPack(pack: Pack, hashes: readonly string[]): void {
  const latest = hashes.at(-1);
  if (latest === undefined || latest === pack.hash) return;
  throw new UsageError(
    `the pack in force is ${latest.slice(0, 12)}, the rules here make ${pack.hash.slice(0, 12)}: verify with the ` +
      "rules, lists and tuning that run",
  );
}

function packReservations(hashes: readonly string[]): string[] {
  const different = new Set(hashes).size;
  if (different < 2) return [];
  return [`${different} packs were in force: the pass judges by the last, what others judged shows as differing`];
}

interface Published {
  readonly settled: SettledAlert[];
  readonly repeats: number;
}

async function readPublished(bus: Bus, names: TopicNames): Promise<Published> {
  const settler = createSettler();
  const seen = new Set<string>();
  let repeats = 0;
  const take = (alert: Alert): void => {
    const name = `${alert.alertId}/${alert.revision}`;
    if (seen.has(name)) repeats++;
    seen.add(name);
    settler.add(alert);
  };
  await readTopicsOnce(bus, [names.alerts, names.protected, names.shadow], (topic, partition, { offset, value }) => {
    if (value === null) return;
    const read = readAlertRecord(value.toString("utf8"));
    if (read.kind === "alert") take(read.alert);
    else if (read.kind === "invalid") {
      throw new UsageError(`${topic}, partition ${partition}, offset ${offset}: not an alert: ${read.reason}`);
    }
  });
  return { settled: settler.settled(), repeats };
}

/** Place to code of every message that intake refused. */
async function readRejects(bus: Bus, names: TopicNames): Promise<Map<string, string>> {
  const told = new Map<string, string>();
  await readTopicsOnce(bus, [names.rejected], (_topic, _partition, { value }) => {
    const record = JSON.parse(value?.toString("utf8") ?? "{}") as Record<string, unknown>;
    if (record.stage !== "intake") return;
    const { topic, partition, offset, code } = record as {
      topic: string;
      partition: number;
      offset: number;
      code: string;
    };
    told.set(placeOf({ topic, partition, offset }), code);
  });
  return told;
}

function compareRejects(told: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): Difference[] {
  const differences: Difference[] = [];
  for (const [name, code] of expected) {
    const found = told.get(name);
    if (found === undefined) differences.push({ what: "rejected", name, problem: "missing", detail: code });
    else if (found !== code) {
      differences.push({ what: "rejected", name, problem: "differs", detail: `${found}, expected ${code}` });
    }
  }
  for (const [name, code] of told) {
    if (!expected.has(name)) differences.push({ what: "rejected", name, problem: "extra", detail: code });
  }
  return differences;
}

/** Reads every stored entity and compares it. */
async function compareState(
  config: Config,
  pack: Pack,
  pass: Pass,
  partitions: number,
): Promise<{ readonly differences: Difference[]; readonly stored: number }> {
  const store = await openRedisStore(storeOptions(config, partitions));
  const engine = createEngine(pack, { tailKeep: 1 });
  const differences: Difference[] = [];
  const seen = new Set<string>();
  const take = (difference: Difference | undefined): void => {
    if (difference !== undefined) differences.push(difference);
  };
  try {
    for await (const portion of store.entityKeys()) {
      const groups = new Map<number, string[]>();
      for (const { partition, key } of portion) {
        if (seen.has(key)) continue;
        seen.add(key);
        groups.set(partition, [...(groups.get(partition) ?? []), key]);
      }
      for (const [partition, keys] of groups) {
        for (const [i, stored] of (await store.read(partition, keys)).entries()) {
          const key = keys[i] as string;
          const found = readEntity(engine, key, stored);
          if (typeof found === "string")
            differences.push({ what: "entity", name: key, problem: "differs", detail: found });
          else take(compareEntity(key, found, pass.embedded.entity(key), pass.totals.get(key)));
        }
      }
    }
    for (const key of pass.embedded.keys()) {
      if (seen.has(key)) continue;
      take(compareEntity(key, undefined, pass.embedded.entity(key), undefined));
    }
    return { differences, stored: seen.size };
  } finally {
    await store.close();
  }
}

/** A stored entity; a sentence where its value is none. */
function readEntity(engine: Engine, key: string, stored: Stored | undefined): Entity | string | undefined {
  if (stored === undefined) return undefined;
  try {
    return engine.decode(key, stored.value, stored.additions);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `its value cannot be read: ${error.message}`;
  }
}
