/**
 * Rule and list files as trees that know where everything stands. The YAML is read with every scalar as
 * text (units, exact decimals and clock times are ours to read), and without the parts of YAML that let a
 * small file unfold into a large one: anchors, aliases, tags, merge keys.
 */
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Node as YamlNode } from "yaml";
import type { Findings } from "./diagnostics.ts";

/** A file as it was read; `path` is what messages show. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A file with the offsets of its line starts. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
}

/** Somewhere in a file: half-open range of character offsets. */
export interface Place {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  /** Of a scalar: its value, so that an offset inside it can be found in the file. */
  readonly text?: string;
}

export interface ScalarNode extends Place {
  readonly kind: "scalar";
  readonly text: string;
  /** Written with quotes: always a text, never a number or a truth value. */
  readonly quoted: boolean;
}

export interface Entry {
  readonly key: ScalarNode;
  readonly value: SourceNode;
}

export interface MapNode extends Place {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  /** By key; a Map, so that no key name is special. */
  readonly byKey: ReadonlyMap<string, Entry>;
}

export interface SeqNode extends Place {
  readonly kind: "seq";
  readonly items: readonly SourceNode[];
}

export type SourceNode = ScalarNode | MapNode | SeqNode;

/** Bounds of one file; a rule uses a few hundred nodes, a list of identifiers many. */
export interface SourceLimits {
  readonly charactersMax: number;
  readonly nodesMax: number;
}

export const RULE_LIMITS: SourceLimits = { charactersMax: 128 * 1024, nodesMax: 10_000 };
export const LIST_LIMITS: SourceLimits = { charactersMax: 8 * 1024 * 1024, nodesMax: 150_000 };
const DEPTH_MAX = 24;

/**
 * Reads one file into a tree. Undefined when nothing usable came out; every fault is a finding
 * (E001 to E005). Time is linear in the size of the file, which is capped.
 */
export function readSource(file: SourceFile, limits: SourceLimits, findings: Findings): MapNode | undefined {
  const source = createSource(file);
  const whole = { source, start: 0, end: 0 };
  if (file.text.length > limits.charactersMax) {
    const message = `the file has ${file.text.length} characters; the most is ${limits.charactersMax}`;
    findings.add("E004", whole, message);
    return undefined;
  }
  // The YAML reader builds several objects for each mark that separates values: count them first.
  if (countMarks(file.text) > 2 * limits.nodesMax) {
    findings.add("E004", whole, `more than ${limits.nodesMax} values`);
    return undefined;
  }
  const deep = tooDeepAt(file.text);
  if (deep !== undefined) {
    findings.add("E004", { source, start: deep, end: deep }, `nested deeper than ${DEPTH_MAX} levels`);
    return undefined;
  }
  const contents = parseYaml(source, findings);
  if (contents === undefined) return undefined;
  const walk: Walk = { source, findings, nodes: 0, limits, stopped: false };
  const root = convert(walk, contents, 0);
  if (walk.stopped || root === undefined) return undefined;
  if (root.kind === "map") return root;
  findings.add("E005", root, "the file must hold one mapping of keys to values");
  return undefined;
}

/** Line and column (1-based) of a character offset. */
export function lineAndColumn(source: Source, offset: number): { line: number; column: number } {
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (source.lineStarts[low] ?? 0) + 1 };
}

/**
 * Offset in the file of character `offset` of a scalar's value. Walks value and source together, so quotes,
 * escapes, line folds and indentation between them are stepped over.
 */
export function placeOffset(place: Place, offset: number): number {
  if (place.text === undefined || offset === 0) return firstCharacter(place);
  const { text } = place.source;
  let at = firstCharacter(place);
  for (let i = 0; i < offset; i++) {
    const wanted = place.text[i];
    if (wanted === undefined) break;
    const found = seek(text, at, place.end, wanted);
    if (found === undefined) break;
    at = found + 1;
  }
  const next = place.text[offset];
  return next === undefined ? Math.min(at, place.end) : (seek(text, at, place.end, next) ?? at);
}

function firstCharacter(place: Place): number {
  const { text } = place.source;
  const quote = text[place.start];
  if (place.text === undefined) return place.start;
  if ((quote === '"' || quote === "'") && !place.text.startsWith(quote)) return place.start + 1;
  if ((quote === ">" || quote === "|") && !place.text.startsWith(quote)) {
    const line = text.indexOf("\n", place.start);
    const first = place.text[0];
    if (line !== -1 && first !== undefined) return seek(text, line, place.end, first) ?? place.start;
  }
  return place.start;
}

/** Where `wanted` stands at or after `from`; any blank stands for any other. */
function seek(text: string, from: number, end: number, wanted: string): number | undefined {
  const blank = isBlank(wanted);
  for (let i = from; i < end; i++) {
    const c = text[i] ?? "";
    if (c === wanted || (blank && isBlank(c))) return i;
  }
  return undefined;
}

function isBlank(c: string): boolean {
  return c === " " || c === "\n" || c === "\t" || c === "\r";
}

function createSource(file: SourceFile): Source {
  const lineStarts = [0];
  for (let i = file.text.indexOf("\n"); i !== -1; i = file.text.indexOf("\n", i + 1)) lineStarts.push(i + 1);
  return { file: file.path, text: file.text, lineStarts };
}

