/**
 * The state store in Redis 7 or later (or Valkey): what must happen together happens in one Redis Function
 * (`functions/palermo.lua`), reads go to the master on the same connection. A refusal that says "not now" becomes
 * `retry`, a lost reply becomes `unknown`; neither is ever repeated here on its own.
 */
import { readFileSync } from "node:fs";
import { checkNames, namespaceOf, type PartitionKeys, partitionKeys } from "./keys.ts";
import {
  type Claim,
  type Commit,
  type CommitResult,
  formatLayout,
  formatPack,
  type Lane,
  type Layout,
  layoutMismatch,
  type OutboxEntry,
  type Position,
  parsePack,
  SEQUENCE_WIDTH,
  type Seen,
  type StateStore,
  type Stored,
  StoreError,
} from "./port.ts";
import { CommandFailure, type Connection, type ConnectionOptions, connectRedis } from "./redis-connection.ts";

export interface RedisStoreOptions extends ConnectionOptions {
  /** Every key begins with it and the tenant. */
  readonly prefix: string;
  readonly tenant: string;
  readonly layout: Layout;
  /** Told at start: settings of the server that endanger state. */
  readonly warn?: (message: string) => void;
  /** Ends the waiting for a first connection. */
  readonly signal?: AbortSignal;
}

export interface RedisStore extends StateStore {
  readonly address: string;
  /** Keys of the entities of all partitions, in portions; one written meanwhile may be left out or come twice. */
  entityKeys(): AsyncGenerator<readonly { readonly partition: number; readonly key: string }[]>;
  /** Takes the position, the origins and the outbox of a partition away: whoever claims it next rebuilds it. */
  forget(partition: number): Promise<void>;
  /** Deletes entities of a partition that has no position. */
  deleteEntities(partition: number, keys: readonly string[]): Promise<void>;
}

/** The server cannot do it now, and did nothing. */
const NOT_NOW = new Set([
  "TRYAGAIN",
  "LOADING",
  "NOREPLICAS",
  "OOM",
  "BUSY",
  "READONLY",
  "MASTERDOWN",
  "CLUSTERDOWN",
  "MISCONF",
  "NOAUTH",
  "NOPERM",
  "WRONGPASS",
  "CERTIFICATE",
]);
/** Worth waiting for while running (a password may be in the middle of a change), but not at the start. */
const ACCESS = /\b(NOAUTH|NOPERM|WRONGPASS)\b/;
const DISTRUST = /\bCERTIFICATE\b/;
const READ_CHUNK = 2_000;
/** Before each piece of a value: position of the commit that wrote it (8 bytes), length of what follows (4). */
const PIECE_HEAD_BYTES = 12;

