/**
 * Keys of a JSON text that must not be there: repeated ones, of which parsers keep whichever they like, and
 * names that reach into prototypes. `JSON.parse` hides the first and takes the second; both are refused.
 */

export interface KeyFault {
  readonly code: "DUPLICATE_KEY" | "FORBIDDEN_KEY";
  /** Dotted path of the key. */
  readonly path: string;
}

/**
 * Whether a valid JSON text repeats a key within one object: it then has more colons outside strings than
 * the value has keys. `value` is what `JSON.parse` made of the text; one too deep to be counted may repeat some.
 */
export function repeatsKeys(text: string, value: unknown): boolean {
  return countColons(text) !== countKeys(value, 0);
}

/**
 * Whether `findKeyFault` may find something, for values of any depth: a quick look that spares the search for the path
 * (5 of the 15 us that a record of a mapped topic took). False: there is no fault.
 */
export function mayHaveKeyFault(text: string, value: unknown): boolean {
  // A forbidden name could be written with escapes.
  if (text.includes("\\")) return true;
  for (const name of FORBIDDEN) if (text.includes(name)) return true;
  return repeatsKeys(text, value);
}

/** The first fault among the keys of a valid JSON text, undefined when there is none. Any depth. */
export function findKeyFault(text: string): KeyFault | undefined {
  const stack: Level[] = [];
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const level = stack.at(-1);
    if (code === QUOTE) {
      const end = stringEnd(text, at);
      if (level?.keys !== undefined && nextIsColon(text, end)) {
        const key = JSON.parse(text.slice(at, end)) as string;
        level.key = key;
        if (FORBIDDEN.has(key)) return { code: "FORBIDDEN_KEY", path: pathOf(stack) };
        if (level.keys.has(key)) return { code: "DUPLICATE_KEY", path: pathOf(stack) };
        level.keys.add(key);
      }
      at = end;
      continue;
    }
    if (code === OPEN_OBJECT) stack.push({ keys: new Set(), key: "" });
    else if (code === OPEN_LIST) stack.push({ keys: undefined, key: "0" });
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) stack.pop();
    else if (code === COMMA && level !== undefined && level.keys === undefined)
      level.key = String(Number(level.key) + 1);
    at++;
  }
  return undefined;
}

interface Level {
  /** Keys seen so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** Key or position of the member that is being read. */
  key: string;
}

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);
const DEPTH_COUNTED = 32;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

function countColons(text: string): number {
  let colons = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) inString = !inString;
    else if (code === COLON) colons += inString ? 0 : 1;
    else if (code === BACKSLASH) i++;
  }
  return colons;
}

/** NaN where the value is deeper than records are: a hostile one would end the stack. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > DEPTH_COUNTED) return Number.NaN;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item, depth + 1);
    return keys;
  }
  const record = value as Readonly<Record<string, unknown>>;
  for (const key in record) keys += 1 + countKeys(record[key], depth + 1);
  return keys;
}

/** Index after the closing quote of the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function nextIsColon(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  return text.charCodeAt(at) === COLON;
}

function pathOf(stack: readonly Level[]): string {
  return stack.length > 16
    ? `...${stack
        .slice(-8)
        .map((level) => level.key)
        .join(".")}`
    : stack.map((level) => level.key).join(".");
}
