/**
 * What a verb may touch of the outside: streams, environment, clock. Verbs get it as an argument, so
 * that tests run them in-process; colours, wrapping and the exit codes of all verbs stand here too.
 */
import type { Readable, Writable } from "node:stream";

/** A stream that may be a terminal. */
export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The outside of a verb. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch ms; only the shell reads a clock. */
  readonly now: () => number;
}

/** Exit codes of every verb. */
export const EXIT_OK = 0;
/** The work failed: an input that broke off, a disk that is full, an error of the program. */
export const EXIT_FAILED = 1;
/** Usage, configuration or rules at fault: nothing was screened. */
export const EXIT_USAGE = 2;
/** Everything was screened, but some rows were rejected or a comparison found differences. */
export const EXIT_REJECTED = 3;

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    now: () => Date.now(),
  };
}

/** Colours for one stream; every function gives its text back unchanged when colours are off. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly blue: (text: string) => string;
}

/** Colours when the stream is a terminal and neither NO_COLOR nor TERM=dumb says otherwise. */
export function styleOf(stream: TerminalStream, env: Terminal["env"]): Style {
  const off = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb" || stream.isTTY !== true;
  return off ? PLAIN : COLOURED;
}

/** No colours. */
export const PLAIN: Style = paint(() => (text) => text);

const COLOURED: Style = paint((from, to) => (text) => `\u001b[${from}m${text}\u001b[${to}m`);

function paint(make: (from: number, to: number) => (text: string) => string): Style {
  return {
    bold: make(1, 22),
    dim: make(2, 22),
    red: make(31, 39),
    yellow: make(33, 39),
    green: make(32, 39),
    blue: make(34, 39),
  };
}

/** Columns of a page: the terminal's, at most 100 and at least 60; 100 where there is no terminal. */
export function listingWidth(stream: TerminalStream): number {
  return Math.max(60, Math.min(100, stream.columns ?? 100));
}

/**
 * Breaks text into lines of at most `width` characters at spaces; a longer word stands alone.
 * Control characters become spaces: texts come from rules and data, and a terminal would obey them.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (word === "") continue;
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "") lines.push(line);
  return lines;
}

/** Text without control characters (C0, C1 and bidirectional overrides), safe to show on a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ");
}

/** Whole numbers with thousands separated, such as `1,250,000`. */
export function grouped(value: number): string {
  // The runtime's own formatter takes longer to come up than `rules check` takes to compile the pack.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 row`, `2 rows`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}
