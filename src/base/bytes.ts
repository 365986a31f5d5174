/**
 * Writing and reading of packed bytes: variable-length integers, doubles, UTF-8 text. Both sides are
 * on the hot path of views and states, hence classes over one buffer. The reader trusts nothing.
 */

const TWO_7 = 0x80;
const TWO_28 = 0x1000_0000;
/** Most bytes of a varint below 2^53. */
const VARINT_MAX = 8;
/** Texts up to this many bytes are decoded by hand: measured 8 to 25 ns where a call into the decoder is 65. */
const SHORT_TEXT = 12;

/** Appends to a buffer that grows; `reset` makes it ready for the next value. */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(capacity = 1024) {
    this.#bytes = Buffer.allocUnsafe(Math.max(16, capacity));
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** One byte; only the low 8 bits of `value` count. */
  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  /** A non-negative safe integer, 7 bits a byte, low bits first. */
  varint(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER) || Math.floor(value) !== value) {
      throw new RangeError(`varint takes a non-negative safe integer, not ${value}`);
    }
    this.#reserve(VARINT_MAX);
    this.#varint(value);
  }

  /** A safe integer of either sign; small magnitudes are short. */
  zigzag(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`zigzag takes a safe integer, not ${value}`);
    this.#reserve(VARINT_MAX + 1);
    // The sign is the lowest bit; 2 * magnitude may exceed the safe range, so the first byte is made apart.
    const negative = value < 0 ? 1 : 0;
    const magnitude = negative === 1 ? -(value + 1) : value;
    // Exact, for 64 is a power of two. A remainder of doubles would be a call: 26 ns for a time, so it is 17.
    const rest = Math.floor(magnitude / 64);
    const low = (magnitude - rest * 64) * 2 + negative;
    this.#bytes[this.#at] = rest > 0 ? low | TWO_7 : low;
    this.#at += 1;
    if (rest > 0) this.#varint(rest);
  }

  /** A double, little endian; every value and NaN. */
  f64(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /**
   * Length in bytes as varint, then UTF-8, of `text` from the unit `from` on. Lone surrogates become
   * U+FFFD, as UTF-8 has none.
   */
  text(text: string, from = 0): void {
    const units = text.length - from;
    // The worst case of UTF-8 is three bytes for one UTF-16 code unit.
    this.#reserve(VARINT_MAX + units * 3);
    if (units < TWO_7 && this.#ascii(text, from, units)) return;
    const rest = from === 0 ? text : text.slice(from);
    const bytes = Buffer.byteLength(rest, "utf8");
    this.#varint(bytes);
    this.#bytes.write(rest, this.#at, bytes, "utf8");
    this.#at += bytes;
  }

  /** A text that may be missing: 0, or 1 and the text. */
  optionalText(text: string | undefined): void {
    this.u8(text === undefined ? 0 : 1);
    if (text !== undefined) this.text(text);
  }

  /** Bytes as they are, without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Bytes that `ByteReader.latin1` gave, without their length. */
  latin1(text: string): void {
    this.#reserve(text.length);
    this.#at += this.#bytes.write(text, this.#at, text.length, "latin1");
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const copy = new Uint8Array(this.#at);
    this.#bytes.copy(copy, 0, 0, this.#at);
    return copy;
  }

  /** What was written, as a string with a unit for each byte. */
  toLatin1(): string {
    return this.#bytes.toString("latin1", 0, this.#at);
  }

  /** Forgets what was written and keeps the buffer. */
  reset(): void {
    this.#at = 0;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    while (rest >= TWO_28) {
      const more = Math.floor(rest / TWO_7);
      bytes[at] = (rest - more * TWO_7) | TWO_7;
      at += 1;
      rest = more;
    }
    while (rest >= TWO_7) {
      bytes[at] = (rest & 0x7f) | TWO_7;
      at += 1;
      rest >>>= 7;
    }
    bytes[at] = rest;
    this.#at = at + 1;
  }

  /** Writes a text of fewer than 128 ASCII units; false, with nothing written, when one is not ASCII. */
  #ascii(text: string, from: number, units: number): boolean {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let i = 0; i < units; i += 1) {
      const unit = text.charCodeAt(from + i);
      if (unit >= TWO_7) return false;
      bytes[start + i] = unit;
    }
    bytes[start - 1] = units;
    this.#at = start + units;
    return true;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/**
 * Reads what `ByteWriter` wrote. Truncated or hostile input throws a RangeError that names the position;
 * nothing outside of `bytes` is ever read.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
    this.#at = at;
    if (!(at >= 0 && at <= bytes.length)) this.#fail("start", at);
  }

  /** Position of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Bytes not yet read. */
  get length(): number {
    return this.#end - this.#at;
  }

  /** Everything was read. */
  get done(): boolean {
    return this.#at === this.#end;
  }

  u8(): number {
    if (this.#at >= this.#end) this.#fail("byte", this.#at);
    const value = this.#bytes[this.#at] as number; // Within the array, as just checked.
    this.#at += 1;
    return value;
  }

  varint(): number {
    const start = this.#at;
    const first = this.u8();
    return first < TWO_7 ? first : this.#longVarint(start, first);
  }

  zigzag(): number {
    const start = this.#at;
    const first = this.u8();
    let magnitude = (first & 0x7f) >>> 1;
    if (first >= TWO_7) {
      const rest = this.varint();
      magnitude += rest * 64;
      if (magnitude > Number.MAX_SAFE_INTEGER - (first & 1)) this.#fail("integer within 2^53", start);
    }
    return (first & 1) === 1 ? -magnitude - 1 : magnitude;
  }

  f64(): number {
    if (this.length < 8) this.#fail("number of 8 bytes", this.#at);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  text(): string {
    const start = this.#at;
    const length = this.varint();
    if (length > this.length) this.#fail(`text of ${length} bytes`, start);
    const from = this.#at;
    this.#at = from + length;
    return (
      (length <= SHORT_TEXT ? this.#ascii(from, this.#at) : undefined) ?? this.#bytes.toString("utf8", from, this.#at)
    );
  }

  /**
   * Copies the bytes of a text to `target` from `to` on and returns their number; -1, with nothing read,
   * when they do not fit.
   */
  textInto(target: Uint8Array, to: number): number {
    const start = this.#at;
    const length = this.varint();
    if (length > this.length) this.#fail(`text of ${length} bytes`, start);
    if (to + length > target.length) {
      this.#at = start;
      return -1;
    }
    // Ids are short: a loop costs less than a call.
    for (let i = 0; i < length; i += 1) target[to + i] = this.#bytes[this.#at + i] as number;
    this.#at += length;
    return length;
  }

  optionalText(): string | undefined {
    const start = this.#at;
    const present = this.u8();
    if (present > 1) this.#fail("presence of a text", start);
    return present === 1 ? this.text() : undefined;
  }

  /** Goes on behind the next `length` bytes. */
  skip(length: number): void {
    if (!(length >= 0 && length <= this.length)) this.#fail(`${length} bytes`, this.#at);
    this.#at += length;
  }

  /** The bytes from `from` up to here as a string of as many units: one object, smaller than an array of bytes. */
  latin1(from: number): string {
    return this.#bytes.toString("latin1", from, this.#at);
  }

  /**
   * A number of items to come, of at least `leastBytes` each: a count that cannot be true is refused before any is
   * read.
   */
  count(leastBytes: number): number {
    const start = this.#at;
    const items = this.varint();
    if (items * leastBytes > this.length) this.#fail(`${items} items`, start);
    return items;
  }

  /** Throws the error of hostile input at the position read last: for values that no writer writes. */
  fail(what: string): never {
    return this.#fail(what, this.#at);
  }

  #longVarint(start: number, first: number): number {
    let value = first & 0x7f;
    let scale = TWO_7;
    for (let i = 1; i < VARINT_MAX; i += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < TWO_7) {
        if (value > Number.MAX_SAFE_INTEGER) this.#fail("integer within 2^53", start);
        return value;
      }
      scale *= TWO_7;
    }
    return this.#fail("integer of at most 8 bytes", start);
  }

  /** A short text, four units a step; undefined when a byte is not ASCII. */
  #ascii(from: number, end: number): string | undefined {
    const bytes = this.#bytes;
    let text = "";
    let at = from;
    let seen = 0;
    // All indexes below `end` are within the array: the caller checked it.
    for (; at + 4 <= end; at += 4) {
      const a = bytes[at] as number;
      const b = bytes[at + 1] as number;
      const c = bytes[at + 2] as number;
      const d = bytes[at + 3] as number;
      seen |= a | b | c | d;
      text += String.fromCharCode(a, b, c, d);
    }
    for (; at < end; at += 1) {
      seen |= bytes[at] as number;
      text += String.fromCharCode(bytes[at] as number);
    }
    return seen < TWO_7 ? text : undefined;
  }

  #fail(what: string, at: number): never {
    throw new RangeError(`bytes: no ${what} at position ${at} of ${this.#end}`);
  }
}
