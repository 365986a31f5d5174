/**
 * Kafka -> intake -> views -> screen -> Redis -> alerts, as built code on a real broker and Redis of this machine, with
 * every shipped rule on: rate, CPU of each process, and the ratio to bare kafkajs on the same messages in the same run.
 */
import { lines } from "./generate.ts";
import type { Role } from "./palermo.ts";
import { type Bare, bareConsume, type Pass, runPass } from "./pipeline.ts";
import { differences, outcomeOf, referenceOf } from "./reference.ts";
import { median, type Row } from "./report.ts";
import type { Services } from "./services.ts";
import { createTopic, fill, type Message } from "./topic.ts";

export interface EndToEndOptions {
  readonly count: number;
  readonly accounts: number;
  readonly runs: number;
  /** One process a role, or one for both. */
  readonly roles: readonly Role[];
}

/** Event time between two transactions, ms: one bank's at 140 transactions a second. */
const GAP_MS = 7;
const INPUTS = 4;

/** Fills a topic and passes it through; each run is preceded by a bare consumption. Throws when a result is wrong. */
export async function endToEnd(services: Services, options: EndToEndOptions): Promise<Row[]> {
  const { count, accounts, runs, roles } = options;
  const topic = `e2e-${roles.join("-")}-${count}`;
  await fillTransactions(services, topic, count, accounts);
  const reference = referenceOf(lines(count, { accounts, gapMs: GAP_MS }));
  const passes: Pass[] = [];
  const bares: Bare[] = [];
  for (let run = 0; run < runs; run++) {
    bares.push(await bareConsume(services, topic, count));
    const name = `${topic}-${run}`;
    passes.push(await runPass({ services, name, topic, roles }));
    const faults = differences(await outcomeOf(services, name), reference);
    if (faults.length > 0) throw new Error(`${roles.join(" + ")}: ${faults.join("; ")}`);
  }
  return rowsOf(options, passes, bares, reference.alerts.length);
}

/** Makes a topic and writes `count` transactions of `accounts` accounts to it, a bank's in their order. */
export async function fillTransactions(
  services: Services,
  topic: string,
  count: number,
  accounts: number,
): Promise<void> {
  await createTopic(services.brokers, topic, INPUTS);
  await fill(services.brokers, topic, INPUTS, messages(lines(count, { accounts, gapMs: GAP_MS })));
}

/** Lines as messages keyed by their transaction id. */
function* messages(of: Iterable<string>): Generator<Message> {
  let i = 0;
  for (const value of of) yield { key: `tx-${String(i++).padStart(10, "0")}`, value };
}

function rowsOf({ count, roles }: EndToEndOptions, passes: Pass[], bares: Bare[], alerts: number): Row[] {
  const how = roles.join(" + ");
  const bench = "end-to-end";
  const rate = median(passes.map(({ seconds }) => count / seconds));
  const bare = median(bares.map(({ seconds }) => count / seconds));
  const ratio = median(passes.map(({ seconds }, run) => (bares[run]?.seconds ?? 0) / seconds));
  const perTx = (of: (pass: Pass) => number): number => median(passes.map((pass) => of(pass) / count));
  const rows: Row[] = [
    { bench, what: `${how}: rate`, value: rate, unit: "tx/s", target: { value: 60_000, side: "least" } },
    { bench, what: `${how}: bare kafkajs consume and parse`, value: bare, unit: "tx/s" },
    { bench, what: `${how}: ratio to it`, value: ratio, unit: "", target: { value: 0.2, side: "least" } },
  ];
  for (const who of Object.keys(passes[0]?.cpuUs ?? {})) {
    rows.push({ bench, what: `${how}: CPU ${who}`, value: perTx((pass) => pass.cpuUs[who] ?? 0), unit: "us/tx" });
  }
  const all = perTx((pass) => Object.values(pass.cpuUs).reduce((sum, used) => sum + used, 0));
  rows.push({ bench, what: `${how}: CPU of all processes`, value: all, unit: "us/tx" });
  rows.push({ bench, what: `${how}: bare CPU`, value: median(bares.map(({ cpuUs }) => cpuUs / count)), unit: "us/tx" });
  for (const role of roles) {
    rows.push({
      bench,
      what: `${how}: peak memory ${role}`,
      value: perTx((p) => (p.peakMiB[role] ?? 0) * count),
      unit: "MiB",
    });
  }
  rows.push({ bench, what: `${how}: settled alerts, equal to the ordered pass`, value: alerts, unit: "" });
  return rows;
}
