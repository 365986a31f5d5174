/** From published packs to what screening and intake run: each is compiled once and kept by its hash. */
import type { Lists } from "../rules/lists.ts";
import { loadPack } from "../rules/load.ts";
import type { Pack } from "../rules/plan.ts";
import { PACK_HASH_VERSION } from "../rules/semantic-hash.ts";
import { createEngine } from "../screen/engine.ts";
import { packTag } from "../screen/entity-codec.ts";
import type { PublishedPack } from "./pack-format.ts";
import type { PackLog } from "./pack-log.ts";
import { PackError, type PackSource, type ScreenEngine } from "./screen-ports.ts";

/**
 * Views that a settled tail may hold before the base moves up. Moving it encodes the whole state (28 us for ten
 * movements); a view more in the tail is a few bytes behind what is stored (3 us) and is folded again when the entity
 * is read back (10 us). At four both together cost least, whether entities are found in the cache or not.
 */
const TAIL_KEEP = 4;

/** A pack, ready to run. */
export interface LoadedPack {
  readonly pack: Pack;
  readonly lists: Lists;
  readonly engine: ScreenEngine;
}

export interface PackEngines extends PackSource {
  /** The same with its lists, for intake. */
  open(hash: string): Promise<LoadedPack>;
  /** Keeps a pack that was compiled already. */
  keep(pack: Pack, lists: Lists): LoadedPack;
}

type Published = Pick<PackLog, "read" | "hashes" | "activations" | "catchUp">;

/** `tenant` becomes part of alert ids. */
export function createPackEngines(log: Published, tenant: string): PackEngines {
  const known = new Map<string, Promise<LoadedPack>>();
  const open = (hash: string): Promise<LoadedPack> => {
    let found = known.get(hash);
    if (found === undefined) {
      found = log.read(hash).then((published) => compile(hash, published, tenant));
      known.set(hash, found);
      // A pack may still be published, or a broker answer, when it is asked for again.
      found.catch(() => known.delete(hash));
    }
    return found;
  };
  return {
    open,
    keep(pack, lists) {
      const loaded = { pack, lists, engine: createEngine(pack, { tailKeep: TAIL_KEEP }) };
      known.set(pack.hash, Promise.resolve(loaded));
      return loaded;
    },
    load: async (hash) => (await open(hash)).engine,
    async loadTagged(tag) {
      const find = (): string | undefined => [...known.keys(), ...log.hashes()].find((hash) => packTag(hash) === tag);
      if (find() === undefined) await log.catchUp();
      const hash = find();
      if (hash === undefined) {
        throw new PackError("an entity in the store was kept under a pack that was never published here");
      }
      return (await open(hash)).engine;
    },
    async inForceAt(timeMs) {
      await log.catchUp();
      const all = log.activations();
      const found = all.findLast(({ atMs }) => atMs <= timeMs) ?? all[0];
      if (found === undefined) throw new PackError("no pack was ever activated");
      return { hash: found.hash, activation: found.activation };
    },
  };
}

function compile(hash: string, { files, hashVersion, tunedAt }: PublishedPack, tenant: string): LoadedPack {
  const { pack, lists, diagnostics } = loadPack(files, { tenant, ...(tunedAt === undefined ? {} : { now: tunedAt }) });
  if (pack === undefined) {
    const first = diagnostics.find(({ severity }) => severity === "error");
    const place = first === undefined ? "" : `: ${first.file}:${first.line}:${first.column}: ${first.message}`;
    throw new PackError(`pack ${hash} does not compile under this version of the program${place}`);
  }
  if (pack.hash !== hash && hashVersion === PACK_HASH_VERSION) {
    throw new PackError(`what was published as pack ${hash} is another one: ${pack.hash}`);
  }
  // Published by a program that computes hashes otherwise: its name stays what the log calls it.
  const named = { ...pack, hash };
  return { pack: named, lists, engine: createEngine(named, { tailKeep: TAIL_KEEP }) };
}
