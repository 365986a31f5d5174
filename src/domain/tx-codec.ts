/**
 * Packed form of a movement, the hot part of a view: presence bitmaps for optional fields, indexes for
 * closed sets, variable-length integers. Fields that repeat another one cost a bit.
 */
import { assert } from "../base/assert.ts";
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { DAY_MS } from "../base/limits.ts";
import {
  indexIn,
  oneOf,
  readLinks,
  readNumber,
  readTexts,
  writeLinks,
  writeNumber,
  writeTexts,
} from "./codec-parts.ts";
import {
  CHANNELS,
  INSTITUTION_TYPES,
  type Link,
  type Minor,
  PARTY_TYPES,
  PURPOSES,
  RAILS,
  REF_KINDS,
  RELATION_KINDS,
  SIDE_KINDS,
  STAGES,
  type Tx,
  type TxRelation,
  type TxSide,
} from "./tx.ts";

const BOOKS = ["both", "debtor", "creditor"] as const;
const INITIATORS = ["debtor", "creditor", "institution"] as const;
const NO_LINKS: readonly Link[] = [];
const NO_REFS: Tx["refs"] = [];
const NO_CLASSES: readonly string[] = [];

assert(STAGES.length <= 4 && BOOKS.length <= 4 && INITIATORS.length <= 3, "stage, books, initiator: two bits each");
assert(RAILS.length <= 16 && CHANNELS.length <= 15, "rail and channel: four bits each");
assert(SIDE_KINDS.length <= 8 && PARTY_TYPES.length <= 8, "side kind and party type: three bits each");

// Presence of the fields of a movement. The commonest stand lowest: the bitmap is a varint.
const HAS_AMOUNT = 1 << 0;
const HAS_LOCAL_MINUTE = 1 << 1;
const DAY_IS_UTC = 1 << 2;
const AMOUNT_IS_MINOR = 1 << 3;
const HAS_CORRIDOR_FROM = 1 << 4;
const HAS_CORRIDOR_TO = 1 << 5;
const HAS_PURPOSE = 1 << 6;
const HAS_OWN_MOVEMENT = 1 << 7;
const HAS_ACT_COUNTRY = 1 << 8;
const HAS_ACT_PLACE = 1 << 9;
const HAS_ACT_CELL = 1 << 10;
const HAS_DEVICE = 1 << 11;
const HAS_IP_COUNTRY = 1 << 12;
const HAS_REFS = 1 << 13;
const HAS_RELATION = 1 << 14;
const HAS_CONDUCTOR = 1 << 15;
const HAS_MEMO = 1 << 16;
const HAS_ACT_SITE = 1 << 17;
const HAS_WHITE_LABEL = 1 << 18;
const IS_WHITE_LABEL = 1 << 19;
const HAS_IP_CELL = 1 << 20;
const HAS_TRAVEL_TO = 1 << 21;
const HAS_NIGHTS = 1 << 22;
const HAS_TRAVELLERS = 1 << 23;
const HAS_ULTIMATE_DEBTOR = 1 << 24;
const HAS_ULTIMATE_CREDITOR = 1 << 25;
const IS_BIG = 1 << 26;

// Presence of the fields of a side.
const SIDE_ACCOUNT = 1 << 0;
const SIDE_INSTITUTION_COUNTRY = 1 << 1;
const SIDE_PARTY = 1 << 2;
const SIDE_BALANCE = 1 << 3;
const SIDE_LINKS = 1 << 4;
const SIDE_REF = 1 << 5;
const SIDE_INSTITUTION_ID = 1 << 6;
const SIDE_INSTITUTION_TYPE = 1 << 7;
const SIDE_CARD = 1 << 8;
const SIDE_WALLET = 1 << 9;
const SIDE_MERCHANT_ID = 1 << 10;
const SIDE_MCC = 1 << 11;
const SIDE_MERCHANT_CLASS = 1 << 12;
const SIDE_MERCHANT_COUNTRY = 1 << 13;
const SIDE_MERCHANT_PLACE = 1 << 14;
const SIDE_MERCHANT_OPENS = 1 << 15;

