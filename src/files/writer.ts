/**
 * Writing lines to a file or a stream: buffered, in order, with backpressure. `write` only gathers
 * text, so that a hot loop stays synchronous; `flush` is awaited between batches and waits for the
 * disk or the pipe. Delivery: what `close` has acknowledged stands in the file.
 */
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { UsageError } from "../base/errors.ts";

/** Text gathered before a flush reaches the disk: large enough for few system calls, small beside the heap. */
const FLUSH_CHARACTERS = 256 * 1024;

export interface LineWriter {
  /** Adds one line; the line end is added here. */
  write(line: string): void;
  /** Lines written so far. */
  readonly lines: number;
  /** Resolves when gathered text is at its destination, at once while there is little of it. */
  flush(): Promise<void>;
  /** Writes what is left and closes a file; a stream stays open for its owner. */
  close(): Promise<void>;
}

/**
 * Opens a file for writing, replacing what it held.
 * Throws UsageError with the path when the file cannot be opened.
 */
export async function openFileWriter(path: string): Promise<LineWriter> {
  let handle: FileHandle;
  try {
    handle = await open(path, "w");
  } catch (error) {
    throw new UsageError(`${path}: cannot be written: ${reasonOf(error)}`);
  }
  return createWriter(
    async (text) => {
      await handle.writeFile(text);
    },
    () => handle.close(),
  );
}

/** Writes lines to a stream such as standard output. */
export function createStreamWriter(stream: Writable): LineWriter {
  return createWriter(
    (text) => writeToStream(stream, text),
    async () => {},
  );
}

/** Writes text and resolves when the stream takes more; resolves too when the stream is gone. */
export function writeToStream(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed || stream.write(text)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done);
      stream.off("close", done);
      stream.off("error", done);
      resolve();
    };
    stream.once("drain", done);
    stream.once("close", done);
    stream.once("error", done);
  });
}

function createWriter(send: (text: string) => Promise<void>, end: () => Promise<void>): LineWriter {
  let gathered = "";
  let lines = 0;
  const drain = async () => {
    const text = gathered;
    gathered = "";
    if (text !== "") await send(text);
  };
  return {
    write(line) {
      gathered += `${line}\n`;
      lines += 1;
    },
    get lines() {
      return lines;
    },
    async flush() {
      if (gathered.length >= FLUSH_CHARACTERS) await drain();
    },
    async close() {
      try {
        await drain();
      } finally {
        await end();
      }
    },
  };
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "its folder does not exist";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
