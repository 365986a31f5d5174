/**
 * What a run must have come to, whatever was done to it: the settled alerts and the state of one ordered pass in memory
 * over the same movements, nothing lost, and repeats recognisable by id and revision.
 */
import { expect } from "vitest";
import { createDecoder } from "../../src/intake/decode.ts";
import { createEmbedded, type Embedded } from "../../src/screen/embedded.ts";
import { createSettler } from "../../src/screen/settled.ts";
import type { Entity } from "../../src/screen/state.ts";
import type { Published, RunRig } from "./run-rig.ts";

/** What one ordered pass in memory gives. */
export interface Reference {
  readonly settled: string[];
  readonly embedded: Embedded;
  /** Lines that are no movement. */
  readonly refused: number;
}

/** Screens the lines in order of event time. */
export function referenceOf({ pack, lists }: RunRig, lines: readonly (string | Buffer)[]): Reference {
  const settler = createSettler();
  const decoder = createDecoder({ rates: lists.rates });
  const embedded = createEmbedded(pack, {
    alert: (alert) => settler.add(alert),
    hit: () => undefined,
    verdict: () => undefined,
  });
  const txs = [];
  for (const line of lines) {
    const decoded = decoder.decodeJson(line);
    if (decoded.kind === "tx") txs.push(decoded.tx);
  }
  txs.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
  for (const tx of txs) embedded.pushTx(tx);
  return { settled: settler.lines(), embedded, refused: lines.length - txs.length };
}

/** What an entity has counted: movements in fold order with their amounts, and how many. */
function counted({ work }: Entity): string {
  return JSON.stringify([work.seq, Array.from(work.recent, ({ txId, incoming, amount }) => [txId, incoming, amount])]);
}

/** Compares what was published and what is stored with the ordered pass; gives what was published. */
export async function expectAsReference(rig: RunRig, { settled, embedded }: Reference): Promise<Published> {
  const published = await rig.alerts();
  expect(published.settled).toEqual(settled);
  // Of one revision there is one content, however often it was sent.
  expect(published.contradictions).toBe(0);
  const entities = await rig.entities();
  expect(entities.size).toBe(embedded.entities);
  for (const [key, entity] of entities) {
    const known = embedded.entity(key);
    if (known === undefined) throw new Error(`${key} is in the store, but not in the ordered pass`);
    if (counted(entity) !== counted(known)) expect(counted(entity), key).toEqual(counted(known));
  }
  return published;
}
