/**
 * The plain part of YAML, read without the YAML library: block and flow collections, plain keys, scalars on one
 * line, folded and literal texts, comments. Anything else, and anything that could be a fault, is left to the
 * library: then there is no result here, and no finding. What is read gives the very tree that the library gives
 * (test/rules/source.test.ts).
 */
import {
  DEPTH_MAX,
  type Entry,
  type MapNode,
  type ScalarNode,
  type SeqNode,
  type Source,
  type SourceLimits,
  type SourceNode,
} from "./source-tree.ts";

/** Reads one file; undefined when it has anything in it that is not plain. Time is linear in its size. */
export function readPlain(source: Source, limits: SourceLimits): SourceNode | undefined {
  const { text } = source;
  if (NOT_PLAIN.test(text)) return undefined;
  const read: Reading = { source, text, at: 0, column: -1, nodesLeft: limits.nodesMax };
  toContent(read);
  if (read.column !== 0) return undefined;
  const root = blockNode(read, 0, -1, 0);
  return read.at === text.length ? root : undefined;
}

/** Control characters, tabs among them; the byte order mark; lines that start a document or a directive. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOT_PLAIN = /[\0-\x09\x0b-\x1f\ufeff]|^(---|\.\.\.|%)/m;
const KEY = /(?:[A-Za-z0-9_][\w.-]{0,99}|"[A-Za-z0-9_][\w.-]{0,99}")(?=:[ \n])/y;
/** What a plain scalar may begin with: nothing that YAML gives a meaning. A dash only where it cannot be an item. */
const PLAIN_START = /[^\s\-?:,[\]{}#&*!|>'"%@`]|-[A-Za-z0-9.]/y;
/** A plain scalar in a block ends with its line or before a comment; one in a flow collection at the marks of that. */
const PLAIN_IN_BLOCK = /[^\n#:]*(?:(?::(?![ \n]|$)|(?<! )#)[^\n#:]*)*/y;
const PLAIN_IN_FLOW = /[^\n#:,[\]{}]*(?:(?::(?![ \n,[\]{}]|$)|(?<! )#)[^\n#:,[\]{}]*)*/y;

const QUOTED = /"[^"\\\n]*"/y;
const APOSTROPHES = /'(?:[^'\n]|'')*'/y;
const BLOCK_HEADER = /[|>]-? *\n/y;

const [LINE, SPACE, HASH, DASH, COMMA] = [0x0a, 0x20, 0x23, 0x2d, 0x2c];
const [QUOTE, APOSTROPHE, FOLDED, LITERAL] = [0x22, 0x27, 0x3e, 0x7c];
const [OPEN_SEQ, CLOSE_SEQ, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

interface Reading {
  readonly source: Source;
  readonly text: string;
  at: number;
  /** Of the content that is next, once a block node has been read; -1 at the end of the text. */
  column: number;
  nodesLeft: number;
}

/** Goes over blank lines and comments, from the start of a line to the next content. */
function toContent(read: Reading): void {
  const { text } = read;
  let at = read.at;
  while (at < text.length) {
    const lineStart = at;
    while (text.charCodeAt(at) === SPACE) at += 1;
    const c = text.charCodeAt(at);
    if (c === HASH) at = lineEnd(text, at);
    else if (c !== LINE && at < text.length) {
      read.at = at;
      read.column = at - lineStart;
      return;
    }
    at += 1;
  }
  read.at = text.length;
  read.column = -1;
}

function lineEnd(text: string, from: number): number {
  const next = text.indexOf("\n", from);
  return next === -1 ? text.length : next;
}

/** Ends a line on which nothing but blanks and a comment follow, and goes to the next content; false otherwise. */
function endLine(read: Reading): boolean {
  const { text } = read;
  let at = read.at;
  while (text.charCodeAt(at) === SPACE) at += 1;
  if (text.charCodeAt(at) === HASH && at > read.at) at = lineEnd(text, at);
  if (at < text.length && text.charCodeAt(at) !== LINE) return false;
  read.at = at + 1;
  toContent(read);
  return true;
}

/** The node whose first character is here, at that column, inside a collection at the column `outer`. */
function blockNode(read: Reading, column: number, outer: number, depth: number): SourceNode | undefined {
  if (depth > DEPTH_MAX || read.nodesLeft-- <= 0) return undefined;
  if (isItem(read)) return blockSeq(read, column, depth);
  if (matches(KEY, read) > 0) return blockMap(read, column, depth);
  if (depth > 0 && isText(read)) return blockText(read, outer);
  const value = lineValue(read, outer, depth);
  return value !== undefined && endLine(read) ? value : undefined;
}

function isItem({ text, at }: Reading): boolean {
  const next = text.charCodeAt(at + 1);
  return text.charCodeAt(at) === DASH && (next === SPACE || next === LINE);
}

function isText({ text, at }: Reading): boolean {
  const c = text.charCodeAt(at);
  return c === FOLDED || c === LITERAL;
}

/** Length of what the pattern finds here. */
function matches(pattern: RegExp, { text, at }: Reading): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex - at : 0;
}

