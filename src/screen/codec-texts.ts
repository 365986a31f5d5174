/**
 * Texts and times inside one packed state: a text that was written before is named by its number, and
 * times are written as distances, because most of them lie close to each other.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { readNumber, writeNumber } from "../domain/codec-parts.ts";

/** Writes each text once: 0 and the text where it is new, its number (from 1) where it is not. */
export class TextTable {
  readonly #numbers = new Map<string, number>();
  readonly #tails = new Map<string, number>();

  write(writer: ByteWriter, text: string): void {
    this.#write(writer, text);
  }

  /** Writes `text` from the unit `from` on; a repeated `text` is found without cutting it. */
  writeTail(writer: ByteWriter, text: string, from: number): void {
    const number = this.#tails.get(text);
    if (number !== undefined) writer.varint(number);
    else this.#tails.set(text, this.#write(writer, text.slice(from)));
  }

  #write(writer: ByteWriter, text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      writer.varint(known);
      return known;
    }
    const number = this.#numbers.size + 1;
    this.#numbers.set(text, number);
    writer.varint(0);
    writer.text(text);
    return number;
  }
}

/** The reading side of a `TextTable`. */
export class TextList {
  readonly #texts: string[] = [];

  read(reader: ByteReader): string {
    const number = reader.varint();
    if (number === 0) {
      const text = reader.text();
      this.#texts.push(text);
      return text;
    }
    const known = this.#texts[number - 1];
    return known === undefined ? reader.fail(`text number ${number}`) : known;
  }
}

/** Bytes of an id that the next one may share its beginning with. */
const ID_BYTES = 256;

/** Writes ids that often begin alike: the number of ASCII units shared with the one before, and the rest. */
export class IdWriter {
  #before = "";

  write(writer: ByteWriter, id: string): void {
    // UTF-8 needs at most three bytes for a unit: a short id always fits the reader's memory.
    const short = id.length * 3 <= ID_BYTES;
    const most = short ? Math.min(this.#before.length, id.length) : 0;
    let shared = 0;
    while (shared < most) {
      const unit = id.charCodeAt(shared);
      if (unit >= 0x80 || unit !== this.#before.charCodeAt(shared)) break;
      shared += 1;
    }
    writer.varint(shared);
    writer.text(id, shared);
    this.#before = short ? id : "";
  }
}

/** The reading side of an `IdWriter`. Each id is a text of its own, not a piece of the one before. */
export class IdReader {
  readonly #bytes = Buffer.allocUnsafe(ID_BYTES);
  #length = 0;

  read(reader: ByteReader): string {
    const shared = reader.varint();
    if (shared > this.#length) reader.fail(`beginning of ${shared} bytes`);
    const rest = reader.textInto(this.#bytes, shared);
    if (rest >= 0) {
      this.#length = shared + rest;
      return this.#bytes.toString("utf8", 0, this.#length);
    }
    if (shared > 0) reader.fail("end of a long id");
    this.#length = 0;
    return reader.text();
  }
}

/** A time that may also be NaN or infinite, as its distance from `origin`, which is finite. */
export function writeTime(writer: ByteWriter, time: number, origin: number): void {
  writeNumber(writer, time - origin);
}

export function readTime(reader: ByteReader, origin: number): number {
  return readNumber(reader) + origin;
}

/** A 48-bit hash, as 6 bytes. */
export function write48(writer: ByteWriter, hash: number): void {
  let rest = hash;
  for (let i = 0; i < 6; i += 1) {
    writer.u8(rest % 256);
    rest = Math.floor(rest / 256);
  }
}

export function read48(reader: ByteReader): number {
  let hash = 0;
  let scale = 1;
  for (let i = 0; i < 6; i += 1) {
    hash += reader.u8() * scale;
    scale *= 256;
  }
  return hash;
}

/** A 32-bit hash, signed or not, as 4 bytes; read back unsigned. */
export function write32(writer: ByteWriter, hash: number): void {
  writer.u8(hash);
  writer.u8(hash >>> 8);
  writer.u8(hash >>> 16);
  writer.u8(hash >>> 24);
}

export function read32(reader: ByteReader): number {
  const low = reader.u8() | (reader.u8() << 8) | (reader.u8() << 16);
  return low + reader.u8() * 0x1_00_0000;
}
