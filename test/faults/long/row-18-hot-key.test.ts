/** Row 18: half of the traffic goes to one account. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { movements } from "../sample.ts";

const TOTAL = 60_000;

/** Settles a backlog; gives transactions a second and the greatest memory of the worker, MiB. */
async function drain(hotPercent: number): Promise<{ readonly rate: number; readonly memory: number; repeats: number }> {
  let result = { rate: 0, memory: 0, repeats: 0 };
  // One input partition, so that the hot account's movements arrive in order: more of them than a tail can hold.
  await withRig({ inputs: 1 }, async (rig) => {
    const lines = movements(TOTAL, SEED, { hotPercent, accounts: 3_000 });
    const reference = referenceOf(rig, lines);
    await rig.feed(lines);
    const since = Date.now();
    const palermo = await rig.start("both");
    await rig.settled(TOTAL);
    const seconds = (Date.now() - since) / 1_000;
    const status = readFileSync(`/proc/${palermo.pid}/status`, "utf8");
    const memory = Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024);
    const { repeats } = await expectAsReference(rig, reference);
    expect(await palermo.stop()).toBe(0);
    result = { rate: Math.round(TOTAL / seconds), memory, repeats };
  });
  return result;
}

faultTest(
  {
    row: "18",
    fault: "hot key",
    how: `a backlog of ${TOTAL} movements, half of them to one account, beside the same without`,
    mustHold: "oracle; at least half of the rate without the hot account; memory bounded",
    timeoutMs: 300_000,
  },
  async (measure) => {
    const even = await drain(0);
    const hot = await drain(50);
    measure("tx/s even, with start", even.rate);
    measure("tx/s hot, with start", hot.rate);
    measure("MiB even", even.memory);
    measure("MiB hot", hot.memory);
    expect(hot.rate).toBeGreaterThan(even.rate / 2);
    expect(hot.memory).toBeLessThan(even.memory * 1.25);
  },
);
