/**
 * The same work under another Node beside the one that runs the benchmark: replay of a file and the rules pass, one
 * runtime after the other in turn, so that a noisy minute hits both.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeStream } from "./generate.ts";
import { runToEnd } from "./processes.ts";
import { median, type Row } from "./report.ts";

const COUNT = 200_000;
const ROUNDS = 3;

interface Measured {
  readonly version: string;
  readonly rates: number[];
  readonly cpuUs: number[];
  readonly peaks: number[];
  readonly rules: number[];
}

/** `other`: path of a Node binary. */
export async function runtimes(folder: string, other: string | undefined): Promise<Row[]> {
  if (other === undefined) throw new Error("name another Node with PALERMO_BENCH_NODE=/path/to/node");
  const file = join(folder, "runtimes.ndjson");
  await writeStream(file, COUNT, { accounts: 20_000 });
  const paths = [process.execPath, other];
  const all = await Promise.all(paths.map(newMeasured));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, path] of paths.entries()) await measure(path, file, join(folder, "rules.json"), all[i] as Measured);
  }
  rmSync(file);
  const [ours, theirs] = all as [Measured, Measured];
  return rowsOf(ours, theirs);
}

async function newMeasured(path: string): Promise<Measured> {
  const { code, stderr } = await runToEnd(path, ["-e", "process.stderr.write(process.version)"]);
  if (code !== 0) throw new Error(`${path} is no Node: ${stderr}`);
  return { version: stderr, rates: [], cpuUs: [], peaks: [], rules: [] };
}

async function measure(path: string, file: string, json: string, into: Measured): Promise<void> {
  const replay = await runToEnd(path, ["bin/palermo.js", "replay", file, "--format", "ndjson", "--quiet"]);
  if (replay.code !== 0) throw new Error(`replay ended with ${replay.code}: ${replay.stderr}`);
  into.rates.push(COUNT / replay.seconds);
  into.cpuUs.push((replay.cpuSeconds * 1e6) / COUNT);
  into.peaks.push(replay.peakMiB);
  const args = ["--max-old-space-size=12288", "--import", "tsx", "bench/main.ts", "rules-pass", "--json", json];
  const pass = await runToEnd(path, args);
  if (pass.code !== 0) throw new Error(`the rules pass ended with ${pass.code}: ${pass.stderr}`);
  const { rows } = JSON.parse(readFileSync(json, "utf8")) as { readonly rows: readonly Row[] };
  into.rules.push(rows.find(({ what }) => what.startsWith("fold and rules"))?.value ?? Number.NaN);
}

function rowsOf(ours: Measured, theirs: Measured): Row[] {
  const bench = "runtimes";
  const pairs = [
    ["replay of 200,000 tx, rate", "rates", "tx/s"],
    ["replay, CPU of all threads", "cpuUs", "us/tx"],
    ["replay, peak memory", "peaks", "MiB"],
    ["fold and rules, CPU", "rules", "us/tx"],
  ] as const;
  return pairs.flatMap(([what, of, unit]) => {
    const [one, other] = [median(ours[of]), median(theirs[of])];
    return [
      { bench, what: `${what}, ${ours.version}`, value: one, unit },
      { bench, what: `${what}, ${theirs.version}`, value: other, unit },
      { bench, what: `${what}, ratio of the second to the first`, value: other / one, unit: "" },
    ];
  });
}
