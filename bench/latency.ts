/**
 * Latency at a given rate: from the write of a transaction to the receipt of the alert that it raises, by a consumer of
 * the alerts topic. One transaction in twenty is the first of its account and pays a listed account, and so alerts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Alert } from "../src/domain/alert.ts";
import { lines } from "./generate.ts";
import { type Palermo, type Role, startPalermo } from "./palermo.ts";
import { environment } from "./pipeline.ts";
import type { Row } from "./report.ts";
import type { Services } from "./services.ts";
import { benchBus, createTopic, type Message, pace } from "./topic.ts";

/** What is paced. */
export interface PacedWorkload {
  readonly name: string;
  /** Configuration of the processes by the names of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Messages; `written` takes, by the subject of its alert, the time at which an alerting one is handed over. */
  messages(count: number, rate: number, written: Map<string, number>): Generator<Message>;
}

export interface LatencyOptions {
  readonly rate: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly roles: readonly Role[];
}

const INPUTS = 4;
const ALERT_EVERY = 20;
/** What a consumer waits for the last alerts at most. */
const AFTER_MS = 60_000;

/** Payments of now under the shipped rules. */
const SHIPPED_WORKLOAD: PacedWorkload = { name: "shipped", env: {}, messages: alerting };

/** Rows of the percentiles of one paced run. Throws when an alert is missing. */
export async function latency(
  services: Services,
  options: LatencyOptions,
  workload: PacedWorkload = SHIPPED_WORKLOAD,
): Promise<Row[]> {
  const { rate, warmUpSeconds, seconds, roles } = options;
  const name = `latency-${workload.name}-${roles.join("-")}-${rate}`;
  const processes: Palermo[] = [];
  await createTopic(services.brokers, name, INPUTS);
  const env = environment({ name, topic: name, env: workload.env });
  for (const role of [...roles].reverse()) processes.push(await startPalermo({ services, role, env }));
  const bus = benchBus(services.brokers);
  const received = new Map<string, number>();
  const written = new Map<string, number>();
  const consumer = bus.consumer(`${name}-reader`, { maxWaitMs: 5 });
  await consumer.run([`${name}.alerts`], {
    assigned: async (partitions) => {
      for (const at of partitions) consumer.start(at, 0n);
    },
    revoked: () => undefined,
    failed: (error) => {
      throw error;
    },
    batch: async ({ records }) => {
      const now = Date.now();
      for (const { value } of records) {
        const { subject, revision } = JSON.parse(String(value)) as Alert;
        if (revision === 1 && written.has(subject.token)) received.set(subject.token, now);
      }
    },
  });
  const producer = await bus.producer("paced");
  const count = rate * (warmUpSeconds + seconds);
  await pace(producer, name, INPUTS, workload.messages(count, rate, written), rate);
  await producer.close();
  const end = performance.now() + AFTER_MS;
  while (received.size < written.size && performance.now() < end) await sleep(50);
  await consumer.close();
  await Promise.all(processes.map((each) => each.end()));
  return rowsOf(options, workload.name, written, received);
}

/** Transactions of now; `written` takes the time at which an alerting one is handed to the producer. */
function* alerting(count: number, rate: number, written: Map<string, number>): Generator<Message> {
  const started = Date.now();
  let i = 0;
  for (const line of lines(count, { accounts: 20_000, gapMs: 1_000 / rate, from: started })) {
    const key = `tx-${String(i).padStart(10, "0")}`;
    if (i % ALERT_EVERY !== 0) yield { key, value: line };
    else {
      const token = `k1.new${i}`;
      written.set(token, Date.now());
      yield { key, value: JSON.stringify({ ...(JSON.parse(line) as object), ...toListed(token) }) };
    }
    i++;
  }
}

function toListed(token: string): object {
  return {
    rail: "transfer",
    debtor: { own: true, kind: "account", account: token },
    creditor: { own: false, kind: "account", account: "k1.LISTEDACCOUNT" },
  };
}

function rowsOf(
  options: LatencyOptions,
  workload: string,
  written: ReadonlyMap<string, number>,
  received: ReadonlyMap<string, number>,
): Row[] {
  const { rate, warmUpSeconds, seconds, roles } = options;
  const skipped = (warmUpSeconds / (warmUpSeconds + seconds)) * written.size;
  const measured: number[] = [];
  let missing = 0;
  for (const [i, [token, at]] of [...written].entries()) {
    const then = received.get(token);
    if (then === undefined) missing++;
    else if (i >= skipped) measured.push(then - at);
  }
  if (missing > 0) throw new Error(`${missing} of ${written.size} alerts did not come`);
  measured.sort((a, b) => a - b);
  const at = (share: number): number =>
    measured[Math.min(measured.length - 1, Math.floor(share * measured.length))] ?? 0;
  const label = `${workload}, ${roles.join(" + ")} at ${rate.toLocaleString("en-US")} tx/s`;
  const row = (what: string, value: number): Row => ({
    bench: "latency",
    what: `${label}: ${what}`,
    value,
    unit: "ms",
  });
  return [
    { ...row("p50", at(0.5)), target: { value: 25, side: "most" } },
    row("p90", at(0.9)),
    { ...row("p99", at(0.99)), target: { value: 100, side: "most" } },
    row("max", at(1)),
    { bench: "latency", what: `${label}: alerts measured`, value: measured.length, unit: "" },
  ];
}
