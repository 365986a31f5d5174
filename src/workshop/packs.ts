/**
 * Packs as inline tests need them: the rules with entries of some lists replaced, read once and compiled once
 * each. A build may change a pack on the way: mutants before it is compiled, coverage after.
 */
import { createZones, type Zones } from "../domain/time.ts";
import { createFindings } from "../rules/diagnostics.ts";
import {
  compilePack,
  type FileTrees,
  type Loaded,
  type LoadOptions,
  type PackSource,
  readPack,
  treeOf,
} from "../rules/load.ts";
import type { Pack } from "../rules/plan.ts";
import type { SourceFile } from "../rules/source.ts";
import { type PeersOfRule, tablesOf } from "./given-peers.ts";

/** Rule and list files as read, by the lists that tests put in place of the files' own. */
export interface Sources {
  /** Shared by all tests: making a zone ready costs more than a short test. */
  readonly zones: Zones;
  /** Of files that were read. */
  readonly trees: FileTrees;
  read(lists: ReadonlyMap<string, string>): PackSource;
}

/** Packs by the lists and peers that tests put in place of the shipped ones; each is compiled once. */
export interface Packs {
  readonly zones: Zones;
  load(lists: ReadonlyMap<string, string>, peers?: PeersOfRule): Loaded;
}

/** What makes a pack out of what was read. */
export interface PackBuild {
  /** Other values for parameters, by `RULE.param`. */
  readonly set?: Readonly<Record<string, string>>;
  readonly rewrite?: (source: PackSource) => PackSource;
  readonly transform?: (pack: Pack) => Pack;
}

/** Reads rule and list files on demand; lists that a test gives take the place of those in the files. */
export function createSources(files: readonly SourceFile[]): Sources {
  const trees: FileTrees = new Map();
  const read = byGiven((lists) => readPack(withLists(files, lists, trees), undefined, trees));
  return { zones: createZones(), trees, read };
}

/** Compiles packs on demand. */
export function createPacks(sources: Sources, build: PackBuild = {}): Packs {
  const { set, rewrite, transform } = build;
  const load = (lists: ReadonlyMap<string, string>, peers?: PeersOfRule): Loaded => {
    const read = sources.read(lists);
    const source = rewrite === undefined ? read : rewrite(read);
    const loaded = compileWithPeers(source, { drafts: true, ...(set && { set }) }, peers);
    if (loaded.pack === undefined || transform === undefined) return loaded;
    return { ...loaded, pack: transform(loaded.pack) };
  };
  return { zones: sources.zones, load: byGiven(load) };
}

/** What the numbers mean that are given is only known of a compiled pack: it is compiled a second time with them. */
function compileWithPeers(source: PackSource, options: LoadOptions, peers: PeersOfRule | undefined): Loaded {
  const loaded = compilePack(source, options);
  if (peers === undefined || peers.peers.size === 0 || loaded.pack === undefined) return loaded;
  const peerTables = new Map([...source.peerTables, ...tablesOf(loaded.pack, peers)]);
  return compilePack({ ...source, peerTables }, options);
}

type Make<T> = (lists: ReadonlyMap<string, string>, peers?: PeersOfRule) => T;

/** Remembers what a function gives for each set of lists and peers. */
function byGiven<T>(make: Make<T>): Make<T> {
  const known = new Map<string, T>();
  return (lists, peers) => {
    const ofPeers = [...(peers?.peers ?? [])].map(([name, groups]) => [name, [...groups].sort()]).sort();
    const key = JSON.stringify([[...lists].sort(), ofPeers.length === 0 ? [] : [peers?.ruleId, ofPeers]]);
    let found = known.get(key);
    if (found === undefined) {
      found = make(lists, peers);
      known.set(key, found);
    }
    return found;
  };
}

/** The files with other entries in the named lists. A list that the pack does not have stays unknown to it. */
function withLists(files: readonly SourceFile[], lists: ReadonlyMap<string, string>, trees: FileTrees): SourceFile[] {
  if (lists.size === 0) return [...files];
  return files.map((file) => {
    const root = treeOf(file, createFindings(), trees);
    const text = (key: string) => {
      const node = root?.byKey.get(key)?.value;
      return node?.kind === "scalar" ? node.text : undefined;
    };
    const id = text("id");
    const entries = id === undefined || text("schema") !== "list/v1" ? undefined : lists.get(id);
    if (entries === undefined) return file;
    const basis = text("basis");
    const head = `schema: list/v1\nid: ${id}\ntype: ${text("type")}\ntitle: given by a test\nversion: test\n`;
    return { path: file.path, text: `${head}${basis === undefined ? "" : `basis: ${basis}\n`}entries: ${entries}\n` };
  });
}
