/**
 * A few of many slots: an entity keeps something of a handful of the plan's measures, rules, flows and typologies. An
 * array with a place for each of some 150 slots was a quarter of what an entity with few movements took.
 */

export class Slots<T> {
  /** Slots that hold nothing: one object for all of them. */
  static readonly NONE: Slots<never> = new Slots<never>([], []);

  /** Ascending. */
  private readonly indexes: number[];
  private readonly items: T[];

  private constructor(indexes: number[], items: T[]) {
    this.indexes = indexes;
    this.items = items;
  }

  /** Slots from 0 on, `undefined` where there is nothing. */
  static of<T>(items: Iterable<T | undefined>): Slots<T> {
    let slots: Slots<T> = Slots.NONE;
    let index = 0;
    for (const item of items) {
      if (item !== undefined) slots = slots.set(index, item);
      index += 1;
    }
    return slots;
  }

  /** How many slots hold something. */
  get size(): number {
    return this.indexes.length;
  }

  get(index: number): T | undefined {
    const at = this.placeOf(index);
    return this.indexes[at] === index ? this.items[at] : undefined;
  }

  /** Changes a slot. What is returned takes the place of these slots: where they hold nothing they are everybody's. */
  set(index: number, item: T): Slots<T> {
    if (this.indexes.length === 0) return new Slots([index], [item]);
    const at = this.placeOf(index);
    if (this.indexes[at] === index) this.items[at] = item;
    else {
      this.indexes.splice(at, 0, index);
      this.items.splice(at, 0, item);
    }
    return this;
  }

  /** What the slots hold, in their order. */
  values(): readonly T[] {
    return this.items;
  }

  /** Calls `each` for every slot that holds something, ascending. */
  forEach(each: (item: T, index: number) => void): void {
    // Both lists are of one length.
    for (let at = 0; at < this.indexes.length; at += 1) each(this.items[at] as T, this.indexes[at] as number);
  }

  /** Where the index stands, or would stand. */
  private placeOf(index: number): number {
    const { indexes } = this;
    let low = 0;
    let high = indexes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((indexes[middle] as number) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
