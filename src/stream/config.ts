/**
 * Reads the configuration from its sources, each over the one before: defaults, a YAML file, the
 * environment, flags. Every finding is told at once, with its file and line or the name at fault; a name
 * that is no key is an error with the nearest one.
 */
import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import type { z } from "zod";
import { type Diagnostic, UsageError } from "../base/errors.ts";
import { hintFor } from "../rules/suggest.ts";
import { type ConfigKey, configKeys, type Tree } from "./config-keys.ts";
import { type Config, configSchema } from "./config-schema.ts";

export { type ConfigKey, configKeys, configReference, maskUrl, printConfig } from "./config-keys.ts";
export type { Config } from "./config-schema.ts";

export interface ConfigSources {
  /** Name and text of the YAML file. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Dotted key to text, as given on the command line. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** Merges the sources and checks the whole. Throws UsageError with every finding. */
export function loadConfig(sources: ConfigSources): Config {
  const reading: Reading = { keys: configKeys(), tree: {}, places: new Map(), findings: [] };
  if (sources.file) readFile(sources.file, reading);
  readEnvironment(sources.env ?? {}, reading);
  readFlags(sources.flags ?? {}, reading);
  for (const key of reading.keys) ensureSection(reading.tree, key.path);
  const checked = configSchema.safeParse(reading.tree);
  for (const issue of checked.error?.issues ?? []) reading.findings.push(schemaFinding(issue, reading));
  if (reading.findings.length > 0 || !checked.success) {
    throw new UsageError("the configuration is at fault", reading.findings);
  }
  return checked.data;
}

/** Names of the environment that begin with PALERMO_ and are not ours to judge. */
const FOREIGN_ENV = /^PALERMO_(CONFIG$|TEST_|SERVICE_|PORT(_|$))/;

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface Reading {
  readonly keys: readonly ConfigKey[];
  readonly tree: Tree;
  /** Where each dotted path was set last. */
  readonly places: Map<string, Place>;
  readonly findings: Diagnostic[];
}

function readFile(file: { readonly name: string; readonly text: string }, reading: Reading): void {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, uniqueKeys: true });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file: file.name, line, column: col };
  };
  for (const error of [...document.errors, ...document.warnings]) {
    reading.findings.push(finding(placeOf(error.pos[0]), error.message.split("\n")[0] ?? "not YAML"));
  }
  if (document.errors.length > 0 || document.contents === null) return;
  if (!isMap(document.contents)) {
    reading.findings.push(
      finding({ file: file.name, line: 1, column: 1 }, "expected keys and values, such as `role: intake`"),
    );
    return;
  }
  const visit = (map: YAMLMap, above: readonly string[]): void => {
    for (const pair of map.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : "";
      const dotted = [...above, name].join(".");
      const place = placeOf(isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0);
      const isSection = reading.keys.some((key) => key.path.startsWith(`${dotted}.`));
      if (isMap(pair.value) && isSection) visit(pair.value, [...above, name]);
      else if (reading.keys.some((key) => key.path === dotted)) {
        const value = isMap(pair.value) ? {} : (pair.value as { toJSON?: () => unknown } | null)?.toJSON?.();
        setAt(reading.tree, dotted, value ?? undefined);
        reading.places.set(dotted, place);
      } else if (isSection) {
        if (!(isScalar(pair.value) && pair.value.value === null)) {
          reading.findings.push(finding(place, `${dotted} is a section: expected keys below it`));
        }
      } else reading.findings.push(finding(place, unknownName("key", dotted, pathsOf(reading))));
    }
  };
  visit(document.contents, []);
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>, reading: Reading): void {
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith("PALERMO_") || FOREIGN_ENV.test(name)) continue;
    const key = reading.keys.find((candidate) => candidate.env === name);
    const place = { file: `environment ${name}`, line: 1, column: 1 };
    if (key) take(key, text, place, reading);
    else
      reading.findings.push(
        finding(
          place,
          unknownName(
            "variable",
            name,
            reading.keys.map((k) => k.env),
          ),
        ),
      );
  }
}

function readFlags(flags: Readonly<Record<string, string>>, reading: Reading): void {
  for (const [path, text] of Object.entries(flags)) {
    const key = reading.keys.find((candidate) => candidate.path === path);
    if (key) take(key, text, { file: key.flag, line: 1, column: 1 }, reading);
    else
      reading.findings.push(finding({ file: "flags", line: 1, column: 1 }, unknownName("key", path, pathsOf(reading))));
  }
}

/** An empty text leaves the key as it was: compose files pass unset variables like this. */
function take(key: ConfigKey, text: string, place: Place, reading: Reading): void {
  if (text === "" && key.fallback !== "") return;
  setAt(reading.tree, key.path, readText(key, text));
  reading.places.set(key.path, place);
}

/** A text that does not read as its kind stays a text: the schema then says what it expects. */
function readText(key: ConfigKey, text: string): unknown {
  if (key.kind === "number") return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  if (key.kind === "boolean")
    return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : text;
  if (key.kind === "list")
    return text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  return text;
}

function schemaFinding(issue: z.core.$ZodIssue, reading: Reading): Diagnostic {
  const dotted = issue.path.map(String).join(".");
  const key = reading.keys.find((candidate) => dotted === candidate.path || dotted.startsWith(`${candidate.path}.`));
  const place = reading.places.get(key?.path ?? dotted) ?? { file: "configuration", line: 1, column: 1 };
  return finding(place, `${dotted}: ${issue.message}`);
}

function unknownName(what: string, name: string, known: readonly string[]): string {
  const hint = hintFor(name, known);
  return `unknown ${what} ${name}${hint === undefined ? "" : `: ${hint}`}`;
}

function finding(place: Place, message: string): Diagnostic {
  return { code: "C001", severity: "error", ...place, message };
}

function pathsOf(reading: Reading): string[] {
  return reading.keys.map((key) => key.path);
}

function ensureSection(tree: Tree, path: string): void {
  let at = tree;
  for (const part of path.split(".").slice(0, -1)) {
    if (!Object.hasOwn(at, part)) at[part] = {};
    at = at[part] as Tree;
  }
}

function setAt(tree: Tree, path: string, value: unknown): void {
  ensureSection(tree, path);
  const parts = path.split(".");
  let at = tree;
  for (const part of parts.slice(0, -1)) at = at[part] as Tree;
  at[parts.at(-1) ?? ""] = value;
}
