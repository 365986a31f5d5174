/** Input files for tests, and everything that a reader gives. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Item } from "../../src/files/merge.ts";

/** A folder that is gone after the tests of the file; gives a function that writes a file into it. */
export function scratch(): (name: string, content: string | Buffer) => string {
  const folder = mkdtempSync(join(tmpdir(), "palermo-files-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}

export interface Read {
  readonly items: Item[];
  /** What reading ended with, undefined for the end of the file. */
  readonly error: Error | undefined;
}

/** Reads to the end or to the fault. */
export async function readAll(batches: AsyncIterable<readonly Item[]>): Promise<Read> {
  const items: Item[] = [];
  try {
    for await (const batch of batches) items.push(...batch);
  } catch (error) {
    if (error instanceof Error) return { items, error };
    throw error;
  }
  return { items, error: undefined };
}

/** `line kind` or `line CODE` of each item. */
export function outline(items: readonly Item[]): string[] {
  return items.map(({ line, decoded }) => `${line} ${decoded.kind === "reject" ? decoded.reject.code : decoded.kind}`);
}

/** A row of NDJSON: a transfer at a second of 2026-03-04. */
export function row(second: number, id = `t${second}`, members: Record<string, unknown> = {}): string {
  return JSON.stringify({
    schema: "tx/1",
    txId: id,
    occurredAt: new Date(Date.UTC(2026, 2, 4) + second * 1000).toISOString(),
    rail: "transfer",
    amount: "10",
    currency: "EUR",
    debtor: { kind: "account", account: "A" },
    creditor: { kind: "account", account: "B" },
    ...members,
  });
}
