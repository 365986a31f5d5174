/**
 * `npm run simulate`: runs seeds of the simulation and says what does not hold. Without arguments: one fixed stretch
 * of seeds and a fresh one.
 */
import { parseArgs } from "node:util";
import { PLANTS, planted } from "./plants.ts";
import { describeResult, totalsOf } from "./report.ts";
import { type Result, simulate } from "./simulate.ts";

const HELP = `Usage: npm run simulate -- [options]

Runs the workers of production on a simulated cluster, with crashes, pauses, lost replies, rebalances,
failovers and more at places that the seed decides, and compares what comes out with a plain ordered pass.

Options:
  --seed N      first seed (default: a fresh one, printed)
  --runs N      seeds to run, one after the other (default: 1 with --seed, else 100)
  --plant NAME  plants a bug: the run must then fail. One of
                ${Object.keys(PLANTS).join(", ")}
  --json        one JSON object a run on standard output
  --help        this text

Examples:
  npm run simulate
  npm run simulate -- --seed 4711
  npm run simulate -- --seed 1 --runs 20 --plant blind-retry

Exit code: 0 all well, 1 something does not hold, 2 usage.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      runs: { type: "string" },
      plant: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return say(HELP, 0);
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : numberOf("--seed", values.seed);
  const runs = values.runs === undefined ? (values.seed === undefined ? 100 : 1) : numberOf("--runs", values.runs);
  const plant = values.plant === undefined ? undefined : PLANTS[values.plant];
  if (values.plant !== undefined && plant === undefined) {
    throw new RangeError(`--plant ${values.plant}: there is no such bug. Known: ${Object.keys(PLANTS).join(", ")}`);
  }
  const results: Result[] = [];
  for (let at = seed; at < seed + runs; at++) {
    const result = await simulate(at, plant === undefined ? {} : planted(plant));
    results.push(result);
    if (values.json) process.stdout.write(`${JSON.stringify(describeResult(result))}\n`);
    else if (result.faults.length > 0) {
      const again = `npm run simulate -- --seed ${at}${values.plant === undefined ? "" : ` --plant ${values.plant}`}`;
      process.stdout.write(`seed ${at} fails (again: ${again})\n  ${result.faults.join("\n  ")}\n`);
    }
  }
  const failed = results.filter(({ faults }) => faults.length > 0).length;
  if (!values.json) process.stdout.write(`${totalsOf(results)}\n`);
  return failed > 0 ? 1 : 0;
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`${option} ${text}: a whole number from 0 on is needed`);
}

function say(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof RangeError || String((error as { code?: string }).code).startsWith("ERR_PARSE_ARGS");
  process.stderr.write(`${isUsage ? (error as Error).message : String((error as Error).stack)}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
