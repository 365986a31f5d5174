/** What the screening worker is given, and what it tells: the seams at which tests and a simulation take hold. */
import type { RejectCode } from "../base/errors.ts";
import type { Alert } from "../domain/alert.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { View } from "../domain/view.ts";
import type { Output, Verdict } from "../screen/outputs.ts";
import type { Entity } from "../screen/state.ts";
import type { Lane, PackInForce, StateStore } from "../store/port.ts";
import type { Admin, Consumer, Producer } from "./bus.ts";

/** The part of the engine that screening a partition needs. */
export interface ScreenEngine {
  readonly pack: { readonly hash: string; readonly horizonMs: number };
  /** Names the pack in values. */
  readonly tag: number;
  newEntity(key: EntityKey): Entity;
  apply(entity: Entity, view: View, out: Output[], packed?: string): Verdict;
  encode(entity: Entity): Uint8Array;
  /** What to put behind the bytes given or read last; undefined: that would not do, the entity must be encoded. */
  addition(entity: Entity): Uint8Array | undefined;
  decode(key: EntityKey, bytes: Uint8Array, additions: readonly Uint8Array[]): Entity;
  /** `tag` of the engine that gave the bytes. */
  tagOf(bytes: Uint8Array): number;
  /** Takes over an entity that another engine has kept. */
  adopt(entity: Entity, from: ScreenEngine): Entity;
}

/** The packs that the log names. What it throws: PackError when there is no use in waiting, else BusError. */
export interface PackSource {
  /** The engine of a pack by its hash; the same one each time. */
  load(hash: string): Promise<ScreenEngine>;
  /** The same by the tag that values carry. */
  loadTagged(tag: number): Promise<ScreenEngine>;
  /** The pack that was in force at a time (epoch ms) of which the log itself says nothing any more. */
  inForceAt(timeMs: number): Promise<PackInForce>;
}

/** A pack is missing, damaged or does not compile; the message says which and why. */
export class PackError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PackError";
  }
}

/** A source of one pack, in force from the beginning: for tools and tests that change none. */
export function singlePack(engine: ScreenEngine): PackSource {
  const only = async (fits: boolean, name: string): Promise<ScreenEngine> => {
    if (!fits) throw new PackError(`the only pack here is ${engine.pack.hash}, not ${name}`);
    return engine;
  };
  return {
    load: (hash) => only(hash === engine.pack.hash, hash),
    loadTagged: (tag) => only(tag === engine.tag, `one with tag ${tag}`),
    inForceAt: async () => ({ hash: engine.pack.hash, activation: 0n }),
  };
}

export interface TopicRef {
  readonly name: string;
  readonly partitions: number;
}

export interface ScreenTopics {
  readonly views: TopicRef;
  readonly alerts: TopicRef;
  /** Whole records of class `protected`. */
  readonly protected: TopicRef;
  /** Alerts of rules in shadow. */
  readonly shadow: TopicRef;
  /** Movements that screening refuses. */
  readonly rejected: TopicRef;
}

export interface ScreenConfig {
  readonly tenant: string;
  readonly group: string;
  /** Memory that entities in the cache may take, all partitions together. */
  readonly cacheBytes: number;
  /** A commit closes at so many changed entities, bytes or ms, at a record's edge. */
  readonly commitEntities: number;
  readonly commitBytes: number;
  readonly commitMs: number;
  /** A lane with so many entries pauses its partition. Default 10,000. */
  readonly laneLimit?: number;
  /** How often the published position is told to the group. Default 50: intake waits for it. */
  readonly publishedEveryMs?: number;
  /**
   * The group is told again after so long what it was told already: a request that was given up may arrive late and
   * set an offset back, and intake waits for these offsets. Default 5,000.
   */
  readonly publishedAgainMs?: number;
}

/** Why a partition stands still until an operator acts. */
export type HaltCode = "LOG_CHANGED" | "BAD_RECORD" | "FOREIGN_STATE" | "STORE_REFUSED" | "PACK_UNUSABLE";

export interface CommitFacts {
  readonly partition: number;
  readonly next: bigint;
  readonly entities: number;
  readonly bytes: number;
  /** From closing to the store's word. */
  readonly tookMs: number;
}

/** Told as it happens, for logs and metrics. All optional: nothing depends on them. */
export interface ScreenEvents {
  claimed?(partition: number, next: bigint, waiting: Readonly<Record<Lane, number>>): void;
  /** From `offset` on another pack is in force. */
  packChanged?(partition: number, offset: bigint, pack: PackInForce): void;
  /** State was missing: replayed from `from`, silent below `mutedTo`. */
  rebuilding?(partition: number, from: bigint, mutedTo: bigint): void;
  /** It is at the end that the log had when it began. */
  rebuilt?(partition: number, records: number, tookMs: number): void;
  fenced?(partition: number, reason: string): void;
  halted?(partition: number, code: HaltCode, message: string): void;
  committed?(facts: CommitFacts): void;
  verdicts?(partition: number, counts: Readonly<Partial<Record<Verdict, number>>>): void;
  /** Views that had been taken before. */
  repeated?(partition: number, views: number): void;
  hits?(partition: number, count: number): void;
  /** The store cannot be used now; told at each attempt. */
  storeWaiting?(reason: string, retryInMs: number): void;
  published?(partition: number, lane: Lane, entries: number): void;
  /** One revision of an alert goes out; a repeat after a crash is told again. */
  alert?(alert: Alert): void;
  /** A movement was refused by an entity; told on the rejected topic. */
  refused?(code: RejectCode): void;
  paused?(partition: number, why: string): void;
  resumed?(partition: number): void;
  /** Encoded above 32 KiB. */
  oversized?(partition: number, entity: EntityKey, bytes: number): void;
  /** Entities in the cache and read from the store. */
  cache?(partition: number, held: number, missed: number): void;
}

/** Time of the shell, for waiting and metrics only. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets timers and sockets have their turn in the middle of long work. */
  breathe(): Promise<void>;
}

export interface ScreenDeps {
  readonly consumer: Consumer;
  readonly admin: Admin;
  /** One for each lane: a dead alerts topic must not hold up marks. */
  readonly producers: Readonly<Record<Lane, Producer>>;
  readonly store: StateStore;
  readonly packs: PackSource;
  readonly topics: ScreenTopics;
  readonly config: ScreenConfig;
  readonly events: ScreenEvents;
  readonly clock: Clock;
  /** A fresh owner token. */
  readonly token: () => string;
  /** Told once when the worker cannot go on: the process should end and be started again. */
  readonly failed: (error: Error) => void;
}
