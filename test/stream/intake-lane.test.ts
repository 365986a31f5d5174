/** Where an input partition stands, as others are told it. */
import { expect, test } from "vitest";
import { createDecoder } from "../../src/intake/decode.ts";
import type { BusRecord } from "../../src/stream/bus.ts";
import { Lane } from "../../src/stream/intake-lane.ts";
import { profile, RATES, transfer } from "./support.ts";

const decoder = createDecoder({ rates: RATES });
const record = (offset: number, value: unknown): BusRecord => ({
  ...{ offset: BigInt(offset), key: null, timestamp: 0, headers: {} },
  value: Buffer.from(JSON.stringify(value)),
});

function laneOf(values: readonly unknown[], catchUpTo: bigint | undefined): { lane: Lane; pass(): void } {
  const lane = new Lane({ topic: "in", partition: 0 }, 0, decoder, catchUpTo, 0);
  lane.state = "reading";
  lane.push(
    values.map((value, i) => record(i, value)),
    0,
  );
  const pass = (): void => {
    lane.look();
    lane.pass();
  };
  return { lane, pass };
}

test("profiles of the start are still to come for others until they are acknowledged, not only passed on", () => {
  const { lane, pass } = laneOf([profile("P1"), profile("P2"), profile("P3")], 2n);
  expect([lane.catchingUp, lane.unacknowledged]).toEqual([true, false]);
  pass();
  expect([lane.catchingUp, lane.unacknowledged]).toEqual([true, true]);
  pass();
  // For this worker's own movements that will do: they are sent behind them.
  expect([lane.catchingUp, lane.bound(0), lane.unacknowledged]).toEqual([false, undefined, true]);
  lane.position = { next: 1n, fingerprint: 0 };
  expect(lane.unacknowledged).toBe(true);
  lane.position = { next: 2n, fingerprint: 0 };
  expect(lane.unacknowledged).toBe(false);
  // The third came after the start: nobody waits for it.
  pass();
  expect(lane.unacknowledged).toBe(false);
});

test("movements that are not acknowledged are told by their event time", () => {
  const { lane, pass } = laneOf([transfer(1), transfer(2)], undefined);
  pass();
  expect(lane.unacknowledged).toBe(false);
  expect(lane.bound(0)).toBe(lane.time);
});
