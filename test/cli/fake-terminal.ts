/** A terminal for tests: streams in memory, a clock that stands still. */
import { Readable, Writable } from "node:stream";
import type { Terminal } from "../../src/cli/output.ts";

export interface FakeTerminal extends Terminal {
  /** Everything written to standard output so far. */
  readonly out: () => string;
  /** Everything written to standard error so far. */
  readonly err: () => string;
}

export interface FakeOptions {
  readonly tty?: boolean;
  readonly stdin?: string | readonly Uint8Array[];
  readonly env?: Readonly<Record<string, string>>;
}

/** 2026-06-01T00:00:00Z. */
export const FAKE_NOW = 1_780_272_000_000;

export function fakeTerminal(options: FakeOptions = {}): FakeTerminal {
  const out = gather(options.tty === true);
  const err = gather(options.tty === true);
  const stdin = typeof options.stdin === "string" ? [Buffer.from(options.stdin)] : (options.stdin ?? []);
  return {
    stdin: Readable.from(stdin, { objectMode: false }),
    stdout: out.stream,
    stderr: err.stream,
    env: options.env ?? {},
    now: () => FAKE_NOW,
    out: out.text,
    err: err.text,
  };
}

function gather(isTTY: boolean) {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 100 }), text: () => chunks.join("") };
}
