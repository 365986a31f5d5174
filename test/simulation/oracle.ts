/**
 * What must hold when a run is over, found out without the workers: a single pass over the accepted transactions in
 * their order, a count by hand, and a single pass over each log of views. `differences` says in words what does not.
 */
import { LATENESS_JUDGED_MS } from "../../src/base/limits.ts";
import type { Alert } from "../../src/domain/alert.ts";
import type { EntityKey } from "../../src/domain/entity.ts";
import type { Tx } from "../../src/domain/tx.ts";
import type { View } from "../../src/domain/view.ts";
import { createDecoder, type Decoded } from "../../src/intake/decode.ts";
import { routeProfile, routeTx } from "../../src/intake/route.ts";
import { createEmbedded } from "../../src/screen/embedded.ts";
import type { Output } from "../../src/screen/outputs.ts";
import { settleAlerts } from "../../src/screen/settled.ts";
import type { Entity } from "../../src/screen/state.ts";
import { formatSequence, LANES, type PackInForce } from "../../src/store/port.ts";
import type { BusRecord } from "../../src/stream/bus.ts";
import { inputSource, type PackedView, partitionOf, RecordReader } from "../../src/stream/record.ts";
import type { ScreenEngine } from "../../src/stream/screen-ports.ts";
import { type Cluster, GROUPS } from "./cluster.ts";
import { type Abacus, countIn, readAbacus } from "./counting-engine.ts";
import type { Rules } from "./pack.ts";
import type { Plan } from "./plan.ts";

export const INPUTS = ["transactions", "parties"] as const;

/** What the inputs hold. */
interface Accepted {
  /** In log order, by input partition. */
  readonly byPartition: readonly Input[];
  readonly rejects: readonly string[];
}

interface Input {
  /** As views name it. */
  readonly source: string;
  readonly items: readonly { readonly offset: number; readonly decoded: Taken }[];
}

type Taken = Extract<Decoded, { kind: "tx" | "profile" }>;

/** Everything was taken, committed, published and told to the groups. */
export async function isSettled({ kafka, redis }: Cluster, plan: Plan): Promise<boolean> {
  const ends = (group: string, topic: string): boolean => {
    const offsets = kafka.groupOffsets(group, topic);
    return kafka.ranges(topic).every(({ partition, high }) => high === 0n || offsets[partition]?.offset === high);
  };
  if (!INPUTS.every((topic) => ends(GROUPS.intake, topic)) || !ends(GROUPS.screen, "views")) return false;
  for (let partition = 0; partition < plan.views; partition++) {
    const high = BigInt(kafka.log("views", partition).length);
    if (high > 0n && (await redis.store.position(partition))?.next !== high) return false;
    for (const lane of LANES) if ((await redis.store.outbox(partition, lane, 1)).length > 0) return false;
  }
  return true;
}

/** What does not hold; empty when all is well. */
export async function differences(
  cluster: Cluster,
  plan: Plan,
  rules: Rules,
  engines: readonly ScreenEngine[],
): Promise<string[]> {
  const accepted = readInputs(cluster, rules);
  const views = readViews(cluster, plan);
  return [
    ...checkRejects(cluster, accepted),
    ...checkRouted(accepted, views, plan),
    ...(await checkAbaci(cluster, accepted, plan)),
    ...checkOutputs(cluster, views, engines),
    ...(plan.engine === "tally" ? [] : checkLateness(views)),
    // An ordered pass knows no log, and so not from where on another pack held.
    ...(plan.engine === "tally" || plan.reload ? [] : checkSettled(cluster, accepted, rules)),
  ];
}

function readInputs({ kafka }: Cluster, rules: Rules): Accepted {
  const decoder = createDecoder({ rates: rules.lists.rates });
  const rejects: string[] = [];
  const byPartition = INPUTS.flatMap((topic) =>
    kafka.logs(topic).map((log, partition): Input => {
      const items = log.flatMap(({ offset, value, timestamp }) => {
        const decoded = decoder.decodeJson(value ?? "", { asOf: timestamp });
        if (decoded.kind === "tx" || decoded.kind === "profile") return [{ offset: Number(offset), decoded }];
        rejects.push(`${topic}:${partition}:${offset}`);
        return [];
      });
      return { source: inputSource(topic, partition, 0), items };
    }),
  );
  return { byPartition, rejects };
}

function txsOf({ byPartition }: Accepted): Tx[] {
  return byPartition.flatMap(({ items }) =>
    items.flatMap(({ decoded }) => (decoded.kind === "tx" ? [decoded.tx] : [])),
  );
}

interface ReadRecord {
  readonly record: BusRecord;
  readonly views: readonly (PackedView | undefined)[];
  /** Takes force here. */
  readonly pack: PackInForce | undefined;
}

