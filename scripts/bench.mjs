/**
 * `npm run bench` and `npm run sizing`: installs and builds what is missing, then runs a file of bench/, the first
 * argument, against the built code. The others are its own: `npm run bench -- replay --json FILE`.
 */
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensureBuild, ensurePackages, foreground, root, runScript } from "./steps.mjs";

await runScript(async ([file, ...args]) => {
  await ensurePackages();
  await ensureServices();
  await ensureBuild();
  return foreground(process.execPath, [
    "--max-old-space-size=12288",
    "--import",
    "tsx",
    join(root, "bench", file),
    ...args,
  ]);
});
