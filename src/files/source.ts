/**
 * Bytes of an input file or of standard input, unpacked when they are gzip (known by its magic bytes, not by
 * the name) and without a byte order mark.
 */
import { createReadStream, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip, type Gunzip } from "node:zlib";
import { UsageError } from "../base/errors.ts";

/** A file that begins well and cannot be read to its end; what stood before was delivered. */
export class SourceError extends Error {
  readonly file: string;
  constructor(file: string, message: string) {
    super(`${file}: ${message}`);
    this.name = "SourceError";
    this.file = file;
  }
}

export interface Source {
  /** As the user named it; `-` for standard input. */
  readonly file: string;
  /** Bytes taken from the file so far, as they lie there (packed). */
  readonly bytesRead: number;
  /** Pieces in order. Throws UsageError when the file is not there, SourceError when it breaks off. */
  pieces(): AsyncGenerator<Buffer>;
}

/** Opens a source; nothing is read before `pieces` is. `stdin` stands for `-`. */
export function openSource(file: string, stdin?: Readable): Source {
  let bytesRead = 0;
  async function* raw(): AsyncGenerator<Buffer> {
    try {
      for await (const piece of inputOf(file, stdin)) {
        const bytes = typeof piece === "string" ? Buffer.from(piece) : (piece as Buffer);
        bytesRead += bytes.length;
        yield bytes;
      }
    } catch (error) {
      throw readingError(file, error);
    }
  }
  return {
    file,
    get bytesRead() {
      return bytesRead;
    },
    pieces: () => unpacked(file, raw()),
  };
}

/** Bytes per read: large enough that calls do not count, small enough to stay in the cache. */
const READ_BYTES = 256 * 1024;
/** Packed bytes handed to the unpacker at once: at gzip's best ratio (1:1032) 32 MiB come out. */
const GZIP_STEP_BYTES = 32 * 1024;

function inputOf(file: string, stdin: Readable | undefined): Readable {
  if (file === "-") {
    if (stdin === undefined) throw new UsageError("-: there is no standard input to read");
    return stdin;
  }
  let directory = false;
  try {
    directory = statSync(file).isDirectory();
  } catch (error) {
    throw readingError(file, error);
  }
  if (directory) throw new UsageError(`${file}: is a directory; name the files in it`);
  return createReadStream(file, { highWaterMark: READ_BYTES });
}

function readingError(file: string, error: unknown): Error {
  if (error instanceof UsageError || error instanceof SourceError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return new UsageError(`${file}: no such file`);
  if (code === "EACCES") return new UsageError(`${file}: may not be read (permission denied)`);
  return new SourceError(file, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}

async function* unpacked(file: string, raw: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  // Three bytes tell a byte order mark, two tell gzip. No `for await` here: leaving one would end `raw`.
  while (head.length < 3) {
    const next = await raw.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  const packed = head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;
  const pieces = packed ? gunzipped(file, head, raw) : following(head, raw);
  let first = true;
  try {
    for await (const piece of pieces) {
      const marked = first && piece.length >= 3 && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf;
      first = false;
      yield marked ? piece.subarray(3) : piece;
    }
  } finally {
    await raw.return(undefined);
  }
}

async function* following(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}

/** Unpacks step by step, so that everything before a fault comes out before the fault is told. */
async function* gunzipped(file: string, head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const out: Buffer[] = [];
  let fault: Error | undefined;
  gunzip.on("data", (piece: Buffer) => out.push(piece));
  gunzip.on("error", (error) => {
    fault = error;
  });
  try {
    for await (const piece of following(head, rest)) {
      for (let at = 0; at < piece.length && fault === undefined; at += GZIP_STEP_BYTES) {
        await written(gunzip, piece.subarray(at, at + GZIP_STEP_BYTES));
        yield* out.splice(0);
      }
      if (fault !== undefined) break;
    }
    if (fault === undefined) await ended(gunzip);
    yield* out.splice(0);
  } finally {
    gunzip.destroy();
  }
  if (fault === undefined) return;
  const truncated = "code" in fault && fault.code === "Z_BUF_ERROR";
  const why = truncated
    ? "the gzip data breaks off: the file is not whole"
    : `the gzip data is damaged (${fault.message})`;
  throw new SourceError(file, `${why}; the rows before that were read`);
}

/** Waits until a piece is unpacked; after a fault the callback may never come. */
function written(gunzip: Gunzip, piece: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const failed = (): void => resolve();
    gunzip.once("error", failed);
    gunzip.write(piece, () => {
      gunzip.removeListener("error", failed);
      resolve();
    });
  });
}

function ended(gunzip: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    gunzip.once("end", resolve);
    gunzip.once("error", () => resolve());
    gunzip.end();
  });
}
