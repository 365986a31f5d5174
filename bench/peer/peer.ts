/**
 * Workload W through `palermo run`, by the rule for a fair comparison that README.md beside this file repeats: CPU of
 * every process, exact counts and sums from the stored state, alerts equal to the ordered pass, the same after kill -9.
 */

import { fileURLToPath } from "node:url";
import { DAY_MS } from "../../src/base/limits.ts";
import { loadRules } from "../../src/cli/load-rules.ts";
import { contributionsIn, valueAt } from "../../src/screen/contributions.ts";
import { measureOf } from "../../src/screen/plain-readings.ts";
import type { Role } from "../palermo.ts";
import { alertRecords, bareConsume, type Pass, runPass } from "../pipeline.ts";
import { differences, outcomeOf, referenceOf, storedEntities } from "../reference.ts";
import { median, type Row } from "../report.ts";
import type { Services } from "../services.ts";
import { benchBus, createTopic, fill } from "../topic.ts";
import { payments } from "./stream.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const SETTING = { rules: `${HERE}rules`, mapping: `${HERE}mapping.yaml` };
const PARTITIONS = 8;
const ROLES = ["intake", "screen"] as const;
/** The peers hold the state of all entities in memory, or within a store of theirs beside it. */
const CACHE_MB = "2500";
/** What comes into such a cache is copied once less often: `docs/operations.md` tells what it takes and gives. */
const YOUNG = "--max-semi-space-size=128";
/** The widest window of W: what its rings of 30 days hold. */
const WIDEST_MS = 30 * DAY_MS;

export interface PeerOptions {
  readonly topic: string;
  readonly count: number;
  readonly runs: number;
  readonly kill: boolean;
}

/** Passes of W, and one with a kill where asked. Throws where a count, a sum or an alert is wrong. */
export async function peer(services: Services, { topic, count, runs, kill }: PeerOptions): Promise<Row[]> {
  await fillOnce(services, topic, count);
  const reference = referenceOf(values(count), SETTING);
  const env = { PALERMO_RULES: SETTING.rules, PALERMO_MAPPING: SETTING.mapping, PALERMO_SCREEN_CACHE_MB: CACHE_MB };
  const passes: Pass[] = [];
  const ratios: number[] = [];
  for (let run = 0; run < runs + (kill ? 1 : 0); run++) {
    const isKill = run === runs;
    const name = `${topic}-${process.pid}-${run}`;
    const bare = await bareConsume(services, topic, count);
    const killed = isKill ? { killAtHalfOf: count } : {};
    const nodeArgs = (role: Role): string[] => (role === "screen" ? [YOUNG] : []);
    const pass = await runPass({ services, name, topic, roles: ROLES, env, nodeArgs, ...killed });
    const faults = [
      ...differences(await outcomeOf(services, name, SETTING), reference),
      ...(await wrongTotals(services, name, count)),
      ...(await conflictingRecords(services, name)),
    ];
    if (faults.length > 0) throw new Error(`${isKill ? "after kill -9: " : ""}${faults.join("; ")}`);
    if (isKill) continue;
    passes.push(pass);
    ratios.push(bare.seconds / pass.seconds);
  }
  return rowsOf({ count, passes, ratios, alerts: reference.alerts.length, kill });
}

function* values(count: number): Generator<string> {
  for (const { json } of payments(count)) yield json;
}

/** The topic as the peers' own producer fills it, unless it is there. */
async function fillOnce(services: Services, topic: string, count: number): Promise<void> {
  const admin = await benchBus(services.brokers).admin();
  const [known] = await admin.describe([topic]);
  const held =
    known === undefined ? 0n : (await admin.ranges(topic)).reduce((sum, { low, high }) => sum + high - low, 0n);
  await admin.close();
  if (held === BigInt(count)) return;
  if (held > 0n) throw new Error(`${topic} holds ${held} messages, not ${count}`);
  await createTopic(services.brokers, topic, PARTITIONS);
  const messages = function* () {
    for (const { id, json } of payments(count)) yield { key: id, value: json };
  };
  await fill(services.brokers, topic, PARTITIONS, messages());
}

