/**
 * Packed form of a view: what the internal views topic and the tail of a stored entity carry. A view
 * starts with a version, so that a reader refuses bytes of another one instead of misreading them.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import type { Evidence } from "./alert.ts";
import { indexIn, oneOf, readNumber, writeNumber } from "./codec-parts.ts";
import { ENTITY_KINDS, type EntityKey } from "./entity.ts";
import { decodeEvent, decodeProfile, encodeEvent, encodeProfile } from "./profile-codec.ts";
import type { Tx, TxSide } from "./tx.ts";
import { decodeTx, encodeTx } from "./tx-codec.ts";
import type { EventView, HitAttr, HitRelation, HitView, MarkView, ProfileView, TxView, View } from "./view.ts";
import { CRIMES } from "./vocabulary.ts";

/** Version of the packed form; a change of layout needs the next one. */
export const VIEW_VERSION = 1;

const KINDS = ["tx", "profile", "event", "hit", "mark"] as const;
const HIT_RELATIONS: readonly HitRelation[] = ["self", "account", "member"];
const FLOWS = ["downstream", "upstream"] as const;

// Flags of a movement's view: what repeats the movement costs a bit.
const OUT = 1;
const TIME_OF_TX = 2;
const ID_OF_TX = 4;
const FROM_OUTSIDE = 8;
const TOKEN_OF_SIDE = 16;

const OFF = 1;
const VICTIM = 2;
const ROOT_OWN = 4;
const HAS_ATTRS = 8;
/** Same bit as ROOT_OWN, in marks. */
const HELD = 4;

/** Appends a view. Throws a RangeError on an integer field that is not a safe integer. */
export function encodeView(writer: ByteWriter, view: View): void {
  writer.u8((VIEW_VERSION << 4) | indexIn(KINDS, view.kind));
  if (view.kind === "tx") {
    encodeTxView(writer, view);
    return;
  }
  encodeBase(writer, view);
  if (view.kind === "profile") encodeProfile(writer, view.profile);
  else if (view.kind === "event") encodeEvent(writer, view.event);
  else if (view.kind === "hit") encodeHit(writer, view);
  else encodeMark(writer, view);
}

/** Reads one view; every field is there. Throws a RangeError on bytes that are none, or of another version. */
export function decodeView(reader: ByteReader): View {
  const head = reader.u8();
  if (head >>> 4 !== VIEW_VERSION) reader.fail(`view of version ${VIEW_VERSION}, but one of ${head >>> 4},`);
  const kind = oneOf(reader, KINDS, head & 15);
  switch (kind) {
    case "tx":
      return decodeTxView(reader);
    case "profile":
      return decodeProfileView(reader);
    case "event":
      return decodeEventView(reader);
    case "hit":
      return decodeHit(reader);
    case "mark":
      return decodeMark(reader);
  }
}

function encodeTxView(writer: ByteWriter, view: TxView): void {
  const { tx } = view;
  const separator = view.entity.indexOf(":");
  const kind = ENTITY_KINDS.indexOf(view.entity.slice(0, separator) as (typeof ENTITY_KINDS)[number]);
  const place = kind < 0 ? -1 : placeOfToken(tx, view.entity, separator + 1);
  const outside = view.hop === 0 && view.index === 0 && view.source === "";
  let flags = view.direction === "out" ? OUT : 0;
  if (view.time === tx.time) flags |= TIME_OF_TX;
  if (view.txId === tx.id) flags |= ID_OF_TX;
  if (outside) flags |= FROM_OUTSIDE;
  if (place >= 0) flags |= TOKEN_OF_SIDE;
  writer.u8(flags);
  encodeTx(writer, tx);
  if (place >= 0) writer.u8(kind | (place << 4));
  else writer.text(view.entity);
  if (!(flags & TIME_OF_TX)) writer.zigzag(view.time - tx.time);
  if (!(flags & ID_OF_TX)) writer.text(view.txId);
  if (outside) return;
  writer.varint(view.hop);
  writer.text(view.source);
  writer.varint(view.index);
}

function decodeTxView(reader: ByteReader): TxView {
  const flags = reader.u8();
  const tx = decodeTx(reader);
  const entity = flags & TOKEN_OF_SIDE ? entityOfPlace(reader, tx) : reader.text();
  const time = flags & TIME_OF_TX ? tx.time : tx.time + reader.zigzag();
  const txId = flags & ID_OF_TX ? tx.id : reader.text();
  const outside = (flags & FROM_OUTSIDE) !== 0;
  return {
    kind: "tx",
    entity,
    time,
    txId,
    hop: outside ? 0 : reader.varint(),
    source: outside ? "" : reader.text(),
    index: outside ? 0 : reader.varint(),
    direction: flags & OUT ? "out" : "in",
    tx,
  };
}

/** Where a movement carries the entity's token: 0 to 4 on the debtor's side, 5 to 9 on the creditor's; -1: nowhere. */
function placeOfToken(tx: Tx, entity: EntityKey, from: number): number {
  const token = entity.slice(from);
  for (let place = 0; place < 10; place += 1) {
    if (tokenAt(tx, place) === token) return place;
  }
  return -1;
}

function tokenAt(tx: Tx, place: number): string | undefined {
  const side: TxSide = place < 5 ? tx.debtor : tx.creditor;
  switch (place % 5) {
    case 0:
      return side.account;
    case 1:
      return side.party;
    case 2:
      return side.card;
    case 3:
      return side.wallet;
    default:
      return side.merchantId;
  }
}

