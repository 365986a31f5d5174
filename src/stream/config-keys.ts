/** The configuration's keys as a flat list, derived from the schema: for sources, flags, printing and docs. */
import { z } from "zod";
import { type Config, configSchema } from "./config-schema.ts";

/** One key of the configuration. */
export interface ConfigKey {
  /** Dotted, such as `kafka.brokers`. */
  readonly path: string;
  /** Such as PALERMO_KAFKA_BROKERS. */
  readonly env: string;
  /** Such as `--kafka-brokers`. */
  readonly flag: string;
  readonly kind: "text" | "number" | "boolean" | "list";
  readonly about: string;
  /** As text; undefined when the key has no default. */
  readonly fallback: string | undefined;
  readonly choices: readonly string[] | undefined;
  readonly secret: boolean;
}

export type Tree = { [key: string]: unknown };

/** Every key, in the order of the schema. */
export function configKeys(): ConfigKey[] {
  return keysOf(configSchema, []);
}

/** The value under a dotted path, undefined where there is none. */
export function valueAt(tree: unknown, path: string): unknown {
  let at = tree;
  for (const part of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Tree)[part];
  }
  return at;
}

/** The configuration as YAML, one `key.path: value` a line, with secrets and passwords in URLs masked. */
export function printConfig(config: Config): string {
  const lines = configKeys().map((key) => {
    const value = valueAt(config, key.path);
    if (value === undefined) return `# ${key.path}: (not set)`;
    const text = Array.isArray(value) ? value.join(",") : String(value);
    return `${key.path}: ${key.secret ? MASK : maskUrl(text)}`;
  });
  return `${lines.join("\n")}\n`;
}

/** A URL without its password. */
export function maskUrl(text: string): string {
  return text.replace(/^([a-z]+:\/\/[^:@/]*:).*@/i, `$1${MASK}@`);
}

/** `docs/configuration.md`. */
export function configReference(): string {
  const rows = configKeys().map((key) => {
    const about = key.choices ? `${key.about} One of ${key.choices.map((c) => `\`${c}\``).join(", ")}.` : key.about;
    const fallback = key.fallback === undefined || key.fallback === "" ? "" : `\`${key.fallback}\``;
    return `| \`${key.path}\` | \`${key.env}\` | ${fallback} | ${about} |`;
  });
  const head = ["| key | environment | default | meaning |", "| --- | --- | --- | --- |"];
  return `${REFERENCE_HEAD}\n${[...head, ...rows].join("\n")}\n`;
}

const MASK = "********";

const REFERENCE_HEAD = `# Configuration of \`palermo run\`

Generated from \`src/stream/config-schema.ts\`; \`npx vitest run test/stream/config.test.ts -u\` writes it again.

A key comes from the first of these that names it: a flag, the environment, the file given by \`--config\` (or
\`PALERMO_CONFIG\`), its default. \`kafka.clientId\` is \`--kafka-client-id\`, \`PALERMO_KAFKA_CLIENT_ID\`, and in the
file

\`\`\`yaml
kafka:
  clientId: palermo
\`\`\`

An unknown name is an error in each of them. \`palermo run --print-config\` prints what is in force, secrets masked,
and ends.
Keep passwords in the environment, never on the command line, where other users of the machine can read them.
`;

function keysOf(schema: z.ZodObject, above: readonly string[]): ConfigKey[] {
  return Object.entries(schema.shape).flatMap(([name, value]) => {
    const path = [...above, name];
    return value instanceof z.ZodObject ? keysOf(value, path) : [keyOf(value as z.ZodType, path)];
  });
}

function keyOf(schema: z.ZodType, path: readonly string[]): ConfigKey {
  let fallback: unknown;
  let inner = schema;
  let isSecret = false;
  let about = "";
  for (;;) {
    const meta = inner.meta();
    isSecret ||= meta?.secret === true;
    about ||= meta?.description ?? "";
    if (inner instanceof z.ZodDefault) fallback = inner.def.defaultValue;
    if (!(inner instanceof z.ZodDefault || inner instanceof z.ZodOptional)) break;
    inner = inner.unwrap() as z.ZodType;
  }
  const words = path.map((part) => part.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  return {
    path: path.join("."),
    env: `PALERMO_${words.join("_").replaceAll("-", "_").toUpperCase()}`,
    flag: `--${words.join("-")}`,
    kind: kindOf(inner),
    about,
    fallback: fallback === undefined ? undefined : String(fallback),
    choices: inner instanceof z.ZodEnum ? inner.options.map(String) : undefined,
    secret: isSecret,
  };
}

function kindOf(schema: z.ZodType): ConfigKey["kind"] {
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  return schema instanceof z.ZodArray ? "list" : "text";
}
