/** Reads a mapping file from disk. */
import { readFileSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { type Mapping, readMapping } from "../intake/mapping.ts";

/** The mapping of a file. Throws UsageError, with all findings, when it is missing or at fault. */
export function readMappingFile(path: string): Mapping {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new UsageError(`${path}: ${missing ? "no such mapping file" : "the mapping file cannot be read"}`);
  }
  const { mapping, diagnostics } = readMapping({ path, text });
  if (mapping !== undefined) return mapping;
  throw new UsageError(`${path}: the mapping file has errors`, diagnostics);
}
