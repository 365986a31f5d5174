/** Opens an input file as decoded rows, whatever its form: NDJSON or CSV, plain or gzip, or standard input. */
import type { Decoder } from "../intake/decode.ts";
import type { Mapping } from "../intake/mapping.ts";
import { readCsv } from "./csv.ts";
import type { Item } from "./items.ts";
import { readNdjson } from "./ndjson.ts";
import type { Source } from "./source.ts";

/** Rows of a source. A mapping that names its source decides the form, else the name does: `.csv`, `.tsv`. */
export function readRecords(
  source: Source,
  decoder: Decoder,
  mapping: Mapping | undefined,
): AsyncGenerator<readonly Item[]> {
  const csv = mapping?.source === undefined ? isCsvName(source.file) : mapping.source === "csv";
  if (!csv) return readNdjson(source, decoder);
  return readCsv(source, decoder, { mapped: mapping !== undefined, delimiter: mapping?.delimiter });
}

function isCsvName(file: string): boolean {
  return /\.(?:csv|tsv)(?:\.gz)?$/i.test(file);
}
