/**
 * `palermo feed`: sends the lines of NDJSON files to the transactions topic (and profiles to the parties
 * topic), as they are, for demonstrations and tests. The key is the transaction's id, the order that of the
 * files; a line that cannot be read is sent too, since refusing it is intake's work.
 */
import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { UsageError } from "../base/errors.ts";
import { fnv1a32 } from "../base/hash.ts";
import { sleep } from "../stream/backoff.ts";
import type { Admin, OutRecord, Producer } from "../stream/bus.ts";
import type { Config } from "../stream/config.ts";
import { openBus } from "../stream/connect.ts";
import { topicNames, topicSpecs } from "../stream/topics.ts";
import { EXIT_OK, type Terminal } from "./output.ts";
import { type RunOptions, readConfig } from "./run.ts";

export interface FeedOptions extends RunOptions {
  /** In place of `topic.transactions`. */
  readonly topic?: string | undefined;
  /** Files of profiles, sent first, to the parties topic. */
  readonly parties?: readonly string[] | undefined;
  /** Messages a second; default: as fast as the broker takes them. */
  readonly rate?: number | undefined;
  readonly quiet?: boolean | undefined;
}

/** Records of one send: kafkajs's grouping by partition costs the square of them. */
const SEND_RECORDS = 1_000;
const SEND_BYTES = 1 << 20;
const GIVE_UP_MS = 30_000;

/** Runs the verb. Throws UsageError for a missing file or topic, BusError when the broker is not reached. */
export async function runFeed(files: readonly string[], options: FeedOptions, terminal: Terminal): Promise<number> {
  const config = readConfig(options, terminal.env);
  const say = (line: string): void => {
    if (!options.quiet) terminal.stderr.write(`${line}\n`);
  };
  const log = { debug: () => undefined, retrying: (message: string) => say(`palermo feed: ${message}; trying again`) };
  const bus = openBus(config, log, GIVE_UP_MS);
  const admin = await bus.admin();
  const producer = await bus.producer("feed");
  try {
    const names = topicNames(config.topic);
    const jobs = [
      { topic: names.parties, files: options.parties ?? [] },
      { topic: options.topic ?? names.transactions, files },
    ];
    for (const { topic, files: paths } of jobs) {
      if (paths.length === 0) continue;
      const partitions = await partitionsOf(admin, config, topic);
      const since = terminal.now();
      const sent = await feed(paths, terminal, { topic, partitions, producer, rate: options.rate, now: terminal.now });
      const seconds = Math.max(0.001, (terminal.now() - since) / 1_000);
      say(`sent ${sent} messages to ${topic} (${partitions} partitions) in ${seconds.toFixed(1)} s`);
    }
    return EXIT_OK;
  } finally {
    await producer.close();
    await admin.close();
  }
}

interface Target {
  readonly topic: string;
  readonly partitions: number;
  readonly producer: Producer;
  readonly rate: number | undefined;
  readonly now: () => number;
}

/** Sends every line of the files; gives their number. */
async function feed(paths: readonly string[], terminal: Terminal, target: Target): Promise<number> {
  const { producer, topic, partitions, rate, now } = target;
  const since = now();
  // At a given rate about twenty sends a second, so that messages come evenly.
  const most = rate === undefined ? SEND_RECORDS : Math.max(1, Math.min(SEND_RECORDS, Math.ceil(rate / 20)));
  let waiting: OutRecord[] = [];
  let bytes = 0;
  let sent = 0;
  const flush = async (): Promise<void> => {
    await producer.send(topic, waiting);
    sent += waiting.length;
    waiting = [];
    bytes = 0;
    if (rate !== undefined) await sleep(Math.max(0, since + (sent * 1_000) / rate - now()));
  };
  for (const path of paths) {
    for await (const line of linesOf(path, terminal)) {
      const key = keyOf(line);
      waiting.push({ partition: key === null ? 0 : fnv1a32(key) % partitions, key, value: line });
      bytes += line.length;
      if (waiting.length >= most || bytes >= SEND_BYTES) await flush();
    }
  }
  await flush();
  return sent;
}

/** The topic's partition count; it is created where `palermo run` would create it. */
async function partitionsOf(admin: Admin, config: Config, topic: string): Promise<number> {
  const [found] = await admin.describe([topic]);
  if (found) return found.partitions;
  const brokers = await admin.brokers();
  const factor = config.kafka.replicationFactor || Math.min(3, Math.max(1, brokers));
  const spec = topicSpecs(config, topicNames(config.topic), factor).find(({ name }) => name === topic);
  if (spec === undefined)
    throw new UsageError(`there is no topic ${topic}: create it, or feed the one of topic.transactions`);
  await admin.create([spec]);
  return spec.partitions;
}

/** Non-empty lines of a file (also .gz, `-` for standard input), as bytes without their end. */
async function* linesOf(path: string, terminal: Terminal): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  try {
    for await (const chunk of opened(path, terminal)) {
      const bytes = Buffer.from(chunk as Uint8Array);
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        const line = trimmed(Buffer.concat([...rest, bytes.subarray(from, end)]));
        if (line.length > 0) yield line;
        rest = [];
        from = end + 1;
      }
      if (from < bytes.length) rest.push(bytes.subarray(from));
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "EISDIR" || code === "EACCES")
      throw new UsageError(`${path} cannot be read: ${code}`);
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`);
  }
  const last = trimmed(Buffer.concat(rest));
  if (last.length > 0) yield last;
}

function opened(path: string, terminal: Terminal): Readable {
  if (path === "-") return terminal.stdin;
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  return path.endsWith(".gz") ? pipeline(file, createGunzip(), () => undefined) : file;
}

function trimmed(line: Buffer): Buffer {
  return line.at(-1) === 13 ? line.subarray(0, -1) : line;
}

/** The id by which records are spread; null where the line is no JSON object or has none. */
function keyOf(line: Buffer): string | null {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    if (typeof value !== "object" || value === null) return null;
    for (const name of ["txId", "party", "account", "eventId", "id"]) {
      const key = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (typeof key === "string") return key;
    }
    return null;
  } catch {
    return null;
  }
}
