/**
 * The keys of a distinct or first-seen measure, in order of last time: the oldest stand first, so that expiry, the cap
 * and shorter windows look at the front only. Most sets hold a few keys: those are searched from the newest on, and
 * only a large set keeps an index.
 */
import type { KeyEntry } from "./state.ts";

/** From this many keys on an index pays: until then a search of the list was faster and took a fifth of the memory. */
const INDEXED_FROM = 16;

export class KeySet implements Iterable<KeyEntry> {
  /** Oldest last time first. */
  readonly entries: KeyEntry[] = [];
  #index: Map<string, KeyEntry> | undefined;

  /** `entries`: in order of last time, each key once; they are taken over. */
  static of(entries: Iterable<KeyEntry>): KeySet {
    const set = new KeySet();
    for (const entry of entries) set.push(entry);
    return set;
  }

  get size(): number {
    return this.entries.length;
  }

  [Symbol.iterator](): Iterator<KeyEntry> {
    return this.entries[Symbol.iterator]();
  }

  /** The entry of a key. */
  get(key: string): KeyEntry | undefined {
    if (this.#index !== undefined) return this.#index.get(key);
    const { entries } = this;
    for (let i = entries.length - 1; i >= 0; i -= 1) {
      const entry = entries[i] as KeyEntry; // i is within the array.
      if (entry.key === key) return entry;
    }
    return undefined;
  }

  /** Adds a key that is not there, with a last time not before any other's. */
  push(entry: KeyEntry): void {
    this.entries.push(entry);
    if (this.#index !== undefined) this.#index.set(entry.key, entry);
    else if (this.entries.length >= INDEXED_FROM) this.#index = new Map(this.entries.map((one) => [one.key, one]));
  }

  /** An entry's last time has grown: behind all whose last time is not later. */
  place(entry: KeyEntry): void {
    const { entries } = this;
    const from = entries.lastIndexOf(entry);
    let to = from;
    while (to + 1 < entries.length && (entries[to + 1] as KeyEntry).lastTime <= entry.lastTime) to += 1;
    if (to === from) return;
    entries.copyWithin(from, from + 1, to + 1);
    entries[to] = entry;
  }

  /** Adds a key that is not there, wherever its last time belongs. */
  insert(entry: KeyEntry): void {
    let at = this.entries.length;
    while (at > 0 && (this.entries[at - 1] as KeyEntry).lastTime > entry.lastTime) at -= 1;
    this.push(entry);
    if (at === this.entries.length - 1) return;
    this.entries.copyWithin(at + 1, at, this.entries.length - 1);
    this.entries[at] = entry;
  }

  /** Takes a key out, if it is there. */
  remove(key: string): void {
    const entry = this.get(key);
    if (entry === undefined) return;
    this.entries.splice(this.entries.lastIndexOf(entry), 1);
    this.#index?.delete(key);
  }

  /** Takes the `count` oldest out. */
  drop(count: number): void {
    for (const { key } of this.entries.splice(0, count)) this.#index?.delete(key);
  }
}