/** Each log of views as screening takes it: what repeats an origin left out. */
function readViews({ kafka }: Cluster, plan: Plan): ReadRecord[][] {
  return kafka.logs("views").map((log) => {
    const seen = new Map<string, PackedView>();
    return log.map((record) => {
      const reader = new RecordReader(record.value ?? new Uint8Array(), plan.views);
      const views: (PackedView | undefined)[] = [];
      for (let view = reader.next(); view !== undefined; view = reader.next()) {
        const last = seen.get(view.source);
        const isNew =
          last === undefined || view.offset > last.offset || (view.offset === last.offset && view.index > last.index);
        if (isNew) seen.set(view.source, view);
        views.push(isNew ? view : undefined);
      }
      return { record, views, pack: reader.pack };
    });
  });
}

function checkRejects({ kafka }: Cluster, { rejects }: Accepted): string[] {
  const told = new Set(
    kafka.log("rejected", 0).map(({ value }) => {
      const at = JSON.parse(String(value)) as { topic: string; partition: number; offset: number };
      return `${at.topic}:${at.partition}:${at.offset}`;
    }),
  );
  return compare("rejected records", [...rejects].sort(), [...told].sort());
}

/** First occurrences of intake's views: all of them, each in its partition, in the order of the input. */
function checkRouted({ byPartition }: Accepted, logs: ReturnType<typeof readViews>, plan: Plan): string[] {
  const found: string[] = [];
  for (const [partition, log] of logs.entries()) {
    const taken = log.flatMap(({ views }) => views).filter((view) => view !== undefined);
    for (const { source, items } of byPartition) {
      const expected = items.flatMap(({ offset, decoded }) =>
        viewsOf(decoded).flatMap((view, index) =>
          partitionOf(view.entity, plan.views) === partition ? [`${offset}.${index} ${nameOf(view)}`] : [],
        ),
      );
      const actual = taken
        .filter((view) => view.source === source)
        .map(({ offset, index, view }) => `${offset}.${index} ${nameOf(view)}`);
      found.push(...compare(`views of ${source} in partition ${partition}`, expected, actual));
    }
  }
  return found;
}

function viewsOf(decoded: Taken): View[] {
  return decoded.kind === "tx" ? routeTx(decoded.tx) : routeProfile(decoded.profile);
}

/** Counts and sums of each entity, by hand. */
async function checkAbaci({ redis }: Cluster, accepted: Accepted, plan: Plan): Promise<string[]> {
  const expected = new Map<EntityKey, Abacus>();
  for (const tx of txsOf(accepted)) {
    for (const view of routeTx(tx)) {
      const abacus = expected.get(view.entity) ?? { count: 0, sum: 0, hash: 0 };
      expected.set(view.entity, abacus);
      countIn(abacus, view);
    }
  }
  const line = (key: string, { count, sum, hash }: Abacus): string => `${key} ${count} ${sum} ${hash}`;
  const actual: string[] = [];
  for (let partition = 0; partition < plan.views; partition++) {
    const keys = redis.store.entities(partition);
    for (const [i, stored] of (await redis.store.read(partition, keys)).entries()) {
      if (stored !== undefined) actual.push(line(keys[i] ?? "", readAbacus(stored.additions.at(-1) ?? stored.value)));
    }
  }
  return compare("counts and sums", [...expected].map(([key, abacus]) => line(key, abacus)).sort(), actual.sort());
}

/**
 * What each log of views gives when it is folded once from its beginning, each view under the pack in force where it
 * stands, is what was published: every output, under its sequence, with its content; a repeat says the same again.
 */
function checkOutputs(cluster: Cluster, logs: ReadRecord[][], engines: readonly ScreenEngine[]): string[] {
  const alerts: string[] = [];
  const marks: string[] = [];
  for (const [partition, log] of logs.entries()) {
    const entities = new Map<EntityKey, { readonly entity: Entity; readonly engine: ScreenEngine }>();
    let engine = engines[0] as ScreenEngine;
    for (const { record, views, pack } of log) {
      engine = engines.find((one) => one.pack.hash === pack?.hash) ?? engine;
      for (const [number, packed] of views.entries()) {
        if (packed === undefined) continue;
        const { view } = packed;
        const known = entities.get(view.entity) ?? { entity: engine.newEntity(view.entity), engine };
        const entity = known.engine === engine ? known.entity : engine.adopt(known.entity, known.engine);
        entities.set(view.entity, { entity, engine });
        const out: Output[] = [];
        engine.apply(entity, view, out);
        for (const [at, output] of out.entries()) {
          if (output.kind === "alert")
            alerts.push(`${formatSequence(record.offset, number, at)} ${JSON.stringify(output.alert)}`);
          if (output.kind === "view")
            marks.push(`views:${partition} ${record.offset}.${number * 65_536 + at} ${nameOf(output.view)}`);
        }
      }
    }
  }
  const derived = logs
    .flat()
    .flatMap(({ views }) => views)
    .filter((view) => view?.source.startsWith("views:"))
    .map((view) => (view === undefined ? "" : `${view.source} ${view.offset}.${view.index} ${nameOf(view.view)}`));
  return [
    ...compare("derived views", marks.sort(), derived.sort()),
    ...compare("alert records", alerts.sort(), [...new Set(publishedAlerts(cluster).map(textOf))].sort()),
  ];
}

