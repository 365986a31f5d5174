/**
 * The topics: their names, how they are made when missing, and what is checked on those that exist. A
 * partition count or cleanup policy that would break the protocol refuses the start; settings that only
 * weaken what the broker promises are warnings.
 */
import { UsageError } from "../base/errors.ts";
import { DAY_MS, LATENESS_JUDGED_MS } from "../base/limits.ts";
import { backoffMs, sleep } from "./backoff.ts";
import type { Admin, TopicSpec, TopicState } from "./bus.ts";
import type { Config } from "./config-schema.ts";
import type { TopicRef } from "./screen-ports.ts";

/** Names of all topics that Palermo reads or writes. */
export interface TopicNames {
  /** Inputs: the institution's own. */
  readonly transactions: string;
  readonly parties: string;
  /** Internal. */
  readonly views: string;
  readonly profiles: string;
  /** Packs and their activations. */
  readonly packs: string;
  /** Outputs. */
  readonly alerts: string;
  readonly protected: string;
  readonly shadow: string;
  readonly rejected: string;
  /** Back from case systems. */
  readonly dispositions: string;
}

/** The same with their partition counts, as they stand on the broker. */
export type Topics = Readonly<Record<keyof TopicNames, TopicRef>>;

/** How long views must be kept beyond the longest window, so that a rebuild gives what was. */
export const REBUILD_DAYS = 90;
/** A record of the views topic may hold 256 KiB of a batch and 4 MiB of one message. */
const VIEWS_RECORD_BYTES = 8 << 20;
/** An alert is at most 256 KiB; a rejected record with its bytes at most 1 MiB in base64. */
const RECORD_BYTES = 2 << 20;

export function topicNames(topic: Config["topic"]): TopicNames {
  const own = (name: string): string => `${topic.prefix}${name}`;
  return {
    transactions: topic.transactions,
    parties: topic.parties ?? own("parties"),
    views: own("views"),
    profiles: own("profiles"),
    packs: own("packs"),
    alerts: own("alerts"),
    protected: own("alerts.protected"),
    shadow: own("alerts.shadow"),
    rejected: own("rejected"),
    dispositions: own("dispositions"),
  };
}

/** What each topic should be; `replicationFactor` as the cluster allows. */
export function topicSpecs(config: Config, names: TopicNames, replicationFactor: number): TopicSpec[] {
  const safe = { "unclean.leader.election.enable": "false", "min.insync.replicas": replicationFactor >= 3 ? "2" : "1" };
  const kept = (days: number, bytes = RECORD_BYTES): Record<string, string> => ({
    ...safe,
    "cleanup.policy": "delete",
    "retention.ms": String(days * DAY_MS),
    "max.message.bytes": String(bytes),
  });
  const compacted = { ...safe, "cleanup.policy": "compact", "max.message.bytes": String(VIEWS_RECORD_BYTES) };
  const inputs = config.topic.transactionsPartitions;
  const views = config.views.partitions;
  const alerts = config.alerts.partitions;
  const spec = (name: string, partitions: number, settings: Record<string, string>): TopicSpec => ({
    name,
    partitions,
    replicationFactor,
    config: settings,
  });
  return [
    spec(names.transactions, inputs, kept(INPUT_DAYS)),
    spec(names.parties, 1, kept(INPUT_DAYS)),
    spec(names.views, views, kept(config.views.retentionDays, VIEWS_RECORD_BYTES)),
    spec(names.profiles, views, compacted),
    spec(names.packs, 1, compacted),
    spec(names.alerts, alerts, kept(config.alerts.retentionDays)),
    spec(names.protected, alerts, kept(config.alerts.retentionDays)),
    spec(names.shadow, alerts, kept(config.alerts.retentionDays)),
    spec(names.rejected, alerts, kept(config.alerts.retentionDays)),
    spec(names.dispositions, 1, kept(config.alerts.retentionDays)),
  ];
}

/**
 * Creates what is missing and checks the rest. `horizonMs` is the longest window of the pack, undefined
 * where no pack is loaded. Throws UsageError with every reason not to start; `warn` gets one line each.
 */
