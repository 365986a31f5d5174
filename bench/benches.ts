/** The benchmarks by name. */
import { endToEnd } from "./end-to-end.ts";
import { latency } from "./latency.ts";
import { peerWorkload } from "./peer/paced.ts";
import { peer } from "./peer/peer.ts";
import { replayMemory, replayRate, scaling } from "./replay.ts";
import type { Row } from "./report.ts";
import { rulesPass } from "./rules-pass.ts";
import { runtimes } from "./runtimes.ts";
import type { Services } from "./services.ts";
import { smoke } from "./smoke.ts";
import { stages } from "./stages.ts";
import { startup } from "./startup.ts";
import { workerMemory } from "./worker-memory.ts";

export interface BenchContext {
  /** For files; deleted at the end. */
  readonly folder: string;
  /** Broker and Redis, started when first asked for. */
  services(): Promise<Services>;
}

export interface Bench {
  readonly about: string;
  /** Runs only when it is named. */
  readonly onlyNamed?: boolean;
  /** Throws where a result is wrong; a missed target is a row of the table. */
  run(context: BenchContext): Promise<Row[]>;
}

export const BENCHES: Readonly<Record<string, Bench>> = {
  "rules-pass": {
    about: "cost of the rules a transaction, state in memory",
    run: async () => rulesPass(200_000),
  },
  replay: {
    about: "rate of `palermo replay` over a file",
    run: ({ folder }) => replayRate(folder, 1_000_000, 3),
  },
  "end-to-end": {
    about: "`palermo run` on a real broker and Redis: rate, CPU, ratio to bare kafkajs",
    run: async ({ services }) => [
      ...(await endToEnd(await services(), { ...PASSED, roles: ["intake", "screen"] })),
      ...(await endToEnd(await services(), { ...PASSED, roles: ["both"] })),
    ],
  },
  latency: {
    about: "from a transaction's write to its alert's receipt, at 1,000 tx/s",
    run: async ({ services }) => [
      ...(await latency(await services(), { ...PACED, roles: ["intake", "screen"] })),
      ...(await latency(await services(), { ...PACED, roles: ["both"] })),
    ],
  },
  memory: {
    about: "peak memory of `palermo replay` over 5 million transactions",
    run: () => replayMemory(5_000_000, 5_000),
  },
  "worker-memory": {
    about:
      "peak memory of `palermo run` over 10 million transactions (PALERMO_BENCH_COUNT: fewer) of a million accounts",
    onlyNamed: true,
    run: async ({ services }) =>
      workerMemory(await services(), Number(process.env.PALERMO_BENCH_COUNT ?? 10_000_000), 1_000_000),
  },
  scaling: {
    about: "cost a transaction as transactions (to 20 million) and entities (to a million) grow",
    onlyNamed: true,
    run: () => scaling({ count: 20_000_000, slice: 1_000_000, fewAccounts: 1_000, manyAccounts: 1_000_000 }),
  },
  startup: {
    about: "help, rules check, rules test: time to the prompt",
    run: startup,
  },
  stages: {
    about: "CPU of the stream path by stage, from a profile",
    run: async ({ services, folder }) => stages(await services(), folder, 300_000, 1_000_000),
  },
  peer: {
    about: "workload W, which Kafka Streams and Flink ran too: CPU of every process, exact sums, after kill -9",
    onlyNamed: true,
    run: async ({ services }) => peer(await services(), { topic: "peer-in", count: 1_000_000, runs: 3, kill: true }),
  },
  peer3: {
    about: "the same over 3 million: once, and once with kill -9",
    onlyNamed: true,
    run: async ({ services }) => peer(await services(), { topic: "peer-in3", count: 3_000_000, runs: 1, kill: true }),
  },
  "peer-latency": {
    about: "workload W at 1,000 tx/s, every tenth leg a sample that alerts: from its write to its alert's receipt",
    onlyNamed: true,
    run: async ({ folder, services }) =>
      latency(await services(), { ...PACED, roles: ["intake", "screen"] }, peerWorkload(folder)),
  },
  runtimes: {
    about: "replay and rules pass under another Node (PALERMO_BENCH_NODE=PATH) beside this one",
    onlyNamed: true,
    run: ({ folder }) => runtimes(folder, process.env.PALERMO_BENCH_NODE),
  },
  smoke: {
    about: "a short form of each: results and ratios, no absolute times",
    onlyNamed: true,
    run: async ({ folder, services }) => smoke(folder, await services()),
  },
};

/** Reading back and checking each of its entities takes longer than the pass itself. */
const PASSED = { count: 200_000, accounts: 200_000, runs: 3 };
const PACED = { rate: 1_000, warmUpSeconds: 15, seconds: 30 };
