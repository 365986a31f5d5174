/**
 * An engine with an abacus beside it: each entity also counts the movements that it was given and adds up their
 * amounts, without looking whether it had them before. The abacus goes into the stored value with the state, so it is
 * right exactly when every view was folded once, however the state came to where it is.
 */
import { fnv1a32 } from "../../src/base/hash.ts";
import type { View } from "../../src/domain/view.ts";
import type { Entity } from "../../src/screen/state.ts";
import type { ScreenEngine } from "../../src/stream/screen-ports.ts";

/** What an entity was given. */
export interface Abacus {
  count: number;
  sum: number;
  /** Of the transactions, whatever their order. */
  hash: number;
}

const ABACUS_BYTES = 24;

/** Abaci of entities; engines that hand entities over to each other share them. */
export type Abaci = WeakMap<Entity, Abacus>;

export function createCountingEngine(engine: ScreenEngine, abaci: Abaci = new WeakMap()): ScreenEngine {
  const abacusOf = (entity: Entity): Abacus => {
    const abacus = abaci.get(entity) ?? { count: 0, sum: 0, hash: 0 };
    abaci.set(entity, abacus);
    return abacus;
  };
  return {
    ...engine,
    newEntity: (key) => engine.newEntity(key),
    apply(entity, view, out) {
      countIn(abacusOf(entity), view);
      return engine.apply(entity, view, out);
    },
    encode: (entity) => Buffer.concat([written(abacusOf(entity)), engine.encode(entity)]),
    // Never empty: what the entity knew already moves the abacus all the same.
    addition(entity) {
      const added = engine.addition(entity);
      return added && Buffer.concat([written(abacusOf(entity)), added]);
    },
    decode(key, bytes, additions) {
      const views = additions.map((piece) => piece.subarray(ABACUS_BYTES));
      const entity = engine.decode(key, bytes.subarray(ABACUS_BYTES), views);
      abaci.set(entity, readAbacus(additions.at(-1) ?? bytes));
      return entity;
    },
    tagOf: (bytes) => engine.tagOf(bytes.subarray(ABACUS_BYTES)),
    adopt(entity, from) {
      const adopted = engine.adopt(entity, from);
      abaci.set(adopted, abacusOf(entity));
      return adopted;
    },
  };
}

function written({ count, sum, hash }: Abacus): Buffer {
  const head = Buffer.alloc(ABACUS_BYTES);
  head.writeDoubleBE(count, 0);
  head.writeDoubleBE(sum, 8);
  head.writeUInt32BE(hash, 16);
  return head;
}

/** Adds a view: movements only, since what is derived depends on the order of arrival. */
export function countIn(abacus: Abacus, view: View): void {
  if (view.kind !== "tx") return;
  abacus.count++;
  abacus.sum += view.tx.amount ?? 0;
  abacus.hash = (abacus.hash + fnv1a32(`${view.txId} ${view.direction}`)) >>> 0;
}

/** The abacus of the newest piece of a stored value. */
export function readAbacus(bytes: Uint8Array): Abacus {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { count: head.readDoubleBE(0), sum: head.readDoubleBE(8), hash: head.readUInt32BE(16) };
}
