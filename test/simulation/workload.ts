/** What a simulated institution sends: a few accounts that move money, some of it late, some twice, some of it broken. */
import { MINUTE_MS } from "../../src/base/limits.ts";
import type { Random } from "./random.ts";

/** One message of an input partition. */
export interface Message {
  readonly partition: number;
  readonly value: string;
}

export interface Workload {
  /** A backlog of hours stands there at the start; otherwise messages come as they happen. */
  readonly isBacklog: boolean;
  /** In the order in which they are sent. */
  readonly messages: readonly Message[];
  /** Sent when all faults are over: touches every account and party, so that each partition hears once more. */
  readonly last: readonly Message[];
}

export const EVENTS_FROM = Date.UTC(2026, 0, 5, 12, 0, 0);

const ACCOUNTS = 8;
const PARTIES = 5;
/** A movement may stand so long behind a later one in its partition: with what the stream adds it stays below L. */
const LATE_MS = 8 * MINUTE_MS;

/**
 * Draws one of `count` movements over `partitions`. A backlog spans hours of event time; what comes as it happens
 * spans `liveMs`, since the stream's own staleness (seconds) must mean as little there as it does in life.
 */
export function createWorkload(random: Random, count: number, partitions: number, liveMs: number): Workload {
  const isBacklog = random.chance(50);
  const gapMs = isBacklog ? random.pick([2, 8]) * MINUTE_MS : (2 * liveMs) / count;
  let time = EVENTS_FROM;
  const drawn = Array.from({ length: count }, (_, i) => {
    time += random.chance(20) ? 0 : random.below(gapMs);
    const from = random.below(ACCOUNTS);
    const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
    const value = movement(`t${i}`, time, from, to, 10 + random.below(400), random.chance(80));
    return { sentAt: time + (random.chance(30) ? random.below(isBacklog ? LATE_MS : 3 * gapMs) : 0), value };
  });
  drawn.sort((a, b) => a.sentAt - b.sentAt);
  const messages: Message[] = [];
  for (const { value } of drawn) {
    const partition = random.below(partitions);
    messages.push({ partition, value });
    if (random.chance(3)) messages.push({ partition, value });
    if (random.chance(2)) messages.push({ partition: random.below(partitions), value: random.pick(BROKEN) });
  }
  const last = Array.from({ length: ACCOUNTS }, (_, i) => {
    time += isBacklog ? MINUTE_MS : gapMs;
    return { partition: i % partitions, value: movement(`last${i}`, time, i, (i + 1) % ACCOUNTS, 5, true) };
  });
  return { isBacklog, messages, last };
}

const BROKEN = ["{not json", "", '{"schema":"other/9"}', "[]"];

function movement(txId: string, time: number, from: number, to: number, euros: number, named: boolean): string {
  const side = (account: number): Record<string, unknown> => ({
    kind: "account",
    own: true,
    account: `A${account}`,
    ...(named ? { party: `P${account % PARTIES}` } : {}),
  });
  return JSON.stringify({
    schema: "tx/1",
    txId,
    occurredAt: new Date(time).toISOString(),
    rail: "transfer",
    amount: `${euros}.00`,
    currency: "EUR",
    debtor: side(from),
    creditor: side(to),
  });
}
