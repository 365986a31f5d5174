/**
 * Positions in a log, and the check that it is still the same log: an offset alone would read on in a
 * topic that was deleted and made anew, or was cut short by an unclean election. A position therefore
 * carries a fingerprint of the record before it, which is read again on assignment.
 */
import type { Position } from "../store/port.ts";
import type { BusRecord, PartitionRange } from "./bus.ts";

export type { Position };

/** Bytes of key and of value that a fingerprint looks at; their lengths count in full. */
const FINGERPRINT_BYTES = 4_096;

/** 32 bits over offset, timestamp, key and value of a record. Never 0, which stands for "no record before". */
export function fingerprintOf(record: BusRecord): number {
  let hash = 0x811c9dc5;
  const mix = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  const lengths = [record.key?.length ?? 0, record.value?.length ?? 0];
  for (const part of [Number(record.offset), record.timestamp, ...lengths]) {
    for (let rest = part, i = 0; i < 7; i++, rest = Math.floor(rest / 256)) mix(rest % 256);
  }
  for (const bytes of [record.key, record.value]) {
    mix(bytes === null ? 0 : 1);
    for (const byte of bytes?.subarray(0, FINGERPRINT_BYTES) ?? []) mix(byte);
  }
  return hash >>> 0 || 1;
}

/** The position after a record. */
export function positionAfter(record: BusRecord): Position {
  return { next: record.offset + 1n, fingerprint: fingerprintOf(record) };
}

/** Where to begin reading so that a position can be checked. */
export type Plan =
  /** Nothing stands before: read from here, nothing to compare. */
  | { readonly kind: "read"; readonly from: bigint }
  /** Read the record before the position first; `confirms` judges it. */
  | { readonly kind: "confirm"; readonly from: bigint }
  /** The log is not the one that was read. */
  | { readonly kind: "changed"; readonly why: string };

/**
 * Plans the reading of a partition. A position at the very beginning of what the log still has cannot be
 * compared (its record was removed by age); it is taken, since nothing unread is missing.
 */
export function planReading(position: Position | undefined, range: PartitionRange): Plan {
  if (position === undefined) return { kind: "read", from: range.low };
  const { next } = position;
  if (next > range.high) {
    return {
      kind: "changed",
      why: `it ends at offset ${range.high}, before the position ${next}: cut short or made anew`,
    };
  }
  if (next < range.low) {
    return {
      kind: "changed",
      why: `it begins at offset ${range.low}: ${range.low - next} records from ${next} on are gone unread`,
    };
  }
  if (next === range.low) return { kind: "read", from: next };
  return { kind: "confirm", from: next - 1n };
}

/** Judges the first record read after a plan of kind `confirm`; undefined when it is the one before the position. */
export function confirms(position: Position, first: BusRecord): string | undefined {
  if (first.offset !== position.next - 1n) {
    return `the record before the position ${position.next} is gone (the next one stands at ${first.offset})`;
  }
  const found = fingerprintOf(first);
  return found === position.fingerprint
    ? undefined
    : `the record at offset ${first.offset} is another one than was read there ` +
        `(${hex(found)}, not ${hex(position.fingerprint)})`;
}

/** A position as the metadata text of a group offset, with the input epoch that it belongs to. */
export function encodeMetadata(position: Position, epoch: number): string {
  return `palermo/1;${epoch};${hex(position.fingerprint)}`;
}

/**
 * Reads it back. `foreign`: somebody else set the offset (a tool, kafkajs resetting one that was out of
 * range, or a process with a higher epoch). `older`: written under an epoch below `epoch`, so the operator
 * asked for a fresh start.
 */
export function decodeMetadata(
  text: string,
  offset: bigint,
  epoch: number,
):
  | { readonly kind: "position"; readonly position: Position }
  | { readonly kind: "foreign" }
  | { readonly kind: "older" } {
  const match = /^palermo\/1;(\d{1,9});([0-9a-f]{8})$/.exec(text);
  if (!match) return { kind: "foreign" };
  if (Number(match[1]) !== epoch) return { kind: Number(match[1]) < epoch ? "older" : "foreign" };
  return { kind: "position", position: { next: offset, fingerprint: Number.parseInt(match[2] ?? "", 16) } };
}

function hex(fingerprint: number): string {
  return fingerprint.toString(16).padStart(8, "0");
}