/** Appends a movement. Throws a RangeError on an integer field that is not a safe integer. */
export function encodeTx(writer: ByteWriter, tx: Tx): void {
  const has = presenceOf(tx);
  writer.varint(has);
  writer.text(tx.id);
  if (has & HAS_OWN_MOVEMENT) writer.text(tx.movementId);
  writer.zigzag(tx.time);
  if (has & HAS_LOCAL_MINUTE) writer.varint(tx.localMinute);
  if (!(has & DAY_IS_UTC)) writer.zigzag(tx.localDay);
  const initiator = tx.initiator === undefined ? 0 : indexIn(INITIATORS, tx.initiator) + 1;
  writer.u8(indexIn(STAGES, tx.stage) | (indexIn(BOOKS, tx.books) << 2) | (initiator << 4));
  const channel = tx.channel === undefined ? 0 : indexIn(CHANNELS, tx.channel) + 1;
  writer.u8(indexIn(RAILS, tx.rail) | (channel << 4));
  if (tx.purpose !== undefined) writer.u8(indexIn(PURPOSES, tx.purpose));
  if (typeof tx.amountMinor === "bigint") writer.text(tx.amountMinor.toString());
  else writer.zigzag(tx.amountMinor);
  writer.text(tx.currency);
  if (tx.amount !== undefined && !(has & AMOUNT_IS_MINOR)) writeNumber(writer, tx.amount);
  encodeSide(writer, tx.debtor);
  encodeSide(writer, tx.creditor);
  if (tx.ultimateDebtor !== undefined) encodeSide(writer, tx.ultimateDebtor);
  if (tx.ultimateCreditor !== undefined) encodeSide(writer, tx.ultimateCreditor);
  if (tx.corridorFrom !== undefined) writer.text(tx.corridorFrom);
  if (tx.corridorTo !== undefined) writer.text(tx.corridorTo);
  encodeRest(writer, tx);
  writer.zigzag(tx.contentHash);
}

