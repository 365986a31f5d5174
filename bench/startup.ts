/** What a user waits for: help, checking the shipped pack, running its tests. Wall time, best of several. */
import { runToEnd } from "./processes.ts";
import type { Row } from "./report.ts";

const VERBS: readonly { readonly args: readonly string[]; readonly most: number; readonly runs: number }[] = [
  { args: ["--help"], most: 0.3, runs: 5 },
  { args: ["rules", "check", "rules"], most: 0.5, runs: 5 },
  { args: ["rules", "test", "rules"], most: 3, runs: 3 },
];

/** The best run is taken: what other processes take of the machine only adds. */
export async function startup(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { args, most, runs } of VERBS) {
    const seconds: number[] = [];
    const cpu: number[] = [];
    for (let run = 0; run < runs; run++) {
      const done = await runToEnd(process.execPath, ["bin/palermo.js", ...args]);
      if (done.code !== 0) throw new Error(`palermo ${args.join(" ")} ended with ${done.code}: ${done.stderr}`);
      seconds.push(done.seconds);
      cpu.push(done.cpuSeconds);
    }
    const target = { value: most, side: "most" } as const;
    const what = `palermo ${args.join(" ")}`;
    rows.push({ bench: "startup", what, value: Math.min(...seconds), unit: "s", target });
    rows.push({ bench: "startup", what: `${what}: CPU, all threads`, value: Math.min(...cpu), unit: "s" });
  }
  return rows;
}
