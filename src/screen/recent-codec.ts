/**
 * Packed form of the recent events, most of a state's bytes: times as distances, ids without the
 * beginning that they share with the id before, counterparties by number.
 */
import { assert } from "../base/assert.ts";
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { LATENESS_COUNTED_MS, SEEN_IDS_MS } from "../base/limits.ts";
import { indexIn, oneOf } from "../domain/codec-parts.ts";
import { ENTITY_KINDS, type EntityKey, type EntityKind, entityKey } from "../domain/entity.ts";
import { PURPOSES, type Purpose, RAILS, type Rail } from "../domain/tx.ts";
import { IdReader, IdWriter, read32, type TextList, type TextTable, write32 } from "./codec-texts.ts";
import type { RecentEvents } from "./recent-events.ts";

/** An event older than this repeats nothing that may still come: its content hash is not stored. */
export const CONTENT_HASH_MS = SEEN_IDS_MS + LATENESS_COUNTED_MS;

const SECOND_MS = 1_000;

// Flags of the list.
const IN_SECONDS = 1;

// Flags of an event; those from 128 on are rare and cost a byte more.
const INCOMING = 1;
const OTHER_OWN = 2;
const OWN_MOVEMENT = 4;
const NO_OTHER = 8;
const AMOUNT_INTEGER = 16;
const OTHER_ACCOUNT = 32;
const REVERSED = 64;
const OPEN = 128;
const SETTLED = 256;

const ACCOUNT_PREFIX = entityKey("account", "");

/** Appends the recent events; `clock` is the state's newest event time. */
export function encodeRecent(writer: ByteWriter, recent: RecentEvents, clock: number, texts: TextTable): void {
  const { length } = recent;
  writer.varint(length);
  if (length === 0) return;
  const unit = areInSeconds(recent) ? SECOND_MS : 1;
  writer.u8(unit === SECOND_MS ? IN_SECONDS : 0);
  writer.varint(recent.firstSeq);
  let before = 0;
  const ids = new IdWriter();
  let alike = 0;
  for (let i = 0; i < length; i += 1) {
    if (i === alike) alike = writeRun(writer, recent, i);
    const flags = flagsOf(recent, i);
    const time = recent.timeAt(i);
    writer.varint(flags);
    writer.zigzag((time - before) / unit);
    ids.write(writer, recent.txIdAt(i));
    if (flags & OWN_MOVEMENT) writer.text(recent.movementIdAt(i));
    if (flags & AMOUNT_INTEGER) writer.zigzag(recent.amountAt(i));
    else writer.f64(recent.amountAt(i));
    if (flags & OTHER_ACCOUNT) texts.writeTail(writer, recent.otherAt(i), ACCOUNT_PREFIX.length);
    else if (!(flags & NO_OTHER)) writeKey(writer, recent.otherAt(i), texts);
    if (flags & SETTLED) writer.text(recent.settledByAt(i));
    if (time >= clock - CONTENT_HASH_MS) write32(writer, recent.contentHashAt(i));
    before = time;
  }
}

function areInSeconds(recent: RecentEvents): boolean {
  for (let i = 0; i < recent.length; i += 1) if (recent.timeAt(i) % SECOND_MS !== 0) return false;
  return true;
}

/** Reads the recent events into `recent`; the content hash of one older than `CONTENT_HASH_MS` is 0. */
export function decodeRecent(reader: ByteReader, recent: RecentEvents, clock: number, texts: TextList): void {
  const count = reader.count(4);
  if (count === 0) return;
  const listFlags = reader.u8();
  const unit = listFlags & IN_SECONDS ? SECOND_MS : 1;
  const firstSeq = reader.varint();
  let time = 0;
  const ids = new IdReader();
  let run: Run | undefined;
  recent.load(firstSeq, count, () => {
    if (run === undefined || run.left === 0) run = readRun(reader);
    run.left -= 1;
    const flags = reader.varint();
    time += reader.zigzag() * unit;
    const txId = ids.read(reader);
    return {
      time,
      txId,
      movementId: flags & OWN_MOVEMENT ? reader.text() : txId,
      incoming: (flags & INCOMING) !== 0,
      amount: flags & AMOUNT_INTEGER ? reader.zigzag() : reader.f64(),
      other: readOther(reader, flags, texts),
      otherOwn: (flags & OTHER_OWN) !== 0,
      rail: run.rail,
      purpose: run.purpose,
      moved: run.moved,
      settledBy: flags & SETTLED ? reader.text() : "",
      contentHash: time >= clock - CONTENT_HASH_MS ? read32(reader) : 0,
      open: (flags & OPEN) !== 0,
      reversed: (flags & REVERSED) !== 0,
    };
  });
}

