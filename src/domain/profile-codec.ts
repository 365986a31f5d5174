/** Packed forms of profiles and of events without money. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
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
import { type EntityEvent, EVENT_TYPES, HOLDER_ROLES, type Holder, type Profile } from "./profile.ts";
import { PARTY_TYPES } from "./tx.ts";

// Presence of the fields of a profile.
const HAS_PARTY_TYPE = 1 << 0;
const HAS_MINOR = 1 << 1;
const IS_MINOR = 1 << 2;
const HAS_EXPECTED = 1 << 3;
const HAS_KNOWN_SINCE = 1 << 4;
const HAS_OPENED = 1 << 5;

const HAS_FROM = 0x40;
const HAS_UNTIL = 0x80;

/** Appends a profile. */
export function encodeProfile(writer: ByteWriter, profile: Profile): void {
  let has = 0;
  if (profile.partyType !== undefined) has |= HAS_PARTY_TYPE;
  if (profile.minor !== undefined) has |= HAS_MINOR;
  if (profile.minor === true) has |= IS_MINOR;
  if (profile.expectedMonthly !== undefined) has |= HAS_EXPECTED;
  if (profile.knownSince !== undefined) has |= HAS_KNOWN_SINCE;
  if (profile.opened !== undefined) has |= HAS_OPENED;
  writer.u8(has);
  writer.text(profile.entity);
  writer.zigzag(profile.validFrom);
  if (profile.partyType !== undefined) writer.u8(indexIn(PARTY_TYPES, profile.partyType));
  writer.optionalText(profile.segment);
  writer.optionalText(profile.industry);
  writer.optionalText(profile.occupationGroup);
  writer.optionalText(profile.homeCell);
  writer.optionalText(profile.tz);
  if (profile.expectedMonthly !== undefined) writeNumber(writer, profile.expectedMonthly);
  writeLinks(writer, profile.links);
  if (profile.knownSince !== undefined) writer.zigzag(profile.knownSince);
  writer.optionalText(profile.product);
  writer.optionalText(profile.currency);
  if (profile.opened !== undefined) writer.zigzag(profile.opened);
  writeHolders(writer, profile.holders);
  writeTexts(writer, profile.cards);
}

/** Reads a profile; throws a RangeError on bytes that are none. */
export function decodeProfile(reader: ByteReader): Profile {
  const has = reader.u8();
  return {
    entity: reader.text(),
    validFrom: reader.zigzag(),
    partyType: has & HAS_PARTY_TYPE ? oneOf(reader, PARTY_TYPES, reader.u8()) : undefined,
    segment: reader.optionalText(),
    industry: reader.optionalText(),
    occupationGroup: reader.optionalText(),
    homeCell: reader.optionalText(),
    tz: reader.optionalText(),
    minor: has & HAS_MINOR ? (has & IS_MINOR) !== 0 : undefined,
    expectedMonthly: has & HAS_EXPECTED ? readNumber(reader) : undefined,
    links: readLinks(reader),
    knownSince: has & HAS_KNOWN_SINCE ? reader.zigzag() : undefined,
    product: reader.optionalText(),
    currency: reader.optionalText(),
    opened: has & HAS_OPENED ? reader.zigzag() : undefined,
    holders: readHolders(reader),
    cards: readTexts(reader),
  };
}

/** Appends an event without money. */
export function encodeEvent(writer: ByteWriter, event: EntityEvent): void {
  writer.text(event.id);
  writer.text(event.entity);
  writer.u8(indexIn(EVENT_TYPES, event.type));
  writer.zigzag(event.time);
  writer.optionalText(event.device);
  writer.optionalText(event.country);
}

/** Reads an event without money; throws a RangeError on bytes that are none. */
export function decodeEvent(reader: ByteReader): EntityEvent {
  return {
    id: reader.text(),
    entity: reader.text(),
    type: oneOf(reader, EVENT_TYPES, reader.u8()),
    time: reader.zigzag(),
    device: reader.optionalText(),
    country: reader.optionalText(),
  };
}

function writeHolders(writer: ByteWriter, holders: readonly Holder[]): void {
  writer.varint(holders.length);
  for (const holder of holders) {
    const from = holder.from === undefined ? 0 : HAS_FROM;
    const until = holder.until === undefined ? 0 : HAS_UNTIL;
    writer.u8(indexIn(HOLDER_ROLES, holder.role) | from | until);
    writer.text(holder.party);
    if (holder.from !== undefined) writer.zigzag(holder.from);
    if (holder.until !== undefined) writer.zigzag(holder.until);
  }
}

function readHolders(reader: ByteReader): Holder[] {
  const count = reader.count(2);
  const holders: Holder[] = [];
  for (let i = 0; i < count; i += 1) {
    const packed = reader.u8();
    const role = oneOf(reader, HOLDER_ROLES, packed & 0x3f);
    holders.push({
      party: reader.text(),
      role,
      from: packed & HAS_FROM ? reader.zigzag() : undefined,
      until: packed & HAS_UNTIL ? reader.zigzag() : undefined,
    });
  }
  return holders;
}
