/**
 * Rows of a CSV file whose columns are named by the fields of Palermo's own schemas: `debtor.account`,
 * `links.0.token`. Empty cells are left out.
 */
import type { Reject } from "../base/errors.ts";
import { type FieldType, fieldType, type RecordSchema, readCell, recordFields, setAt } from "./record-fields.ts";
import { quoteCode, reject } from "./refusal.ts";

/** Turns the cells of a row into a record. */
export interface ColumnReader {
  read(cells: readonly string[]): { readonly value: unknown; readonly reject: undefined | Reject };
}

/**
 * A reader for a header. Without a `schema` column the schema follows from the columns. `unknown` names the
 * first column that is no field of it.
 */
export function createColumnReader(columns: readonly string[]): {
  readonly reader: ColumnReader;
  readonly schema: RecordSchema;
  readonly unknown: string | undefined;
} {
  const schema = schemaOf(columns);
  const fields = recordFields(schema);
  const known = columns.map((name) => ({ name, path: name.split("."), type: fieldType(fields, name) }));
  const unknown = known.find(({ type }) => type === undefined)?.name;
  const paths: readonly Column[] = known.map(({ name, path, type }) => ({ name, path, type: type ?? "text" }));
  return { reader: { read: (cells) => readRow(schema, paths, cells) }, schema, unknown };
}

interface Column {
  readonly name: string;
  readonly path: readonly string[];
  readonly type: FieldType;
}

function schemaOf(columns: readonly string[]): RecordSchema {
  if (columns.includes("validFrom")) return "party/1";
  return columns.includes("eventId") ? "event/1" : "tx/1";
}

function readRow(
  schema: RecordSchema,
  columns: readonly Column[],
  cells: readonly string[],
): ReturnType<ColumnReader["read"]> {
  const value: Record<string, unknown> = { schema };
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column;
    const text = (cells[i] ?? "").trim();
    if (text === "") continue;
    const cell = readCell(text, column.type);
    if (cell === undefined) {
      const expected = column.type === "integer" ? "a whole number" : "true or false";
      return { value: undefined, reject: reject("SCHEMA", column.name, expected, quoteCode(text)) };
    }
    setAt(value, column.path, cell);
  }
  return { value, reject: undefined };
}
