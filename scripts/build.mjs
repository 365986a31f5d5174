/**
 * `npm run build`: compiles src to dist, puts beside it what is not TypeScript (Lua functions), and removes from dist
 * what has no source any more. The marker `dist/.built` carries the time of the last whole build.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildMarker, foreground, root, runScript } from "./steps.mjs";

const SRC = join(root, "src");
const DIST = join(root, "dist");

await runScript(async () => {
  // What changes while the compiler runs is newer than this build.
  const started = new Date();
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const code = await foreground(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json")]);
  const sources = filesBelow(SRC);
  const assets = sources.filter((file) => !file.endsWith(".ts"));
  for (const file of assets) {
    mkdirSync(dirname(join(DIST, file)), { recursive: true });
    copyFileSync(join(SRC, file), join(DIST, file));
  }
  for (const file of filesBelow(DIST)) {
    const source = file.replace(/\.js(\.map)?$/, ".ts");
    if (!existsSync(join(SRC, source))) rmSync(join(DIST, file));
  }
  if (code !== 0) return code;
  writeFileSync(buildMarker, `${started.toISOString()}\n`);
  utimesSync(buildMarker, started, started);
  return 0;
});

/** Paths of all files below a folder, relative to it. */
function filesBelow(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(dir.length + 1));
}
