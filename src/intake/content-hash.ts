/**
 * The content of a movement as 32 bits (FNV-1a over code units), to tell a repeat of an id from a conflict:
 * time, amount, currency, both sides' identifiers, rail and stage. Rates and lists do not enter, so a new
 * rate never makes a conflict.
 */
import type { Minor } from "../domain/money.ts";
import type { Movement, MovementSide } from "../domain/movement.ts";

/** Hash of what makes a movement the same one; an unsigned 32-bit integer. */
export function contentHash(movement: Movement, time: number, amountMinor: Minor): number {
  let hash = mixNumber(OFFSET, time);
  hash = typeof amountMinor === "number" ? mixNumber(hash, amountMinor) : mixText(hash, String(amountMinor));
  hash = mixText(hash, movement.currency);
  hash = mixText(hash, movement.rail);
  hash = mixText(hash, movement.stage ?? "booked");
  hash = mixSide(hash, movement.debtor);
  hash = mixSide(hash, movement.creditor);
  return hash >>> 0;
}

const OFFSET = 0x811c9dc5 | 0;
const PRIME = 0x01000193;
const TWO_TO_32 = 4_294_967_296;

function mixSide(hash: number, side: MovementSide): number {
  let mixed = mixText(hash, side.kind);
  mixed = mixOptional(mixed, side.account);
  mixed = mixOptional(mixed, side.party);
  mixed = mixOptional(mixed, side.card);
  mixed = mixOptional(mixed, side.wallet);
  return mixOptional(mixed, side.merchant?.id);
}

/** Ends with a unit that no token holds, so that neighbours do not run together; absent is its own unit. */
function mixOptional(hash: number, text: string | undefined): number {
  return text === undefined ? Math.imul(hash ^ 1, PRIME) : mixText(hash, text);
}

function mixText(hash: number, text: string): number {
  let mixed = hash;
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), PRIME);
  return Math.imul(mixed, PRIME);
}

function mixNumber(hash: number, value: number): number {
  const low = Math.imul(hash ^ (value | 0), PRIME);
  return Math.imul(low ^ (low >>> 13) ^ Math.floor(value / TWO_TO_32), PRIME);
}
