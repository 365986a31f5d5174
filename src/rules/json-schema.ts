/**
 * The JSON Schema of rule files, for editors: which keys there are, which words a key takes, which fields,
 * functions, lists and rules may be named. Keys and words come from the tables that the loader reads with;
 * what only the loader can judge (expressions, units, cycles) is left to `rules check`.
 */
import { ENTITY_KINDS } from "../domain/entity.ts";
import { CHANNELS, PURPOSES, RAILS, STAGES } from "../domain/tx.ts";
import { ALERT_CLASSES, CRIMES, PARTY_ROLES, RULE_STATUSES } from "../domain/vocabulary.ts";
import { CITATIONS } from "./citations.ts";
import { FIELDS } from "./fields.ts";
import { FUNCTIONS } from "./functions.ts";
import { INDICATOR_KEYS, RULE_ID, TYPOLOGY_KEYS } from "./schema.ts";
import { AGGREGATE_WORDS, CALENDAR_PERIODS, MEASURED_KEYS, PAST_WORDS } from "./schema-aggregates.ts";
import { REMOTE_WORDS, STEP_KEYS } from "./schema-clauses.ts";
import { HIT_KEYS, SCOPE_KEYS } from "./schema-parts.ts";
import type { Keys } from "./shape.ts";

/** Names of a folder, for completion. */
export interface KnownNames {
  readonly rules: readonly string[];
  readonly lists: readonly string[];
}

type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: "string" };
const NAME = "^[a-z][a-z0-9_]{0,39}$";
const VALUE: Schema = { type: ["string", "number"], examples: ["3", "80%", "3000 EUR", "14d", "100 km", "22:00"] };

