/** Several packs in one log: real engines, a source of them, and what a pure fold of the log gives. */
import { createHash } from "node:crypto";
import type { Alert } from "../../src/domain/alert.ts";
import type { EntityKey } from "../../src/domain/entity.ts";
import { createEngine } from "../../src/screen/engine.ts";
import type { Output } from "../../src/screen/outputs.ts";
import type { Entity } from "../../src/screen/state.ts";
import type { Stored } from "../../src/store/port.ts";
import { formatSequence, type PackInForce } from "../../src/store/port.ts";
import type { BusRecord } from "../../src/stream/bus.ts";
import { encodePackRecord, RecordReader } from "../../src/stream/record.ts";
import { PackError, type PackSource, type ScreenEngine } from "../../src/stream/screen-ports.ts";
import { indicator, packOf, typology } from "../screen/build.ts";
import type { MemoryBus } from "./memory-bus.ts";
import { PARTITIONS, type Rig } from "./rig.ts";

/** Accounts that were paid `min` times within `last`; `more` aggregates, which the clauses `also` read. */
export function countingEngine(min: number, last: string, more = "", also = "", status = "active"): ScreenEngine {
  const aggregates = `
aggregates:
  n: { count: events, last: ${last} }
  total: { sum: tx.amount, last: ${last} }
  senders: { distinct: other.id, last: ${last} }
${more}
`;
  const paid = indicator(
    "T-PAID",
    `
subject: account
scope: { rail: [transfer], direction: [in] }
${aggregates}
when: { all: [ { many: agg.n >= ${min} }, { sum: agg.total >= 0.01 EUR }, { s: agg.senders >= 1 }${also} ] }
`,
  );
  const alert = typology(
    "T-AL",
    `
subject: party
hits: { came: { of: T-PAID, from: accounts, last: 3d, count: sources } }
scoring: { indicators: [ { came: { family: receipts, points: 50, when: hits.came >= 1 } } ] }
alert_when: { all: [ { one: hits.came >= 1 } ] }
alone: { because: test }
severity: { medium: 40 }
suppress: { for: 1d }
`,
  );
  const as = (text: string): string => text.replace("status: active", `status: ${status}`);
  return createEngine(packOf({ "T-PAID": as(paid), "T-AL": as(alert) }), { tailKeep: 1 });
}

/** The packs of the tests: a threshold edited, a window widened, a measure that only one has. */
export const ENGINES: readonly ScreenEngine[] = [
  countingEngine(4, "1d"),
  countingEngine(2, "1d"),
  countingEngine(3, "2d"),
  countingEngine(3, "1d", "  biggest: { max: tx.amount, last: 1d }", ", { big: agg.biggest >= 1 EUR }"),
];

/** Gives these engines, and the first where the log says nothing. */
export function sourceOf(engines: readonly ScreenEngine[], first = engines[0]): PackSource {
  const find = async (fits: (engine: ScreenEngine) => boolean, name: string): Promise<ScreenEngine> => {
    const found = engines.find(fits);
    if (found === undefined) throw new PackError(`${name} was never published`);
    return found;
  };
  return {
    load: (hash) => find(({ pack }) => pack.hash === hash, hash),
    loadTagged: (tag) => find((engine) => engine.tag === tag, `a pack with tag ${tag}`),
    async inForceAt() {
      if (first === undefined) throw new PackError("no pack was ever activated");
      return { hash: first.pack.hash, activation: 0n };
    },
  };
}

/** Appends a pack record to some partitions. */
export function activate(bus: MemoryBus, pack: PackInForce, partitions = [0, 1, 2]): void {
  const value = encodePackRecord(pack, PARTITIONS);
  bus.append(
    "views",
    partitions.map((partition) => ({ partition, key: null, value })),
  );
}

export interface Folded {
  /** Digests of alerts by subject and the sequence of their cause, which is of one partition only. */
  readonly alerts: Map<string, string>;
  readonly entities: Map<EntityKey, string>;
}

/**
 * What one pass over the views log gives, by partition, view by view, each under the pack in force where it stands; the
 * first of `source` where no record has said so yet.
 */
export function foldLog(
  log: readonly (readonly Pick<BusRecord, "offset" | "value">[])[],
  source: readonly ScreenEngine[],
): Folded {
  const alerts = new Map<string, string>();
  const entities = new Map<EntityKey, string>();
  for (const records of log) {
    const kept = new Map<EntityKey, { engine: ScreenEngine; entity: Entity }>();
    const seen = new Map<string, readonly [bigint, number]>();
    let pack: PackInForce = { hash: source[0]?.pack.hash ?? "", activation: -1n };
    for (const { offset: place, value } of records) {
      const reader = new RecordReader(value as Buffer, log.length);
      if (reader.pack !== undefined && reader.pack.activation > pack.activation) pack = reader.pack;
      const engine = source.find((one) => one.pack.hash === pack.hash) as ScreenEngine;
      for (let number = 0; ; number++) {
        const packed = reader.next();
        if (packed === undefined) break;
        const { source: from, offset, index, view } = packed;
        const [before, at] = seen.get(from) ?? [-1n, 0];
        if (offset < before || (offset === before && index <= at)) continue;
        seen.set(from, [offset, index]);
        const known = kept.get(view.entity) ?? { engine, entity: engine.newEntity(view.entity) };
        const entity = known.engine === engine ? known.entity : engine.adopt(known.entity, known.engine);
        kept.set(view.entity, { engine, entity });
        const out: Output[] = [];
        engine.apply(entity, view, out);
        for (const [n, output] of out.entries()) {
          if (output.kind === "alert") note(alerts, formatSequence(place, number, n), JSON.stringify(output.alert));
        }
      }
    }
    for (const [key, { engine, entity }] of kept) entities.set(key, digest(engine.encode(entity)));
  }
  return { alerts, entities };
}

/** Adds an alert as `Folded` keeps it. */
export function note(alerts: Map<string, string>, sequence: string, text: string): void {
  const alert = JSON.parse(text) as Alert;
  alerts.set(`${alert.subject.token} ${sequence}`, `${alert.revision} ${alert.packHash.slice(0, 6)} ${digest(text)}`);
}

/** A short name of bytes, so that a difference can be read. */
export function digest(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** The same as a run left it: alerts of the topic (a repeated one once), values of the store. */
export async function found(rig: Rig): Promise<Folded> {
  const alerts = new Map<string, string>();
  for (const { value, headers } of rig.bus.all("alerts")) note(alerts, String(headers.sequence), String(value));
  const entities = new Map<EntityKey, string>();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const keys = rig.store.entities(partition);
    for (const [i, stored] of (await rig.store.read(partition, keys)).entries()) {
      if (stored === undefined) continue;
      const key = keys[i] as EntityKey;
      entities.set(key, digestStored(key, stored, ENGINES));
    }
  }
  return { alerts, entities };
}

/** Digest of a stored entity, written whole again: what stands in pieces depends on the commits. */
export function digestStored(key: EntityKey, stored: Stored, engines: readonly ScreenEngine[]): string {
  const engine = engines.find((one) => one.tag === one.tagOf(stored.value)) as ScreenEngine;
  return digest(engine.encode(engine.decode(key, stored.value, stored.additions)));
}

/** Sorted entries of both maps, for comparison. */
export function entriesOf({ alerts, entities }: Folded): unknown {
  const sorted = (map: Map<string, string>): [string, string][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { alerts: sorted(alerts), entities: sorted(entities) };
}
