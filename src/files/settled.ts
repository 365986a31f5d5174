/**
 * Reading alert records back: from files as replay writes them and from messages as a topic carries them.
 * Stubs, which stand in for protected alerts, are counted and skipped; anything else that is no alert is
 * an error that names its place.
 */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { UsageError } from "../base/errors.ts";
import type { Alert } from "../domain/alert.ts";
import { alertSchema, alertStubSchema } from "../domain/alert.ts";

/** One record of an alerts file or topic. */
export type AlertRecord =
  | { readonly kind: "alert"; readonly alert: Alert }
  | { readonly kind: "stub"; readonly alertId: string }
  | { readonly kind: "invalid"; readonly reason: string };

/** Longest record: the contract allows 256 KiB. */
const RECORD_CHARACTERS_MAX = 1 << 20;

/** Reads one record from its JSON text. */
export function readAlertRecord(text: string): AlertRecord {
  if (text.length > RECORD_CHARACTERS_MAX) return { kind: "invalid", reason: "longer than any alert may be" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "invalid", reason: "not valid JSON" };
  }
  const stub = alertStubSchema.safeParse(value);
  if (stub.success) return { kind: "stub", alertId: stub.data.alertId };
  const alert = alertSchema.safeParse(withEmission(value));
  if (alert.success) return { kind: "alert", alert: alert.data };
  const issue = alert.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? "record" : issue.path.join(".");
  return { kind: "invalid", reason: `${field}: ${issue?.message ?? "not an alert"}` };
}

/**
 * Alerts of a file, plain or .gz, or of standard input (`-`), in order. `onStub` is told of each stub.
 * Throws UsageError with file and line for a record that is no alert, and for a file that is not there.
 */
export async function* readAlertFile(
  path: string,
  stdin: Readable,
  onStub: (alertId: string) => void = () => {},
): AsyncGenerator<Alert> {
  let line = 0;
  for await (const text of linesOf(path, path === "-" ? stdin : openAlertFile(path))) {
    line += 1;
    if (text.trim() === "") continue;
    const record = readAlertRecord(text);
    if (record.kind === "alert") yield record.alert;
    else if (record.kind === "stub") onStub(record.alertId);
    else throw new UsageError(`${path}:${line}: not an alert (alert/1): ${record.reason}`);
  }
}

/** A settled record lacks the fields of its emission: it counts as a first revision, so that it can be read again. */
function withEmission(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || "revision" in value) return value;
  return { ...value, revision: 1, event: "opened", cause: "evidence", changes: [] };
}

/** Lines of a stream without their ends. An error of the stream is thrown again with the path in its message. */
async function* linesOf(path: string, input: Readable): AsyncGenerator<string> {
  input.setEncoding("utf8");
  let rest = "";
  try {
    for await (const chunk of input as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      // A line without end would gather in memory; it is given as it is and refused by its length.
      if (rest.length > RECORD_CHARACTERS_MAX) lines.push(rest);
      yield* lines;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw new UsageError(`${path}: no such file`);
    throw new Error(`${path}: cannot be read to its end: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (rest !== "") yield rest;
}

function openAlertFile(path: string): Readable {
  const file = createReadStream(path);
  if (!path.endsWith(".gz")) return file;
  const unzipped = createGunzip();
  file.on("error", (error) => unzipped.destroy(error));
  return file.pipe(unzipped);
}
