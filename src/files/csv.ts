/**
 * CSV with a header row. With a mapping the columns may be called anything; without one they are the dotted
 * paths of Palermo's own schemas, such as `debtor.account`. A row that cannot be read is a reject and costs
 * itself alone.
 */
import { type Reject, UsageError } from "../base/errors.ts";
import { RECORD_BYTES_MAX } from "../base/limits.ts";
import { type ColumnReader, createColumnReader } from "../intake/columns.ts";
import { badUtf8, type Decoder } from "../intake/decode.ts";
import { type CsvRow, createCsvCutter } from "./csv-rows.ts";
import { createItemMaker, type Item } from "./items.ts";
import type { Source } from "./source.ts";

export interface CsvOptions {
  /** True: rows go to the decoder's mapping as they are. */
  readonly mapped: boolean;
  /** Undefined: the likeliest of comma, semicolon, tab and bar by the header row. */
  readonly delimiter: string | undefined;
}

/** Decoded rows of a source, in batches in the order of the file. */
export async function* readCsv(source: Source, decoder: Decoder, options: CsvOptions): AsyncGenerator<readonly Item[]> {
  const pieces = source.pieces();
  try {
    const head = await headOf(pieces);
    if (head.length === 0) return;
    const cutter = createCsvCutter(options.delimiter ?? likelyDelimiter(head), RECORD_BYTES_MAX);
    const rows = createRowReader(source.file, decoder, options.mapped);
    // Bytes that are not UTF-8 become U+FFFD, which the row reader refuses.
    const text = new TextDecoder("utf-8", { ignoreBOM: true });
    yield rows.read(cutter.push(text.decode(head, { stream: true })));
    for await (const piece of pieces) yield rows.read(cutter.push(text.decode(piece, { stream: true })));
    yield rows.read([...cutter.push(text.decode()), ...cutter.end()]);
  } finally {
    await pieces.return(undefined);
  }
}

const HEADER_BYTES_MAX = 64 * 1024;
const DELIMITERS = [",", ";", "\t", "|"];
const FORBIDDEN_COLUMNS = new Set(["__proto__", "constructor", "prototype"]);

/** The first piece that holds the whole header row. */
async function headOf(pieces: AsyncGenerator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return head;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    if (head.includes(10) || head.length > HEADER_BYTES_MAX) return head;
  }
}

function likelyDelimiter(head: Buffer): string {
  const end = head.indexOf(10);
  const header = head
    .toString("utf8", 0, end < 0 ? Math.min(head.length, HEADER_BYTES_MAX) : end)
    .replace(/"[^"]*"/g, "");
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

interface RowReader {
  read(rows: readonly CsvRow[]): Item[];
}

function createRowReader(file: string, decoder: Decoder, mapped: boolean): RowReader {
  const maker = createItemMaker(file);
  let columns: readonly string[] | undefined;
  let reader: ColumnReader | undefined;
  const place = { row: 0, line: 0 };

  function item({ line, length, cells }: CsvRow, header: readonly string[], read: ColumnReader["read"]): Item {
    place.row += 1;
    place.line = line;
    if (cells === undefined) {
      return maker.reject(
        line,
        length,
        malformed("quotes around whole cells, doubled inside", "quotes that do not fit"),
      );
    }
    if (cells.length !== header.length) {
      return maker.reject(line, length, malformed(`${header.length} cells, as in the header`, `${cells.length} cells`));
    }
    if (cells.some((cell) => cell.includes("\ufffd"))) return maker.reject(line, length, badUtf8());
    const record = read(cells);
    if (record.reject !== undefined) return maker.reject(line, length, record.reject);
    return maker.item(line, length, decoder.decodeValue(record.value, place));
  }

  return {
    read(rows) {
      const items: Item[] = [];
      for (const row of rows) {
        if (columns === undefined || reader === undefined) {
          columns = headerOf(file, row);
          reader = mapped ? mappedColumns(columns) : ownColumns(file, columns);
        } else {
          items.push(item(row, columns, reader.read));
        }
      }
      return items;
    },
  };
}

function malformed(expected: string, found: string): Reject {
  return { code: "MALFORMED_CSV", field: "", expected, found };
}

function headerOf(file: string, { line, cells }: CsvRow): readonly string[] {
  if (cells === undefined) throw new UsageError(`${file}:${line}: the header row has quotes that do not fit`);
  const columns = cells.map((name) => name.trim());
  const repeated = columns.find((name, index) => columns.indexOf(name) !== index);
  if (repeated !== undefined) throw new UsageError(`${file}: the header names the column "${repeated}" twice`);
  const forbidden = columns.find((name) => FORBIDDEN_COLUMNS.has(name));
  if (forbidden !== undefined) throw new UsageError(`${file}: a column may not be called "${forbidden}"`);
  return columns;
}

function mappedColumns(columns: readonly string[]): ColumnReader {
  return {
    read(cells) {
      const value: Record<string, string> = {};
      for (let i = 0; i < columns.length; i++) value[columns[i] as string] = cells[i] as string;
      return { value, reject: undefined };
    },
  };
}

function ownColumns(file: string, columns: readonly string[]): ColumnReader {
  const made = createColumnReader(columns);
  if (made.unknown === undefined) return made.reader;
  const hint = "columns are fields such as debtor.account; for other names give a mapping file (--mapping)";
  throw new UsageError(`${file}: no field is called "${made.unknown}" in ${made.schema}; ${hint}`);
}
