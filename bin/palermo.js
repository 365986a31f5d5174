#!/usr/bin/env node
/** The command `palermo`: runs what `npm run build` compiled to dist. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(fileURLToPath(built))) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write("palermo: not built yet. Run `npm run build`, or `npm start`, which does all that is needed.\n");
  process.exitCode = 1;
}
