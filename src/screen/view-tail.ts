/**
 * The views of an entity since its base, in total order. They are seldom looked at again, and a view takes 1 KB as
 * objects where 130 bytes are stored: movements stay packed, as a string of their bytes, which is one object without
 * references. Kept as objects, the views of the last two hours were a quarter of what is held of an entity, and half of
 * the CPU of screening went into moving and marking what is held.
 */
import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { appended } from "../base/lists.ts";
import { compareViews, type View } from "../domain/view.ts";
import { decodeView, encodeView } from "../domain/view-codec.ts";

export class Tail {
  private entries: (View | string)[];
  /** Event times, epoch ms. */
  private times: number[];

  private constructor(entries: (View | string)[], times: number[]) {
    this.entries = entries;
    this.times = times;
  }

  static of(views: readonly View[] = []): Tail {
    return new Tail(
      views.slice(),
      views.map(({ time }) => time),
    );
  }

  get length(): number {
    return this.entries.length;
  }

  /** Event time of the last view; -Infinity without any. */
  get newest(): number {
    return this.times.length === 0 ? Number.NEGATIVE_INFINITY : (this.times[this.times.length - 1] as number);
  }

  /** View `i`, which must be there. */
  at(i: number): View {
    const entry = this.entries[i] as View | string;
    return typeof entry === "string" ? decodeView(new ByteReader(Buffer.from(entry, "latin1"))) : entry;
  }

  /** All views from `from` on. */
  views(from = 0, to = this.length): View[] {
    const views: View[] = [];
    for (let i = from; i < to; i += 1) views.push(this.at(i));
    return views;
  }

  /** Whether a view belongs behind all others. */
  endsBefore(view: View): boolean {
    const { length, newest } = this;
    return length === 0 || newest < view.time || (newest === view.time && compareViews(this.at(length - 1), view) <= 0);
  }

  /** Puts a view behind all others. `packed`: what `ByteReader.latin1` gives of its bytes. */
  push(view: View, packed?: string): void {
    this.entries = appended(this.entries, mayStayPacked(view) ? (packed ?? pack(view)) : view);
    this.times = appended(this.times, view.time);
  }

  /** The same with a view in its place, behind one of the same place, and without view `left` where that is given. */
  placed(view: View, left?: number): Tail {
    const next = left === undefined ? new Tail(this.entries.slice(), this.times.slice()) : this.without(left);
    let at = next.length;
    while (at > 0 && (next.times[at - 1] as number) >= view.time && compareViews(next.at(at - 1), view) > 0) at--;
    next.entries.splice(at, 0, view);
    next.times.splice(at, 0, view.time);
    return next;
  }

  /** The same without view `i`. */
  without(i: number): Tail {
    return new Tail(this.entries.toSpliced(i, 1), this.times.toSpliced(i, 1));
  }

  /** The views from `i` on. */
  from(i: number): Tail {
    return new Tail(this.entries.slice(i), this.times.slice(i));
  }

  /** How many views lie before a time. */
  countBefore(time: number): number {
    let count = 0;
    while (count < this.times.length && (this.times[count] as number) < time) count += 1;
    return count;
  }

  /** How many views it and another begin with alike, at most `most`. */
  sharedWith(other: Tail, most: number): number {
    let i = 0;
    while (i < most && i < this.length && this.entries[i] === other.entries[i]) i += 1;
    return i;
  }

  /** Index of the telling with this id; -1 without one. */
  telling(kind: "hit" | "mark", id: string): number {
    return this.entries.findIndex((entry) => typeof entry !== "string" && entry.kind === kind && entry.id === id);
  }

  /** Whether some movement in it takes another back. */
  get reverses(): boolean {
    return this.entries.some(
      (entry) => typeof entry !== "string" && entry.kind === "tx" && entry.tx.relation?.kind === "reversal",
    );
  }

  /** Appends the views from `from` on, each as `encodeView` writes it. */
  encode(writer: ByteWriter, from = 0): void {
    for (let i = from; i < this.entries.length; i += 1) {
      const entry = this.entries[i] as View | string;
      if (typeof entry === "string") writer.latin1(entry);
      else encodeView(writer, entry);
    }
  }
}

function pack(view: View): string {
  WRITER.reset();
  encodeView(WRITER, view);
  return WRITER.toLatin1();
}

/** Empty between two calls. */
const WRITER = new ByteWriter();

/** What concerns another movement is looked for, and so are tellings. */
function mayStayPacked(view: View): boolean {
  return view.kind === "tx" && view.tx.relation === undefined;
}
