/**
 * Mapping files: how the columns of a foreign CSV file or the paths of a foreign JSON message become a record
 * of Palermo's schemas. The same file serves files and topics. `docs/mapping.md` tells how to write one.
 */
import type { Diagnostic, Reject } from "../base/errors.ts";
import { createFindings, type Findings } from "../rules/diagnostics.ts";
import { asMap, asScalar, checkKeys, dayAt, integerAt, type Keys, scalarAt, wordAt } from "../rules/shape.ts";
import {
  type MapNode,
  RULE_LIMITS,
  readSource,
  type ScalarNode,
  type SourceFile,
  type SourceNode,
} from "../rules/source.ts";
import { hintFor } from "../rules/suggest.ts";
import type { RecordPlace } from "./context.ts";
import type { RecordMapper } from "./decode.ts";
import {
  type Condition,
  compileField,
  type FieldReader,
  isFault,
  pathReader,
  type TextReader,
  templateReader,
} from "./mapping-field.ts";
import {
  type FieldType,
  fieldType,
  RECORD_SCHEMAS,
  type RecordSchema,
  readCell,
  recordFields,
  setAt,
} from "./record-fields.ts";
import { quoteCode, reject } from "./refusal.ts";
import { compileTimeFormat, type TimeReader } from "./time-format.ts";

export const MAPPING_SOURCES = ["csv", "json"] as const;

/** A mapping that was read without errors. */
export interface Mapping extends RecordMapper {
  /** Schema of the records that it makes. */
  readonly record: RecordSchema;
  /** What it reads; undefined: whatever the file is. */
  readonly source: (typeof MAPPING_SOURCES)[number] | undefined;
  /** Delimiter of CSV files; undefined: found from the header. */
  readonly delimiter: string | undefined;
}

/** Reads a mapping file. With errors there is no mapping; they are all told, each with its place. */
export function readMapping(file: SourceFile): {
  readonly mapping: Mapping | undefined;
  readonly diagnostics: readonly Diagnostic[];
} {
  const findings = createFindings();
  const root = readSource(file, RULE_LIMITS, findings);
  const mapping = root && compileMapping(root, findings);
  return { mapping: findings.errors === 0 ? mapping : undefined, diagnostics: findings.list() };
}

const ROOT_KEYS: Keys = {
  schema: "required",
  title: "optional",
  record: "optional",
  source: "optional",
  delimiter: "optional",
  fields: "required",
};
const FIELD_KEYS: Keys = {
  from: "optional",
  template: "optional",
  map: "optional",
  otherwise: "optional",
  default: "optional",
  when: "optional",
  decimal: "optional",
  absolute: "optional",
  minor_units: "optional",
  time: "optional",
  start: "optional",
  offset: "optional",
};
const CONDITION_KEYS: Keys = { from: "required", in: "optional", not_in: "optional" };
const REQUIRED: Readonly<Record<RecordSchema, readonly string[]>> = {
  "tx/1": ["txId", "occurredAt", "rail", "amount", "currency", "debtor.kind", "creditor.kind"],
  "party/1": ["validFrom"],
  "event/1": ["eventId", "occurredAt", "type", "entity.kind", "entity.token"],
};

interface Field {
  readonly name: string;
  readonly path: readonly string[];
  readonly readers: readonly FieldReader[];
}

function compileMapping(root: MapNode, findings: Findings): Mapping {
  checkKeys(root, ROOT_KEYS, "a mapping", findings);
  wordAt(root, "schema", ["mapping/v1"], findings);
  const record = wordAt(root, "record", RECORD_SCHEMAS, findings) ?? "tx/1";
  const source = wordAt(root, "source", MAPPING_SOURCES, findings);
  const delimiter = delimiterAt(root, findings);
  const node = root.byKey.get("fields");
  const fields = node === undefined ? [] : compileFields(node.value, record, findings);
  return { record, source, delimiter, map: (value, place) => mapRecord(record, fields, value, place) };
}

function mapRecord(
  schema: RecordSchema,
  fields: readonly Field[],
  source: unknown,
  place: RecordPlace,
): { value: unknown } | Reject {
  if (typeof source !== "object" || source === null) {
    return reject("MAPPING", "", "an object or a row to map", source === null ? "null" : `a ${typeof source}`);
  }
  const record: Record<string, unknown> = { schema };
  for (const field of fields) {
    for (const reader of field.readers) {
      const value = reader(source, place);
      if (value === undefined) continue;
      if (isFault(value)) return reject("MAPPING", field.name, value.expected, quoteCode(value.found));
      setAt(record, field.path, value);
      break;
    }
  }
  return { value: record };
}

