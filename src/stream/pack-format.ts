/**
 * What stands in the topic of packs. Under a pack's hash: its source files, gzip'd, with a digest of their own. Under
 * `activation/...`: that a pack is to take force; the record's offset is the number of the activation. Both are read as
 * the data of others: bounded, checked, never trusted.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { sha256Hex } from "../base/hash.ts";
import type { SourceFile } from "../rules/source.ts";
import { PackError } from "./screen-ports.ts";

/** A pack as it is published. */
export interface PublishedPack {
  readonly files: readonly SourceFile[];
  /** By which rules the publisher computed the hash: another program may compute another one from the same files. */
  readonly hashVersion: number;
  /** Epoch ms by which overrides of the tuning had expired that the pack leaves out; undefined: it leaves out none. */
  readonly tunedAt: number | undefined;
}

/** Most bytes of a pack in the topic, and of its texts when unpacked. */
export const PACK_BYTES_MAX = 4 << 20;
export const PACK_TEXT_BYTES_MAX = 64 << 20;
const FILES_MAX = 5_000;
const FORMAT = 1;

const packSchema = z.strictObject({
  format: z.literal(FORMAT),
  hashVersion: z.int().min(1),
  tunedAt: z.int().optional(),
  digest: z.string(),
  files: z.array(z.tuple([z.string().min(1).max(1_024), z.string()])).max(FILES_MAX),
});

/** Packs source files. Throws PackError when they are more than the topic takes. */
export function encodePack({ files, hashVersion, tunedAt }: PublishedPack): Buffer {
  const pairs = files.map(({ path, text }) => [path, text] as const);
  const json = JSON.stringify({ format: FORMAT, hashVersion, tunedAt, digest: digestOf(pairs), files: pairs });
  const length = Buffer.byteLength(json);
  if (length > PACK_TEXT_BYTES_MAX) throw tooLarge(length, PACK_TEXT_BYTES_MAX, "unpacked");
  const packed = gzipSync(json);
  if (packed.length > PACK_BYTES_MAX) throw tooLarge(packed.length, PACK_BYTES_MAX, "packed");
  return packed;
}

/** Reads what `encodePack` gave. Throws PackError, with the reason, on anything else. */
export function decodePack(bytes: Uint8Array): PublishedPack {
  if (bytes.length > PACK_BYTES_MAX) throw tooLarge(bytes.length, PACK_BYTES_MAX, "packed");
  const parsed = packSchema.safeParse(parse(bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new PackError(`not a published pack of format ${FORMAT}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { files, hashVersion, tunedAt, digest } = parsed.data;
  if (digestOf(files) !== digest) throw new PackError("its files do not have the digest that they were published with");
  return { files: files.map(([path, text]) => ({ path, text })), hashVersion, tunedAt };
}

const activationSchema = z.strictObject({ format: z.literal(FORMAT), hash: z.string().min(1).max(128) });

/** Key of an activation; `unique` keeps compaction from dropping one for another. */
export function activationKey(unique: string): string {
  return `${ACTIVATION}${unique}`;
}

export function isActivationKey(key: string): boolean {
  return key.startsWith(ACTIVATION);
}

export function encodeActivation(hash: string): string {
  return JSON.stringify({ format: FORMAT, hash });
}

/** Hash of the pack that an activation names; undefined when it is none. */
export function decodeActivation(bytes: Uint8Array): string | undefined {
  try {
    return activationSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8"))).hash;
  } catch {
    return undefined;
  }
}

const ACTIVATION = "activation/";

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(gunzipSync(bytes, { maxOutputLength: PACK_TEXT_BYTES_MAX }).toString("utf8"));
  } catch (error) {
    throw new PackError(`it cannot be unpacked: ${error instanceof Error ? error.message : error}`);
  }
}

function digestOf(files: readonly (readonly [string, string])[]): string {
  return sha256Hex(JSON.stringify(files));
}

function tooLarge(bytes: number, most: number, how: string): PackError {
  return new PackError(`${bytes} bytes ${how}; a pack has at most ${most}: shorten its lists`);
}
