/**
 * The same work under another Node beside the one that runs the benchmark: replay of a file and the rules pass, one
 * runtime after the other in turn, so that a noisy minute hits both.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeStream } from "./generate.ts";
import { runToEnd } from "./processes.ts";
import { type Replayed, replayFile } from "./replay.ts";
import { median, type Row } from "./report.ts";

const COUNT = 200_000;
const ROUNDS = 3;

interface Measured extends Replayed {
  /** CPU a transaction of fold and rules with state in memory, microseconds. */
  readonly rulesUs: number;
}

interface Runtime {
  readonly path: string;
  readonly version: string;
  readonly rounds: Measured[];
}

/** `other`: path of a Node binary. */
export async function runtimes(folder: string, other: string | undefined): Promise<Row[]> {
  if (other === undefined) throw new Error("name another Node with PALERMO_BENCH_NODE=/path/to/node");
  const file = join(folder, "runtimes.ndjson");
  await writeStream(file, COUNT, { accounts: 20_000 });
  const [ours, theirs] = [await runtimeAt(process.execPath), await runtimeAt(other)];
  for (let round = 0; round < ROUNDS; round++) {
    for (const { path, rounds } of [ours, theirs]) {
      const rulesUs = await foldAndRules(path, join(folder, "rules.json"));
      rounds.push({ ...(await replayFile(path, file, COUNT)), rulesUs });
    }
  }
  rmSync(file);
  return rowsOf(ours, theirs);
}

async function runtimeAt(path: string): Promise<Runtime> {
  const { code, stderr } = await runToEnd(path, ["-e", "process.stderr.write(process.version)"]);
  if (code !== 0) throw new Error(`${path} is no Node: ${stderr}`);
  return { path, version: stderr, rounds: [] };
}

async function foldAndRules(path: string, json: string): Promise<number> {
  const args = ["--max-old-space-size=12288", "--import", "tsx", "bench/main.ts", "rules-pass", "--json", json];
  const { code, stderr } = await runToEnd(path, args);
  if (code !== 0) throw new Error(`the rules pass ended with ${code}: ${stderr}`);
  const { rows } = JSON.parse(readFileSync(json, "utf8")) as { readonly rows: readonly Row[] };
  const row = rows.find(({ what }) => what.startsWith("fold and rules"));
  if (row === undefined) throw new Error("the rules pass has another name for fold and rules");
  return row.value;
}

function rowsOf(ours: Runtime, theirs: Runtime): Row[] {
  const bench = "runtimes";
  const figures = [
    ["replay of 200,000 tx, rate", "rate", "tx/s"],
    ["replay, CPU of all threads", "cpuUs", "us/tx"],
    ["replay, peak memory", "peakMiB", "MiB"],
    ["fold and rules, CPU", "rulesUs", "us/tx"],
  ] as const;
  return figures.flatMap(([what, of, unit]) => {
    const [one, other] = [ours, theirs].map(({ rounds }) => median(rounds.map((round) => round[of]))) as [
      number,
      number,
    ];
    return [
      { bench, what: `${what}, ${ours.version}`, value: one, unit },
      { bench, what: `${what}, ${theirs.version}`, value: other, unit },
      { bench, what: `${what}, ratio of the second to the first`, value: other / one, unit: "" },
    ];
  });
}
