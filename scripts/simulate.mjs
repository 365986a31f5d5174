/**
 * `npm run simulate`: installs what is missing, then runs test/simulation/main.ts. Arguments go there:
 * `npm run simulate -- --seed 4711`, `npm run simulate -- --help`.
 */
import { join } from "node:path";
import { ensurePackages, foreground, root, runScript } from "./steps.mjs";

await runScript(async (args) => {
  await ensurePackages();
  return foreground(process.execPath, ["--import", "tsx", join(root, "test/simulation/main.ts"), ...args]);
});
