/** A queue in a list that is written round and round, so that nothing refers to what has left it. */
export class Ring<T> {
  private items: (T | undefined)[] = new Array(FIRST_ROOM).fill(undefined);
  private head = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The one that came first. */
  get first(): T | undefined {
    return this.items[this.head];
  }

  push(item: T): void {
    if (this.count === this.items.length) this.grow();
    this.items[(this.head + this.count) % this.items.length] = item;
    this.count += 1;
  }

  /** Takes the first out. */
  shift(): T | undefined {
    const item = this.items[this.head];
    if (this.count === 0) return undefined;
    this.items[this.head] = undefined;
    this.head = (this.head + 1) % this.items.length;
    this.count -= 1;
    return item;
  }

  private grow(): void {
    const { items, head } = this;
    this.items = [...items.slice(head), ...items.slice(0, head), ...new Array(items.length).fill(undefined)];
    this.head = 0;
  }
}

const FIRST_ROOM = 64;