function countMarks(text: string): number {
  let marks = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    // Line feed, comma, colon, opening brackets.
    if (c === 0x0a || c === 0x2c || c === 0x3a || c === 0x5b || c === 0x7b) marks += 1;
  }
  return marks;
}

/**
 * Where brackets or list dashes nest deeper than any rule; found before the YAML reader, whose composer
 * recurses. Brackets inside texts count too, which is harmless at this depth.
 */
function tooDeepAt(text: string): number | undefined {
  let open = 0;
  let dashes = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b || c === 0x7b) open += 1;
    else if (c === 0x5d || c === 0x7d) open = Math.max(0, open - 1);
    else if (c === 0x0a) dashes = 0;
    else if ((c === 0x2d || c === 0x3f) && text.charCodeAt(i + 1) === 0x20) dashes += 1;
    if (open > 2 * DEPTH_MAX || dashes > 2 * DEPTH_MAX) return i;
  }
  return undefined;
}

function parseYaml(source: Source, findings: Findings): YamlNode | undefined {
  const whole = { source, start: 0, end: 0 };
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(source.text, {
      schema: "failsafe",
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      keepSourceTokens: false,
      logLevel: "silent",
    });
  } catch {
    // The reader overflows its stack on what the scan above could not foresee, such as block nesting.
    findings.add("E004", whole, "the file is nested too deeply to be read");
    return undefined;
  }
  if (!Array.isArray(documents) || documents.length === 0) {
    findings.add("E005", whole, "the file is empty");
    return undefined;
  }
  const second = documents[1];
  if (second !== undefined) {
    const at = second.range?.[0] ?? 0;
    findings.add("E005", { source, start: at, end: at }, "one rule or list a file", "put each document in a file");
    return undefined;
  }
  const document = documents[0];
  if (document === undefined) return undefined;
  for (const error of document.errors) {
    const [start, end] = error.pos;
    const message = (error.message.split("\n", 1)[0] ?? "").replace(/:$/, "");
    findings.add("E001", { source, start, end }, `not readable as YAML: ${message}`);
  }
  if (document.errors.length > 0) return undefined;
  if (document.contents === null) {
    findings.add("E005", whole, "the file is empty");
    return undefined;
  }
  return document.contents;
}

interface Walk {
  readonly source: Source;
  readonly findings: Findings;
  readonly limits: SourceLimits;
  nodes: number;
  stopped: boolean;
}

function convert(walk: Walk, node: unknown, depth: number): SourceNode | undefined {
  const { source, findings } = walk;
  const range = (node as YamlNode | null)?.range;
  const start = range?.[0] ?? 0;
  const place = { source, start, end: range?.[1] ?? start };
  if (walk.stopped) return undefined;
  walk.nodes += 1;
  if (walk.nodes > walk.limits.nodesMax || depth > DEPTH_MAX) {
    walk.stopped = true;
    const what =
      depth > DEPTH_MAX ? `nested deeper than ${DEPTH_MAX} levels` : `more than ${walk.limits.nodesMax} values`;
    findings.add("E004", place, what);
    return undefined;
  }
  if (isAlias(node) || hasAnchorOrTag(node)) {
    walk.stopped = true;
    findings.add("E003", place, "anchors, aliases and tags are not allowed", "write the value out");
    return undefined;
  }
  if (isScalar(node)) {
    const quoted = node.type === "QUOTE_SINGLE" || node.type === "QUOTE_DOUBLE";
    return { kind: "scalar", ...place, text: String(node.value ?? ""), quoted };
  }
  if (isSeq(node)) {
    const items: SourceNode[] = [];
    for (const item of node.items) {
      const child = convert(walk, item, depth + 1);
      if (child !== undefined) items.push(child);
    }
    return { kind: "seq", ...place, items };
  }
  if (isMap(node)) return convertMap(walk, node.items, place, depth);
  return { kind: "scalar", ...place, text: "", quoted: false };
}

function convertMap(
  walk: Walk,
  pairs: readonly { key: unknown; value: unknown }[],
  place: Place,
  depth: number,
): MapNode {
  const entries: Entry[] = [];
  const byKey = new Map<string, Entry>();
  for (const pair of pairs) {
    const key = convert(walk, pair.key, depth + 1);
    if (key === undefined) continue;
    if (key.kind !== "scalar") {
      walk.findings.add("E012", key, "a key must be plain text");
      continue;
    }
    if (key.text === "<<") {
      walk.findings.add("E003", key, "merge keys are not allowed", "write the keys out");
      continue;
    }
    const empty: SourceNode = {
      kind: "scalar",
      source: place.source,
      start: key.end,
      end: key.end,
      text: "",
      quoted: false,
    };
    const value = pair.value === null ? empty : convert(walk, pair.value, depth + 1);
    if (value === undefined) continue;
    const entry = { key, value };
    if (byKey.has(key.text)) {
      walk.findings.add("E002", key, `\`${shorten(key.text)}\` stands twice in this mapping`);
      continue;
    }
    byKey.set(key.text, entry);
    entries.push(entry);
  }
  return { kind: "map", ...place, entries, byKey };
}

function hasAnchorOrTag(node: unknown): boolean {
  const { anchor, tag } = (node ?? {}) as { anchor?: string; tag?: string };
  if (anchor !== undefined) return true;
  return tag !== undefined && !/^(tag:yaml\.org,2002:(map|seq|str)|!)$/.test(tag);
}

/** At most 40 characters of outside text, for messages. */
export function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
