/**
 * NDJSON: one JSON record a line. Lines are cut out of large pieces, so that checks of bytes (UTF-8, ASCII,
 * escapes) run once for thousands of lines. Empty lines count as lines and are no rows.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { RECORD_BYTES_MAX } from "../base/limits.ts";
import { badUtf8, type Decoder, tooLarge } from "../intake/decode.ts";
import { createItemMaker, type Item, type ItemMaker } from "./items.ts";
import type { Source } from "./source.ts";

/** Decoded rows of a source, in batches in the order of the file. */
export async function* readNdjson(source: Source, decoder: Decoder): AsyncGenerator<readonly Item[]> {
  const reader = createLineReader(decoder, createItemMaker(source.file));
  let kept: Buffer | undefined;
  /** Bytes of a line that is over the cap and passed over until its end; 0 when there is none. */
  let passed = 0;
  for await (const piece of source.pieces()) {
    let from = 0;
    if (passed > 0) {
      const end = piece.indexOf(NEWLINE);
      passed += end < 0 ? piece.length : end;
      if (end < 0) continue;
      yield [reader.tooLarge(passed)];
      passed = 0;
      from = end + 1;
    }
    const last = piece.lastIndexOf(NEWLINE);
    if (last < from) {
      const rest = piece.subarray(from);
      kept = kept === undefined ? Buffer.from(rest) : Buffer.concat([kept, rest]);
      if (kept.length > RECORD_BYTES_MAX + LINE_END_MAX) {
        passed = kept.length;
        kept = undefined;
      }
      continue;
    }
    const whole = piece.subarray(from, last + 1);
    const items = reader.lines(kept === undefined ? whole : Buffer.concat([kept, whole]));
    kept = last + 1 < piece.length ? Buffer.from(piece.subarray(last + 1)) : undefined;
    if (items.length > 0) yield items;
  }
  if (passed > 0) yield [reader.tooLarge(passed)];
  if (kept !== undefined) yield reader.lines(Buffer.concat([kept, NEWLINE_BYTES]));
}

interface LineReader {
  /** Rows of a piece that ends with a line feed. */
  lines(region: Buffer): Item[];
  tooLarge(length: number): Item;
}

const NEWLINE = 10;
const RETURN = 13;
const NEWLINE_BYTES = Buffer.from("\n");
/** A carriage return and a line feed. */
const LINE_END_MAX = 2;

function createLineReader(decoder: Decoder, maker: ItemMaker): LineReader {
  let line = 0;
  let row = 0;
  const place = { asOf: undefined as number | undefined, row: 0, line: 0 };

  function add(items: Item[], text: string, clean: boolean, length: number): void {
    if (length === 0 || (text.charCodeAt(0) <= 32 && text.trim() === "")) return;
    row += 1;
    place.row = row;
    place.line = line;
    items.push(
      maker.item(line, length, length > RECORD_BYTES_MAX ? refusedLarge() : decoder.decodeText(text, clean, place)),
    );
  }

  /** The usual case: characters are bytes, and one look tells that no line has an escape. */
  function asciiLines(region: Buffer): Item[] {
    const clean = region.indexOf(0x5c) < 0 && region.indexOf(0x7f) < 0;
    const text = region.toString("latin1");
    const items: Item[] = [];
    for (let from = 0; from < text.length; ) {
      const next = text.indexOf("\n", from);
      const end = next > from && text.charCodeAt(next - 1) === RETURN ? next - 1 : next;
      line += 1;
      add(items, text.slice(from, end), clean, end - from);
      from = next + 1;
    }
    return items;
  }

  function anyLines(region: Buffer): Item[] {
    const items: Item[] = [];
    for (let from = 0; from < region.length; ) {
      const next = region.indexOf(NEWLINE, from);
      const end = next > from && region[next - 1] === RETURN ? next - 1 : next;
      const bytes = region.subarray(from, end);
      line += 1;
      if (isAscii(bytes)) add(items, bytes.toString("latin1"), false, bytes.length);
      else if (isUtf8(bytes)) add(items, bytes.toString("utf8"), false, bytes.length);
      else items.push(maker.reject(line, bytes.length, badUtf8()));
      from = next + 1;
    }
    return items;
  }

  return {
    lines: (region) => (isAscii(region) ? asciiLines(region) : anyLines(region)),
    tooLarge(length) {
      line += 1;
      row += 1;
      return maker.reject(line, length, tooLarge());
    },
  };
}

function refusedLarge(): { readonly kind: "reject"; readonly reject: ReturnType<typeof tooLarge> } {
  return { kind: "reject", reject: tooLarge() };
}
