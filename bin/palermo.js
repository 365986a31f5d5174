#!/usr/bin/env -S node --max-semi-space-size=32
/**
 * The command `palermo`: runs what `npm run build` compiled to dist. What a batch brings lives for one commit: with
 * room of 32 MiB instead of 16 for what is young more of it dies there.
 */
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
