/** What `rules check` says about one faulty file, in its printed form. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatDiagnostic } from "../../src/rules/diagnostics.ts";
import { loadPack } from "../../src/rules/load.ts";
import { indicator, LISTS } from "./build.ts";

const DIR = join(import.meta.dirname, "bad");
const OTHER = indicator(
  "HT-OTHER-01",
  "aggregates: { n: { count: events, last: 7d } }\nwhen: { all: [ { many: agg.n >= 5 } ] }\n",
);

/** Every finding about `name`, loaded beside a sound rule and the sample lists. */
export function golden(name: string): string {
  const text = readFileSync(join(DIR, name), "utf8");
  const path = name.replace(".bad.yaml", ".yaml");
  const { diagnostics } = loadPack([...LISTS, OTHER, { path, text }], { asOf: Date.UTC(2026, 0, 1) });
  const own = diagnostics.filter((d) => d.file === path);
  return `${own.map((d) => formatDiagnostic(d, new Map([[path, text]]), false)).join("\n")}\n`;
}
