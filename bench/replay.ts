/** Replay of a file as a user runs it: rate over the whole process, and memory. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeStream } from "./generate.ts";
import { runToEnd } from "./processes.ts";
import { median, type Row } from "./report.ts";

/** Rate of `palermo replay` over `count` transactions; `runs` times. */
export async function replayRate(folder: string, count: number, runs: number): Promise<Row[]> {
  const file = await streamFile(folder, count, 20_000);
  const rates: number[] = [];
  const peaks: number[] = [];
  for (let run = 0; run < runs; run++) {
    const done = await runToEnd(process.execPath, ["bin/palermo.js", "replay", file, "--format", "ndjson", "--quiet"]);
    if (done.code !== 0) throw new Error(`replay ended with ${done.code}: ${done.stderr}`);
    rates.push(count / done.seconds);
    peaks.push(done.peakMiB);
  }
  rmSync(file);
  const label = `${count.toLocaleString("en-US")} tx, start to end`;
  return [
    { bench: "replay", what: label, value: median(rates), unit: "tx/s", target: { value: 150_000, side: "least" } },
    { bench: "replay", what: "peak memory", value: median(peaks), unit: "MiB" },
  ];
}

/** Peak memory of a replay of `count` transactions over `accounts` accounts. */
export async function replayMemory(folder: string, count: number, accounts: number): Promise<Row[]> {
  const file = await streamFile(folder, count, accounts);
  const done = await runToEnd(process.execPath, ["bin/palermo.js", "replay", file, "--format", "ndjson", "--quiet"]);
  rmSync(file);
  if (done.code !== 0) throw new Error(`replay ended with ${done.code}: ${done.stderr}`);
  const sizes = `${count.toLocaleString("en-US")} tx, ${accounts.toLocaleString("en-US")} accounts`;
  const label = `replay of ${sizes}, state in memory`;
  return [
    { bench: "memory", what: `${label}: peak`, value: done.peakMiB, unit: "MiB" },
    { bench: "memory", what: `${label}: rate`, value: count / done.seconds, unit: "tx/s" },
  ];
}

async function streamFile(folder: string, count: number, accounts: number): Promise<string> {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  const file = join(folder, `stream-${count}-${accounts}.ndjson`);
  await writeStream(file, count, { accounts, gapMs: 500 });
  return file;
}
