/**
 * `npm start`: installs and builds what is missing, then screens a small fixture on this machine, without Kafka and
 * Redis. Arguments go to palermo in the place of the demonstration: `npm start -- replay my.ndjson`.
 */
import { join } from "node:path";
import { ensureBuild, ensurePackages, foreground, root, runScript, say } from "./steps.mjs";

const DEMO = ["replay", "fixtures/demo/transactions.ndjson", "--parties", "fixtures/demo/parties.ndjson"];
const NEXT = `
What to try next:
  npm start -- replay YOUR.ndjson          screen transactions of your own (README.md says how a line looks)
  npm start -- rules test rules            run the examples that each rule carries with it
  ls fixtures rules                        read a story, or a rule: both are written for people
  npm start -- --help                      everything that palermo can do
  docker compose up --build                the same screening on Kafka and Redis`;

await runScript(async (args) => {
  await ensurePackages();
  await ensureBuild();
  const isDemo = args.length === 0;
  if (isDemo) say(`\nScreening a fixture: palermo ${DEMO.join(" ")}\n`);
  const command = isDemo ? [...DEMO, "--format", "text"] : args;
  // The user's own paths are meant from where npm was called; the demonstration's from here.
  const cwd = isDemo ? root : (process.env.INIT_CWD ?? process.cwd());
  const code = await foreground(process.execPath, [join(root, "bin/palermo.js"), ...command], { cwd });
  if (isDemo && code === 0) say(NEXT);
  return code;
});