/** Counts and sums over 30 days by role, from the state in Redis, held against the input's. */
async function wrongTotals(services: Services, name: string, count: number): Promise<string[]> {
  let sum = 0;
  for (const { minor } of payments(count)) sum += minor;
  const { pack } = loadRules({ rules: SETTING.rules });
  const widest = pack.subjects.account.measures.filter(
    ({ kind, windowMs }) => kind === "number" && windowMs === WIDEST_MS,
  );
  const totals = widest.map(() => ({ count: 0, sum: 0 }));
  for await (const [, { work }] of storedEntities(services, name, SETTING)) {
    for (const [i, measure] of widest.entries()) {
      const state = measureOf(work, measure);
      const total = totals[i];
      if (state === undefined || total === undefined) continue;
      const count = contributionsIn(state.recent);
      total.count += count;
      for (let i = 0; i < count; i += 1) total.sum += valueAt(state.recent, i);
      for (const bucket of state.buckets) {
        total.count += bucket.count;
        total.sum += bucket.sum;
      }
    }
  }
  // A count and a sum for each of the two roles.
  if (widest.length !== 4) return [`the pack has ${widest.length} measures over 30 days, not 4`];
  const faults = totals.flatMap((total) =>
    total.count === count ? [] : [`${total.count} legs counted, not ${count}`],
  );
  // What counts adds up ones.
  const found = totals.map((total) => total.sum).sort((a, b) => a - b);
  const wanted = [count, count, sum, sum];
  if (found.join() !== wanted.join()) faults.push(`sums of ${found.join(", ")}, not ${wanted.join(", ")}`);
  return faults;
}

/** Records of one alert and revision must be one and the same: what is repeated after a kill is known by its id. */
async function conflictingRecords(services: Services, name: string): Promise<string[]> {
  const known = new Map<string, string>();
  let conflicts = 0;
  for (const alert of await alertRecords(services, name)) {
    const id = `${alert.alertId}/${alert.revision}`;
    const text = JSON.stringify(alert);
    if ((known.get(id) ?? text) !== text) conflicts++;
    known.set(id, text);
  }
  return conflicts === 0 ? [] : [`${conflicts} records differ from another one of their id and revision`];
}

interface Measured {
  readonly count: number;
  readonly passes: readonly Pass[];
  readonly ratios: readonly number[];
  readonly alerts: number;
  readonly kill: boolean;
}

function rowsOf({ count, passes, ratios, alerts, kill }: Measured): Row[] {
  const bench = "peer";
  const label = `W, ${count.toLocaleString("en-US")} tx`;
  const perTx = (of: (pass: Pass) => number): number => median(passes.map((pass) => of(pass) / count));
  const rows: Row[] = [];
  for (const who of ["intake", "screen", "broker", "redis"]) {
    rows.push({ bench, what: `${label}: CPU ${who}`, value: perTx((pass) => pass.cpuUs[who] ?? 0), unit: "us/tx" });
  }
  const all = perTx(({ cpuUs }) => Object.values(cpuUs).reduce((sum, used) => sum + used, 0));
  const most = { value: 15, side: "most" } as const;
  rows.push({ bench, what: `${label}: CPU of all processes`, value: all, unit: "us/tx", target: most });
  for (const who of ROLES) {
    const value = median(passes.map(({ peakMiB }) => peakMiB[who] ?? 0));
    rows.push({ bench, what: `${label}: peak memory of ${who}`, value, unit: "MiB" });
  }
  rows.push({ bench, what: `${label}: rate`, value: median(passes.map((pass) => count / pass.seconds)), unit: "tx/s" });
  rows.push({ bench, what: `${label}: ratio to bare kafkajs`, value: median(ratios), unit: "" });
  const equal = `settled alerts, equal to the ordered pass${kill ? ", after kill -9 too" : ""}`;
  rows.push({ bench, what: `${label}: ${equal}`, value: alerts, unit: "" });
  return rows;
}
