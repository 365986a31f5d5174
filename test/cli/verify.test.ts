/** What `palermo verify` compares, without services: the pass over recorded input, and every kind of difference. */
import { describe, expect, test } from "vitest";
import { compareAlerts, compareEntity, firstDifference } from "../../src/cli/verify-compare.ts";
import { createPass, type Pass } from "../../src/cli/verify-pass.ts";
import { createDecoder } from "../../src/intake/decode.ts";
import { loadPack } from "../../src/rules/load.ts";
import { CONTENT_HASH_MS } from "../../src/screen/recent-codec.ts";
import { BITS, CONTENT_HASH } from "../../src/screen/recent-events.ts";
import { Slots } from "../../src/screen/slots.ts";
import type { Entity } from "../../src/screen/state.ts";
import { movements, RATES, RULES } from "../faults/sample.ts";

const files = Object.entries(RULES).map(([id, text]) => ({ path: `rules/test/${id}.yaml`, text }));
const { pack, lists } = loadPack([...files, { path: "rules/lists/rates.yaml", text: RATES }], {});
const lines = movements(3_000, 7);

function passOver(order: readonly number[], more: readonly (string | null)[] = []): Pass {
  const decoder = createDecoder({ rates: lists.rates });
  const builder = createPass(() => decoder);
  const values = [...order.map((i) => lines[i] as string), ...more];
  for (const [i, value] of values.entries()) {
    const bytes = value === null ? null : Buffer.from(value);
    builder.add({ topic: "in", partition: i % 3, offset: BigInt(Math.floor(i / 3)), timestamp: 0, value: bytes });
  }
  if (pack === undefined) throw new Error("no pack");
  return builder.finish(pack, () => undefined);
}

const inOrder = lines.map((_, i) => i);
const pass = passOver(inOrder);
const busiest = [...pass.totals].sort((a, b) => b[1].count - a[1].count)[0]?.[0] ?? "";

/** A deep copy that may be changed. */
const copy = (entity: Entity): Entity => {
  const { engine } = pass.embedded;
  return engine.decode(entity.key, engine.encode(entity));
};

describe("the pass", () => {
  test("does not depend on the order in which records are read", () => {
    const other = passOver([...inOrder].reverse());
    expect(other.alerts).toEqual(pass.alerts);
    expect(pass.alerts.length).toBeGreaterThan(5);
    for (const key of pass.embedded.keys()) {
      expect(compareEntity(key, other.embedded.entity(key), pass.embedded.entity(key), pass.totals.get(key))).toBe(
        undefined,
      );
    }
  });

  test("its plain sums are those of the engine, and repeats count once", () => {
    const twice = passOver([...inOrder, ...inOrder.slice(0, 500)]);
    expect(twice.totals).toEqual(pass.totals);
    for (const [key, { count, plain }] of twice.totals) {
      expect([key, twice.embedded.entity(key)?.work.seq, plain]).toEqual([key, count, true]);
    }
  });

  test("keeps the place and code of what must be refused", () => {
    const { rejected, transactions } = passOver([0, 1, 2], ["{", null, lines[3]?.slice(0, -1) ?? ""]);
    expect([...rejected]).toEqual([
      ["in/0/1", "MALFORMED_JSON"],
      ["in/1/1", "SCHEMA"],
      ["in/2/1", "MALFORMED_JSON"],
    ]);
    expect(transactions).toBe(3);
  });
});

describe("differences", () => {
  const expected = pass.embedded.entity(busiest) as Entity;
  const total = pass.totals.get(busiest);

  test("of an entity: lost, too much, miscounted, another amount, another state", () => {
    expect(compareEntity(busiest, copy(expected), expected, total)).toBe(undefined);
    expect(compareEntity(busiest, undefined, expected, total)).toMatchObject({ problem: "missing" });
    expect(compareEntity(busiest, expected, undefined, total)).toMatchObject({ problem: "extra" });
    const recounted = copy(expected);
    recounted.work.seq += 1;
    expect(compareEntity(busiest, recounted, expected, total)?.detail).toBe(
      `movements: ${expected.work.seq + 1}, expected ${expected.work.seq}`,
    );
    const richer = copy(expected);
    const { recent } = richer.work;
    const received = Array.from(recent).findIndex(({ incoming }) => incoming);
    recent.setAmount(received, recent.amountAt(received) + 1);
    expect(compareEntity(busiest, richer, expected, total)?.detail).toMatch(
      /^sum received \(minor units\): \d+, expected/,
    );
    const measured = copy(expected);
    const { cells, stride } = measured.work.recent;
    measured.work.recent.cells = cells.map((cell, i) => (i % stride < BITS ? cell : 0));
    expect(compareEntity(busiest, measured, expected, total)?.detail).toMatch(/^measures of movements\./);
    const misplaced = copy(expected);
    const episodes = misplaced.work.rules.values();
    expect(episodes.length).toBeGreaterThan(0);
    Object.assign(misplaced.work, { rules: Slots.of([undefined, undefined, undefined, ...episodes]) });
    expect(compareEntity(busiest, misplaced, expected, total)?.detail).toMatch(/^hit episodes\./);
  });

  test("of an entity: other content of a movement, as long as a repeat of it would be compared", () => {
    const changedAt = (entity: Entity, ageMs: number): Entity => {
      const { recent } = entity.work;
      entity.work.clock = recent.timeAt(recent.length - 1) + ageMs;
      return entity;
    };
    const differing = (ageMs: number): string | undefined => {
      const found = changedAt(copy(expected), ageMs);
      const { recent } = found.work;
      const cell = (recent.length - 1) * recent.stride + CONTENT_HASH;
      recent.cells[cell] = (recent.cells[cell] as number) ^ 1;
      return compareEntity(busiest, found, changedAt(copy(expected), ageMs), total)?.detail;
    };
    expect(differing(CONTENT_HASH_MS)).toMatch(/^recent movements\.\d+\.contentHash: /);
    expect(differing(CONTENT_HASH_MS + 1)).toBe(undefined);
  });

  test("of alerts: missing, extra and changed ones, with the first field that differs", () => {
    const [first, second] = pass.alerts;
    if (first === undefined || second === undefined) throw new Error("the sample alerts");
    expect(compareAlerts(pass.alerts, pass.alerts)).toEqual([]);
    const found = [{ ...first, score: first.score + 1 }, ...pass.alerts.slice(2), { ...second, alertId: "zz" }];
    expect(compareAlerts(found, pass.alerts).map(({ name, problem, detail }) => [name, problem, detail])).toEqual([
      [first.alertId, "differs", `score: ${first.score + 1}, expected ${first.score}`],
      [second.alertId, "missing", `T-AL on party:${second.subject.token}`],
      ["zz", "extra", `T-AL on party:${second.subject.token}`],
    ]);
  });

  test("a slot that was never used is no difference, and what is shown is short", () => {
    expect(firstDifference([undefined, []], [null, undefined], "slots")).toBe(undefined);
    expect(firstDifference({ a: [1, 2] }, { a: [1] }, "x")).toBe("x.a: number of entries: 2, expected 1");
    expect(firstDifference("y".repeat(100), "", "x")?.length).toBeLessThan(90);
  });
});
