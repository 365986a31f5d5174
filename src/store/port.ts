/**
 * The state store as screening sees it: entities of one views partition, its positions and its
 * outbox, changed together or not at all. `memory.ts` and `redis.ts` implement it and pass one
 * conformance suite. Protocol: design notes, protocol.md sections 1 to 4.
 */

/** A place in a log: the next offset to read and a fingerprint of the record before it. */
export interface Position {
  readonly next: bigint;
  /** 32-bit hash of the record at `next - 1`; 0 when nothing was read yet. */
  readonly fingerprint: number;
}

/** Highest origin taken from one source: offset and view index within it. */
export interface Seen {
  /** `in:<topic>:<partition>` or `views:<partition>`. */
  readonly source: string;
  readonly offset: bigint;
  readonly index: number;
}

/** A pack as the log put it in force: of two activations the one with the greater number counts. */
export interface PackInForce {
  /** `Pack.hash`. */
  readonly hash: string;
  readonly activation: bigint;
}

/** The same with its place in one views partition. */
export interface PlacedPack extends PackInForce {
  /** Offset of the record that put it in force; undefined: from before the log's beginning. */
  readonly from: bigint | undefined;
}

/** What waits in the outbox for one dead topic must not hold up the other. */
export type Lane = "alerts" | "marks";
export const LANES: readonly Lane[] = ["alerts", "marks"];

export interface OutboxEntry {
  /** Orders the outbox: views offset, view, output of the cause, as `formatSequence` writes them. */
  readonly sequence: string;
  readonly lane: Lane;
  readonly value: Uint8Array;
}

/** How views are spread over partitions. State written under another layout is unusable. */
export interface Layout {
  readonly partitions: number;
  /** Name of the hash that sends an entity to its partition. */
  readonly hash: string;
}

export interface Claim {
  /** Undefined: the partition has never been initialised here: rebuild. */
  readonly position: Position | undefined;
  /** In force at the position; undefined: no commit has said yet. */
  readonly pack: PlacedPack | undefined;
  readonly seen: readonly Seen[];
  readonly previousOwner: string | undefined;
  /** Entries that wait in each lane. */
  readonly waiting: Readonly<Record<Lane, number>>;
}

/** An entity's value as it was written. */
export interface Stored {
  /** `to.next` of the commit that wrote it last; one beyond the partition's position is foreign to it. */
  readonly writtenAt: bigint;
  readonly value: Uint8Array;
  /** What later commits put behind it, oldest first. */
  readonly additions: readonly Uint8Array[];
}

/** What a commit writes of one entity. */
export interface EntityChange {
  readonly key: string;
  readonly value: Uint8Array;
  /** Goes behind what is stored, which must be there; otherwise it takes the place of it. */
  readonly isAddition?: boolean;
}

export interface Commit {
  readonly partition: number;
  readonly owner: string;
  readonly from: Position;
  readonly to: Position;
  /** In force at `to`. */
  readonly pack: PlacedPack;
  readonly seen: readonly Seen[];
  /** Each value is stored behind `to.next` (added by the store). */
  readonly entities: readonly EntityChange[];
  /** After this without a write the store may forget an entity: garbage collection, never a meaning. */
  readonly ttlMs: number;
  /** In the order of `sequence`, each greater than any committed before in its lane. */
  readonly outbox: readonly OutboxEntry[];
}

/**
 * `fenced`: another owner or position; nothing was written. `retry`: the store cannot write now; nothing was
 * written. `unknown`: the reply was lost; the commit may have been done, or may even be done later. `renew` decides.
 */
export type CommitResult =
  | { readonly kind: "committed" }
  | { readonly kind: "fenced"; readonly reason: string }
  | { readonly kind: "retry"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/**
 * Every method but `commit` throws `StoreError`; a retriable one may be called again at will, for claims and
 * deletions are repeatable.
 */
export interface StateStore {
  /** Takes a partition over under a fresh owner token, whoever has it. */
  claim(partition: number, owner: string): Promise<Claim>;
  /**
   * Exchanges the caller's own token for a fresh one; undefined when it owns the partition no more. After it, a
   * commit under the old token that is still on its way is refused, so the position that it returns is final.
   */
  renew(partition: number, owner: string, fresh: string): Promise<Claim | undefined>;
  /**
   * Creates the position of a partition that has none, without pack, and empties its outbox; only a rebuild or a first
   * start calls it. False, and nothing written, when a position is there or `owner` has no claim.
   */
  init(partition: number, owner: string, position: Position): Promise<boolean>;
  /** Values by key, in order; undefined where none is. */
  read(partition: number, keys: readonly string[]): Promise<(Stored | undefined)[]>;
  commit(commit: Commit): Promise<CommitResult>;
  /** Oldest entries of a lane, at most `limit`. */
  outbox(partition: number, lane: Lane, limit: number): Promise<OutboxEntry[]>;
  /** Deletes what was acknowledged: exactly these, given in order. Returns how many entries still wait. */
  published(partition: number, lane: Lane, sequences: readonly string[]): Promise<number>;
  /** The position as it stands. */
  position(partition: number): Promise<Position | undefined>;
  /** The pack in force at the position. */
  pack(partition: number): Promise<PlacedPack | undefined>;
  close(): Promise<void>;
}

/** The store cannot be used now (`retriable`), or holds what this program must not touch. */
export class StoreError extends Error {
  readonly retriable: boolean;
  constructor(message: string, retriable: boolean) {
    super(message);
    this.name = "StoreError";
    this.retriable = retriable;
  }
}

/** Characters of a sequence: `offset.view.output` with 20, 7 and 7 digits. */
export const SEQUENCE_WIDTH = 36;

/** The sequence of an output: fixed width, so that text order is the order of causes. */
export function formatSequence(offset: bigint, view: number, output: number): string {
  return `${String(offset).padStart(20, "0")}.${String(view).padStart(7, "0")}.${String(output).padStart(7, "0")}`;
}

/** The views offset in a sequence. */
export function sequenceOffset(sequence: string): bigint {
  return BigInt(sequence.slice(0, 20));
}

/** How a pack in force is written down beside the position. */
export function formatPack({ hash, activation, from }: PlacedPack): string {
  return `${activation}:${from ?? ""}:${hash}`;
}

/** Reads it back. Throws StoreError on a text that is none. */
export function parsePack(text: string): PlacedPack {
  const match = /^(\d{1,19}):(\d{0,19}):(.+)$/.exec(text);
  if (!match) throw new StoreError(`the pack in force is written as ${JSON.stringify(text)}, which is none`, false);
  const from = match[2] ? BigInt(match[2]) : undefined;
  return { activation: BigInt(match[1] ?? ""), from, hash: match[3] ?? "" };
}

/** How a layout is written down beside the state. */
export function formatLayout(layout: Layout): string {
  return `${layout.partitions}:${layout.hash}`;
}

/** Says what stands against each other and what an operator can do about it. */
export function layoutMismatch(partition: number, found: string, wanted: Layout): StoreError {
  const [partitions, hash] = found.split(":");
  return new StoreError(
    `the state of partition ${partition} was written for ${partitions} partitions by ${hash}, ` +
      `but this run has ${wanted.partitions} by ${wanted.hash}: ` +
      "go back to the old number, or delete the state and let it be rebuilt",
    false,
  );
}