function delimiterAt(root: MapNode, findings: Findings): string | undefined {
  const node = scalarAt(root, "delimiter", findings);
  if (node === undefined) return undefined;
  const delimiter = node.text === "tab" ? "\t" : node.text;
  if (delimiter.length === 1 && !/["\r\n]/.test(delimiter)) return delimiter;
  findings.add("E016", node, "`delimiter` must be one character or `tab`");
  return undefined;
}

function compileFields(node: SourceNode, record: RecordSchema, findings: Findings): Field[] {
  const map = asMap(node, "`fields`", findings);
  if (map === undefined) return [];
  const known = recordFields(record);
  const fields: Field[] = [];
  for (const { key, value } of map.entries) {
    const type = key.text === "schema" ? undefined : fieldType(known, key.text);
    if (type === undefined) {
      findings.add("E021", key, `${record} has no field \`${key.text.slice(0, 60)}\``, hintFor(key.text, known.keys()));
      continue;
    }
    const nodes = value.kind === "seq" ? value.items : [value];
    const readers = nodes.map((item) => compileNode(item, key.text, type, findings));
    fields.push({
      name: key.text,
      path: key.text.split("."),
      readers: readers.filter((reader) => reader !== undefined),
    });
  }
  for (const name of REQUIRED[record]) {
    if (!map.byKey.has(name)) findings.add("E011", map, `a mapping to ${record} needs \`${name}\``);
  }
  return fields;
}

function compileNode(node: SourceNode, name: string, type: FieldType, findings: Findings): FieldReader | undefined {
  if (node.kind !== "map") return constant(node, name, type, findings);
  checkKeys(node, FIELD_KEYS, `\`${name}\``, findings);
  const text = textReader(node, name, findings);
  const when = conditionAt(node, findings);
  const time = timeAt(node, findings);
  const map = valuesAt(node, type, findings);
  if (text === undefined) return undefined;
  return compileField({
    type,
    text,
    when,
    map,
    otherwise: checkedText(node, "otherwise", type, findings),
    fallback: checkedText(node, "default", type, findings),
    decimal: wordAt(node, "decimal", [".", ","], findings),
    absolute: wordAt(node, "absolute", ["true", "false"], findings) === "true",
    minorUnits: integerAt(node, "minor_units", 0, 18, findings),
    time,
  });
}

function constant(node: SourceNode, name: string, type: FieldType, findings: Findings): FieldReader | undefined {
  const scalar = asScalar(node, `\`${name}\``, findings);
  const value = scalar && checked(scalar, type, findings);
  return value === undefined ? undefined : () => value;
}

function textReader(node: MapNode, name: string, findings: Findings): TextReader | undefined {
  const from = scalarAt(node, "from", findings);
  const template = scalarAt(node, "template", findings);
  if (from !== undefined && template !== undefined) {
    findings.add("E012", template, `\`${name}\` has either \`from\` or \`template\``);
    return undefined;
  }
  if (from !== undefined) return pathReader(from.text);
  if (template !== undefined) {
    const rest = template.text.replace(/\{[^{}]+\}/g, "");
    if (!/[{}]/.test(rest)) return templateReader(template.text);
    findings.add("E016", template, "braces of a template come in pairs around a column, a path, row or line");
  } else if (!node.byKey.has("from") && !node.byKey.has("template")) {
    findings.add("E011", node, `\`${name}\` needs \`from\` or \`template\``);
  }
  return undefined;
}

function conditionAt(node: MapNode, findings: Findings): Condition | undefined {
  const entry = node.byKey.get("when");
  const map = entry && asMap(entry.value, "`when`", findings);
  if (map === undefined) return undefined;
  checkKeys(map, CONDITION_KEYS, "`when`", findings);
  const from = scalarAt(map, "from", findings);
  const among = map.byKey.get("in");
  const list = among ?? map.byKey.get("not_in");
  if (list === undefined || (among !== undefined && map.byKey.has("not_in"))) {
    findings.add("E011", map, "`when` needs either `in` or `not_in`");
    return undefined;
  }
  const items = list.value.kind === "seq" ? list.value.items : [list.value];
  const values = items.map((item) => (item.kind === "scalar" ? item.text : asScalar(item, "a value", findings)?.text));
  if (from === undefined) return undefined;
  const texts = values.filter((value) => value !== undefined);
  return { text: pathReader(from.text), values: new Set(texts), among: among !== undefined };
}

function timeAt(node: MapNode, findings: Findings): TimeReader | undefined {
  const format = scalarAt(node, "time", findings);
  const startMs = dayAt(node, "start", findings);
  const offset = scalarAt(node, "offset", findings);
  if (format === undefined) return undefined;
  const reader = compileTimeFormat({ format: format.text, startMs, offset: offset?.text });
  if (typeof reader !== "string") return reader;
  findings.add("E016", format, reader);
  return undefined;
}

function valuesAt(node: MapNode, type: FieldType, findings: Findings): ReadonlyMap<string, string> | undefined {
  const entry = node.byKey.get("map");
  const map = entry && asMap(entry.value, "`map`", findings);
  if (map === undefined) return undefined;
  const values = new Map<string, string>();
  for (const { key, value } of map.entries) {
    const scalar = asScalar(value, `\`${key.text}\``, findings);
    if (scalar !== undefined && checked(scalar, type, findings) !== undefined) values.set(key.text, scalar.text);
  }
  return values;
}

function checkedText(node: MapNode, key: string, type: FieldType, findings: Findings): string | undefined {
  const scalar = scalarAt(node, key, findings);
  return scalar === undefined || checked(scalar, type, findings) === undefined ? undefined : scalar.text;
}

function checked(node: ScalarNode, type: FieldType, findings: Findings): string | boolean | number | undefined {
  const value = readCell(node.text, type);
  if (value === undefined)
    findings.add("E016", node, type === "integer" ? "must be a whole number" : "must be true or false");
  return value;
}