/** Connects (waiting for the server as long as it takes), checks it and loads the functions. */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  checkNames(options.prefix, options.tenant);
  const connection = connectRedis(options);
  const server = new Server(connection);
  try {
    for (;;) {
      try {
        await checkServer(server, options.warn ?? (() => undefined));
        await server.loadFunctions();
        // As nobody, so that it changes nothing: tells now, not at the first claim, that the user lacks a right.
        await server.fn("palermo_renew", metaKeys(partitionKeys(namespaceOf(options.prefix, options.tenant), 0)), [
          "",
          "",
        ]);
        return createRedisStore(server, options);
      } catch (error) {
        if (!(error instanceof StoreError && error.retriable)) throw error;
        if (DISTRUST.test(error.message)) throw new StoreError(`${error.message} (check redis.tls)`, false);
        if (ACCESS.test(error.message)) throw new StoreError(`${error.message} (check user and password)`, false);
      }
      if (options.signal?.aborted)
        throw new StoreError(`stopped while waiting for Redis at ${connection.address}`, true);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch (error) {
    connection.close();
    throw error;
  }
}

function createRedisStore(server: Server, options: RedisStoreOptions): RedisStore {
  const { layout } = options;
  const namespace = namespaceOf(options.prefix, options.tenant);
  const keysOf = memoised((partition: number) => partitionKeys(namespace, partition));
  const claimed = (partition: number, reply: unknown): Claim => toClaim(partition, reply as ClaimReply, layout);
  return {
    address: server.address,
    async claim(partition, owner) {
      const args = [owner, formatLayout(layout)];
      return claimed(partition, await server.fn("palermo_claim", metaKeys(keysOf(partition)), args));
    },
    async renew(partition, owner, fresh) {
      const reply = await server.fn("palermo_renew", metaKeys(keysOf(partition)), [owner, fresh]);
      return reply === null ? undefined : claimed(partition, reply);
    },
    async init(partition, owner, { next, fingerprint }) {
      const args = [owner, String(next), String(fingerprint), formatLayout(layout)];
      return (await server.fn("palermo_init", metaKeys(keysOf(partition)), args)) === 1;
    },
    async read(partition, keys) {
      const prefix = keysOf(partition).entityPrefix;
      const found: (Stored | undefined)[] = [];
      for (let at = 0; at < keys.length; at += READ_CHUNK) {
        const names = keys.slice(at, at + READ_CHUNK).map((key) => prefix + key);
        const values = (await server.call("MGET", names)) as (Buffer | null)[];
        for (const [i, value] of values.entries()) {
          found.push(value === null ? undefined : toStored(value, names[i] ?? ""));
        }
      }
      return found;
    },
    commit: (commit) => runCommit(server, keysOf(commit.partition), commit),
    async outbox(partition, lane, limit) {
      const entries = (await server.call("LRANGE", [
        keysOf(partition).lanes[lane],
        "0",
        String(limit - 1),
      ])) as Buffer[];
      return entries.map((entry) => toEntry(entry, lane));
    },
    async published(partition, lane, sequences) {
      return Number(await server.fn("palermo_published", [keysOf(partition).lanes[lane]], sequences));
    },
    async *entityKeys() {
      for await (const names of server.keys(`${namespace}:{p`)) {
        yield names.flatMap((name) => {
          const match = /^\{p(\d+)\}:e:(.*)$/s.exec(name.slice(namespace.length + 1));
          return match === null ? [] : [{ partition: Number(match[1]), key: match[2] ?? "" }];
        });
      }
    },
    async forget(partition) {
      await server.fn("palermo_forget", metaKeys(keysOf(partition)), []);
    },
    async deleteEntities(partition, keys) {
      const prefix = keysOf(partition).entityPrefix;
      if (keys.length > 0)
        await server.call(
          "UNLINK",
          keys.map((key) => prefix + key),
        );
    },
    async position(partition) {
      const reply = (await server.call("HMGET", [keysOf(partition).meta, "next", "fingerprint"])) as (Buffer | null)[];
      return toPosition(reply[0] ?? null, reply[1] ?? null);
    },
    async pack(partition) {
      const reply = (await server.call("HGET", [keysOf(partition).meta, "pack"])) as Buffer | null;
      return reply === null ? undefined : parsePack(String(reply));
    },
    close: async () => server.close(),
  };
}

/** Calls, with failures turned into StoreError and a lost function library loaded again. */
class Server {
  readonly address: string;
  private readonly connection: Connection;
  constructor(connection: Connection) {
    this.connection = connection;
    this.address = connection.address;
  }

  /** Throws StoreError. */
  async call(command: string, args: readonly (string | Buffer)[]): Promise<unknown> {
    try {
      return await this.connection.call(command, args);
    } catch (error) {
      throw storeError(error, this.address);
    }
  }

  /** Throws StoreError. */
  async fn(name: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    try {
      return await this.rawFn(name, keys, args);
    } catch (error) {
      throw storeError(error, this.address);
    }
  }

  /** Throws CommandFailure; nothing was written when it says `refused` or `unsent`. */
  async rawFn(name: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    const all = [name, String(keys.length), ...keys, ...args];
    try {
      return await this.connection.call("FCALL", all);
    } catch (error) {
      if (!(error instanceof CommandFailure) || !/function not found/i.test(error.message)) throw error;
    }
    // The library was flushed, or this is a new master: it is ours to load, and the call did nothing.
    await this.loadFunctions();
    return this.connection.call("FCALL", all);
  }

  /** Throws StoreError. */
  async *keys(prefix: string): AsyncGenerator<string[]> {
    try {
      yield* this.connection.keys(prefix);
    } catch (error) {
      throw storeError(error, this.address);
    }
  }

  /** Throws StoreError. */
  async loadFunctions(): Promise<void> {
    try {
      await this.connection.everywhere("FUNCTION", ["LOAD", "REPLACE", librarySource()]);
    } catch (error) {
      throw storeError(error, this.address);
    }
  }

  close(): void {
    this.connection.close();
  }
}

async function runCommit(server: Server, keys: PartitionKeys, commit: Commit): Promise<CommitResult> {
  try {
    const [names, args] = commitArguments(keys, commit);
    const reply = String(await server.rawFn("palermo_commit", names, args));
    return reply === "OK" ? { kind: "committed" } : { kind: "fenced", reason: reply.slice("FENCED ".length) };
  } catch (error) {
    if (error instanceof StoreError && error.retriable) return { kind: "retry", reason: error.message };
    if (!(error instanceof CommandFailure)) throw error;
    if (error.kind === "lost") return { kind: "unknown", reason: error.message };
    if (error.kind === "unsent" || isNotNow(error)) return { kind: "retry", reason: error.message };
    throw new Error(`invariant broken: Redis refused a commit of partition ${commit.partition}: ${error.message}`);
  }
}

/** Layout of the arguments: see `commit` in palermo.lua. */
function commitArguments(keys: PartitionKeys, commit: Commit): [string[], (string | Buffer)[]] {
  const { from, to, pack, seen, outbox, entities } = commit;
  const alerts = outbox.filter((entry) => entry.lane === "alerts");
  const marks = outbox.filter((entry) => entry.lane === "marks");
  const names = metaKeys(keys);
  const whole = entities.filter(({ isAddition }) => !isAddition);
  const ordered = [...whole, ...entities.filter(({ isAddition }) => isAddition)];
  const counts = [seen.length, alerts.length, marks.length, whole.length].map(String);
  const positions = [from.next, from.fingerprint, to.next, to.fingerprint].map(String);
  const args: (string | Buffer)[] = [commit.owner, ...positions, formatPack(pack), ...counts];
  for (const { source, offset, index } of seen) args.push(source, `${offset}:${index}`);
  for (const entry of [...alerts, ...marks]) args.push(Buffer.concat([Buffer.from(entry.sequence), entry.value]));
  args.push(String(commit.ttlMs));
  // One block for all values: a slice each costs less than an allocation each.
  const block = Buffer.allocUnsafe(entities.reduce((sum, { value }) => sum + PIECE_HEAD_BYTES + value.length, 0));
  let at = 0;
  for (const { key, value } of ordered) {
    const end = putPiece(block, at, to.next, value);
    names.push(keys.entityPrefix + key);
    args.push(block.subarray(at, end));
    at = end;
  }
  return [names, args];
}

/** Refuses a server without functions; warns of settings that lose state. Throws StoreError. */
async function checkServer(server: Server, warn: (message: string) => void): Promise<void> {
  const info = String(await server.call("INFO", []));
  const field = (name: string): string => new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]?.trim() ?? "";
  const version = field("redis_version");
  if (Number.parseInt(version, 10) < 7) {
    throw new StoreError(`Redis at ${server.address} is ${version}; Palermo needs 7.0 or later (functions)`, false);
  }
  const policy = field("maxmemory_policy");
  if (policy !== "" && policy !== "noeviction") {
    warn(
      `Redis at ${server.address} has maxmemory-policy ${policy}: when its memory is full it will silently delete ` +
        "state of entities; set maxmemory-policy to noeviction",
    );
  }
}

