/** Reads alert topics once, from their beginning to the end that they have now, through the broker port. */
import { UsageError } from "../base/errors.ts";
import type { Alert } from "../domain/alert.ts";
import { readAlertRecord } from "../files/settled.ts";
import type { Bus, BusRecord } from "../stream/bus.ts";
import { openBus } from "../stream/connect.ts";
import type { Terminal } from "./output.ts";
import { readConfig } from "./run.ts";

export interface AlertHandlers {
  alert(alert: Alert): void;
  stub(alertId: string): void;
}

/**
 * Reads every record of the topics up to their present end. Brokers come from the argument or from the
 * environment, with the other settings of the connection. Throws UsageError when a topic does not exist or
 * holds something that is no alert.
 */
export async function readAlertTopics(
  topics: readonly string[],
  brokers: string | undefined,
  terminal: Terminal,
  handlers: AlertHandlers,
): Promise<void> {
  const config = readConfig({ flags: brokers === undefined ? {} : { "kafka.brokers": brokers } }, terminal.env);
  const bus = openBus(config, SILENT_LOG, CONNECT_MS);
  await readTopicsOnce(bus, topics, (topic, partition, record) => {
    if (record.value === null) return;
    const read = readAlertRecord(record.value.toString("utf8"));
    if (read.kind === "alert") handlers.alert(read.alert);
    else if (read.kind === "stub") handlers.stub(read.alertId);
    else
      throw new UsageError(`${topic}, partition ${partition}, offset ${record.offset}: not an alert: ${read.reason}`);
  });
}

/** A person waits: a broker that does not answer is told of soon. */
const CONNECT_MS = 10_000;
/** What goes wrong for good is thrown; attempts in between are nobody's concern here. */
const SILENT_LOG = { debug() {}, retrying() {} };

type Take = (topic: string, partition: number, record: BusRecord) => void;

/** Gives every record between the first and the last offset that the topics have at the start. Commits nothing. */
export async function readTopicsOnce(bus: Bus, topics: readonly string[], take: Take): Promise<void> {
  const places = await rangesOf(bus, topics);
  const open = new Set([...places].filter(([, range]) => range.low < range.high).map(([name]) => name));
  if (open.size === 0) return;
  // A group of its own: it never joins the work of others, and without commits the broker forgets it.
  const consumer = bus.consumer(`palermo-read-${process.pid}-${Date.now()}`);
  try {
    await new Promise<void>((resolve, reject) => {
      const next = new Map([...places].map(([name, range]) => [name, range.low]));
      const start = consumer.run(topics, {
        async assigned(partitions) {
          for (const at of partitions) {
            const name = nameOf(at.topic, at.partition);
            if (open.has(name)) consumer.start(at, next.get(name) ?? 0n);
          }
        },
        revoked() {},
        async batch({ topic, partition, records, end: covered }) {
          const name = nameOf(topic, partition);
          const end = places.get(name)?.high ?? 0n;
          try {
            for (const record of records) {
              if (record.offset >= end || record.offset < (next.get(name) ?? 0n)) continue;
              take(topic, partition, record);
              next.set(name, record.offset + 1n);
            }
          } catch (error) {
            reject(error);
          }
          if (covered >= end) open.delete(name);
          if (open.size === 0) resolve();
        },
        failed: reject,
      });
      start.catch(reject);
    });
  } finally {
    await consumer.close();
  }
}

async function rangesOf(bus: Bus, topics: readonly string[]): Promise<Map<string, { low: bigint; high: bigint }>> {
  const admin = await bus.admin();
  try {
    const known = new Set((await admin.describe(topics)).map((topic) => topic.name));
    const missing = topics.filter((topic) => !known.has(topic));
    if (missing.length > 0) throw new UsageError(`no such topic: ${missing.join(", ")}`);
    const places = new Map<string, { low: bigint; high: bigint }>();
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.ranges(topic))
        places.set(nameOf(topic, partition), { low, high });
    }
    return places;
  } finally {
    await admin.close();
  }
}

function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
