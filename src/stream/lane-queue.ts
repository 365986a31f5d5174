/** What waits in one lane of the outboxes of the owned partitions, as far as the worker knows; for `publisher.ts`. */

/** How many entries wait in one lane of each partition, from which offset on, and which partitions are to be read. */
export class LaneQueue {
  private readonly waiting = new Map<number, { count: number; floor: bigint | "unknown"; grown: number }>();
  private readonly busy = new Set<number>();
  private wakeUp: (() => void) | undefined;

  /** Nothing is known to wait. */
  get idle(): boolean {
    return [...this.waiting.values()].every(({ count }) => count === 0);
  }

  add(partition: number, count: number): void {
    this.waiting.set(partition, { count, floor: "unknown", grown: 0 });
    if (count > 0) this.mark(partition);
  }

  grow(partition: number, count: number, floor: bigint): void {
    const lane = this.waiting.get(partition);
    if (lane === undefined) return;
    if (lane.count === 0) lane.floor = floor;
    lane.count += count;
    lane.grown += 1;
    this.mark(partition);
  }

  /** `deleted` entries, the newest caused by `last`, are gone; the store still has `left`. */
  shrink(partition: number, deleted: number, last: bigint, left: number): void {
    const lane = this.waiting.get(partition);
    if (lane === undefined) return;
    // Rather too many than too few: a round that finds nothing mends it, a lane thought empty is never read.
    lane.count = Math.max(lane.count - deleted, left);
    // Others of the same cause may still wait.
    lane.floor = last;
    if (lane.count === 0) this.busy.delete(partition);
  }

  remove(partition: number): void {
    this.waiting.delete(partition);
    this.busy.delete(partition);
  }

  has(partition: number): boolean {
    return this.waiting.has(partition);
  }

  count(partition: number): number {
    return this.waiting.get(partition)?.count ?? 0;
  }

  floor(partition: number): bigint | "unknown" | undefined {
    const lane = this.waiting.get(partition);
    return lane === undefined || lane.count === 0 ? undefined : lane.floor;
  }

  /** The offset of the oldest entry, as just read. */
  setFloor(partition: number, floor: bigint): void {
    const lane = this.waiting.get(partition);
    if (lane !== undefined) lane.floor = floor;
  }

  /** Changes with every growth. */
  version(partition: number): number {
    return this.waiting.get(partition)?.grown ?? -1;
  }

  /** Nothing was found where entries were thought to wait, and none came since `version`. */
  clear(partition: number, version: number): void {
    const lane = this.waiting.get(partition);
    if (lane === undefined || lane.grown !== version) return;
    lane.count = 0;
    this.busy.delete(partition);
  }

  /** Partitions to read: those with entries, and those to be looked at again. Waits until there is one. */
  async next(signal: AbortSignal): Promise<number[]> {
    while (this.busy.size === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wakeUp = resolve;
      });
    }
    return [...this.busy];
  }

  /** Every partition is drained once, or found to be empty. */
  markAll(): void {
    for (const partition of this.waiting.keys()) this.mark(partition);
  }

  wake(): void {
    this.wakeUp?.();
    this.wakeUp = undefined;
  }

  private mark(partition: number): void {
    this.busy.add(partition);
    this.wake();
  }
}
