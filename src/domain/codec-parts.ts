/** Small pieces that the packed forms of views and states share. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { LINK_KINDS, type Link } from "./tx.ts";

const INTEGER = 0;
const DOUBLE = 1;

/** Index of a value in its closed set; an unknown one is a broken invariant. */
export function indexIn<T extends string>(set: readonly T[], value: T): number {
  const index = set.indexOf(value);
  if (index < 0) throw new Error(`invariant broken: ${value} is none of ${set.join(", ")}`);
  return index;
}

/** The value at an index read from bytes. */
export function oneOf<T>(reader: ByteReader, set: readonly T[], index: number): T {
  const value = set[index];
  return value === undefined ? reader.fail(`value ${index} in a set of ${set.length}`) : value;
}

/** Any number: integers short, everything else (NaN, infinities, -0, fractions) as a double. */
export function writeNumber(writer: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    writer.u8(INTEGER);
    writer.zigzag(value);
  } else {
    writer.u8(DOUBLE);
    writer.f64(value);
  }
}

export function readNumber(reader: ByteReader): number {
  return oneOf(reader, [INTEGER, DOUBLE], reader.u8()) === INTEGER ? reader.zigzag() : reader.f64();
}

export function writeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.varint(texts.length);
  for (const text of texts) writer.text(text);
}

export function readTexts(reader: ByteReader): string[] {
  const count = reader.count(1);
  const texts: string[] = [];
  for (let i = 0; i < count; i += 1) texts.push(reader.text());
  return texts;
}

export function writeLinks(writer: ByteWriter, links: readonly Link[]): void {
  writer.varint(links.length);
  for (const link of links) {
    writer.u8(indexIn(LINK_KINDS, link.kind));
    writer.text(link.token);
  }
}

export function readLinks(reader: ByteReader): Link[] {
  const count = reader.count(2);
  const links: Link[] = [];
  for (let i = 0; i < count; i += 1) links.push({ kind: oneOf(reader, LINK_KINDS, reader.u8()), token: reader.text() });
  return links;
}