/** Nothing reached its entity more than L after something later: drift and pace keep that promise. */
function checkLateness(logs: ReadRecord[][]): string[] {
  const clocks = new Map<EntityKey, number>();
  const found: string[] = [];
  for (const view of logs.flat().flatMap(({ views }) => views)) {
    if (view === undefined) continue;
    const { entity, time, kind } = view.view;
    const clock = clocks.get(entity) ?? time;
    if (clock - time > LATENESS_JUDGED_MS) found.push(`${nameOf(view.view)} came ${clock - time} ms late`);
    // What is known of the days to come is no event of them.
    if (kind !== "profile") clocks.set(entity, Math.max(clock, time));
  }
  return found.slice(0, 3);
}

/** The settled alerts of the stream are those of the ordered pass. */
function checkSettled(cluster: Cluster, { byPartition }: Accepted, rules: Rules): string[] {
  const ordered: Alert[] = [];
  const pass = createEmbedded(rules.pack, { alert: (alert) => ordered.push(alert), hit: nothing, verdict: nothing });
  const items = byPartition.flatMap((input) => input.items.map(({ decoded }) => decoded));
  for (const item of items.sort((a, b) => timeOf(a) - timeOf(b) || (idOf(a) < idOf(b) ? -1 : 1))) {
    if (item.kind === "tx") pass.pushTx(item.tx);
    else pass.pushProfile(item.profile);
  }
  const lines = (alerts: readonly Alert[]): string[] => settleAlerts(alerts).map((alert) => JSON.stringify(alert));
  return compare("settled alerts", lines(ordered), lines(publishedAlerts(cluster).map(({ alert }) => alert)));
}

function timeOf(item: Taken): number {
  return item.kind === "tx" ? item.tx.time : item.profile.validFrom;
}

/** A profile comes before the movements of its time. */
function idOf(item: Taken): string {
  return item.kind === "tx" ? item.tx.id : "";
}

interface Published {
  readonly sequence: string;
  readonly alert: Alert;
  readonly text: string;
}

/** Whole alerts in their topics; the stubs of protected ones say nothing of their own. */
function publishedAlerts({ kafka }: Cluster): Published[] {
  return ["alerts", "protected", "shadow"].flatMap((topic) =>
    kafka.logs(topic).flatMap((log) =>
      log.flatMap(({ value, headers }) => {
        const text = String(value);
        const alert = JSON.parse(text) as Alert;
        return alert.schema === "alert/1" ? [{ sequence: String(headers.sequence), alert, text }] : [];
      }),
    ),
  );
}

function textOf({ sequence, text }: Published): string {
  return `${sequence} ${text}`;
}

function nameOf(view: View): string {
  const { kind, entity, txId, time, source } = view;
  if (kind === "tx") return `tx ${view.direction} ${entity} ${txId} ${time}`;
  return `${kind} ${entity} ${txId} ${time} ${source} ${kind === "hit" || kind === "mark" ? `${view.id} ${view.off}` : ""}`;
}

/** The first difference of two lists. */
function compare(what: string, expected: readonly string[], actual: readonly string[]): string[] {
  const length = Math.max(expected.length, actual.length);
  for (let i = 0; i < length; i++) {
    if (expected[i] === actual[i]) continue;
    const sizes = `${actual.length} instead of ${expected.length}`;
    return [`${what} (${sizes}): at ${i} ${differing(actual[i], expected[i])}`];
  }
  return [];
}

/** Two texts from a little before where they part. */
function differing(actual: string | undefined, expected: string | undefined): string {
  let same = 0;
  while (actual !== undefined && expected !== undefined && same < actual.length && actual[same] === expected[same])
    same++;
  const shown = (text: string | undefined): string =>
    text === undefined ? "nothing" : `${text.slice(0, 60)} ... ${text.slice(Math.max(60, same - 60), same + 160)}`;
  return `${shown(actual)}\n  instead of\n${shown(expected)}`;
}

function nothing(): void {}
