/** Row 13: one message in a hundred is poison. */
import { expect } from "vitest";
import type { RejectedRecord } from "../../src/stream/rejected.ts";
import { faultTest, SEED, withRig } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { movements, type Poison, poison } from "./sample.ts";

const TOTAL = 12_000;
const EVERY = 100;

faultTest(
  {
    row: "13",
    fault: "poison at 1 %",
    how: "every hundredth message is cut JSON, of wrong types, 0.9 MB, bad UTF-8, with a repeated key or __proto__, an amount beyond 2^53 or below 0, an unknown currency, a far future, empty or nested 10,000 deep",
    mustHold: "each is on the rejected topic once with place and reason; the rest as if it were not there",
    timeoutMs: 120_000,
  },
  (measure) =>
    withRig({}, async (rig) => {
      const good = movements(TOTAL, SEED);
      const planted: (Poison & { readonly at: number })[] = [];
      const lines = good.flatMap((line, i): (string | Buffer)[] => {
        if (i % EVERY !== 0) return [line];
        const made = poison(planted.length, line);
        planted.push({ ...made, at: i + planted.length + 1 });
        return [line, made.bytes];
      });
      const reference = referenceOf(rig, good);
      const clean = await rig.start("both");
      await rig.feed(lines);
      measure("settled after ms", await rig.settled(lines.length));
      const published = await expectAsReference(rig, reference);
      measure("repeats by id", published.repeats);
      // The rig spreads lines over two partitions in turn.
      const wanted = planted.map(({ at, code }) => `${at % 2}/${Math.floor(at / 2)} ${code}`).sort();
      const rejected = (await rig.read(rig.topics.rejected)).map((value) => JSON.parse(value) as RejectedRecord);
      expect(rejected.map(({ partition, offset, code }) => `${partition}/${offset} ${code}`).sort()).toEqual(wanted);
      measure("rejected", rejected.length);
      expect(await clean.stop()).toBe(0);
    }),
);
