import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter } from "../../src/base/bytes.ts";
import { DAY_MS, HOUR_MS } from "../../src/base/limits.ts";
import type { View } from "../../src/domain/view.ts";
import {
  decodeEntityParts,
  encodeAddition,
  encodedLength,
  encodeEntity,
  foldedViews,
  keepStored,
  packTag,
  writtenUnder,
} from "../../src/screen/entity-codec.ts";
import { contribute, evict, newMeasureState } from "../../src/screen/measures.ts";
import { newState } from "../../src/screen/new-state.ts";
import { measureOf } from "../../src/screen/plain-readings.ts";
import { Slots } from "../../src/screen/slots.ts";
import type { Entity, EntityState } from "../../src/screen/state.ts";
import {
  decodeState,
  decodeStateBytes,
  encodeState,
  encodeStateBytes,
  packState,
} from "../../src/screen/state-codec.ts";
import { Tail } from "../../src/screen/view-tail.ts";
import { typicalTransfer } from "../domain/typical.ts";
import { view as anyView } from "../domain/view-arbitrary.ts";
import { state as anyState, PLAN, type PlanNames, packOf, sentAlert } from "./state-arbitrary.ts";
import { typicalState } from "./typical-state.ts";

const PACK = packOf(PLAN);
const KEY = "account:a1";

function entityOf(parts: Partial<Entity>): Entity {
  return {
    key: KEY,
    kind: "account",
    work: newState(PACK.subjects.account),
    base: undefined,
    tail: Tail.of(),
    sent: [],
    stored: undefined,
    shelf: undefined,
    ...parts,
  };
}

/** Maps as lists, so that their order is compared too. */
function ordered(state: EntityState): unknown {
  const measures: unknown[] = [];
  state.measures.forEach((m, index) => {
    measures.push({ ...m, index, keys: m.keys?.entries, groups: m.groups && [...m.groups] });
  });
  return { ...state, measures };
}

describe("states as bytes", () => {
  it("come back as they were, order of keys included, and give the same bytes again", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const bytes = encodeStateBytes(state, PACK, "account");
        const back = decodeStateBytes(bytes, PACK, "account");
        expect(ordered(back)).toStrictEqual(ordered(state));
        expect(encodeStateBytes(back, PACK, "account")).toEqual(bytes);
      }),
      { seed: 41, numRuns: 100 },
    );
  });

  it("may follow each other in one stream of bytes", () => {
    const writer = new ByteWriter();
    const empty = newState(PACK.subjects.account);
    const states = [empty, typicalState(PACK, 5, "plain"), empty];
    for (const state of states) encodeState(writer, state, PACK, "account");
    const reader = new ByteReader(writer.finish());
    for (const state of states) expect(ordered(decodeState(reader, PACK, "account"))).toStrictEqual(ordered(state));
    expect(reader.done).toBe(true);
  });

  it("go on as the original would: later contributions and evictions end in the same bytes", () => {
    const original = typicalState(PACK, 40, "plain");
    const copy = decodeStateBytes(encodeStateBytes(original, PACK, "account"), PACK, "account");
    for (const state of [original, copy]) {
      for (const [i, measure] of PACK.subjects.account.measures.entries()) {
        const kept = state.measures.get(i) ?? newMeasureState(measure);
        state.measures = state.measures.set(i, kept);
        for (let seq = 40; seq < 60; seq += 1) {
          evict(kept, measure, seq - 40);
          contribute(kept, measure, { seq, time: state.clock + seq * HOUR_MS }, seq, `k${seq}`);
        }
      }
    }
    expect(encodeStateBytes(copy, PACK, "account")).toEqual(encodeStateBytes(original, PACK, "account"));
  });

  it("are small for a typical account: 60 movements, 6 measures", () => {
    const plan = packOf({
      ...PLAN,
      measures: [...PLAN.measures.slice(0, 4), { definition: 4, kind: "number" }, { definition: 6, kind: "distinct" }],
    });
    expect(encodeStateBytes(typicalState(plan, 60, "plain"), plan, "account").length).toBeLessThanOrEqual(1_600);
    expect(encodeStateBytes(newState(plan.subjects.account), plan, "account").length).toBeLessThan(40);
  });
});

describe("an edited pack", () => {
  it("keeps what is the same, drops what vanished, starts what is new", () => {
    const edited: PlanNames = {
      measures: [
        { definition: 55, kind: "number" },
        { definition: 99, kind: "first_seen" },
        { definition: 3, kind: "number" },
      ],
      indicators: [
        { id: "TF-COLL-03", flow: 5 },
        { id: "NEW-01", flow: undefined },
        { id: "HT-DEPLETE-02", flow: 1 },
      ],
      typologies: ["TF"],
      samplers: [77],
    };
    fc.assert(
      fc.property(anyState, (state) => {
        const bytes = encodeStateBytes(state, PACK, "account");
        const back = decodeStateBytes(bytes, packOf(edited), "account");
        expect(back.measures).toStrictEqual(Slots.of([undefined, state.measures.get(3), state.measures.get(2)]));
        expect(back.rules).toStrictEqual(Slots.of([state.rules.get(2), undefined, state.rules.get(1)]));
        // The flow of HT-DEPLETE-02 has another definition: it starts anew.
        expect(back.flows).toStrictEqual(Slots.of([state.flows.get(2)]));
        expect(back.alerts).toStrictEqual(Slots.of([state.alerts.get(1)]));
        expect(back.hits).toStrictEqual(state.hits);
        const kept = [[1, state.warming?.get(3)] as const, [2, state.warming?.get(2)] as const];
        expect([...(back.warming ?? [])].sort()).toEqual(kept.filter(([, since]) => since !== undefined));
      }),
      { seed: 42, numRuns: 60 },
    );
  });

  it("never gives a measure the state of another kind", () => {
    const state = typicalState(PACK, 5, "plain");
    const other = packOf({ ...PLAN, measures: [{ definition: 17, kind: "number" }] });
    const back = decodeStateBytes(encodeStateBytes(state, PACK, "account"), other, "account");
    expect(back.measures.size).toBe(0);
  });
});

