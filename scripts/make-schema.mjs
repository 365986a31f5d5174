/**
 * Writes the JSON Schemas in schema/ from the zod schemas, which are their source:
 *   node scripts/make-schema.mjs            writes those that are out of date
 *   node scripts/make-schema.mjs --check    writes nothing; exits with 1 when one is out of date
 * A test holds the files in the repository against the same functions.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tsImport } from "tsx/esm/api";

const check = process.argv.includes("--check");
const folder = new URL("../schema/", import.meta.url);
const { CONTRACTS, schemaText } = await tsImport("../src/cli/schemas.ts", import.meta.url);

mkdirSync(folder, { recursive: true });
for (const contract of CONTRACTS) {
  const text = schemaText(contract);
  const path = new URL(contract.file, folder);
  if (text === readIfThere(path)) continue;
  if (check) process.exitCode = 1;
  else writeFileSync(path, text);
  console.log(`schema/${contract.file}: ${check ? "out of date, run node scripts/make-schema.mjs" : "written"}`);
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
