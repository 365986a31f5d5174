/**
 * `palermo token KIND VALUE`: the token of one identifier, or of many from standard input. The key comes
 * from a file or the environment and is never shown; a value given as `-` stays out of the shell's history.
 */
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { UsageError } from "../base/errors.ts";
import { createStreamWriter } from "../files/writer.ts";
import type { Terminal } from "./output.ts";
import { EXIT_OK, EXIT_REJECTED } from "./output.ts";
import type { TokenKind } from "./token-forms.ts";
import { computeToken, normaliseIdentifier, TOKEN_KEY_BYTES_MIN, TOKEN_KINDS } from "./token-forms.ts";

export interface TokenOptions {
  /** File with the key as hexadecimal text; undefined: environment PALERMO_TOKEN_KEY. */
  readonly keyFile?: string;
  /** One JSON object a token: kind and token, never the value. */
  readonly json?: boolean;
  /** Names the key in the token, so that keys can be changed. */
  readonly keyId: number;
}

/**
 * Prints one token a line. With `-` as value every line of standard input is one value; a line that cannot
 * be normalised is named on stderr by its number, an empty line is printed for it, and the exit code is 3.
 * Throws UsageError for an unknown kind, a bad key or, given as argument, a bad value.
 */
export async function runToken(
  kind: string,
  value: string,
  options: TokenOptions,
  terminal: Terminal,
): Promise<number> {
  const known = TOKEN_KINDS.find((name) => name === kind);
  if (known === undefined) throw new UsageError(`unknown kind "${kind}": expected one of ${TOKEN_KINDS.join(", ")}`);
  const key = await readKey(options, terminal.env);
  const shown = (token: string): string => (options.json === true ? JSON.stringify({ kind: known, token }) : token);
  if (value === "-")
    return tokensOfLines(known, (text) => shown(computeToken(key, options.keyId, known, text)), terminal);
  const normalised = normaliseIdentifier(known, value);
  if (normalised.kind === "invalid") throw new UsageError(`not a valid ${known}: expected ${normalised.expected}`);
  terminal.stdout.write(`${shown(computeToken(key, options.keyId, known, normalised.value))}\n`);
  return EXIT_OK;
}

async function tokensOfLines(kind: TokenKind, tell: (value: string) => string, terminal: Terminal): Promise<number> {
  const writer = createStreamWriter(terminal.stdout);
  let line = 0;
  let rejected = 0;
  for await (const value of createInterface({ input: terminal.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    const normalised = normaliseIdentifier(kind, value);
    if (normalised.kind === "value") writer.write(tell(normalised.value));
    else {
      rejected += 1;
      writer.write("");
      terminal.stderr.write(`-:${line}: not a valid ${kind}: expected ${normalised.expected}\n`);
    }
    await writer.flush();
  }
  await writer.close();
  return rejected === 0 ? EXIT_OK : EXIT_REJECTED;
}

async function readKey(options: TokenOptions, env: Terminal["env"]): Promise<Uint8Array> {
  const source = options.keyFile ?? "environment PALERMO_TOKEN_KEY";
  let text = env.PALERMO_TOKEN_KEY;
  if (options.keyFile !== undefined) {
    try {
      text = await readFile(options.keyFile, "utf8");
    } catch {
      throw new UsageError(`${options.keyFile}: the key file cannot be read`);
    }
  }
  if (text === undefined) throw new UsageError("no key: give --key-file FILE or set PALERMO_TOKEN_KEY");
  const hex = text.trim();
  if (!/^([0-9a-f]{2})+$/i.test(hex) || hex.length < 2 * TOKEN_KEY_BYTES_MIN) {
    throw new UsageError(`${source}: expected a key of ${TOKEN_KEY_BYTES_MIN} bytes or more as hexadecimal text`);
  }
  return Buffer.from(hex, "hex");
}
