/**
 * The order of rows from files: event time, then kind (what is known of a party before what it did), then
 * id, then content. Two rows that it does not tell apart are the same row twice.
 */
import type { Decoded } from "../intake/decode.ts";
import type { Item } from "./items.ts";

/** Negative when `a` comes first. */
export function compareItems(a: Item, b: Item): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  const x = a.decoded;
  const y = b.decoded;
  if (x.kind !== y.kind) return RANK[x.kind] - RANK[y.kind];
  if (x.kind === "reject" || y.kind === "reject") return compareText(a.file, b.file) || a.line - b.line;
  return compareText(idOf(x), idOf(y)) || compareContent(x, y);
}

const RANK = { profile: 0, event: 1, tx: 2, reject: 3 } as const;

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function idOf(decoded: Exclude<Decoded, { kind: "reject" }>): string {
  if (decoded.kind === "tx") return decoded.tx.id;
  return decoded.kind === "profile" ? decoded.profile.entity : decoded.event.id;
}

/** Only rows with one time and one id come here: repeats and conflicts, which are rare. */
function compareContent(a: Decoded, b: Decoded): number {
  if (a.kind === "tx" && b.kind === "tx" && a.tx.contentHash !== b.tx.contentHash) {
    return a.tx.contentHash - b.tx.contentHash;
  }
  return compareText(textOf(a), textOf(b));
}

/** Fields stand in one order in all records of a kind, so that equal text is equal content. */
function textOf(decoded: Decoded): string {
  return JSON.stringify(decoded, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}
