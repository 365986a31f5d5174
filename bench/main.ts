/** `npm run bench -- NAME...`: runs the named benchmarks, or lists them where none or an unknown one is named. */
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** File that takes the results as JSON. */
  readonly json: string | undefined;
}

interface Bench {
  readonly about: string;
  /** Throws where it fails. */
  run(options: BenchOptions): Promise<void>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  smoke: { about: "a few seconds: does each benchmark still run", run: async () => undefined },
};

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: "string" } },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name));
  if (positionals.length === 0 || unknown.length > 0) {
    const known = Object.entries(BENCHES).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`);
    const complaint = unknown.length > 0 ? `no benchmark is called ${unknown.join(", ")}\n` : "";
    process.stderr.write(`${complaint}usage: npm run bench -- NAME... [--json FILE]\n${known.join("\n")}\n`);
    return 2;
  }
  for (const name of positionals) await BENCHES[name]?.run({ json: values.json });
  return 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  return 1;
});