function blockSeq(read: Reading, column: number, depth: number): SeqNode | undefined {
  const { source } = read;
  const start = read.at;
  const items: SourceNode[] = [];
  do {
    const mark = read.at;
    read.at += 1;
    const isNext = endLine(read);
    if (!isNext) skipSpaces(read);
    else if (read.column <= column) return undefined;
    const item = blockNode(read, isNext ? read.column : column + read.at - mark, column, depth + 1);
    if (item === undefined || read.column > column) return undefined;
    items.push(item);
  } while (read.column === column && isItem(read));
  return { kind: "seq", source, start, end: items[items.length - 1]?.end ?? start, items };
}

function blockMap(read: Reading, column: number, depth: number): MapNode | undefined {
  const start = read.at;
  const entries: Entry[] = [];
  const byKey = new Map<string, Entry>();
  do {
    const key = keyHere(read);
    if (key === undefined || byKey.has(key.text)) return undefined;
    const value = valueOfKey(read, column, depth);
    if (value === undefined || read.column > column) return undefined;
    const entry = { key, value };
    entries.push(entry);
    byKey.set(key.text, entry);
  } while (read.column === column && !isItem(read));
  const end = entries[entries.length - 1]?.value.end ?? start;
  return { kind: "map", source: read.source, start, end, entries, byKey };
}

function valueOfKey(read: Reading, column: number, depth: number): SourceNode | undefined {
  if (endLine(read)) {
    // The items of a list may stand in the column of its key.
    if (read.column < column || (read.column === column && !isItem(read))) return undefined;
    return blockNode(read, read.column, column, depth + 1);
  }
  skipSpaces(read);
  if (depth >= DEPTH_MAX || read.nodesLeft-- <= 0) return undefined;
  if (isText(read)) return blockText(read, column);
  const value = lineValue(read, column, depth + 1);
  return value !== undefined && endLine(read) ? value : undefined;
}

function skipSpaces(read: Reading): void {
  while (read.text.charCodeAt(read.at) === SPACE) read.at += 1;
}

/** A key and its colon; what comes after that is next. */
function keyHere(read: Reading): ScalarNode | undefined {
  const length = matches(KEY, read);
  if (length === 0 || read.nodesLeft-- <= 0) return undefined;
  const quoted = read.text.charCodeAt(read.at) === QUOTE;
  const edge = quoted ? 1 : 0;
  const key = scalar(read, length, read.text.slice(read.at + edge, read.at + length - edge), quoted);
  read.at += 1;
  return key;
}

/** A scalar of that many characters from here on; what comes after it is next. */
function scalar(read: Reading, length: number, text: string, quoted: boolean): ScalarNode {
  const start = read.at;
  read.at += length;
  return { kind: "scalar", source: read.source, start, end: read.at, text, quoted };
}

/** A value that begins here and is not in block style. */
function lineValue(read: Reading, outer: number, depth: number): SourceNode | undefined {
  const c = read.text.charCodeAt(read.at);
  if (c === OPEN_SEQ) return flowSeq(read, outer, depth);
  if (c === OPEN_MAP) return flowMap(read, outer, depth);
  return simpleValue(read, PLAIN_IN_BLOCK);
}

function simpleValue(read: Reading, plain: RegExp): ScalarNode | undefined {
  const { text, at } = read;
  const c = text.charCodeAt(at);
  if (c === QUOTE) {
    const length = matches(QUOTED, read);
    return length === 0 ? undefined : scalar(read, length, text.slice(at + 1, at + length - 1), true);
  }
  if (c === APOSTROPHE) {
    const length = matches(APOSTROPHES, read);
    const inner = text.slice(at + 1, at + length - 1);
    return length === 0 ? undefined : scalar(read, length, inner.replaceAll("''", "'"), true);
  }
  if (matches(PLAIN_START, read) === 0) return undefined;
  let length = matches(plain, read);
  while (text.charCodeAt(at + length - 1) === SPACE) length -= 1;
  return scalar(read, length, text.slice(at, at + length), false);
}

