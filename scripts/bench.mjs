/**
 * `npm run bench`: installs and builds what is missing, then runs bench/main.ts against the built code. Arguments are
 * names of benchmarks: `npm run bench -- replay --json FILE`.
 */
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensureBuild, ensurePackages, foreground, root, runScript } from "./steps.mjs";

await runScript(async (args) => {
  await ensurePackages();
  await ensureServices();
  await ensureBuild();
  return foreground(process.execPath, [
    "--max-old-space-size=12288",
    "--import",
    "tsx",
    join(root, "bench/main.ts"),
    ...args,
  ]);
});
