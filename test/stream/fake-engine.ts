/**
 * An engine whose results are easy to foretell: it counts. Each third movement of an entity raises an alert, each
 * fourth marks the counterparty. Marks only add up, so that their order has no effect.
 */
import type { Alert } from "../../src/domain/alert.ts";
import type { EntityKey } from "../../src/domain/entity.ts";
import type { MarkView, TxView } from "../../src/domain/view.ts";
import { packTag } from "../../src/screen/entity-codec.ts";
import type { Entity } from "../../src/screen/state.ts";
import type { Stored } from "../../src/store/port.ts";
import type { ScreenEngine } from "../../src/stream/screen-ports.ts";
import { sampleAlert } from "../cli/sample-alert.ts";

export interface Tally {
  readonly key: EntityKey;
  count: number;
  sum: number;
  marks: number;
  /** Transaction ids in the order in which they were folded. */
  ids: string[];
}

export const ALERT_EVERY = 3;
export const MARK_EVERY = 4;

/** One of a pack of its own: the hash tells packs apart, alerts name it. */
export function createFakeEngine(hash: string, alertEvery = ALERT_EVERY): ScreenEngine {
  return {
    pack: { hash, horizonMs: 500_000 },
    tag: packTag(hash),
    newEntity: (key) => asEntity({ key, count: 0, sum: 0, marks: 0, ids: [] }),
    apply(entity, view, out) {
      const tally = asTally(entity);
      if (view.kind === "mark") {
        tally.marks++;
        return "judged";
      }
      if (view.kind !== "tx") return "ignored";
      tally.count++;
      tally.sum += view.tx.amount ?? 0;
      tally.ids.push(view.txId);
      if (tally.count % alertEvery === 0) out.push({ kind: "alert", alert: alertOf(tally, hash) });
      if (tally.count % MARK_EVERY === 0) out.push({ kind: "view", view: markOf(tally, view) });
      return "judged";
    },
    encode(entity) {
      const tally = asTally(entity);
      stored.set(tally, tally.ids.length);
      return written(hash, tally);
    },
    addition(entity) {
      const tally = asTally(entity);
      const from = stored.get(tally);
      // Now and then it is written whole, as a real one is when its base moves.
      if (from === undefined || tally.count % WHOLE_EVERY === 0) return undefined;
      stored.set(tally, tally.ids.length);
      return written(hash, { ...tally, ids: tally.ids.slice(from) });
    },
    decode(_key, bytes, additions) {
      const tally = additions.reduce<Tally>((all, piece) => {
        const [, added] = readValue(piece);
        return { ...added, ids: [...all.ids, ...added.ids] };
      }, readValue(bytes)[1]);
      stored.set(tally, tally.ids.length);
      return asEntity(tally);
    },
    tagOf: (bytes) => readValue(bytes)[0],
    adopt: (entity) => asEntity({ ...asTally(entity) }),
  };
}

export const fakeEngine = createFakeEngine("fake");

function readValue(bytes: Uint8Array): [number, Tally] {
  return JSON.parse(new TextDecoder().decode(bytes)) as [number, Tally];
}

const WHOLE_EVERY = 5;
/** How many ids of a tally a store holds. */
const stored = new WeakMap<Tally, number>();

function written(hash: string, tally: Tally): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([packTag(hash), tally]));
}

/** Reads a stored value. */
export function tallyOf({ value, additions }: Pick<Stored, "value" | "additions">): Tally {
  return asTally(fakeEngine.decode("", value, additions));
}

function alertOf({ key, count, sum }: Tally, packHash: string): Alert {
  const subject = { kind: "account" as const, token: key, own: true };
  const alertId = `${key}#${count}`;
  return sampleAlert({ alertId, subject, score: count, explanation: `sum ${sum}`, alertClass: "standard", packHash });
}

function markOf({ key, count }: Tally, cause: TxView): MarkView {
  const { debtor, creditor } = cause.tx;
  const other = cause.direction === "in" ? debtor.account : creditor.account;
  return {
    kind: "mark",
    entity: `account:${other}`,
    time: cause.time,
    txId: cause.txId,
    hop: 1,
    source: key,
    index: 0,
    id: `${key}#${count}`,
    off: false,
    held: false,
    ruleId: "HT-TEST-01",
    crime: "human_trafficking",
    victim: false,
    root: key,
    alertId: undefined,
    flow: "downstream",
    distance: 1,
    period: 0,
    about: cause.time,
    amount: 1,
    viaTx: cause.txId,
  };
}

function asEntity(tally: Tally): Entity {
  return tally as unknown as Entity;
}

function asTally(entity: Entity): Tally {
  return entity as unknown as Tally;
}
