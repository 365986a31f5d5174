/**
 * Writes the JSON Schemas in schema/ and the AsyncAPI document from their sources, the zod schemas and the tables of
 * the rule loader:
 *   node scripts/make-schema.mjs            writes those that are out of date
 *   node scripts/make-schema.mjs --check    writes nothing; exits with 1 when one is out of date
 * A test holds the files in the repository against the same functions.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tsImport } from "tsx/esm/api";

const check = process.argv.includes("--check");
const folder = new URL("../schema/", import.meta.url);
const { CONTRACTS, schemaText } = await tsImport("../src/cli/schemas.ts", import.meta.url);
const { ruleSchemaText } = await tsImport("../src/rules/json-schema.ts", import.meta.url);
const { asyncApiText } = await tsImport("../src/cli/asyncapi.ts", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

mkdirSync(folder, { recursive: true });
for (const contract of CONTRACTS) put(contract.file, schemaText(contract));
put("rule-v1.json", ruleSchemaText({ rules: [], lists: [] }));
put("asyncapi.json", asyncApiText(version));

function put(file, text) {
  const path = new URL(file, folder);
  if (text === readIfThere(path)) return;
  if (check) process.exitCode = 1;
  else writeFileSync(path, text);
  console.log(`schema/${file}: ${check ? "out of date, run node scripts/make-schema.mjs" : "written"}`);
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
