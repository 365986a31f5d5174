/**
 * Rule and list files as trees that know where everything stands. The YAML is read with every scalar as
 * text (units, exact decimals and clock times are ours to read), and without the parts of YAML that let a
 * small file unfold into a large one: anchors, aliases, tags, merge keys.
 */
import type { Findings } from "./diagnostics.ts";
import { readPlain } from "./source-plain.ts";
import { DEPTH_MAX, type MapNode, type Place, type Source, type SourceFile, type SourceLimits } from "./source-tree.ts";
import { readYaml } from "./source-yaml.ts";

export * from "./source-tree.ts";

export const RULE_LIMITS: SourceLimits = { charactersMax: 128 * 1024, nodesMax: 10_000 };
export const LIST_LIMITS: SourceLimits = { charactersMax: 8 * 1024 * 1024, nodesMax: 150_000 };

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
  // The plain part of YAML, in which nearly every file is written, is read some twenty times faster than all of it.
  const root = readPlain(source, limits) ?? readYaml(source, limits, findings);
  if (root === undefined) return undefined;
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
