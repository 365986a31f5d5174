/** A file of rules or lists as a tree that knows where everything stands, whoever read it. */

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

/** How deep values may nest. */
export const DEPTH_MAX = 24;

/** At most 40 characters of outside text, for messages. */
export function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
