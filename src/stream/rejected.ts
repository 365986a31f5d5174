/**
 * Records of `palermo.rejected`: where a message stood, how to recognise it, and why it was not screened.
 * Its bytes go along only where the operator asked for them, since they may hold personal data.
 */
import { createHash } from "node:crypto";
import type { Reject } from "../base/errors.ts";
import type { View } from "../domain/view.ts";
import type { Verdict } from "../screen/outputs.ts";
import { refusalOf } from "../screen/refusals.ts";
import type { BusRecord, OutRecord, TopicPartition } from "./bus.ts";
import { inputOf } from "./record.ts";

export interface RejectedRecord {
  readonly schema: "rejected/1";
  readonly stage: "intake" | "screen";
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Bytes of the value; screening no longer has them. */
  readonly length?: number;
  /** Of the value, hexadecimal; screening no longer has it. */
  readonly sha256?: string;
  readonly code: Reject["code"];
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  /** Base64 of the value. */
  readonly bytes?: string;
}

/** Describes a message that was refused. */
export function rejectedRecord(
  stage: RejectedRecord["stage"],
  at: TopicPartition,
  record: Pick<BusRecord, "offset" | "value">,
  reject: Reject,
  withBytes: boolean,
): RejectedRecord {
  const value = record.value ?? new Uint8Array();
  return {
    schema: "rejected/1",
    stage,
    topic: at.topic,
    partition: at.partition,
    offset: Number(record.offset),
    length: value.length,
    sha256: createHash("sha256").update(value).digest("hex"),
    code: reject.code,
    field: reject.field,
    expected: reject.expected,
    found: reject.found,
    ...(withBytes ? { bytes: Buffer.from(value).toString("base64") } : {}),
  };
}

/**
 * Describes a movement that an entity refused (a conflict, or too late), by the input record that its view came from.
 * Each entity that refuses it tells; the place is the same. Undefined where nothing was refused.
 */
export function refusedByScreening(
  source: string,
  offset: bigint,
  view: View,
  verdict: Verdict,
): RejectedRecord | undefined {
  const reject = view.kind === "tx" ? refusalOf(view.tx, verdict) : undefined;
  if (reject === undefined) return undefined;
  const at = inputOf(source);
  if (at === undefined) return undefined;
  return { schema: "rejected/1", stage: "screen", ...at, offset: Number(offset), ...reject };
}

/** The same as a record to send. Those of one input partition stand in one partition, in input order. */
export function rejectedOut(rejected: RejectedRecord, partitions: number): OutRecord {
  const key = `${rejected.topic}:${rejected.partition}`;
  return { partition: rejected.partition % partitions, key, value: JSON.stringify(rejected) };
}
