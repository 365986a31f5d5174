/**
 * The fields of Palermo's record schemas by dotted path, read off the zod schemas themselves: what a mapping
 * may write to, what a column of a CSV file may be called, and what its text becomes.
 */
import type { z } from "zod";
import { eventRecordSchema } from "../domain/event-record.ts";
import { movementSchema } from "../domain/movement.ts";
import { accountOnlySchema, partyOnlySchema } from "../domain/party-record.ts";

export const RECORD_SCHEMAS = ["tx/1", "party/1", "event/1"] as const;
export type RecordSchema = (typeof RECORD_SCHEMAS)[number];

/** How the text of a cell is read for a field. */
export type FieldType = "text" | "boolean" | "integer";

/** Fields of a schema by path; positions in lists are written `*`, as in `debtor.links.*.token`. */
export function recordFields(schema: RecordSchema): ReadonlyMap<string, FieldType> {
  const fields = new Map<string, FieldType>();
  for (const part of SCHEMAS[schema]) collect(part, "", fields);
  return fields;
}

/** The type of a concrete path such as `debtor.links.0.token`; undefined when the schema has no such field. */
export function fieldType(fields: ReadonlyMap<string, FieldType>, path: string): FieldType | undefined {
  return fields.get(path.replace(/\.(?:0|[1-9]\d?)(?=\.|$)/g, ".*"));
}

/** Reads the text of a cell as a field's type; undefined when it is none. */
export function readCell(text: string, type: FieldType): string | boolean | number | undefined {
  if (type === "text") return text;
  if (type === "integer") return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  const lower = text.toLowerCase();
  return lower === "true" || lower === "1" ? true : lower === "false" || lower === "0" ? false : undefined;
}

/** Sets a value in a nested record, making objects and lists on the way. `path` must be a field of a schema. */
export function setAt(record: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let current: Record<string, unknown> = record;
  for (let i = 0; i < path.length - 1; i++) {
    const name = path[i] as string;
    let next = current[name];
    if (next === undefined) {
      next = /^\d/.test(path[i + 1] as string) ? [] : {};
      current[name] = next;
    }
    current = next as Record<string, unknown>;
  }
  current[path[path.length - 1] as string] = value;
}

const SCHEMAS: Readonly<Record<RecordSchema, readonly z.ZodType[]>> = {
  "tx/1": [movementSchema],
  "party/1": [partyOnlySchema, accountOnlySchema],
  "event/1": [eventRecordSchema],
};

/** Just enough of zod's definitions to walk objects, lists and optional members. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

function collect(schema: z.ZodType, path: string, fields: Map<string, FieldType>): void {
  const definition = schema.def as unknown as Definition;
  if (definition.innerType !== undefined) {
    collect(definition.innerType, path, fields);
  } else if (definition.element !== undefined) {
    collect(definition.element, `${path}.*`, fields);
  } else if (definition.shape !== undefined) {
    for (const [name, member] of Object.entries(definition.shape)) {
      collect(member, path === "" ? name : `${path}.${name}`, fields);
    }
  } else {
    const { type } = definition;
    fields.set(path, type === "boolean" ? "boolean" : type === "number" || type === "int" ? "integer" : "text");
  }
}
