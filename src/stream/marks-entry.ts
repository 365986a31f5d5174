/** The form in which derived views wait in the outbox for the views topic. */

/** A waiting record of the views topic: target partition (4 bytes), then the record's value. */
export function encodeMarksEntry(partition: number, value: Uint8Array): Uint8Array {
  const entry = Buffer.allocUnsafe(4 + value.length);
  entry.writeUInt32BE(partition, 0);
  entry.set(value, 4);
  return entry;
}

/** The record that `encodeMarksEntry` packed. */
export function decodeMarksEntry(entry: Uint8Array): { readonly partition: number; readonly value: Uint8Array } {
  const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  return { partition: bytes.readUInt32BE(0), value: bytes.subarray(4) };
}