/** Reads a movement; every field is there, missing ones as undefined. Throws a RangeError on bytes that are none. */
export function decodeTx(reader: ByteReader): Tx {
  const has = reader.varint();
  const id = reader.text();
  const movementId = has & HAS_OWN_MOVEMENT ? reader.text() : id;
  const time = reader.zigzag();
  const localMinute = has & HAS_LOCAL_MINUTE ? reader.varint() : -1;
  const localDay = has & DAY_IS_UTC ? Math.floor(time / DAY_MS) : reader.zigzag();
  const packed = reader.u8();
  const rails = reader.u8();
  const purpose = has & HAS_PURPOSE ? oneOf(reader, PURPOSES, reader.u8()) : undefined;
  const amountMinor = has & IS_BIG ? readBig(reader) : reader.zigzag();
  const currency = reader.text();
  const amount = has & HAS_AMOUNT ? (has & AMOUNT_IS_MINOR ? Number(amountMinor) : readNumber(reader)) : undefined;
  const debtor = decodeSide(reader);
  const creditor = decodeSide(reader);
  const ultimateDebtor = has & HAS_ULTIMATE_DEBTOR ? decodeSide(reader) : undefined;
  const ultimateCreditor = has & HAS_ULTIMATE_CREDITOR ? decodeSide(reader) : undefined;
  const corridorFrom = has & HAS_CORRIDOR_FROM ? reader.text() : undefined;
  const corridorTo = has & HAS_CORRIDOR_TO ? reader.text() : undefined;
  // Literal order: the rest is written in the order in which it is read here.
  return {
    id,
    movementId,
    time,
    localMinute,
    localDay,
    stage: oneOf(reader, STAGES, packed & 3),
    rail: oneOf(reader, RAILS, rails & 15),
    purpose,
    channel: rails >>> 4 === 0 ? undefined : oneOf(reader, CHANNELS, (rails >>> 4) - 1),
    amountMinor,
    currency,
    amount,
    debtor,
    creditor,
    ultimateDebtor,
    ultimateCreditor,
    books: oneOf(reader, BOOKS, (packed >>> 2) & 3),
    relation: has & HAS_RELATION ? decodeRelation(reader) : undefined,
    initiator: packed >>> 4 === 0 ? undefined : oneOf(reader, INITIATORS, (packed >>> 4) - 1),
    actCountry: has & HAS_ACT_COUNTRY ? reader.text() : undefined,
    actPlace: has & HAS_ACT_PLACE ? reader.text() : undefined,
    actCell: has & HAS_ACT_CELL ? reader.text() : undefined,
    actSite: has & HAS_ACT_SITE ? reader.text() : undefined,
    whiteLabelAtm: has & HAS_WHITE_LABEL ? (has & IS_WHITE_LABEL) !== 0 : undefined,
    device: has & HAS_DEVICE ? reader.text() : undefined,
    ipCountry: has & HAS_IP_COUNTRY ? reader.text() : undefined,
    ipCell: has & HAS_IP_CELL ? reader.text() : undefined,
    conductor: has & HAS_CONDUCTOR ? reader.text() : undefined,
    refs: has & HAS_REFS ? readRefs(reader) : NO_REFS,
    travelTo: has & HAS_TRAVEL_TO ? reader.text() : undefined,
    travelNights: has & HAS_NIGHTS ? readNumber(reader) : undefined,
    travellers: has & HAS_TRAVELLERS ? readNumber(reader) : undefined,
    memoClasses: has & HAS_MEMO ? readTexts(reader) : NO_CLASSES,
    corridorFrom,
    corridorTo,
    contentHash: reader.zigzag(),
  };
}

/** Fields that few movements carry. */
function encodeRest(writer: ByteWriter, tx: Tx): void {
  if (tx.relation !== undefined) encodeRelation(writer, tx.relation);
  if (tx.actCountry !== undefined) writer.text(tx.actCountry);
  if (tx.actPlace !== undefined) writer.text(tx.actPlace);
  if (tx.actCell !== undefined) writer.text(tx.actCell);
  if (tx.actSite !== undefined) writer.text(tx.actSite);
  if (tx.device !== undefined) writer.text(tx.device);
  if (tx.ipCountry !== undefined) writer.text(tx.ipCountry);
  if (tx.ipCell !== undefined) writer.text(tx.ipCell);
  if (tx.conductor !== undefined) writer.text(tx.conductor);
  if (tx.refs.length > 0) writeRefs(writer, tx.refs);
  if (tx.travelTo !== undefined) writer.text(tx.travelTo);
  if (tx.travelNights !== undefined) writeNumber(writer, tx.travelNights);
  if (tx.travellers !== undefined) writeNumber(writer, tx.travellers);
  if (tx.memoClasses.length > 0) writeTexts(writer, tx.memoClasses);
}

