/**
 * What a pass must end in: the settled alerts and the number of movements counted by each entity, from one ordered pass
 * over the same messages in memory; and the same as Redis and the alert topics tell it.
 */
import { Redis } from "ioredis";
import { loadRules } from "../src/cli/load-rules.ts";
import { createDecoder } from "../src/intake/decode.ts";
import { routeTx } from "../src/intake/route.ts";
import { createEmbedded } from "../src/screen/embedded.ts";
import { createEngine } from "../src/screen/engine.ts";
import { createSettler, type SettledAlert } from "../src/screen/settled.ts";
import { namespaceOf, partitionKeys } from "../src/store/keys.ts";
import { toStored } from "../src/store/redis.ts";
import { publishedAlerts } from "./pipeline.ts";
import type { Services } from "./services.ts";

export interface Outcome {
  readonly alerts: readonly SettledAlert[];
  /** Movements counted, by entity. */
  readonly counted: ReadonlyMap<string, number>;
}

/** The ordered pass over lines of tx/1, with the rules in `rules`. */
export function referenceOf(lines: Iterable<string>, rules = "rules"): Outcome {
  const { pack, lists } = loadRules({ rules });
  const decoder = createDecoder({ rates: lists.rates });
  const settler = createSettler();
  const embedded = createEmbedded(pack, {
    alert: (alert) => settler.add(alert),
    hit: () => undefined,
    verdict: () => undefined,
  });
  const keys = new Set<string>();
  for (const line of lines) {
    const decoded = decoder.decodeJson(line);
    if (decoded.kind !== "tx") throw new Error(`the generator made a bad row: ${JSON.stringify(decoded)}`);
    embedded.pushTx(decoded.tx);
    for (const { entity } of routeTx(decoded.tx)) keys.add(entity);
  }
  const counted = new Map([...keys].map((key) => [key, embedded.entity(key)?.work.seq ?? 0]));
  return { alerts: settler.settled(), counted };
}

/** What the pass of this name has left in Redis and in the alert topics. */
export async function outcomeOf(services: Services, name: string, rules = "rules"): Promise<Outcome> {
  const { pack } = loadRules({ rules });
  const engine = createEngine(pack, { tailKeep: 1 });
  const redis = new Redis(services.redisUrl);
  const counted = new Map<string, number>();
  for (let partition = 0; partition < VIEWS; partition++) {
    const prefix = partitionKeys(namespaceOf(name, "default"), partition).entityPrefix;
    for await (const found of redis.scanStream({ match: `${prefix.replace(/[{}]/g, "?")}*`, count: 2_000 })) {
      const keys = found as string[];
      const values = keys.length === 0 ? [] : await redis.mgetBuffer(...keys);
      for (const [i, value] of values.entries()) {
        const key = (keys[i] as string).slice(prefix.length);
        if (value === null) continue;
        const stored = toStored(value, key);
        counted.set(key, engine.decode(key, stored.value, stored.additions).work.seq);
      }
    }
  }
  redis.disconnect();
  return { alerts: await publishedAlerts(services, name), counted };
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
