/** The topic of packs for a verb that a person waits for: it ends with the verb, and what fails is thrown. */
import { randomUUID } from "node:crypto";
import type { Admin, Bus } from "../stream/bus.ts";
import type { Config } from "../stream/config.ts";
import { openPackLog, type PackLog } from "../stream/pack-log.ts";

/** Opens it with a producer of its own; resolves when it is read. Throws BusError. */
export async function openPacks(config: Config, bus: Bus, admin: Admin, topic: string): Promise<PackLog> {
  const consumer = bus.consumer(`${config.screen.group}-packs-${randomUUID()}`, { maxWaitMs: WAIT_MS });
  // A log that fails rejects what waits for it.
  const failed = (): void => undefined;
  return openPackLog({ topic, consumer, admin, producer: await bus.producer("packs"), unique: randomUUID, failed });
}

const WAIT_MS = 100;
