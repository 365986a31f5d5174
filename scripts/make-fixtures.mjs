/**
 * Writes `transactions.ndjson` and `parties.ndjson` of every folder of `fixtures/`. Seeded, so that the same
 * script gives the same bytes; what it writes is committed. `--check` writes nothing and exits with 1 when a
 * committed file differs. The alerts beside them are snapshots of `test/rules-content/fixtures.test.ts`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { addBackground } from "./fixtures/background.mjs";
import * as innocent from "./fixtures/innocent.mjs";
import * as suspicious from "./fixtures/suspicious.mjs";
import { createWorld } from "./fixtures/world.mjs";

/** Folder -> what happens in it. Days count from 1 March 2026. */
const STORIES = {
  "funnel-ring": (world) => suspicious.funnelRing(world, 5),
  "online-ads": (world) => suspicious.onlineAds(world, 20),
  labour: (world) => suspicious.labour(world, 5),
  "smuggling-collector": (world) => suspicious.smugglingCollector(world, 18),
  "micro-collection": (world) => suspicious.microCollection(world, 18),
  nexus: (world) => suspicious.nexus(world, 20),
  "family-remitter": (world) => innocent.familyRemitter(world, 75),
  "npo-appeal": (world) => innocent.npoAppeal(world, 20),
  lookalikes: everyInnocent,
  demo(world) {
    addBackground(world, 28, 60);
    suspicious.house(world, 20);
    suspicious.labour(world, 6);
    suspicious.smugglingCollector(world, 24);
    suspicious.listedCollector(world, 30);
    suspicious.nexus(world, 36);
    everyInnocent(world);
  },
};

function everyInnocent(world) {
  innocent.familyRemitter(world, 58);
  innocent.npoAppeal(world, 22);
  innocent.lawfulSexWorker(world, 26);
  innocent.student(world, 58);
  innocent.nightDriver(world, 4, 50);
  innocent.marketTrader(world, 8);
  innocent.landlord(world, 3);
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "fixtures");
const check = process.argv.includes("--check");
let differing = 0;
for (const [i, [name, tell]] of Object.entries(STORIES).entries()) {
  const world = createWorld(name, { seed: 20260301 + i });
  tell(world);
  const { parties, transactions } = world.records();
  put(name, "transactions.ndjson", transactions);
  if (parties.length > 0) put(name, "parties.ndjson", parties);
}
process.exitCode = differing > 0 ? 1 : 0;

function put(story, file, records) {
  const path = join(root, story, file);
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  if (!check) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    process.stdout.write(`${story}/${file}: ${records.length} records, ${Math.ceil(text.length / 1024)} KiB\n`);
    return;
  }
  let committed = "";
  try {
    committed = readFileSync(path, "utf8");
  } catch {
    // A missing file differs.
  }
  if (committed === text) return;
  differing++;
  process.stdout.write(`${story}/${file} differs from what scripts/make-fixtures.mjs gives\n`);
}
