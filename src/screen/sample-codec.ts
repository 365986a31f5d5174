/** Packed form of the samples of one number: whole ones as distances from each other. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { readNumber, writeNumber } from "../domain/codec-parts.ts";
import type { SampleState } from "./state.ts";

/** Appends samples. */
export function encodeSamples(writer: ByteWriter, samples: SampleState): void {
  const { lastStep, values } = samples;
  writer.zigzag(lastStep);
  const whole = values.every((value) => Number.isNaN(value) || isWhole(value));
  writer.u8(whole ? 1 : 0);
  writer.varint(values.length);
  let before = 0;
  for (const value of values) {
    if (!whole) writeNumber(writer, value);
    else if (Number.isNaN(value)) writer.varint(0);
    else {
      // 0 stands for unknown: distances are moved away from it.
      writer.varint(zigzag(value - before) + 1);
      before = value;
    }
  }
}

export function decodeSamples(reader: ByteReader): SampleState {
  const lastStep = reader.zigzag();
  const whole = reader.u8() === 1;
  const values: number[] = [];
  let before = 0;
  for (let left = reader.count(1); left > 0; left -= 1) {
    if (!whole) {
      values.push(readNumber(reader));
      continue;
    }
    const moved = reader.varint();
    if (moved > 0) before += unzigzag(moved - 1);
    values.push(moved === 0 ? Number.NaN : before);
  }
  return { lastStep, values };
}

/** Distances of such values and their double stay safe integers. */
function isWhole(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 50 && !Object.is(value, -0);
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
