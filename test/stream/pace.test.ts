import { describe, expect, test } from "vitest";
import type { GroupOffset, PartitionRange } from "../../src/stream/bus.ts";
import { createPace, type Pace } from "../../src/stream/pace.ts";

const AHEAD = 1_000;
const WAIT = 60_000;

/** A views topic of two partitions and the group that screens it. */
function setup() {
  const ends = [0n, 0n];
  const offsets: (bigint | undefined)[] = [undefined, undefined];
  let now = 0;
  const admin = {
    ranges: async (): Promise<PartitionRange[]> => ends.map((high, partition) => ({ partition, low: 0n, high })),
    groupOffsets: async (): Promise<GroupOffset[]> =>
      offsets.map((offset, partition) => ({ partition, offset, metadata: "" })),
  };
  const clock = { now: () => now, sleep: async () => undefined, breathe: async () => undefined };
  let asked = 0;
  const counting = {
    ...admin,
    groupOffsets: () => {
      asked++;
      return admin.groupOffsets();
    },
  };
  const made = createPace(counting, { views: "views", group: "screen", aheadMs: AHEAD, waitMs: WAIT }, clock);
  // A look in vain is not repeated within the same 100 ms: `look` comes later than that.
  const look = (): Promise<void> => {
    now += 100;
    return made.look();
  };
  const pace: Pace = Object.create(made, { look: { value: look } });
  return {
    pace,
    lookNow: () => made.look(),
    /** Looks that asked the broker. */
    asked: () => asked,
    ends,
    offsets,
    later: (ms: number) => {
      now += ms;
    },
    /** Intake passes movements up to `time`, and the broker acknowledges them as a record of partition 0. */
    write(time: number) {
      pace.passed(time);
      ends[0] = (ends[0] ?? 0n) + 1n;
      pace.sent(time);
    },
  };
}

describe("the pace of intake", () => {
  test("nothing passes before the first look; then whatever comes first may go, and a little beyond", async () => {
    const { pace } = setup();
    expect(pace.limit(5_000_000)).toBe(Number.NEGATIVE_INFINITY);
    await pace.look();
    expect(pace.limit(5_000_000)).toBe(5_000_000 + AHEAD);
  });

  test("what is on its way holds back what is much later, until it is screened", async () => {
    const { pace, offsets, write } = setup();
    await pace.look();
    pace.passed(10_000);
    expect(pace.limit(90_000_000)).toBeLessThan(10_000 + AHEAD);
    write(10_000);
    await pace.look();
    expect(pace.limit(90_000_000)).toBeLessThan(90_000_000);
    offsets[0] = 1n;
    await pace.look();
    expect(pace.limit(90_000_000)).toBe(90_000_000 + AHEAD);
  });

  test("what was given up unsent is not waited for", async () => {
    const { pace } = setup();
    await pace.look();
    pace.passed(10_000);
    expect(pace.limit(90_000_000)).toBeLessThan(90_000_000);
    pace.dropped(Number.NEGATIVE_INFINITY);
    expect(pace.limit(90_000_000)).toBe(90_000_000 + AHEAD);
  });

  test("what screening derives from it is waited for too", async () => {
    const { pace, ends, offsets, write } = setup();
    await pace.look();
    write(10_000);
    await pace.look();
    // Screened, and a hit for an entity of partition 1 stands in the log.
    offsets[0] = 1n;
    ends[1] = 1n;
    await pace.look();
    expect(pace.limit(90_000_000)).toBeLessThan(90_000_000);
    offsets[1] = 1n;
    await pace.look();
    expect(pace.limit(90_000_000)).toBe(90_000_000 + AHEAD);
  });

  test("under load it goes on without a moment of rest: after as many generations as can follow", async () => {
    const { pace, ends, offsets, write } = setup();
    await pace.look();
    let confirmed = Number.NEGATIVE_INFINITY;
    for (let time = 1_000; time <= 40_000; time += 100) {
      write(time);
      await pace.look();
      // Always one record behind.
      offsets[0] = (ends[0] ?? 0n) - 1n;
      const limit = pace.limit(90_000_000);
      expect(limit).toBeLessThan(time + AHEAD);
      expect(limit).toBeGreaterThanOrEqual(confirmed);
      confirmed = limit;
    }
    expect(confirmed).toBeGreaterThan(38_000);
  });

  test("a restart waits for what was under way before it", async () => {
    const { pace, ends, offsets } = setup();
    ends[1] = 5n;
    offsets[1] = 3n;
    await pace.look();
    expect(pace.limit(1)).toBe(Number.NEGATIVE_INFINITY);
    offsets[1] = 5n;
    await pace.look();
    expect(pace.limit(1)).toBe(1 + AHEAD);
  });

  test("a partition that does not move is given up after a while, counted, and waited for again when it moves", async () => {
    const { pace, ends, offsets, write, later } = setup();
    await pace.look();
    write(10_000);
    await pace.look();
    later(WAIT - 200);
    await pace.look();
    expect([pace.limit(90_000_000) < 90_000_000, pace.released]).toEqual([true, 0]);
    await pace.look();
    expect([pace.limit(90_000_000), pace.released]).toEqual([90_000_000 + AHEAD, 1]);
    write(20_000);
    offsets[0] = 1n;
    await pace.look();
    expect(pace.limit(90_000_000)).toBeLessThan(90_000_000);
    offsets[0] = ends[0];
    await pace.look();
    expect([pace.limit(90_000_000), pace.released]).toEqual([90_000_000 + AHEAD, 1]);
  });

  test("a partition that was idle for long is not taken for one that stands still", async () => {
    const { pace, write, later } = setup();
    await pace.look();
    later(10 * WAIT);
    write(10_000);
    await pace.look();
    expect([pace.limit(90_000_000) < 90_000_000, pace.released]).toEqual([true, 0]);
  });

  test("late movements do not move it back", async () => {
    const { pace, ends, offsets, write } = setup();
    await pace.look();
    write(50_000);
    offsets[0] = ends[0];
    await pace.look();
    write(20_000);
    await pace.look();
    expect(pace.limit(20_000)).toBeGreaterThanOrEqual(50_000 + AHEAD);
  });

  test("the broker is not asked while nothing is under way, and again as soon as something is waited for", async () => {
    const { pace, lookNow, asked, offsets, ends, write, later } = setup();
    await pace.look();
    for (let i = 0; i < 100; i++) await pace.look();
    expect(asked()).toBe(1);
    write(10_000);
    expect(pace.limit(90_000_000)).toBeLessThan(90_000_000);
    await pace.look();
    expect(asked()).toBe(2);
    offsets[0] = ends[0];
    later(30);
    await lookNow();
    expect([asked(), pace.limit(90_000_000)]).toEqual([3, 90_000_000 + AHEAD]);
  });

  test("looks in vain become rarer while it waits, and are rare while there is time enough", async () => {
    const { pace, lookNow, asked, offsets, ends, write, later } = setup();
    const inASecond = async (head: number): Promise<number> => {
      const before = asked();
      for (let i = 0; i < 50; i++) {
        later(20);
        pace.limit(head);
        await lookNow();
      }
      return asked() - before;
    };
    await pace.look();
    write(50);
    offsets[0] = ends[0];
    await pace.look();
    write(100);
    expect(await inASecond(100)).toBe(1);
    write(AHEAD - 100);
    expect(await inASecond(AHEAD - 100)).toBeGreaterThan(AHEAD / 200);
    const waiting = await inASecond(90_000_000);
    expect(waiting).toBeGreaterThanOrEqual(10);
    expect(waiting).toBeLessThanOrEqual(16);
  });
});