/** Goes to the next mark or value of a flow collection; false when it is not indented enough, or there is none. */
function flowGap(read: Reading, outer: number): boolean {
  const { text } = read;
  const from = read.at;
  skipSpaces(read);
  const c = text.charCodeAt(read.at);
  if (c !== LINE && (c !== HASH || read.at === from)) return read.at < text.length && c !== HASH;
  read.at = lineEnd(text, read.at) + 1;
  toContent(read);
  return read.column > outer;
}

function flowSeq(read: Reading, outer: number, depth: number): SeqNode | undefined {
  const { source, text } = read;
  const start = read.at;
  const items: SourceNode[] = [];
  do {
    read.at += 1;
    if (!flowGap(read, outer)) return undefined;
    if (text.charCodeAt(read.at) === CLOSE_SEQ) break;
    const item = flowValue(read, outer, depth + 1);
    if (item === undefined || !flowGap(read, outer)) return undefined;
    items.push(item);
  } while (text.charCodeAt(read.at) === COMMA);
  if (text.charCodeAt(read.at) !== CLOSE_SEQ) return undefined;
  read.at += 1;
  return { kind: "seq", source, start, end: read.at, items };
}

function flowMap(read: Reading, outer: number, depth: number): MapNode | undefined {
  const { source, text } = read;
  const start = read.at;
  const entries: Entry[] = [];
  const byKey = new Map<string, Entry>();
  do {
    read.at += 1;
    if (!flowGap(read, outer)) return undefined;
    if (text.charCodeAt(read.at) === CLOSE_MAP) break;
    const key = keyHere(read);
    if (key === undefined || byKey.has(key.text) || !flowGap(read, outer)) return undefined;
    const value = flowValue(read, outer, depth + 1);
    if (value === undefined || !flowGap(read, outer)) return undefined;
    const entry = { key, value };
    entries.push(entry);
    byKey.set(key.text, entry);
  } while (text.charCodeAt(read.at) === COMMA);
  if (text.charCodeAt(read.at) !== CLOSE_MAP) return undefined;
  read.at += 1;
  return { kind: "map", source, start, end: read.at, entries, byKey };
}

function flowValue(read: Reading, outer: number, depth: number): SourceNode | undefined {
  if (depth > DEPTH_MAX || read.nodesLeft-- <= 0) return undefined;
  const c = read.text.charCodeAt(read.at);
  if (c === OPEN_SEQ) return flowSeq(read, outer, depth);
  if (c === OPEN_MAP) return flowMap(read, outer, depth);
  return simpleValue(read, PLAIN_IN_FLOW);
}

/** A folded or literal text, all of whose lines stand in one column; a literal one may have more indented ones. */
function blockText(read: Reading, outer: number): ScalarNode | undefined {
  const { source, text } = read;
  const start = read.at;
  const header = matches(BLOCK_HEADER, read);
  if (header === 0) return undefined;
  const isFolded = text.charCodeAt(start) === FOLDED;
  const isStripped = text.charCodeAt(start + 1) === DASH;
  let at = start + header;
  let end = at;
  let indent = -1;
  let value = "";
  let gap = 0;
  while (at < text.length) {
    const stop = lineEnd(text, at);
    let column = 0;
    while (text.charCodeAt(at + column) === SPACE) column += 1;
    const isEmpty = at + column >= stop;
    if (indent === -1) indent = column;
    if (isEmpty) {
      // Blanks beyond the text's own column would be part of it; before the first line they are a riddle.
      if (value === "" || column > indent) return undefined;
      gap += 1;
    } else {
      if (column < indent || indent <= outer) break;
      if (isFolded && column > indent) return undefined;
      const separator = gap === 0 && isFolded ? " " : "\n".repeat(isFolded ? gap : gap + 1);
      value += (value === "" ? "" : separator) + text.slice(at + indent, stop);
      gap = 0;
      end = stop;
    }
    at = stop + 1;
  }
  if (value === "") return undefined;
  read.at = Math.min(at, text.length);
  toContent(read);
  const trimmed = start + text.slice(start, end).trimEnd().length;
  return { kind: "scalar", source, start, end: trimmed, text: isStripped ? value : `${value}\n`, quoted: false };
}
