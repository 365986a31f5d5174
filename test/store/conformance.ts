/** What every state store must do: one suite, run against memory and against a real Redis. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Commit,
  formatSequence,
  type Lane,
  type Layout,
  type OutboxEntry,
  type StateStore,
  StoreError,
} from "../../src/store/port.ts";

export interface StoreUnderTest {
  readonly store: StateStore;
  /** The same data seen by a program of another layout. */
  reopen(layout: Layout): Promise<StateStore>;
  /** Forgets everything. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export const LAYOUT: Layout = { partitions: 4, hash: "test/1" };
const PACK = { hash: "p1", activation: 7n, from: undefined };
const START = { next: 0n, fingerprint: 0 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

/** An alerts entry caused at `offset`. */
export function entry(offset: number, output = 0, lane: Lane = "alerts", value = `${lane} ${offset}`): OutboxEntry {
  return { lane, sequence: formatSequence(BigInt(offset), 0, output), value: bytes(value) };
}

/** A commit from `from` to `to` with sensible contents. */
export function commitOf(owner: string, from: number, to: number, more: Partial<Commit> = {}): Commit {
  return {
    partition: 0,
    owner,
    from: { next: BigInt(from), fingerprint: from },
    to: { next: BigInt(to), fingerprint: to },
    pack: PACK,
    seen: [],
    entities: [],
    outbox: [],
    ttlMs: 1_000_000,
    ...more,
  };
}