function entityOfPlace(reader: ByteReader, tx: Tx): EntityKey {
  const packed = reader.u8();
  const token = tokenAt(tx, packed >>> 4);
  if (token === undefined || packed >>> 4 > 9) return reader.fail("token of the entity on the movement");
  return `${oneOf(reader, ENTITY_KINDS, packed & 15)}:${token}`;
}

type Base = Pick<View, "entity" | "time" | "txId" | "hop" | "source" | "index">;

function encodeBase(writer: ByteWriter, view: View): void {
  writer.text(view.entity);
  writer.zigzag(view.time);
  writer.text(view.txId);
  writer.varint(view.hop);
  writer.text(view.source);
  writer.varint(view.index);
}

function decodeBase(reader: ByteReader): Base {
  return {
    entity: reader.text(),
    time: reader.zigzag(),
    txId: reader.text(),
    hop: reader.varint(),
    source: reader.text(),
    index: reader.varint(),
  };
}

function decodeProfileView(reader: ByteReader): ProfileView {
  return { kind: "profile", ...decodeBase(reader), profile: decodeProfile(reader) };
}

function decodeEventView(reader: ByteReader): EventView {
  return { kind: "event", ...decodeBase(reader), event: decodeEvent(reader) };
}

function encodeHit(writer: ByteWriter, view: HitView): void {
  writer.text(view.id);
  writer.u8(
    (view.off ? OFF : 0) |
      (view.victim ? VICTIM : 0) |
      (view.rootOwn ? ROOT_OWN : 0) |
      (view.attrs.length > 0 ? HAS_ATTRS : 0),
  );
  writer.text(view.ruleId);
  writer.text(view.root);
  writer.optionalText(view.rootRef);
  writer.u8(indexIn(HIT_RELATIONS, view.relation));
  writer.zigzag(view.episodeStart);
  writer.zigzag(view.lastTrue);
  writer.u8(indexIn(CRIMES, view.crime));
  writer.text(view.explanation);
  writer.text(view.evidence.length === 0 ? "" : JSON.stringify(view.evidence));
  if (view.attrs.length > 0) encodeAttrs(writer, view.attrs);
}

function encodeAttrs(writer: ByteWriter, attrs: readonly HitAttr[]): void {
  writer.varint(attrs.length);
  for (const { name, value } of attrs) {
    writer.text(name);
    writer.u8(typeof value === "string" ? 1 : 0);
    if (typeof value === "string") writer.text(value);
    else writeNumber(writer, value);
  }
}

function decodeAttrs(reader: ByteReader): HitAttr[] {
  const attrs: HitAttr[] = [];
  for (let left = reader.count(3); left > 0; left -= 1) {
    const name = reader.text();
    attrs.push({ name, value: reader.u8() === 1 ? reader.text() : readNumber(reader) });
  }
  return attrs;
}

function decodeHit(reader: ByteReader): HitView {
  const base = decodeBase(reader);
  const id = reader.text();
  const flags = reader.u8();
  return {
    kind: "hit",
    ...base,
    id,
    off: (flags & OFF) !== 0,
    ruleId: reader.text(),
    root: reader.text(),
    rootOwn: (flags & ROOT_OWN) !== 0,
    rootRef: reader.optionalText(),
    relation: oneOf(reader, HIT_RELATIONS, reader.u8()),
    episodeStart: reader.zigzag(),
    lastTrue: reader.zigzag(),
    crime: oneOf(reader, CRIMES, reader.u8()),
    victim: (flags & VICTIM) !== 0,
    explanation: reader.text(),
    evidence: readEvidence(reader),
    attrs: flags & HAS_ATTRS ? decodeAttrs(reader) : [],
  };
}

function readEvidence(reader: ByteReader): Evidence[] {
  const text = reader.text();
  if (text === "") return [];
  let evidence: unknown;
  try {
    evidence = JSON.parse(text);
  } catch {
    return reader.fail("evidence in JSON");
  }
  // Written by encodeHit above; a list is all that may be assumed of bytes from elsewhere.
  return Array.isArray(evidence) ? (evidence as Evidence[]) : reader.fail("list of evidence");
}

function encodeMark(writer: ByteWriter, view: MarkView): void {
  writer.text(view.id);
  writer.u8((view.off ? OFF : 0) | (view.victim ? VICTIM : 0) | (view.held ? HELD : 0));
  writer.text(view.ruleId);
  writer.u8(indexIn(CRIMES, view.crime));
  writer.text(view.root);
  writer.optionalText(view.alertId);
  writer.u8(indexIn(FLOWS, view.flow));
  writer.varint(view.distance);
  writer.zigzag(view.period);
  writer.zigzag(view.about);
  writer.zigzag(view.amount);
  writer.text(view.viaTx);
}

function decodeMark(reader: ByteReader): MarkView {
  const base = decodeBase(reader);
  const id = reader.text();
  const flags = reader.u8();
  return {
    kind: "mark",
    ...base,
    id,
    off: (flags & OFF) !== 0,
    held: (flags & HELD) !== 0,
    ruleId: reader.text(),
    crime: oneOf(reader, CRIMES, reader.u8()),
    victim: (flags & VICTIM) !== 0,
    root: reader.text(),
    alertId: reader.optionalText(),
    flow: oneOf(reader, FLOWS, reader.u8()),
    distance: reader.varint(),
    period: reader.zigzag(),
    about: reader.zigzag(),
    amount: reader.zigzag(),
    viaTx: reader.text(),
  };
}
