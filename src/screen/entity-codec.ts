/**
 * Packed form of an entity as a store keeps it: the pack under which it was written, its base, the views since, what
 * was told of its alerts; and behind that the views that later commits added.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { hash48 } from "../base/hash.ts";
import { indexIn, oneOf, readTexts, writeTexts } from "../domain/codec-parts.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { View } from "../domain/view.ts";
import { decodeView } from "../domain/view-codec.ts";
import { SEVERITIES } from "../domain/vocabulary.ts";
import type { Pack } from "../rules/plan.ts";
import { read32, read48, write32, write48 } from "./codec-texts.ts";
import type { Entity, EntityParts, SentAlert } from "./state.ts";
import { packState, readList } from "./state-codec.ts";
import { Tail } from "./view-tail.ts";

/** Version of the frame around base, tail and sent alerts. */
export const ENTITY_VERSION = 3;

/**
 * Views that came behind what was encoded, added or decoded last, to be put behind those bytes; empty when none did,
 * undefined when more changed than that. A tail holds up to 256 views of the last two hours: over the first 200,000
 * transactions of bench/peer, in commits of 4,000, writing it whole each time cost 850 bytes and 34 us of CPU a
 * transaction, this 189 bytes and 10 us.
 */
export function encodeAddition(entity: Entity): Uint8Array | undefined {
  const { base, tail, sent, stored } = entity;
  if (stored === undefined || stored.base !== base || stored.tail !== tail || stored.sent !== sent) return undefined;
  const added = tail.length - stored.views;
  if (added === 0) return NOTHING;
  if (tail.length - stored.folded > UNFOLDED_MAX) return undefined;
  WRITER.reset();
  tail.encode(WRITER, stored.views);
  keepStored(entity, stored.folded);
  return WRITER.finish();
}

/**
 * From so many views on the fold of the tail is stored beside it, and at most so many views may follow before that is
 * done again. Who reads an entity back folds what is not: over 60,000 payments of 600 accounts (bench/peer) that were
 * all read back each time, screening took 850 us a payment, most of it for alerts that were said long before; so it is
 * 422, for 3.7 KB written instead of 0.7. Tails shorter than this are cheaper to fold than to store folded.
 */
const FOLDED_FROM = 16;
const UNFOLDED_MAX = 64;

/** How many views of a tail are stored with their fold when the entity is written whole. */
export function foldedViews({ tail }: Pick<Entity, "tail">): number {
  return tail.length < FOLDED_FROM ? 0 : tail.length;
}

const NOTHING = new Uint8Array();

/** One buffer for all; nothing is in it between two calls. */
const WRITER = new ByteWriter();

/** Notes that a store holds the entity as it is now, and with it the fold of its tail's first views. */
export function keepStored(entity: Entity, folded: number): void {
  const { base, tail, sent } = entity;
  entity.stored = { base, tail, sent, views: tail.length, folded };
}

/** An entity as bytes: its base, the views since, what was told of its alerts; of a long tail its fold too. */
export function encodeEntity(entity: Entity, pack: Pack): Uint8Array {
  const writer = WRITER;
  writer.reset();
  writer.u8(ENTITY_VERSION);
  write48(writer, packTag(pack.hash));
  writer.varint(entity.base?.length ?? 0);
  if (entity.base !== undefined) writer.latin1(entity.base);
  writer.varint(entity.tail.length);
  entity.tail.encode(writer);
  writer.varint(entity.sent.length);
  for (const sent of entity.sent) encodeSent(writer, sent);
  const folded = foldedViews(entity) === 0 ? "" : packState(entity.work, pack, entity.kind);
  writer.varint(folded.length);
  writer.latin1(folded);
  return writer.finish();
}

/** What is read of an entity: its parts, the views of its tail besides, and how many of them `fold` has taken in. */
export interface ReadParts extends EntityParts {
  readonly views: readonly View[];
  /** As `packState` gives it; undefined: the tail is to be folded from the base. */
  readonly fold: string | undefined;
  readonly folded: number;
}

/**
 * Reads what `encodeEntity` wrote and `encodeAddition` after it, base and fold not yet decoded. Throws a RangeError on
 * bytes that are none, of another version, or of another entity.
 */
export function decodeEntityParts(
  bytes: Uint8Array,
  key: EntityKey,
  _pack: Pack,
  additions: readonly Uint8Array[] = [],
): ReadParts {
  const reader = new ByteReader(bytes);
  readTag(reader);
  const base = readPacked(reader);
  const tail = Tail.of();
  const views: View[] = [];
  const take = (from: ByteReader): void => {
    const start = from.at;
    const view = decodeView(from);
    if (view.entity !== key) from.fail(`view of another entity than ${key}`);
    tail.push(view, from.latin1(start));
    views.push(view);
  };
  for (let left = reader.count(8); left > 0; left -= 1) take(reader);
  const sent = readList(reader, 8, () => decodeSent(reader));
  const fold = readPacked(reader);
  const folded = fold === undefined ? 0 : views.length;
  if (!reader.done) reader.fail("end of the entity");
  for (const piece of additions) {
    const added = new ByteReader(piece);
    while (!added.done) take(added);
  }
  return { base, tail, sent, views, fold, folded };
}

/** A packed state behind its length; undefined where that is 0. */
function readPacked(reader: ByteReader): string | undefined {
  const length = reader.varint();
  const from = reader.at;
  reader.skip(length);
  // A copy, so that a large reply of the store does not live on in a small state.
  return length === 0 ? undefined : reader.latin1(from);
}

/** A number that names a pack in the values of entities: 48 bits of its hash. */
export function packTag(hash: string): number {
  return hash48(hash);
}

/** Tag of the pack under which `encodeEntity` wrote a value. Throws a RangeError on bytes that are none. */
export function writtenUnder(bytes: Uint8Array): number {
  return readTag(new ByteReader(bytes));
}

function readTag(reader: ByteReader): number {
  const version = reader.u8();
  if (version !== ENTITY_VERSION) reader.fail(`entity of version ${ENTITY_VERSION}, but one of ${version},`);
  return read48(reader);
}

/** Bytes that `encodeEntity` gives, for the bound on a stored value. */
export function encodedLength(entity: Entity, pack: Pack): number {
  return encodeEntity(entity, pack).length;
}

function encodeSent(writer: ByteWriter, sent: SentAlert): void {
  writer.text(sent.alertId);
  writer.varint(sent.revision);
  write32(writer, sent.contentHash);
  writer.u8(indexIn(SEVERITIES, sent.severity));
  writer.zigzag(sent.score);
  writeTexts(writer, sent.families);
  writer.zigzag(sent.time);
}

function decodeSent(reader: ByteReader): SentAlert {
  return {
    alertId: reader.text(),
    revision: reader.varint(),
    contentHash: read32(reader),
    severity: oneOf(reader, SEVERITIES, reader.u8()),
    score: reader.zigzag(),
    families: readTexts(reader),
    time: reader.zigzag(),
  };
}
