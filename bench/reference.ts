/**
 * What a pass must end in: the settled alerts and the number of movements counted by each entity, from one ordered pass
 * over the same messages in memory; and the same as Redis and the alert topics tell it.
 */
import { Redis } from "ioredis";
import { createDecoders } from "../src/cli/decoders.ts";
import { loadRules } from "../src/cli/load-rules.ts";
import { routeTx } from "../src/intake/route.ts";
import { createEmbedded } from "../src/screen/embedded.ts";
import { createEngine } from "../src/screen/engine.ts";
import { createSettler, type SettledAlert } from "../src/screen/settled.ts";
import type { Entity } from "../src/screen/state.ts";
import { namespaceOf, partitionKeys } from "../src/store/keys.ts";
import { toStored } from "../src/store/redis.ts";
import { publishedAlerts } from "./pipeline.ts";
import type { Services } from "./services.ts";

export interface Outcome {
  readonly alerts: readonly SettledAlert[];
  /** Movements counted, by entity. */
  readonly counted: ReadonlyMap<string, number>;
}

/** Rules by their folder, and the mapping file of messages of another form. */
export interface Setting {
  readonly rules: string;
  readonly mapping?: string;
}

const SHIPPED: Setting = { rules: "rules" };

/** The ordered pass over the values of messages. */
export function referenceOf(values: Iterable<string>, { rules, mapping }: Setting = SHIPPED): Outcome {
  const { pack, lists } = loadRules({ rules });
  const decoder = createDecoders(mapping, lists).transactions;
  const settler = createSettler();
  const embedded = createEmbedded(pack, {
    alert: (alert) => settler.add(alert),
    hit: () => undefined,
    verdict: () => undefined,
  });
  const keys = new Set<string>();
  for (const value of values) {
    const decoded = decoder.decodeJson(value);
    if (decoded.kind !== "tx") throw new Error(`the generator made a bad row: ${JSON.stringify(decoded)}`);
    embedded.pushTx(decoded.tx);
    for (const { entity } of routeTx(decoded.tx)) keys.add(entity);
  }
  const counted = new Map([...keys].map((key) => [key, embedded.entity(key)?.work.seq ?? 0]));
  return { alerts: settler.settled(), counted };
}

/** What the pass of this name has left in Redis and in the alert topics. */
export async function outcomeOf(services: Services, name: string, setting = SHIPPED): Promise<Outcome> {
  const counted = new Map<string, number>();
  for await (const [key, entity] of storedEntities(services, name, setting)) counted.set(key, entity.work.seq);
  return { alerts: await publishedAlerts(services, name), counted };
}

/** Every entity that the pass of this name has left in Redis. */
export async function* storedEntities(
  services: Services,
  name: string,
  { rules }: Setting,
): AsyncGenerator<[string, Entity]> {
  const engine = createEngine(loadRules({ rules }).pack, { tailKeep: 1 });
  const redis = new Redis(services.redisUrl);
  for (let partition = 0; partition < VIEWS; partition++) {
    const prefix = partitionKeys(namespaceOf(name, "default"), partition).entityPrefix;
    for await (const found of redis.scanStream({ match: `${prefix.replace(/[{}]/g, "?")}*`, count: 2_000 })) {
      const keys = found as string[];
      const values = keys.length === 0 ? [] : await redis.mgetBuffer(...keys);
      for (const [i, value] of values.entries()) {
        const key = (keys[i] as string).slice(prefix.length);
        if (value === null) continue;
        const stored = toStored(value, key);
        yield [key, engine.decode(key, stored.value, stored.additions)];
      }
    }
  }
  redis.disconnect();
}

/** Partitions of the views topic in every benchmark: the default. */
export const VIEWS = 16;

/** What differs, in words; empty where nothing does. */
export function differences(found: Outcome, wanted: Outcome): string[] {
  const faults: string[] = [];
  let wrong = 0;
  for (const [key, count] of wanted.counted) if (found.counted.get(key) !== count) wrong++;
  if (wrong > 0) faults.push(`${wrong} of ${wanted.counted.size} entities counted another number of movements`);
  const texts = new Set(wanted.alerts.map((alert) => JSON.stringify(alert)));
  const missing = found.alerts.filter((alert) => !texts.delete(JSON.stringify(alert))).length;
  if (missing > 0 || texts.size > 0) {
    faults.push(
      `${missing} alerts that the ordered pass has not, ${texts.size} of its ${wanted.alerts.length} missing`,
    );
  }
  return faults;
}
