/**
 * `npm test`: installs what is missing, builds, and runs all tests against a real Kafka and a real Redis. Arguments go
 * to Vitest: `npm test -- test/rules`. The last line of the output is `N passed, N failed`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensureBuild, ensurePackages, foreground, root, runScript } from "./steps.mjs";

let counts;
await runScript(async (args) => {
  await ensurePackages();
  await ensureServices();
  await ensureBuild();
  const dir = mkdtempSync(join(tmpdir(), "palermo-test-"));
  const file = join(dir, "results.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const code = await foreground(process.execPath, [vitest, "run", ...reporters, ...args]);
    counts = count(file);
    return code === 0 && (counts === undefined || counts.failed > 0) ? 1 : code;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

const passed = counts?.passed ?? 0;
// A run that failed as a whole (no build, no service, an error outside any test) counts as one failure.
const failed = Math.max(counts?.failed ?? 0, process.exitCode === 0 ? 0 : 1);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);

/** Tests that passed and failed, from Vitest's own report; a file that could not be loaded is one that failed. */
function count(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
  const unloaded = report.testResults.filter(
    (result) => result.status === "failed" && result.assertionResults.every((test) => test.status !== "failed"),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length };
}