export async function ensureTopics(
  admin: Admin,
  config: Config,
  horizonMs: number | undefined,
  warn: (message: string) => void,
): Promise<Topics> {
  const names = topicNames(config.topic);
  checkRetention(config, horizonMs);
  const brokers = await admin.brokers();
  const factor = config.kafka.replicationFactor || Math.min(3, Math.max(1, brokers));
  const specs = topicSpecs(config, names, factor);
  const all = specs.map((spec) => spec.name);
  const before = new Set((await admin.describe(all)).map((state) => state.name));
  await admin.create(specs.filter((spec) => !before.has(spec.name)));
  const states = await created(admin, all);
  const faults: string[] = [];
  for (const spec of specs) {
    const state = states.get(spec.name);
    if (state === undefined) faults.push(`${spec.name}: it was created, but the broker does not show it`);
    else if (before.has(spec.name)) checkTopic(spec, state, names, faults, warn);
  }
  const weak = [...states.values()].filter((state) => state.replicationFactor < 3);
  if (weak.length > 0) {
    warn(`${weak.length} of ${states.size} topics have fewer than three replicas: what a lost disk held is lost`);
  }
  if (faults.length > 0) throw new UsageError(`the topics do not fit:\n  ${faults.join("\n  ")}`);
  const ref = (name: string): TopicRef => ({ name, partitions: states.get(name)?.partitions ?? 0 });
  return Object.fromEntries(Object.entries(names).map(([role, name]) => [role, ref(name)])) as unknown as Topics;
}

/** States of topics that were just created: another broker than the one that made them may not know them yet. */
async function created(admin: Admin, names: readonly string[]): Promise<Map<string, TopicState>> {
  for (let tries = 0; ; tries++) {
    const states = new Map((await admin.describe(names)).map((state) => [state.name, state]));
    if (states.size === names.length || tries >= CREATED_TRIES) return states;
    await sleep(backoffMs(tries, 50, 1_000));
  }
}

const CREATED_TRIES = 15;
const INPUT_DAYS = 30;

/** Throws UsageError when views are not kept for long enough to rebuild the state of a pack with this horizon. */
export function checkRetention(config: Config, horizonMs: number | undefined): void {
  if (horizonMs === undefined) return;
  const neededMs = horizonMs + REBUILD_DAYS * DAY_MS + LATENESS_JUDGED_MS;
  const days = Math.ceil(neededMs / DAY_MS);
  if (config.views.retentionDays < days) {
    throw new UsageError(
      `views.retentionDays is ${config.views.retentionDays}: the longest window of these rules needs at least ` +
        `${days}, so that state can be rebuilt`,
    );
  }
}

function checkTopic(
  spec: TopicSpec,
  state: TopicState,
  names: TopicNames,
  faults: string[],
  warn: (message: string) => void,
): void {
  const { name } = spec;
  const setting = (key: string): string => state.config[key] ?? "";
  const isCompacted = name === names.profiles || name === names.packs;
  const isOurs = name === names.views || isCompacted;
  if (name === names.packs && state.partitions !== 1) {
    faults.push(`${name} has ${state.partitions} partitions: it must have one, whose order is that of activations`);
  } else if (isOurs && state.partitions !== spec.partitions) {
    faults.push(
      `${name} has ${state.partitions} partitions and views.partitions is ${spec.partitions}: the count is fixed at ` +
        `the first start. Set views.partitions to ${state.partitions}, or rebuild under another topic.prefix`,
    );
  }
  if (name === names.views && setting("cleanup.policy").includes("compact")) {
    faults.push(`${name} is compacted: records would vanish. Set its cleanup.policy to delete`);
  }
  if (isCompacted && setting("cleanup.policy") !== "" && setting("cleanup.policy") !== "compact") {
    faults.push(`${name} is not compacted: old records would vanish. Set its cleanup.policy to compact`);
  }
  const retention = Number(setting("retention.ms") || "-1");
  const wanted = Number(spec.config["retention.ms"] ?? "-1");
  if (name === names.views && retention >= 0 && retention < wanted) {
    warn(
      `${name} keeps records for ${Math.floor(retention / DAY_MS)} days, views.retentionDays asks for ` +
        `${Math.floor(wanted / DAY_MS)}: state older than that cannot be rebuilt`,
    );
  }
  const largest = Number(setting("max.message.bytes") || "0");
  if (isOurs && largest > 0 && largest < VIEWS_RECORD_BYTES) {
    warn(
      `${name} takes records of at most ${largest} bytes, ${VIEWS_RECORD_BYTES} are needed for the largest messages`,
    );
  }
  if (setting("unclean.leader.election.enable") === "true") {
    warn(`${name} allows unclean leader elections: acknowledged records may be lost. Set it to false`);
  }
  if (state.replicationFactor >= 3 && Number(setting("min.insync.replicas") || "2") < 2) {
    warn(`${name} acknowledges with one replica: set min.insync.replicas to 2`);
  }
}
