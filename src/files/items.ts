/** What readers of files deliver: decoded rows with their place, in batches. */
import type { Reject } from "../base/errors.ts";
import type { Decoded } from "../intake/decode.ts";

/** One row of an input file. */
export interface Item {
  /** As the user named it. */
  readonly file: string;
  /** 1-based; of a row over several lines the first. */
  readonly line: number;
  /** Bytes of the row without its line end. */
  readonly length: number;
  /** Event time, epoch ms; of a rejected row the newest time before it in its file, so that it keeps its place. */
  readonly time: number;
  readonly decoded: Decoded;
}

/** Makes items of one file; remembers the newest time for rows that have none. */
export interface ItemMaker {
  item(line: number, length: number, decoded: Decoded): Item;
  reject(line: number, length: number, reject: Reject): Item;
}

/** A maker for one file. */
export function createItemMaker(file: string): ItemMaker {
  let newest = Number.NEGATIVE_INFINITY;
  const item = (line: number, length: number, decoded: Decoded): Item => {
    const time = timeOf(decoded) ?? newest;
    if (time > newest) newest = time;
    return { file, line, length, time, decoded };
  };
  return { item, reject: (line, length, reject) => item(line, length, { kind: "reject", reject }) };
}

function timeOf(decoded: Decoded): number | undefined {
  switch (decoded.kind) {
    case "tx":
      return decoded.tx.time;
    case "profile":
      return decoded.profile.validFrom;
    case "event":
      return decoded.event.time;
    default:
      return undefined;
  }
}
