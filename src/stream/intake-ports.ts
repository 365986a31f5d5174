/** What the intake worker is given, and what it tells: the seams at which tests and a simulation take hold. */
import type { RejectCode } from "../base/errors.ts";
import type { Decoder } from "../intake/decode.ts";
import type { Admin, Consumer, Producer, TopicPartition } from "./bus.ts";
import type { DriftBoard } from "./drift.ts";
import type { Pace } from "./pace.ts";
import type { Clock, TopicRef } from "./screen-ports.ts";

export interface IntakeTopics {
  /** Inputs. */
  readonly transactions: string;
  readonly parties: string;
  /** Outputs. */
  readonly views: TopicRef;
  readonly profiles: TopicRef;
  readonly rejected: TopicRef;
}

export interface IntakeConfig {
  readonly group: string;
  readonly epoch: number;
  /** A batch closes at so many views or bytes for one partition of the views topic, at a message's edge. */
  readonly batchViews: number;
  readonly batchBytes: number;
  readonly rejectedBytes: boolean;
  readonly aheadMs: number;
  readonly waitMs: number;
  /** Offsets are committed at most this often. Default 200. */
  readonly commitEveryMs?: number;
}

/** Told as it happens, for logs and metrics. All optional: nothing depends on them. */
export interface IntakeEvents {
  assigned?(partitions: readonly TopicPartition[]): void;
  revoked?(): void;
  /** Reading begins; `fresh`: no position was kept, so from the beginning. */
  started?(at: TopicPartition, from: bigint, fresh: boolean): void;
  halted?(at: TopicPartition, message: string): void;
  rejected?(at: TopicPartition, code: RejectCode): void;
  /** A batch was acknowledged. */
  sent?(facts: SentFacts): void;
  /** Waits for slower partitions, or no longer. */
  held?(at: TopicPartition, held: boolean): void;
  /** Slower partitions were given up on after the longest wait. */
  released?(partitions: number): void;
  lag?(at: TopicPartition, records: number): void;
  /** The drift board, offsets or the broker's admin cannot be reached now. */
  waiting?(what: string, reason: string): void;
}

export interface SentFacts {
  readonly messages: number;
  readonly rejects: number;
  readonly records: number;
  readonly bytes: number;
  /** From the call to the acknowledgement. */
  readonly tookMs: number;
}

export interface IntakeDeps {
  readonly consumer: Consumer;
  readonly admin: Admin;
  /** Its own: nobody else may have a send open on it. */
  readonly producer: Producer;
  /** By input: a mapping turns transactions of another shape into ours, and leaves profiles alone. */
  readonly decoders: Readonly<Record<"transactions" | "parties", Decoder>>;
  /** Undefined: partitions of other workers are not waited for. */
  readonly board: DriftBoard | undefined;
  /** Undefined: screening is not waited for. */
  readonly pace?: Pace | undefined;
  readonly topics: IntakeTopics;
  readonly config: IntakeConfig;
  readonly events: IntakeEvents;
  readonly clock: Clock;
  /** Told once when the worker cannot go on: the process should end and be started again. */
  readonly failed: (error: Error) => void;
}

/** One input partition, for `/readyz`. */
export interface LaneHealth extends TopicPartition {
  readonly lag: number;
  /** Epoch ms of the shell's clock. */
  readonly movedAt: number;
  readonly held: boolean;
  readonly halted: boolean;
}

export interface IntakeWorker {
  /** Joins the group and reads until `stop`. */
  run(): Promise<void>;
  /** Finishes what is in hand, commits, leaves the group. */
  stop(): Promise<void>;
  readonly joined: boolean;
  lanes(): LaneHealth[];
}
