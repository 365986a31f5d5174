/**
 * One naive pass over recorded input: every message is decoded as intake does, put in total order, screened in memory
 * and added up by entity. Everything is held in memory: about 2 KiB a message.
 */
import { SEEN_IDS_MS } from "../base/limits.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { Tx } from "../domain/tx.ts";
import { compareItems } from "../files/item-order.ts";
import type { Item } from "../files/items.ts";
import type { Decoded, Decoder } from "../intake/decode.ts";
import { routeTx } from "../intake/route.ts";
import type { Pack } from "../rules/plan.ts";
import { createEmbedded, type Embedded } from "../screen/embedded.ts";
import { createSettler, type SettledAlert } from "../screen/settled.ts";

/** A message as it stands in its topic. */
export interface InputRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Of the broker, epoch ms. */
  readonly timestamp: number;
  readonly value: Uint8Array | null;
}

/** Plain sums of one entity over the input. */
export interface Total {
  /** Different movements in each direction. */
  count: number;
  /** Minor units of the base currency. */
  incoming: number;
  outgoing: number;
  /** Nothing reverses, settles or repeats another, so that these sums are all there is to it. */
  plain: boolean;
}

export interface Pass {
  readonly transactions: number;
  readonly profiles: number;
  readonly events: number;
  /** Places of messages that must stand on the rejected topic, `topic/partition/offset`, with their code. */
  readonly rejected: ReadonlyMap<string, string>;
  readonly alerts: readonly SettledAlert[];
  readonly embedded: Embedded;
  readonly totals: ReadonlyMap<EntityKey, Total>;
}

/** A reader of input that keeps what `finish` needs. */
export interface PassBuilder {
  add(record: InputRecord): void;
  /** Puts all in order and screens it; `progress` is told how many transactions are done. */
  finish(pack: Pack, progress: (transactions: number) => void): Pass;
}

/** Where a message stands, as text. */
export function placeOf(
  record: Pick<InputRecord, "topic" | "partition"> & { readonly offset: bigint | number },
): string {
  return `${record.topic}/${record.partition}/${record.offset}`;
}

/** `decoderOf` gives the decoder of a topic. */
export function createPass(decoderOf: (topic: string) => Decoder): PassBuilder {
  const items: Item[] = [];
  const rejected = new Map<string, string>();
  return {
    add(record) {
      const decoded = decode(decoderOf(record.topic), record);
      if (decoded.kind === "reject") rejected.set(placeOf(record), decoded.reject.code);
      else {
        const file = `${record.topic}/${record.partition}`;
        const line = Number(record.offset);
        items.push({ file, line, length: record.value?.length ?? 0, time: timeOf(decoded), decoded });
      }
    },
    finish(pack, progress) {
      items.sort(compareItems);
      const settler = createSettler();
      const totals = new Map<EntityKey, Total>();
      const counted = new Map<string, number>();
      const nothing = (): void => undefined;
      const embedded = createEmbedded(pack, { alert: settler.add, hit: nothing, verdict: nothing });
      const counts = { transactions: 0, profiles: 0, events: 0 };
      for (const { decoded } of items) {
        if (decoded.kind === "tx") {
          embedded.pushTx(decoded.tx);
          addUp(totals, counted, decoded.tx);
          if (++counts.transactions % PROGRESS_EVERY === 0) progress(counts.transactions);
        } else if (decoded.kind === "profile") {
          counts.profiles++;
          embedded.pushProfile(decoded.profile);
        } else if (decoded.kind === "event") {
          counts.events++;
          embedded.pushEvent(decoded.event);
        }
      }
      return { ...counts, rejected, alerts: settler.settled(), embedded, totals };
    },
  };
}

const PROGRESS_EVERY = 1_000;

function decode(decoder: Decoder, { value, timestamp }: InputRecord): Decoded {
  if (value === null) {
    return { kind: "reject", reject: { code: "SCHEMA", field: "", expected: "a value", found: "none" } };
  }
  return decoder.decodeJson(value, timestamp > 0 ? { asOf: timestamp } : undefined);
}

function timeOf(decoded: Exclude<Decoded, { readonly kind: "reject" }>): number {
  if (decoded.kind === "tx") return decoded.tx.time;
  return decoded.kind === "event" ? decoded.event.time : decoded.profile.validFrom;
}

function addUp(totals: Map<EntityKey, Total>, counted: Map<string, number>, tx: Tx): void {
  for (const { entity, direction } of routeTx(tx)) {
    let total = totals.get(entity);
    if (total === undefined) {
      total = { count: 0, incoming: 0, outgoing: 0, plain: true };
      totals.set(entity, total);
    }
    const once = `${direction} ${entity} ${tx.movementId}`;
    const before = counted.get(once);
    if (tx.relation !== undefined || tx.stage === "authorised") total.plain = false;
    else if (before !== undefined) {
      // A repeat counts once within a day of event time; one far apart is the engine's to judge.
      if (tx.time - before >= SEEN_IDS_MS) total.plain = false;
      continue;
    }
    counted.set(once, tx.time);
    total.count++;
    if (direction === "in") total.incoming += tx.amount ?? 0;
    else total.outgoing += tx.amount ?? 0;
  }
}
