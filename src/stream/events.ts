/**
 * What happens, by name: each function writes the log line and moves the metrics of one event, so that the
 * two agree. The arguments are places, counts and reasons; tokens, amounts and payloads do not get here.
 * The logger redacts fields of such names all the same.
 */
import { type Logger, pino } from "pino";
import type { TopicPartition } from "./bus.ts";
import type { IntakeEvents } from "./intake-ports.ts";
import type { BusLog } from "./kafka-bus.ts";
import type { Metrics } from "./metrics.ts";
import type { ScreenEvents } from "./screen-ports.ts";

/** Fields that never reach the log, at the top and one level down. */
const PERSONAL = ["token", "password", "account", "party", "amount", "value", "key", "payload", "record", "text"];

/** Makes the service's logger: one JSON line an event. */
export function createLogger(level: string, destination: { write(line: string): void }): Logger {
  const paths = PERSONAL.flatMap((field) => [field, `*.${field}`]);
  return pino({ level, base: { service: "palermo" }, redact: { paths, censor: "(removed)" } }, destination);
}

/** Events of the broker connection, for one `stage` (intake, screen, admin). */
export function busLog(log: Logger, metrics: Metrics, stage: string): BusLog {
  return {
    debug: (message) => log.debug({ stage }, message),
    retrying(message, attempt) {
      metrics.retries.inc({ stage });
      // The first failure of a connection is often its age; it is told from the second on.
      log[attempt === 0 ? "info" : "warn"]({ stage, attempt: attempt + 1 }, `${message}; trying again`);
    },
  };
}

export function intakeEvents(log: Logger, metrics: Metrics): IntakeEvents {
  const stage = "intake";
  const seldom = createSeldom();
  const labels = ({ topic, partition }: TopicPartition) => ({ topic, partition: String(partition) });
  return {
    assigned(partitions) {
      metrics.assigned.set({ stage }, partitions.length);
      metrics.rebalances.inc({ stage });
      log.info({ stage, partitions: partitions.map((at) => `${at.topic}:${at.partition}`) }, "partitions assigned");
    },
    revoked() {
      metrics.assigned.set({ stage }, 0);
      for (const gauge of [metrics.held, metrics.halted, metrics.lag]) gauge.reset();
      log.info({ stage }, "partitions given up");
    },
    started(at, from, fresh) {
      const message = fresh ? "reading from the beginning: the group has no position" : "reading on";
      log.info({ stage, ...at, from: String(from) }, message);
    },
    halted(at, message) {
      metrics.halted.set(labels(at), 1);
      log.error({ stage, ...at }, message);
    },
    rejected(at, code) {
      metrics.rejected.inc({ stage, reason: code });
      log.debug({ stage, ...at, reason: code }, "record rejected");
    },
    sent({ messages, bytes, tookMs }) {
      metrics.intakeMessages.inc(messages);
      metrics.intakeBytes.inc(bytes);
      metrics.sendSeconds.observe({ stage }, tookMs / 1_000);
    },
    held(at, held) {
      metrics.held.set(labels(at), held ? 1 : 0);
    },
    released(partitions) {
      metrics.driftReleased.inc({ stage }, partitions);
      log.warn({ stage, partitions }, "slower partitions did not move for long: no longer waiting for them");
    },
    lag(at, records) {
      metrics.lag.set(labels(at), records);
    },
    waiting(what, reason) {
      metrics.retries.inc({ stage });
      log[seldom(what) ? "warn" : "debug"]({ stage, what }, `${what}: ${reason}; trying again`);
    },
  };
}

/** What is tried again many times a second is told at most this often; the metric counts every attempt. */
const SELDOM_MS = 10_000;

/** Tells whether `what` has not been told for a while. */
function createSeldom(): (what: string) => boolean {
  const toldAt = new Map<string, number>();
  return (what) => {
    const now = Date.now();
    if (now - (toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < SELDOM_MS) return false;
    toldAt.set(what, now);
    return true;
  };
}

export function screenEvents(log: Logger, metrics: Metrics, topic: string): ScreenEvents {
  const stage = "screen";
  const labels = (partition: number) => ({ topic, partition: String(partition) });
  return {
    claimed(partition, next, waiting) {
      log.info({ stage, partition, next: String(next), waiting }, "partition claimed");
    },
    rebuilding(partition, from, mutedTo) {
      metrics.rebuilds.inc();
      const fields = { stage, partition, from: String(from), mutedTo: String(mutedTo) };
      log.warn(fields, "state is missing: rebuilding it from the views topic");
    },
    rebuilt(partition, records, tookMs) {
      log.info({ stage, partition, records, tookMs }, "state rebuilt");
    },
    packChanged(partition, offset, { hash, activation }) {
      metrics.packChanges.inc();
      const fields = { stage, partition, offset: String(offset), pack: hash, activation: String(activation) };
      log.info(fields, "another pack is in force from here on");
    },
    fenced(partition, reason) {
      metrics.fenced.inc();
      log.warn({ stage, partition, reason }, "commit refused: the partition has another owner");
    },
    halted(partition, code, message) {
      metrics.halted.set(labels(partition), 1);
      log.error({ stage, partition, code }, message);
    },
    committed({ tookMs }) {
      metrics.commits.inc();
      metrics.commitSeconds.observe(tookMs / 1_000);
    },
    verdicts(_partition, counts) {
      for (const [verdict, count] of Object.entries(counts)) metrics.views.inc({ verdict }, count);
    },
    repeated(_partition, views) {
      metrics.repeated.inc(views);
    },
    hits(_partition, count) {
      metrics.hits.inc(count);
    },
    storeWaiting(reason, retryInMs) {
      metrics.retries.inc({ stage: "store" });
      log.warn({ stage, retryInMs }, `store: ${reason}; trying again`);
    },
    published(_partition, lane, entries) {
      metrics.published.inc({ lane }, entries);
    },
    refused(code) {
      metrics.rejected.inc({ stage, reason: code });
    },
    alert({ typology, severity, event, status }) {
      metrics.alerts.inc({ typology: typology.id, severity, event, status });
    },
    paused(partition, why) {
      metrics.held.set(labels(partition), 1);
      log.debug({ stage, partition }, `paused: ${why}`);
    },
    resumed(partition) {
      metrics.held.set(labels(partition), 0);
      log.debug({ stage, partition }, "resumed");
    },
    oversized(partition, _entity, bytes) {
      metrics.oversized.inc();
      log.warn({ stage, partition, bytes }, "an entity exceeds 32 KiB");
    },
    cache(partition, held, missed) {
      metrics.cacheEntities.set({ partition: String(partition) }, held);
      metrics.cacheMisses.inc(missed);
    },
  };
}