describe("entities as bytes", () => {
  const parts = fc.tuple(
    fc.option(anyState, { nil: undefined }),
    fc.array(anyView, { maxLength: 3 }),
    fc.array(sentAlert, { maxLength: 2 }),
  );

  it("give base, tail and what was sent back", () => {
    fc.assert(
      fc.property(parts, ([state, views, sent]) => {
        const base = state && packState(state, PACK, "account");
        const tail = Tail.of(views.map((view): View => ({ ...view, entity: KEY })));
        const entity = entityOf({ base, tail, sent });
        const bytes = encodeEntity(entity, PACK);
        const { tail: read, ...rest } = decodeEntityParts(bytes, KEY, PACK);
        expect(rest).toStrictEqual({ base, sent, views: tail.views(), fold: undefined, folded: 0 });
        expect(read.views()).toStrictEqual(tail.views());
        expect(encodeEntity(entityOf({ base, tail: read, sent }), PACK)).toStrictEqual(bytes);
        expect(encodedLength(entity, PACK)).toBe(bytes.length);
      }),
      { seed: 43, numRuns: 60 },
    );
  });

  it("name the pack under which they were written", () => {
    const bytes = encodeEntity(entityOf({}), { ...PACK, hash: "one" });
    expect(writtenUnder(bytes)).toBe(packTag("one"));
    expect(packTag("one")).not.toBe(packTag("two"));
  });

  it("grow by what came behind them, in as many pieces as there were calls", () => {
    fc.assert(
      fc.property(
        parts,
        fc.array(fc.array(anyView, { maxLength: 3 }), { maxLength: 3 }),
        ([state, views, sent], more) => {
          const base = state && packState(state, PACK, "account");
          const entity = entityOf({ base, tail: Tail.of(views.map((view): View => ({ ...view, entity: KEY }))), sent });
          expect(encodeAddition(entity)).toBeUndefined();
          const whole = encodeEntity(entity, PACK);
          keepStored(entity, foldedViews(entity));
          const pieces = more.map((added) => {
            for (const view of added) entity.tail.push({ ...view, entity: KEY });
            return encodeAddition(entity) as Uint8Array;
          });
          const { tail } = entity;
          const { tail: read, ...rest } = decodeEntityParts(whole, KEY, PACK, pieces);
          expect(rest).toStrictEqual({ base, sent, views: tail.views(), fold: undefined, folded: 0 });
          expect(read.views()).toStrictEqual(tail.views());
          for (const changed of [{ tail: tail.from(0) }, { base: `${base ?? ""}x` }, { sent: [...sent] }]) {
            expect(encodeAddition({ ...entity, ...changed })).toBeUndefined();
          }
        },
      ),
      { seed: 47, numRuns: 60 },
    );
  });

  it("of another entity are refused", () => {
    const bytes = encodeEntity(entityOf({ tail: Tail.of([typicalTransfer("plain")]) }), PACK);
    expect(() => decodeEntityParts(bytes, "account:b2", PACK)).toThrow("view of another entity than account:b2");
  });
});

describe("bytes that are no state", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });

  it("never do anything but decode or throw a RangeError", () => {
    fc.assert(
      fc.property(anyState, changes, fc.uint8Array({ maxLength: 60 }), fc.nat(), (state, flips, noise, cut) => {
        const bytes = encodeStateBytes(state, PACK, "account");
        const whole = bytes.slice();
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        expect(() => decodeStateBytes(whole.subarray(0, cut % whole.length), PACK, "account")).toThrow(RangeError);
        for (const hostile of [bytes, noise]) {
          for (const decode of [
            () => decodeStateBytes(hostile, PACK, "account"),
            () => decodeEntityParts(hostile, KEY, PACK),
          ]) {
            try {
              decode();
            } catch (error) {
              expect(error).toBeInstanceOf(RangeError);
            }
          }
        }
      }),
      { seed: 44, numRuns: 200 },
    );
  });

  it("of another version, empty or too long are named", () => {
    const bytes = encodeStateBytes(newState(PACK.subjects.account), PACK, "account");
    const longer = new Uint8Array([...bytes, 0]);
    expect(() => decodeStateBytes(longer, PACK, "account")).toThrow("end of the state");
    expect(() => decodeStateBytes(new Uint8Array(), PACK, "account")).toThrow("position 0 of 0");
    expect(() => decodeStateBytes(new Uint8Array([9]), PACK, "account")).toThrow("version 7, but one of 9");
    expect(() => decodeEntityParts(new Uint8Array([9]), KEY, PACK)).toThrow("version 3, but one of 9");
  });
});

it("a typical state is one that holds what it says", () => {
  const state = typicalState(PACK, 60, "plain");
  expect(state.recent).toHaveLength(60);
  expect(state.clock - state.recent.timeAt(0)).toBeGreaterThan(20 * DAY_MS);
  expect(PACK.subjects.account.measures.every((measure) => measureOf(state, measure) !== undefined)).toBe(true);
});
