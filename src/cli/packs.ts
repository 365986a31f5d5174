/**
 * `palermo packs`: the packs that were published, when each took force and where it is in force now; with --activate
 * it goes back to one of them. Reading leaves no trace.
 */
import { UsageError } from "../base/errors.ts";
import { formatTime } from "../domain/time.ts";
import type { PlacedPack } from "../store/port.ts";
import { openRedisStore } from "../store/redis.ts";
import type { Config } from "../stream/config.ts";
import { openBus } from "../stream/connect.ts";
import { createPackActivator } from "../stream/pack-activation.ts";
import { createPackEngines } from "../stream/pack-engines.ts";
import type { PackLog } from "../stream/pack-log.ts";
import { PackError, type TopicRef } from "../stream/screen-ports.ts";
import { checkRetention, topicNames } from "../stream/topics.ts";
import { openPacks } from "./open-packs.ts";
import { EXIT_OK, type Terminal } from "./output.ts";
import { type RunOptions, readConfig } from "./run.ts";
import { storeOptions } from "./screen-settings.ts";
import { layoutTable } from "./table.ts";

export interface PacksOptions extends RunOptions {
  /** Hash, or enough of its beginning, of the pack to put in force. */
  readonly activate?: string | undefined;
  readonly json?: boolean | undefined;
}

/** One pack as it is told. */
export interface PackRow {
  readonly hash: string;
  /** Bytes and texts are there; else only its activation is known. */
  readonly published: boolean;
  /** The latest activation is its. */
  readonly latest: boolean;
  readonly activations: readonly { readonly number: string; readonly at: string }[];
  /** Views partitions in which it is in force, with the offset of the record that put it there. */
  readonly inForce: readonly { readonly partition: number; readonly from: string | null }[];
}

/** A person waits: services that do not answer are told of soon. */
const CONNECT_MS = 10_000;
const SHORT = 12;

/** Runs the verb. Throws UsageError when the topics are not there or the pack cannot be activated. */
export async function runPacks(options: PacksOptions, terminal: Terminal): Promise<number> {
  const config = readConfig(options, terminal.env);
  const places = await packsInForce(config);
  await withPackLog(config, places.length, async (log, views, activate) => {
    if (options.activate !== undefined) {
      const hash = await activate(options.activate);
      const text = options.json === true ? `${JSON.stringify({ activated: hash })}\n` : `${activated(hash, views)}\n`;
      terminal.stdout.write(text);
      return;
    }
    const rows = rowsOf(log, places);
    terminal.stdout.write(options.json === true ? `${JSON.stringify({ packs: rows })}\n` : asText(rows, places));
  });
  return EXIT_OK;
}

/** Packs by the latest activation, newest first; those that were never activated at the end. */
export function rowsOf(
  log: Pick<PackLog, "hashes" | "activations" | "latest">,
  places: readonly (PlacedPack | undefined)[],
): PackRow[] {
  const published = new Set(log.hashes());
  const all = log.activations();
  const hashes = new Set([...all.toReversed().map(({ hash }) => hash), ...published]);
  return [...hashes].map((hash) => ({
    hash,
    published: published.has(hash),
    latest: log.latest()?.hash === hash,
    activations: all
      .filter((one) => one.hash === hash)
      .map(({ activation, atMs }) => ({ number: String(activation), at: formatTime(atMs) })),
    inForce: places.flatMap((place, partition) =>
      place?.hash === hash ? [{ partition, from: place.from === undefined ? null : String(place.from) }] : [],
    ),
  }));
}

function asText(rows: readonly PackRow[], places: readonly unknown[]): string {
  if (rows.length === 0) return "No pack was published yet: palermo run does it at its start.\n";
  const columns = [{ title: "PACK" }, { title: "ACTIVATED" }, { title: "IN FORCE" }, { title: "FROM OFFSET" }];
  const table = layoutTable(
    columns,
    rows.map(({ hash, published, latest, activations, inForce }) => [
      hash.slice(0, SHORT),
      activations.at(-1)?.at ?? "never",
      inForce.length > 0
        ? `${inForce.length} of ${places.length} partitions`
        : latest
          ? "next"
          : published
            ? ""
            : "not published",
      inForce.map(({ partition, from }) => `${partition}:${from ?? "beginning"}`).join(" "),
    ]),
  );
  return `${table.join("\n")}\n`;
}

function activated(hash: string, views: TopicRef): string {
  return `${hash} takes force at the next record of each of the ${views.partitions} partitions of ${views.name}.`;
}

/** What the store says of each views partition. */
async function packsInForce(config: Config): Promise<(PlacedPack | undefined)[]> {
  const { partitions } = config.views;
  const options = storeOptions(config, partitions);
  const store = await openRedisStore({ ...options, signal: AbortSignal.timeout(CONNECT_MS) });
  try {
    return await Promise.all(Array.from({ length: partitions }, (_, partition) => store.pack(partition)));
  } finally {
    await store.close();
  }
}

type Activate = (name: string) => Promise<string>;

async function withPackLog(
  config: Config,
  partitions: number,
  work: (log: PackLog, views: TopicRef, activate: Activate) => Promise<void>,
): Promise<void> {
  const bus = openBus(config, { debug() {}, retrying() {} }, CONNECT_MS);
  const admin = await bus.admin();
  try {
    const names = topicNames(config.topic);
    const known = await admin.describe([names.packs, names.views]);
    const missing = [names.packs, names.views].filter((name) => !known.some((topic) => topic.name === name));
    if (missing.length > 0) throw new UsageError(`no such topic: ${missing.join(", ")}. palermo run makes it`);
    const views = { name: names.views, partitions };
    if (known.find((topic) => topic.name === names.views)?.partitions !== partitions) {
      throw new UsageError(
        `${names.views} does not have ${partitions} partitions: set views.partitions as palermo run`,
      );
    }
    const log = await openPacks(config, bus, admin, names.packs);
    try {
      const activator = createPackActivator({ log, views });
      await work(log, views, (name) => activateNamed(config, log, activator, name));
    } finally {
      await log.close();
    }
  } finally {
    await admin.close();
  }
}

async function activateNamed(
  config: Config,
  log: PackLog,
  activator: ReturnType<typeof createPackActivator>,
  name: string,
): Promise<string> {
  const fitting = log.hashes().filter((hash) => hash.startsWith(name));
  const [hash] = fitting;
  if (hash === undefined) throw new UsageError(`no pack with the hash ${name} was published: palermo packs lists them`);
  if (fitting.length > 1) throw new UsageError(`${fitting.length} packs begin with ${name}: give more of the hash`);
  try {
    const { pack } = await createPackEngines(log, config.tenant).open(hash);
    checkRetention(config, pack.horizonMs);
  } catch (error) {
    if (error instanceof PackError) throw new UsageError(error.message);
    throw error;
  }
  await activator.activate(hash, await log.read(hash));
  return hash;
}
