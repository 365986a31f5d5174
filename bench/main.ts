/** `npm run bench -- NAME...`: runs the named benchmarks, or all that run unasked; prints one table. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BENCHES, type BenchContext } from "./benches.ts";
import { type Row, report } from "./report.ts";
import { type Services, startServices } from "./services.ts";

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name));
  if (values.help || unknown.length > 0) {
    const known = Object.entries(BENCHES).map(
      ([name, { about, onlyNamed }]) => `  ${name.padEnd(12)} ${about}${onlyNamed ? " (only when named)" : ""}`,
    );
    const complaint = unknown.length > 0 ? `no benchmark is called ${unknown.join(", ")}\n` : "";
    const usage = `usage: npm run bench [-- NAME...] [--json FILE]\n${known.join("\n")}\n`;
    process[values.help ? "stdout" : "stderr"].write(`${complaint}${usage}`);
    return values.help ? 0 : 2;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES).filter((name) => !BENCHES[name]?.onlyNamed);
  const folder = mkdtempSync(join(tmpdir(), "palermo-bench-"));
  let services: Promise<Services> | undefined;
  const context: BenchContext = {
    folder,
    services() {
      services ??= startServices();
      return services;
    },
  };
  const rows: Row[] = [];
  try {
    for (const name of names) {
      process.stderr.write(`${name} ...\n`);
      rows.push(...((await BENCHES[name]?.run(context)) ?? []));
    }
  } finally {
    await (await services)?.close();
    rmSync(folder, { recursive: true, force: true });
    if (rows.length > 0) report(rows, values.json);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  return 1;
});
