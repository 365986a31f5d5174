/** Bytes of the Kafka protocol, as far as the fake brokers speak it: big-endian numbers, texts, arrays, record batches. */

/** A batch of version 2 as an idempotent producer writes it. */
export interface RecordBatch {
  readonly producer: string;
  readonly firstSequence: number;
  readonly values: string[];
}

export class WireReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int16(): number {
    return this.bytes.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.skip(4));
  }

  int64(): bigint {
    return this.bytes.readBigInt64BE(this.skip(8));
  }

  text(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.bytes.toString("utf8", this.skip(length), this.at);
  }

  /** Numbers of the elements that follow. */
  array(): number[] {
    return Array.from({ length: this.int32() }, (_, i) => i);
  }

  recordBatch(): RecordBatch {
    const end = this.int32() + this.at;
    // Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, two timestamps.
    this.skip(8 + 4 + 4 + 1 + 4 + 2 + 4 + 8 + 8);
    const producer = `${this.int64()}/${this.int16()}`;
    const firstSequence = this.int32();
    const values = this.array().map(() => this.record());
    this.at = end;
    return { producer, firstSequence, values };
  }

  private record(): string {
    const end = this.varint() + this.at;
    this.skip(1);
    this.varint();
    this.varint();
    this.skip(Math.max(0, this.varint()));
    const length = this.varint();
    const value = this.bytes.toString("utf8", this.at, this.at + Math.max(0, length));
    this.at = end;
    return value;
  }

  private varint(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes.readUInt8(this.skip(1));
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
  }

  private skip(length: number): number {
    this.at += length;
    return this.at - length;
  }
}

export class WireWriter {
  private readonly parts: Buffer[] = [];

  int8(value: number): this {
    return this.part(1, (bytes) => bytes.writeInt8(value));
  }

  int16(value: number): this {
    return this.part(2, (bytes) => bytes.writeInt16BE(value));
  }

  int32(value: number): this {
    return this.part(4, (bytes) => bytes.writeInt32BE(value));
  }

  int64(value: number): this {
    return this.part(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)));
  }

  text(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.from(value);
    this.int16(bytes.length).parts.push(bytes);
    return this;
  }

  array<T>(elements: readonly T[], write: (element: T, index: number) => unknown): this {
    this.int32(elements.length);
    for (const [index, element] of elements.entries()) write(element, index);
    return this;
  }

  /** Everything written, behind its length. */
  framed(): Buffer {
    const body = Buffer.concat(this.parts);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }

  private part(length: number, write: (bytes: Buffer) => void): this {
    const bytes = Buffer.alloc(length);
    write(bytes);
    this.parts.push(bytes);
    return this;
  }
}