/** The text of the JSON Schema (draft 7, which editors know best), the same for the same names. */
export function ruleSchemaText(names: KnownNames): string {
  const words = [...FUNCTIONS.values()].map(({ signature, doc }) => `${signature}: ${doc}`);
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: "urn:palermo:schema:rule-v1",
    title: "Rule of Palermo (rule/v1)",
    type: "object",
    required: ["kind"],
    if: { properties: { kind: { const: "typology" } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: object(TYPOLOGY_KEYS, propertiesOf(names)),
    else: object(INDICATOR_KEYS, propertiesOf(names)),
    definitions: {
      expression: {
        type: ["string", "number", "boolean"],
        description: `A condition or value. Functions: ${words.join("; ")}.`,
        examples: [...names.lists.map((id) => `other.id in lists.${id}`), "agg.n >= params.least"],
      },
      value: { anyOf: [{ enum: [...FIELDS.values()].map(({ name }) => name) }, { $ref: "#/definitions/expression" }] },
      clause: { type: "object", minProperties: 1, maxProperties: 1, description: "`name: expression`, or a branch" },
      scope: object(SCOPE_KEYS, {
        rail: oneOrMore(RAILS),
        direction: oneOrMore(["in", "out"]),
        channel: oneOrMore(CHANNELS),
        purpose: oneOrMore(PURPOSES),
        stage: oneOrMore(STAGES),
      }),
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** What each key takes; a key of the loader that is not here takes anything. */
function propertiesOf(names: KnownNames): Readonly<Record<string, Schema>> {
  const expression: Schema = { $ref: "#/definitions/expression" };
  const clause: Schema = { $ref: "#/definitions/clause" };
  const citations = [...CITATIONS.keys()];
  const scored = { type: "object", minProperties: 1, maxProperties: 1 };
  return {
    schema: { const: "rule/v1" },
    kind: { enum: ["indicator", "typology"] },
    id: { type: "string", pattern: RULE_ID.source, maxLength: 40 },
    version: { type: "integer", minimum: 1 },
    title: TEXT,
    crime: { enum: CRIMES },
    status: { enum: RULE_STATUSES },
    effectiveFrom: { type: "string", examples: ["2026-11-01"] },
    retired: strict({ because: TEXT }),
    sources: arrayOf(strict({ doc: { enum: citations }, point: TEXT })),
    subject: { enum: ENTITY_KINDS },
    roles: strict(
      { self: strict({ may_be: oneOrMore(PARTY_ROLES) }), other: strict({ may_be: oneOrMore(PARTY_ROLES) }) },
      false,
    ),
    scope: { $ref: "#/definitions/scope" },
    params: named(
      strict({ value: VALUE, range: { type: "array", items: VALUE, minItems: 2, maxItems: 2 }, step: VALUE }, false),
    ),
    filters: named(expression),
    aggregates: named(aggregate()),
    hits: named(
      object(HIT_KEYS, {
        of: oneOrMoreOf(suggested(names.rules)),
        from: suggested(["self", "accounts", "linked(phone)", "upstream(2)", "downstream(2)"]),
        last: VALUE,
        count: { enum: ["episodes", "sources"] },
      }),
    ),
    flow: {
      type: "object",
      properties: {
        remote: { enum: REMOTE_WORDS },
        steps: arrayOf(named(object(STEP_KEYS, { scope: { $ref: "#/definitions/scope" }, until: clause }))),
      },
    },
    when: clause,
    exceptions: named(strict({ fields: oneOrMoreOf(suggested([...FIELDS.values()].map(({ name }) => name))) })),
    scoring: {
      type: "object",
      properties: { indicators: arrayOf(scored), reduce: arrayOf(scored), family_cap: { type: "integer", minimum: 1 } },
    },
    alert_when: clause,
    severity: strict(
      Object.fromEntries(["medium", "high", "critical"].map((band) => [band, { type: "integer", minimum: 1 }])),
      false,
    ),
    alert_class: { enum: ALERT_CLASSES },
    supersedes: arrayOf(suggested(names.rules)),
    alone: strict({ because: TEXT }),
    explain: TEXT,
    cautions: arrayOf(TEXT),
    suppress: strict({ for: VALUE }),
    tests: arrayOf({
      type: "object",
      properties: { kind: { enum: ["fires", "near_miss", "look_alike"] }, given: given() },
    }),
  };
}

/** What an inline test puts in place of what the files have. */
function given(): Schema {
  const list: Schema = { type: "array" };
  const groups: Schema = { type: "object", minProperties: 1, additionalProperties: VALUE };
  const profile: Schema = { type: "object" };
  return strict({ history: VALUE, profile, lists: named(list), peers: named(groups), hits: list, marks: list }, false);
}

function aggregate(): Schema {
  const words = [...new Set<string>([...AGGREGATE_WORDS, ...PAST_WORDS])];
  const value: Schema = { $ref: "#/definitions/value" };
  return {
    type: "object",
    properties: {
      ...Object.fromEntries(words.map((word) => [word, value])),
      ...Object.fromEntries(Object.keys(MEASURED_KEYS).map((key) => [key, {}])),
      count: { const: "events" },
      where: { $ref: "#/definitions/expression" },
      by: value,
      calendar: { enum: CALENDAR_PERIODS },
      scope: { $ref: "#/definitions/scope" },
    },
  };
}

/** A mapping with exactly the keys of a table of the loader. */
function object(keys: Keys, properties: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(keys);
  return {
    type: "object",
    additionalProperties: false,
    required: names.filter((name) => keys[name] === "required"),
    properties: Object.fromEntries(names.map((name) => [name, properties[name] ?? {}])),
  };
}

/** A small mapping that the loader reads key by key. */
function strict(properties: Readonly<Record<string, Schema>>, allRequired = true): Schema {
  const required = allRequired ? { required: Object.keys(properties) } : {};
  return { type: "object", additionalProperties: false, ...required, properties };
}

function named(of: Schema): Schema {
  return { type: "object", propertyNames: { pattern: NAME }, additionalProperties: of };
}

function arrayOf(items: Schema): Schema {
  return { type: "array", items };
}

function oneOrMore(words: readonly string[]): Schema {
  return oneOrMoreOf({ enum: words });
}

function oneOrMoreOf(of: Schema): Schema {
  return { anyOf: [of, { type: "array", items: of, minItems: 1 }] };
}

/** Known names for completion; others may come from another file. */
function suggested(names: readonly string[]): Schema {
  return names.length === 0 ? TEXT : { anyOf: [{ enum: names }, TEXT] };
}