function flagsOf(recent: RecentEvents, i: number): number {
  let flags = 0;
  if (recent.isIncoming(i)) flags |= INCOMING;
  if (recent.isOpen(i)) flags |= OPEN;
  if (recent.isReversed(i)) flags |= REVERSED;
  if (recent.settledByAt(i) !== "") flags |= SETTLED;
  if (recent.isOtherOwn(i)) flags |= OTHER_OWN;
  if (recent.movementIdAt(i) !== recent.txIdAt(i)) flags |= OWN_MOVEMENT;
  const other = recent.otherAt(i);
  if (other === "") flags |= NO_OTHER;
  else if (other.startsWith(ACCOUNT_PREFIX)) flags |= OTHER_ACCOUNT;
  const amount = recent.amountAt(i);
  if (Number.isSafeInteger(amount) && !Object.is(amount, -0)) flags |= AMOUNT_INTEGER;
  return flags;
}

/** An entity key: its kind, and its token by number, as sets of the same state may hold the token too. */
function writeKey(writer: ByteWriter, key: EntityKey, texts: TextTable): void {
  const separator = key.indexOf(":");
  writer.u8(indexIn(ENTITY_KINDS, key.slice(0, separator) as EntityKind));
  texts.writeTail(writer, key, separator + 1);
}

/** How the next movements moved that agree in it. */
interface Run {
  readonly rail: Rail;
  readonly purpose: Purpose | undefined;
  readonly moved: boolean;
  left: number;
}

const NOT_MOVED = 15;
assert(RAILS.length <= 16 && PURPOSES.length + 1 < NOT_MOVED, "rail and purpose fit into one byte");

/** Rail in the low half of a byte, purpose (0: none) above; 15 there: nothing moved, and the purpose follows. */
function writeRun(writer: ByteWriter, recent: RecentEvents, start: number): number {
  const rail = recent.railAt(start);
  const purpose = recent.purposeAt(start);
  const moved = recent.isMoved(start);
  const isAlike = (i: number) =>
    recent.railAt(i) === rail && recent.purposeAt(i) === purpose && recent.isMoved(i) === moved;
  let end = start + 1;
  while (end < recent.length && isAlike(end)) end += 1;
  const number = purpose === undefined ? 0 : indexIn(PURPOSES, purpose) + 1;
  writer.u8(indexIn(RAILS, rail) | ((moved ? number : NOT_MOVED) << 4));
  if (!moved) writer.u8(number);
  writer.varint(end - start);
  return end;
}

function readRun(reader: ByteReader): Run {
  const packed = reader.u8();
  const moved = packed >>> 4 !== NOT_MOVED;
  const number = moved ? packed >>> 4 : reader.u8();
  const purpose = number === 0 ? undefined : oneOf(reader, PURPOSES, number - 1);
  const run = { rail: oneOf(reader, RAILS, packed & 15), purpose, moved, left: reader.varint() };
  return run.left > 0 ? run : reader.fail("movements that moved alike");
}

function readOther(reader: ByteReader, flags: number, texts: TextList): EntityKey {
  if (flags & NO_OTHER) return "";
  if (flags & OTHER_ACCOUNT) return ACCOUNT_PREFIX + texts.read(reader);
  const kind = oneOf(reader, ENTITY_KINDS, reader.u8());
  return entityKey(kind, texts.read(reader));
}