/** Runs the suite. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`state store: ${name}`, () => {
    let under: StoreUnderTest;
    let store: StateStore;
    beforeAll(async () => {
      under = await open();
      store = under.store;
    });
    afterAll(async () => under.close());
    const begin = async (owner = "a", partition = 0): Promise<void> => {
      await under.flush();
      await store.claim(partition, owner);
      expect(await store.init(partition, owner, START)).toBe(true);
    };
    const sequences = async (lane: Lane, limit = 100): Promise<string[]> =>
      (await store.outbox(0, lane, limit)).map(({ sequence }) => sequence);

    describe("claims", () => {
      test("an untouched partition has no position, so that it is rebuilt", async () => {
        await under.flush();
        const claim = await store.claim(1, "a");
        expect(claim).toEqual({
          position: undefined,
          pack: undefined,
          seen: [],
          previousOwner: undefined,
          waiting: { alerts: 0, marks: 0 },
        });
        expect(await store.position(1)).toBeUndefined();
      });

      test("a claim takes over from whoever has it and tells what is there", async () => {
        await begin("a");
        const seen = [
          { source: "in:tx:3", offset: 9_007_199_254_740_993n, index: 12 },
          { source: "views:1", offset: 5n, index: 65_537 },
        ];
        const outbox = [entry(0), entry(1), entry(1, 0, "marks")];
        expect(await store.commit(commitOf("a", 0, 2, { seen, outbox }))).toEqual({ kind: "committed" });
        const claim = await store.claim(0, "b");
        expect(claim.previousOwner).toBe("a");
        expect(claim.position).toEqual({ next: 2n, fingerprint: 2 });
        expect([...claim.seen].sort((x, y) => (x.source < y.source ? -1 : 1))).toEqual(seen);
        expect(claim.waiting).toEqual({ alerts: 2, marks: 1 });
      });

      test("a claim tells the pack in force at its position, and so does the store itself", async () => {
        await begin("a");
        expect((await store.claim(0, "a")).pack).toBeUndefined();
        await store.commit(commitOf("a", 0, 1));
        expect((await store.claim(0, "b")).pack).toEqual(PACK);
        const later = { hash: "f".repeat(64), activation: 9_007_199_254_740_993n, from: 1n };
        expect(await store.commit(commitOf("b", 1, 2, { pack: later }))).toEqual({ kind: "committed" });
        expect(await store.commit(commitOf("b", 1, 3))).toMatchObject({ kind: "fenced" });
        expect(await store.pack(0)).toEqual(later);
        expect((await store.renew(0, "b", "b2"))?.pack).toEqual(later);
        expect(await store.pack(1)).toBeUndefined();
      });

      test("partitions are apart", async () => {
        await begin("a");
        expect((await store.claim(1, "b")).previousOwner).toBeUndefined();
        await store.commit(commitOf("a", 0, 1, { entities: [{ key: "account:x", value: bytes("v") }] }));
        expect(await store.read(1, ["account:x"])).toEqual([undefined]);
        expect((await store.claim(0, "c")).previousOwner).toBe("a");
      });

      test("state of another layout is refused with both layouts in the message", async () => {
        await begin("a");
        const other = await under.reopen({ partitions: 8, hash: "test/1" });
        const refusal = await other.claim(0, "b").catch((error: unknown) => error);
        expect(refusal).toBeInstanceOf(StoreError);
        expect(refusal).toMatchObject({ retriable: false });
        expect((refusal as Error).message).toContain("4 partitions by test/1");
        expect((refusal as Error).message).toContain("8 by test/1");
        expect(await store.commit(commitOf("a", 0, 1))).toEqual({ kind: "committed" });
        if (other !== store) await other.close();
      });
    });

    describe("init", () => {
      test("only the owner creates a position, and only where there is none", async () => {
        await under.flush();
        expect(await store.init(0, "a", START)).toBe(false);
        await store.claim(0, "a");
        expect(await store.init(0, "b", START)).toBe(false);
        expect(await store.position(0)).toBeUndefined();
        expect(await store.init(0, "a", { next: 7n, fingerprint: 0 })).toBe(true);
        expect(await store.init(0, "a", START)).toBe(false);
        expect(await store.position(0)).toEqual({ next: 7n, fingerprint: 0 });
        expect(await store.pack(0)).toBeUndefined();
      });
    });

    describe("commits", () => {
      test("write entities, origins, outbox and position together", async () => {
        await begin();
        const entities = [
          { key: "account:k1.A", value: bytes("one") },
          { key: "party:{p1}:ü€\n", value: Uint8Array.from([0, 255, 13, 10]) },
          { key: "card:empty", value: new Uint8Array() },
        ];
        await store.commit(commitOf("a", 0, 3, { entities, outbox: [entry(2)] }));
        const found = await store.read(0, ["card:empty", "nobody", "party:{p1}:ü€\n", "account:k1.A"]);
        expect(found.map((one) => one && [...one.value])).toEqual([[], undefined, [0, 255, 13, 10], [...bytes("one")]]);
        expect(found.map((one) => one?.writtenAt)).toEqual([3n, undefined, 3n, 3n]);
        expect(await store.position(0)).toEqual({ next: 3n, fingerprint: 3 });
        await store.commit(commitOf("a", 3, 4, { entities: [{ key: "account:k1.A", value: bytes("two") }] }));
        const [again] = await store.read(0, ["account:k1.A"]);
        expect([text(again?.value), again?.writtenAt]).toEqual(["two", 4n]);
      });

      test("an addition goes behind what is stored; a whole value takes the place of both", async () => {
        await begin();
        const pieces = async (key: string): Promise<unknown> => {
          const [found] = await store.read(0, [key]);
          return found && [text(found.value), found.additions.map(text), found.writtenAt];
        };
        const change = (key: string, value: string, isAddition = false) => ({ key, value: bytes(value), isAddition });
        await store.commit(commitOf("a", 0, 1, { entities: [change("k", "one"), change("l", "ell")] }));
        await store.commit(commitOf("a", 1, 2, { entities: [change("k", "two", true), change("m", "em")] }));
        await store.commit(commitOf("a", 2, 3, { entities: [change("k", "", true), change("l", "more", true)] }));
        expect(await pieces("k")).toEqual(["one", ["two", ""], 3n]);
        expect(await pieces("l")).toEqual(["ell", ["more"], 3n]);
        expect(await pieces("m")).toEqual(["em", [], 2n]);
        await store.commit(commitOf("a", 3, 4, { entities: [change("k", "new")] }));
        expect(await pieces("k")).toEqual(["new", [], 4n]);
      });

      test("an addition to nothing is an error of the program, and writes nothing", async () => {
        await begin();
        const entities = [
          { key: "k", value: bytes("whole") },
          { key: "l", value: bytes("more"), isAddition: true },
        ];
        await expect(store.commit(commitOf("a", 0, 1, { entities }))).rejects.toThrow(/addition/);
        expect(await store.read(0, ["k", "l"])).toEqual([undefined, undefined]);
        expect(await store.position(0)).toEqual(START);
      });

      test("values may be views into larger buffers", async () => {
        await begin();
        const large = bytes("....inner....");
        const value = large.subarray(4, 9);
        await store.commit(commitOf("a", 0, 1, { entities: [{ key: "k", value }], outbox: [{ ...entry(0), value }] }));
        large.fill(0);
        expect(text((await store.read(0, ["k"]))[0]?.value)).toBe("inner");
        expect(text((await store.outbox(0, "alerts", 1))[0]?.value)).toBe("inner");
      });

      const refusals: [string, () => Promise<Commit>][] = [
        [
          "by a former owner",
          async () => {
            await begin("a");
            await store.claim(0, "b");
            return commitOf("a", 0, 1);
          },
        ],
        ["from a position that is not reached", () => begin("a").then(() => commitOf("a", 1, 2))],
        [
          "from a position that is passed",
          async () => {
            await begin("a");
            await store.commit(commitOf("a", 0, 5));
            return commitOf("a", 0, 5);
          },
        ],
        [
          "after another record than was read",
          async () => {
            await begin("a");
            return commitOf("a", 0, 1, { from: { next: 0n, fingerprint: 77 } });
          },
        ],
        ["without a claim", () => under.flush().then(() => commitOf("a", 0, 1))],
        [
          "without a position",
          async () => {
            await under.flush();
            await store.claim(0, "a");
            return commitOf("a", 0, 1);
          },
        ],
        [
          "after everything was forgotten",
          async () => {
            await begin("a");
            await under.flush();
            return commitOf("a", 0, 1);
          },
        ],
      ];
      for (const [why, prepare] of refusals) {
        test(`${why} are fenced and write nothing`, async () => {
          const commit = await prepare();
          const before = await store.position(0);
          const full = {
            ...commit,
            entities: [{ key: "account:z", value: bytes("z") }],
            seen: [{ source: "in:z:0", offset: 1n, index: 0 }],
            outbox: [entry(90), entry(90, 0, "marks")],
          };
          expect(await store.commit(full)).toMatchObject({ kind: "fenced" });
          expect(await store.position(0)).toEqual(before);
          expect(await store.read(0, ["account:z"])).toEqual([undefined]);
          const claim = await store.claim(0, "later");
          expect([claim.seen, claim.waiting]).toEqual([[], { alerts: 0, marks: 0 }]);
        });
      }

      test("one that does not advance is an error of the program, and writes nothing", async () => {
        await begin();
        await store.commit(commitOf("a", 0, 10));
        for (const to of [9, 10]) {
          const commit = commitOf("a", 10, to, { entities: [{ key: "k", value: bytes("v") }] });
          await expect(store.commit(commit)).rejects.toThrow(/advance/);
        }
        expect(await store.read(0, ["k"])).toEqual([undefined]);
      });

      test("an outbox out of order is an error of the program, and writes nothing", async () => {
        await begin();
        await store.commit(commitOf("a", 0, 10, { outbox: [entry(5)] }));
        for (const outbox of [[entry(4)], [entry(5)], [entry(12), entry(11)]]) {
          const commit = commitOf("a", 10, 11, { outbox, entities: [{ key: "k", value: bytes("v") }] });
          await expect(store.commit(commit)).rejects.toThrow(/out of order/);
        }
        expect(await store.position(0)).toEqual({ next: 10n, fingerprint: 10 });
        expect(await store.read(0, ["k"])).toEqual([undefined]);
        expect(await sequences("alerts")).toEqual([entry(5).sequence]);
      });

      test("positions beyond 2^53 keep every digit", async () => {
        await under.flush();
        await store.claim(0, "a");
        const from = { next: 9_007_199_254_740_993n, fingerprint: 4_294_967_295 };
        const to = { next: 9_007_199_254_740_995n, fingerprint: 1 };
        expect(await store.init(0, "a", from)).toBe(true);
        expect(await store.commit(commitOf("a", 0, 0, { from: { ...from, next: from.next - 1n }, to }))).toMatchObject({
          kind: "fenced",
        });
        expect(await store.commit(commitOf("a", 0, 0, { from, to }))).toEqual({ kind: "committed" });
        expect(await store.position(0)).toEqual(to);
      });

      test("one may carry far more than a Lua stack holds", async () => {
        await begin();
        const entities = Array.from({ length: 9_000 }, (_, i) => ({ key: `account:${i}`, value: bytes(`v${i}`) }));
        const outbox = Array.from({ length: 9_000 }, (_, i) => entry(1, i));
        const seen = Array.from({ length: 300 }, (_, i) => ({ source: `in:t:${i}`, offset: BigInt(i), index: i }));
        expect(await store.commit(commitOf("a", 0, 2, { entities, outbox, seen }))).toEqual({ kind: "committed" });
        const keys = entities.map(({ key }) => key);
        const found = await store.read(0, keys);
        expect(found.map((one) => text(one?.value))).toEqual(entities.map(({ value }) => text(value)));
        expect((await sequences("alerts", 10_000)).length).toBe(9_000);
        expect((await store.claim(0, "b")).seen.length).toBe(300);
      });
    });

    describe("renewal", () => {
      test("fences a commit under the old token that is still on its way", async () => {
        await begin("a");
        const late = commitOf("a", 0, 1);
        const claim = await store.renew(0, "a", "a2");
        expect(claim).toMatchObject({ position: START, previousOwner: "a" });
        expect(await store.commit(late)).toMatchObject({ kind: "fenced" });
        expect(await store.commit({ ...late, owner: "a2" })).toEqual({ kind: "committed" });
      });

      test("is refused to whoever is not the owner", async () => {
        await begin("a");
        await store.claim(0, "b");
        expect(await store.renew(0, "a", "a2")).toBeUndefined();
        expect(await store.commit(commitOf("b", 0, 1))).toEqual({ kind: "committed" });
        await under.flush();
        expect(await store.renew(0, "b", "b2")).toBeUndefined();
      });
    });

    describe("the outbox", () => {
      test("drains each lane in order and deletes exactly what is named", async () => {
        await begin();
        const outbox = [entry(0), entry(0, 1), entry(0, 0, "marks"), entry(2), entry(10)];
        await store.commit(commitOf("a", 0, 11, { outbox }));
        const wanted = [entry(0), entry(0, 1), entry(2), entry(10)].map(({ sequence }) => sequence);
        expect(await sequences("alerts", 2)).toEqual(wanted.slice(0, 2));
        expect(await store.published(0, "alerts", wanted.slice(0, 2))).toBe(2);
        expect(await sequences("alerts")).toEqual(wanted.slice(2));
        expect(await sequences("marks")).toEqual([entry(0).sequence]);
        expect(text((await store.outbox(0, "marks", 1))[0]?.value)).toBe("marks 0");
      });

      test("a late or repeated deletion takes nothing that was not sent", async () => {
        await begin();
        await store.commit(commitOf("a", 0, 9, { outbox: [entry(1), entry(2), entry(3)] }));
        const [one, two, three] = [entry(1).sequence, entry(2).sequence, entry(3).sequence];
        expect(await store.published(0, "alerts", [one])).toBe(2);
        expect(await store.published(0, "alerts", [one])).toBe(2);
        expect(await store.published(0, "alerts", [three])).toBe(2);
        expect(await sequences("alerts")).toEqual([two, three]);
        expect(await store.published(0, "alerts", [one, two])).toBe(1);
        expect(await store.published(0, "alerts", [three])).toBe(0);
        expect(await store.published(0, "alerts", [three])).toBe(0);
        expect(await sequences("alerts")).toEqual([]);
      });

      test("an init after a loss begins with an empty one", async () => {
        await begin();
        await store.commit(commitOf("a", 0, 9, { outbox: [entry(1)] }));
        await begin("b");
        expect(await sequences("alerts")).toEqual([]);
      });
    });
  });
}