function presenceOf(tx: Tx): number {
  let has = 0;
  if (tx.amount !== undefined) has |= HAS_AMOUNT;
  if (tx.amount === tx.amountMinor && !Object.is(tx.amount, -0)) has |= AMOUNT_IS_MINOR;
  if (tx.localMinute >= 0) has |= HAS_LOCAL_MINUTE;
  if (tx.localDay === Math.floor(tx.time / DAY_MS)) has |= DAY_IS_UTC;
  if (tx.corridorFrom !== undefined) has |= HAS_CORRIDOR_FROM;
  if (tx.corridorTo !== undefined) has |= HAS_CORRIDOR_TO;
  if (tx.purpose !== undefined) has |= HAS_PURPOSE;
  if (tx.movementId !== tx.id) has |= HAS_OWN_MOVEMENT;
  if (tx.actCountry !== undefined) has |= HAS_ACT_COUNTRY;
  if (tx.actPlace !== undefined) has |= HAS_ACT_PLACE;
  if (tx.actCell !== undefined) has |= HAS_ACT_CELL;
  if (tx.device !== undefined) has |= HAS_DEVICE;
  if (tx.ipCountry !== undefined) has |= HAS_IP_COUNTRY;
  if (tx.refs.length > 0) has |= HAS_REFS;
  if (tx.relation !== undefined) has |= HAS_RELATION;
  if (tx.conductor !== undefined) has |= HAS_CONDUCTOR;
  if (tx.memoClasses.length > 0) has |= HAS_MEMO;
  if (tx.actSite !== undefined) has |= HAS_ACT_SITE;
  if (tx.whiteLabelAtm !== undefined) has |= HAS_WHITE_LABEL;
  if (tx.whiteLabelAtm === true) has |= IS_WHITE_LABEL;
  if (tx.ipCell !== undefined) has |= HAS_IP_CELL;
  if (tx.travelTo !== undefined) has |= HAS_TRAVEL_TO;
  if (tx.travelNights !== undefined) has |= HAS_NIGHTS;
  if (tx.travellers !== undefined) has |= HAS_TRAVELLERS;
  if (tx.ultimateDebtor !== undefined) has |= HAS_ULTIMATE_DEBTOR;
  if (tx.ultimateCreditor !== undefined) has |= HAS_ULTIMATE_CREDITOR;
  if (typeof tx.amountMinor === "bigint") has |= IS_BIG;
  return has;
}

function encodeSide(writer: ByteWriter, side: TxSide): void {
  const has = presenceOfSide(side);
  writer.u8((side.own ? 1 : 0) | (indexIn(SIDE_KINDS, side.kind) << 1) | (indexIn(PARTY_TYPES, side.partyType) << 4));
  writer.varint(has);
  if (side.account !== undefined) writer.text(side.account);
  if (side.party !== undefined) writer.text(side.party);
  if (side.card !== undefined) writer.text(side.card);
  if (side.wallet !== undefined) writer.text(side.wallet);
  if (has >= SIDE_MERCHANT_ID) {
    if (side.merchantId !== undefined) writer.text(side.merchantId);
    if (side.mcc !== undefined) writer.text(side.mcc);
    if (side.merchantClass !== undefined) writer.text(side.merchantClass);
    if (side.merchantCountry !== undefined) writer.text(side.merchantCountry);
    if (side.merchantPlace !== undefined) writer.text(side.merchantPlace);
    if (side.merchantOpens !== undefined) writer.text(side.merchantOpens);
  }
  if (side.institutionId !== undefined) writer.text(side.institutionId);
  if (side.institutionCountry !== undefined) writer.text(side.institutionCountry);
  if (side.institutionType !== undefined) writer.u8(indexIn(INSTITUTION_TYPES, side.institutionType));
  if (side.balanceAfter !== undefined) writeNumber(writer, side.balanceAfter);
  if (side.links.length > 0) writeLinks(writer, side.links);
  if (side.ref !== undefined) writer.text(side.ref);
}

