/**
 * `npm run test:faults`: every row of the fault matrix on a real Kafka and a real Redis, and what it measured into
 * docs/faults.md. Arguments go to Vitest (`npm run test:faults -- row-08`); rows that do not run keep their last
 * result.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensurePackages, foreground, root, runScript, say } from "./steps.mjs";

const PAGE = join(root, "docs/faults.md");
const HEAD = `# Fault matrix

Written by \`npm run test:faults\`, which runs every row on a real Apache Kafka and a real Redis, without Docker (about
25 minutes; \`npm run test:faults -- row-08\` runs one). Rows 1, 3, 4, 5, 7, 9, 12 and 13 run in \`npm test\` too, in
short form. The tests stand in \`test/faults\`, each named by its row.

The oracle of every row: the settled alerts on the topic and the state of every entity in Redis are those of one
ordered pass in memory over the same movements (\`test/faults/oracle.ts\`); what was sent again carries the id and
revision that it had, with the same content ("repeats by id"). To see the same by hand: kill anything during
\`palermo run\`, let it settle, then \`palermo verify\`. Times are those of one machine and what else it ran.

`;

await runScript(async (args) => {
  await ensurePackages();
  await ensureServices();
  const dir = mkdtempSync(join(tmpdir(), "palermo-faults-"));
  const file = join(dir, "rows.ndjson");
  try {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const wanted = args.length > 0 ? args : ["test/faults"];
    const env = { ...process.env, PALERMO_TEST_FAULTS: "all", PALERMO_TEST_FAULTS_FILE: file };
    const code = await foreground(process.execPath, [vitest, "run", "--project", "services", ...wanted], { env });
    writePage(existsSync(file) ? readFileSync(file, "utf8") : "");
    return code;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

function writePage(lines) {
  const rows = new Map(existsSync(PAGE) ? rowsOf(readFileSync(PAGE, "utf8")) : []);
  for (const line of lines.split("\n").filter((text) => text !== "")) {
    const { row, fault, how, mustHold, measured, seconds, result } = JSON.parse(line);
    const facts = Object.entries(measured).map(([what, value]) => `${what}: ${value}`);
    const cells = [row, fault, how, mustHold, facts.join("; "), `${result} (${seconds} s)`];
    rows.set(row, `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`);
  }
  const names = [...rows.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const table = ["| row | fault | how | must hold | measured | result |", "| --- | --- | --- | --- | --- | --- |"];
  writeFileSync(PAGE, `${HEAD}${[...table, ...names.map((name) => rows.get(name))].join("\n")}\n`);
  say(`docs/faults.md has ${rows.size} rows`);
}

/** Rows of the page by their name. */
function rowsOf(text) {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| row ") && !line.startsWith("| ---"))
    .map((line) => [line.split(" | ")[0].slice(2).trim(), line]);
}
