/** `npm run sizing`: builds what is missing, measures unit costs, writes the tables of docs/operations.md. */
import { join } from "node:path";
import { ensureServices } from "./services.mjs";
import { ensureBuild, ensurePackages, foreground, root, runScript } from "./steps.mjs";

await runScript(async (args) => {
  await ensurePackages();
  await ensureServices();
  await ensureBuild();
  return foreground(process.execPath, ["--import", "tsx", join(root, "bench/sizing.ts"), ...args]);
});