function decodeSide(reader: ByteReader): TxSide {
  const packed = reader.u8();
  const has = reader.varint();
  return {
    own: (packed & 1) === 1,
    kind: oneOf(reader, SIDE_KINDS, (packed >>> 1) & 7),
    account: has & SIDE_ACCOUNT ? reader.text() : undefined,
    party: has & SIDE_PARTY ? reader.text() : undefined,
    card: has & SIDE_CARD ? reader.text() : undefined,
    wallet: has & SIDE_WALLET ? reader.text() : undefined,
    partyType: oneOf(reader, PARTY_TYPES, packed >>> 4),
    merchantId: has & SIDE_MERCHANT_ID ? reader.text() : undefined,
    mcc: has & SIDE_MCC ? reader.text() : undefined,
    merchantClass: has & SIDE_MERCHANT_CLASS ? reader.text() : undefined,
    merchantCountry: has & SIDE_MERCHANT_COUNTRY ? reader.text() : undefined,
    merchantPlace: has & SIDE_MERCHANT_PLACE ? reader.text() : undefined,
    merchantOpens: has & SIDE_MERCHANT_OPENS ? reader.text() : undefined,
    institutionId: has & SIDE_INSTITUTION_ID ? reader.text() : undefined,
    institutionCountry: has & SIDE_INSTITUTION_COUNTRY ? reader.text() : undefined,
    institutionType: has & SIDE_INSTITUTION_TYPE ? oneOf(reader, INSTITUTION_TYPES, reader.u8()) : undefined,
    balanceAfter: has & SIDE_BALANCE ? readNumber(reader) : undefined,
    links: has & SIDE_LINKS ? readLinks(reader) : NO_LINKS,
    ref: has & SIDE_REF ? reader.text() : undefined,
  };
}

function presenceOfSide(side: TxSide): number {
  let has = 0;
  if (side.account !== undefined) has |= SIDE_ACCOUNT;
  if (side.institutionCountry !== undefined) has |= SIDE_INSTITUTION_COUNTRY;
  if (side.party !== undefined) has |= SIDE_PARTY;
  if (side.balanceAfter !== undefined) has |= SIDE_BALANCE;
  if (side.links.length > 0) has |= SIDE_LINKS;
  if (side.ref !== undefined) has |= SIDE_REF;
  if (side.institutionId !== undefined) has |= SIDE_INSTITUTION_ID;
  if (side.institutionType !== undefined) has |= SIDE_INSTITUTION_TYPE;
  if (side.card !== undefined) has |= SIDE_CARD;
  if (side.wallet !== undefined) has |= SIDE_WALLET;
  if (side.merchantId !== undefined) has |= SIDE_MERCHANT_ID;
  if (side.mcc !== undefined) has |= SIDE_MCC;
  if (side.merchantClass !== undefined) has |= SIDE_MERCHANT_CLASS;
  if (side.merchantCountry !== undefined) has |= SIDE_MERCHANT_COUNTRY;
  if (side.merchantPlace !== undefined) has |= SIDE_MERCHANT_PLACE;
  if (side.merchantOpens !== undefined) has |= SIDE_MERCHANT_OPENS;
  return has;
}

function encodeRelation(writer: ByteWriter, relation: TxRelation): void {
  writer.u8(indexIn(RELATION_KINDS, relation.kind) | (relation.time === undefined ? 0 : 0x10));
  writer.text(relation.of);
  if (relation.time !== undefined) writer.zigzag(relation.time);
}

function decodeRelation(reader: ByteReader): TxRelation {
  const packed = reader.u8();
  return {
    kind: oneOf(reader, RELATION_KINDS, packed & 0x0f),
    of: reader.text(),
    time: packed & 0x10 ? reader.zigzag() : undefined,
  };
}

function writeRefs(writer: ByteWriter, refs: Tx["refs"]): void {
  writer.varint(refs.length);
  for (const ref of refs) {
    writer.u8(indexIn(REF_KINDS, ref.kind));
    writer.text(ref.token);
  }
}

function readRefs(reader: ByteReader): Tx["refs"] {
  const count = reader.count(2);
  const refs: { kind: (typeof REF_KINDS)[number]; token: string }[] = [];
  for (let i = 0; i < count; i += 1) refs.push({ kind: oneOf(reader, REF_KINDS, reader.u8()), token: reader.text() });
  return refs;
}

function readBig(reader: ByteReader): Minor {
  const text = reader.text();
  if (!/^-?\d{1,4096}$/.test(text)) reader.fail("integer of many digits");
  return BigInt(text);
}