function storeError(error: unknown, address: string): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const retriable = error.kind !== "refused" || isNotNow(error);
  return new StoreError(`Redis at ${address}: ${error.message}`, retriable);
}

function isNotNow(error: CommandFailure): boolean {
  return NOT_NOW.has(error.code) || /function not found/i.test(error.message);
}

/** previous owner, next, fingerprint, layout, pack, seen as a flat list, waiting alerts, waiting marks. */
type ClaimReply = [Buffer | null, Buffer | null, Buffer | null, Buffer | null, Buffer | null, Buffer[], number, number];

function toClaim(partition: number, reply: ClaimReply, layout: Layout): Claim {
  const [owner, next, fingerprint, found, pack, seen, alerts, marks] = reply;
  if (found !== null && String(found) !== formatLayout(layout)) throw layoutMismatch(partition, String(found), layout);
  return {
    position: toPosition(next, fingerprint),
    pack: pack === null ? undefined : parsePack(String(pack)),
    seen: pairs(seen).map(([source, origin]) => toSeen(source, origin)),
    previousOwner: owner === null ? undefined : String(owner),
    waiting: { alerts: Number(alerts), marks: Number(marks) },
  };
}

function toPosition(next: Buffer | null, fingerprint: Buffer | null): Position | undefined {
  return next === null ? undefined : { next: BigInt(String(next)), fingerprint: Number(fingerprint) };
}

