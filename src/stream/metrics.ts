/**
 * Every metric of the service, in one registry. Labels are bounded: stage, topic, partition, reason, rule,
 * never a token or an id. Names and meanings stand here only; `events.ts` moves them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type Metrics = ReturnType<typeof createMetrics>;

/** Latencies from a millisecond to half a minute. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Builds the metrics in a registry of their own. `withProcess`: memory, CPU and event loop of the process too. */
export function createMetrics(withProcess: boolean) {
  const registry = new Registry();
  if (withProcess) collectDefaultMetrics({ register: registry, prefix: "palermo_" });
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name: `palermo_${name}`, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name: `palermo_${name}`, help, labelNames: [...labelNames], registers });
  const seconds = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Histogram<L>({ name: `palermo_${name}`, help, labelNames: [...labelNames], registers, buckets: SECONDS });
  const at = ["topic", "partition"] as const;
  return {
    registry,
    intakeMessages: counter("intake_messages_total", "Messages read and acknowledged downstream", []),
    intakeBytes: counter("intake_view_bytes_total", "Bytes of packed views written", []),
    rejected: counter("rejected_total", "Records that were not screened", ["stage", "reason"]),
    sendSeconds: seconds("send_seconds", "From sending a batch to its acknowledgement", ["stage"]),
    retries: counter("retries_total", "Attempts on broker or store that failed and were repeated", ["stage"]),
    lag: gauge("lag_records", "Records that stand in the log and are not passed on", at),
    assigned: gauge("assigned_partitions", "Partitions that this process reads", ["stage"]),
    rebalances: counter("rebalances_total", "Assignments given", ["stage"]),
    halted: gauge("halted_partition", "1: the partition stands still until an operator acts", at),
    held: gauge("held_partition", "1: the partition waits for slower ones", at),
    driftReleased: counter("drift_released_total", "Slower partitions that were given up on after the longest wait", [
      "stage",
    ]),
    views: counter("screen_views_total", "Views taken, by what became of them", ["verdict"]),
    repeated: counter("screen_repeated_views_total", "Views that had been taken before and were dropped", []),
    hits: counter("screen_hit_events_total", "Hit episodes begun or ended", []),
    commits: counter("screen_commits_total", "Commits acknowledged by the store", []),
    commitSeconds: seconds("screen_commit_seconds", "From closing a commit to the store's word", []),
    fenced: counter("screen_fenced_total", "Commits refused because the partition has another owner", []),
    alerts: counter("alerts_total", "Alert revisions sent; watch it for floods", [
      "typology",
      "severity",
      "event",
      "status",
    ]),
    published: counter("published_total", "Entries of the outbox published", ["lane"]),
    oversized: counter("screen_oversized_total", "Entities that exceed 32 KiB when encoded", []),
    packInfo: gauge("pack_info", "1: the pack whose activation is the latest", ["hash"]),
    packReloads: counter("pack_reloads_total", "Attempts to reload the rules, by what became of them", ["result"]),
    packChanges: counter("screen_pack_changes_total", "Partitions that went over to another pack", []),
    rebuilds: counter("screen_rebuilds_total", "Partitions whose state was missing and is made anew", []),
    cacheEntities: gauge("screen_cached_entities", "Entities in memory", ["partition"]),
    cacheMisses: counter("screen_cache_misses_total", "Entities read from the store", []),
  };
}
