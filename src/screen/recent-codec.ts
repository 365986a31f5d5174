/**
 * Packed form of the recent events, most of a state's bytes: times as distances, ids without the
 * beginning that they share with the id before, counterparties by number.
 */
import { assert } from "../base/assert.ts";
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { LATENESS_COUNTED_MS, SEEN_IDS_MS } from "../base/limits.ts";
import { indexIn, oneOf } from "../domain/codec-parts.ts";
import { ENTITY_KINDS, type EntityKey, type EntityKind, entityKey } from "../domain/entity.ts";
import { PURPOSES, RAILS } from "../domain/tx.ts";
import { IdReader, IdWriter, read32, type TextList, type TextTable, write32 } from "./codec-texts.ts";
import type { RecentEvent } from "./state.ts";

/** An event older than this repeats nothing that may still come: its content hash is not stored. */
export const CONTENT_HASH_MS = SEEN_IDS_MS + LATENESS_COUNTED_MS;

const SECOND_MS = 1_000;

// Flags of the list.
const IN_SECONDS = 1;
const GAPLESS = 2;

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
export function encodeRecent(
  writer: ByteWriter,
  recent: readonly RecentEvent[],
  clock: number,
  texts: TextTable,
): void {
  writer.varint(recent.length);
  const first = recent[0];
  if (first === undefined) return;
  const unit = recent.every((event) => event.time % SECOND_MS === 0) ? SECOND_MS : 1;
  const gapless = recent.every((event, i) => event.seq === first.seq + i);
  writer.u8((unit === SECOND_MS ? IN_SECONDS : 0) | (gapless ? GAPLESS : 0));
  writer.varint(first.seq);
  let time = 0;
  let seq = first.seq;
  const ids = new IdWriter();
  let alike = 0;
  for (const [i, event] of recent.entries()) {
    if (i === alike) alike = writeRun(writer, recent, i);
    const flags = flagsOf(event);
    writer.varint(flags);
    writer.zigzag((event.time - time) / unit);
    if (!gapless) writer.zigzag(event.seq - seq);
    ids.write(writer, event.txId);
    if (flags & OWN_MOVEMENT) writer.text(event.movementId);
    if (flags & AMOUNT_INTEGER) writer.zigzag(event.amount);
    else writer.f64(event.amount);
    if (flags & OTHER_ACCOUNT) texts.writeTail(writer, event.other, ACCOUNT_PREFIX.length);
    else if (!(flags & NO_OTHER)) writeKey(writer, event.other, texts);
    if (flags & SETTLED) writer.text(event.settledBy);
    if (event.time >= clock - CONTENT_HASH_MS) write32(writer, event.contentHash);
    time = event.time;
    seq = event.seq;
  }
}

/** Reads the recent events; the content hash of one older than `CONTENT_HASH_MS` is 0. */
export function decodeRecent(reader: ByteReader, clock: number, texts: TextList): RecentEvent[] {
  const count = reader.count(4);
  const recent: RecentEvent[] = [];
  if (count === 0) return recent;
  const listFlags = reader.u8();
  const unit = listFlags & IN_SECONDS ? SECOND_MS : 1;
  const firstSeq = reader.varint();
  let time = 0;
  let seq = firstSeq;
  const ids = new IdReader();
  let run: Run | undefined;
  for (let i = 0; i < count; i += 1) {
    if (run === undefined || run.left === 0) run = readRun(reader);
    run.left -= 1;
    const flags = reader.varint();
    time += reader.zigzag() * unit;
    seq = listFlags & GAPLESS ? firstSeq + i : seq + reader.zigzag();
    const txId = ids.read(reader);
    recent.push({
      seq,
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
    });
  }
  return recent;
}

function flagsOf(event: RecentEvent): number {
  let flags = 0;
  if (event.incoming) flags |= INCOMING;
  if (event.open) flags |= OPEN;
  if (event.reversed) flags |= REVERSED;
  if (event.settledBy !== "") flags |= SETTLED;
  if (event.otherOwn) flags |= OTHER_OWN;
  if (event.movementId !== event.txId) flags |= OWN_MOVEMENT;
  if (event.other === "") flags |= NO_OTHER;
  else if (event.other.startsWith(ACCOUNT_PREFIX)) flags |= OTHER_ACCOUNT;
  if (Number.isSafeInteger(event.amount) && !Object.is(event.amount, -0)) flags |= AMOUNT_INTEGER;
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
  readonly rail: RecentEvent["rail"];
  readonly purpose: RecentEvent["purpose"];
  readonly moved: boolean;
  left: number;
}

const NOT_MOVED = 15;
assert(RAILS.length <= 16 && PURPOSES.length + 1 < NOT_MOVED, "rail and purpose fit into one byte");

/** Rail in the low half of a byte, purpose (0: none) above; 15 there: nothing moved, and the purpose follows. */
function writeRun(writer: ByteWriter, recent: readonly RecentEvent[], start: number): number {
  const event = recent[start] as RecentEvent; // The caller's index.
  let end = start + 1;
  while (end < recent.length && isAlike(recent[end] as RecentEvent, event)) end += 1;
  const purpose = event.purpose === undefined ? 0 : indexIn(PURPOSES, event.purpose) + 1;
  writer.u8(indexIn(RAILS, event.rail) | ((event.moved ? purpose : NOT_MOVED) << 4));
  if (!event.moved) writer.u8(purpose);
  writer.varint(end - start);
  return end;
}

function isAlike(a: RecentEvent, b: RecentEvent): boolean {
  return a.rail === b.rail && a.purpose === b.purpose && a.moved === b.moved;
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