function toSeen(source: string, origin: string): Seen {
  const colon = origin.indexOf(":");
  return { source, offset: BigInt(origin.slice(0, colon)), index: Number(origin.slice(colon + 1)) };
}

/** A value in one piece, as a commit to the position `writtenAt` would have written it. */
export function storedValue(writtenAt: bigint, value: Uint8Array): Buffer {
  const block = Buffer.allocUnsafe(PIECE_HEAD_BYTES + value.length);
  putPiece(block, 0, writtenAt, value);
  return block;
}

/** Writes one piece of a value; gives where the next one begins. */
function putPiece(block: Buffer, at: number, writtenAt: bigint, value: Uint8Array): number {
  block.writeBigUInt64BE(writtenAt, at);
  block.writeUInt32BE(value.length, at + 8);
  block.set(value, at + PIECE_HEAD_BYTES);
  return at + PIECE_HEAD_BYTES + value.length;
}

/** Takes a value of Redis apart; `name` is for the message. Throws StoreError when it is not Palermo's. */
export function toStored(value: Buffer, name: string): Stored {
  const pieces: Buffer[] = [];
  let writtenAt = 0n;
  for (let at = 0; at < value.length || pieces.length === 0; ) {
    const from = at + PIECE_HEAD_BYTES;
    const end = from <= value.length ? from + value.readUInt32BE(at + 8) : Number.POSITIVE_INFINITY;
    if (end > value.length) throw new StoreError(`the value of ${name} in Redis is not Palermo's`, false);
    writtenAt = value.readBigUInt64BE(at);
    pieces.push(value.subarray(from, end));
    at = end;
  }
  const [first, ...additions] = pieces as [Buffer, ...Buffer[]];
  return { writtenAt, value: first, additions };
}

function toEntry(entry: Buffer, lane: Lane): OutboxEntry {
  return { lane, sequence: entry.toString("latin1", 0, SEQUENCE_WIDTH), value: entry.subarray(SEQUENCE_WIDTH) };
}

function pairs(flat: readonly Buffer[]): [string, string][] {
  const entries: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) entries.push([String(flat[i]), String(flat[i + 1])]);
  return entries;
}

function metaKeys(keys: PartitionKeys): string[] {
  return [keys.meta, keys.seen, keys.lanes.alerts, keys.lanes.marks];
}

function memoised<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
}

function librarySource(): string {
  return readFileSync(new URL("./functions/palermo.lua", import.meta.url), "utf8");
}
