/** Files of rules as the YAML library reads them: all of YAML, with what is wrong and where. */
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Node as YamlNode } from "yaml";
import type { Findings } from "./diagnostics.ts";
import {
  DEPTH_MAX,
  type Entry,
  type MapNode,
  type Place,
  type Source,
  type SourceLimits,
  type SourceNode,
  shorten,
} from "./source-tree.ts";

/** Reads one file; undefined when nothing usable came out. Every fault is a finding (E001 to E005, E012). */
export function readYaml(source: Source, limits: SourceLimits, findings: Findings): SourceNode | undefined {
  const contents = parseYaml(source, findings);
  if (contents === undefined) return undefined;
  const walk: Walk = { source, findings, nodes: 0, limits, stopped: false };
  const root = convert(walk, contents, 0);
  return walk.stopped ? undefined : root;
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
    const isBlock = node.type === "BLOCK_FOLDED" || node.type === "BLOCK_LITERAL";
    const end = isBlock ? start + source.text.slice(start, place.end).trimEnd().length : place.end;
    return { kind: "scalar", source, start, end, text: String(node.value ?? ""), quoted };
  }
  if (isSeq(node)) {
    const items: SourceNode[] = [];
    for (const item of node.items) {
      const child = convert(walk, item, depth + 1);
      if (child !== undefined) items.push(child);
    }
    return { kind: "seq", source, start, end: node.flow ? place.end : (items.at(-1)?.end ?? start), items };
  }
  if (isMap(node)) return convertMap(walk, node.items, { ...place, end: node.flow ? place.end : start }, depth);
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
  // A mapping in block style ends with its last value, whatever blank lines and comments follow.
  const end = Math.max(place.end, entries.at(-1)?.value.end ?? place.start);
  return { kind: "map", ...place, end, entries, byKey };
}

function hasAnchorOrTag(node: unknown): boolean {
  const { anchor, tag } = (node ?? {}) as { anchor?: string; tag?: string };
  if (anchor !== undefined) return true;
  return tag !== undefined && !/^(tag:yaml\.org,2002:(map|seq|str)|!)$/.test(tag);
}
