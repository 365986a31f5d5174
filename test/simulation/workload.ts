/** What a simulated institution sends: a few accounts that move money, some of it late, some twice, some of it broken. */
import { MINUTE_MS } from "../../src/base/limits.ts";
import type { Random } from "./random.ts";

/** One message of an input partition. */
export interface Message {
  readonly topic: "transactions" | "parties";
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

/** What is sent, and when, as event time. */
interface Drawn {
  readonly sentAt: number;
  readonly topic: Message["topic"];
  readonly value: string;
}

/**
 * Draws one of `count` movements over `partitions`. A backlog spans hours of event time; what comes as it happens
 * spans `liveMs`, since the stream's own staleness (seconds) must mean as little there as it does in life.
 */
export function createWorkload(random: Random, count: number, partitions: number, liveMs: number): Workload {
  const isBacklog = random.chance(50);
  const gapMs = isBacklog ? random.pick([2, 8]) * MINUTE_MS : (2 * liveMs) / count;
  const lateMs = isBacklog ? LATE_MS : 3 * gapMs;
  const drawn: Drawn[] = [];
  let time = EVENTS_FROM;
  for (let i = 0; i < count; i++) {
    time += random.chance(20) ? 0 : random.below(gapMs);
    const from = random.below(ACCOUNTS);
    const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
    const facts = { time, from, to, euros: 10 + random.below(400), named: random.chance(80) };
    const sentAt = time + (random.chance(30) ? random.below(lateMs) : 0);
    drawn.push({ sentAt, topic: "transactions", value: movement(`t${i}`, facts) });
    if (random.chance(5)) drawn.push(reversal(random, `t${i}`, facts, lateMs));
  }
  const span = time - EVENTS_FROM;
  for (let left = random.chance(50) ? random.below(12) : 0; left > 0; left--) {
    // Of two versions of one time the arrival would decide which holds.
    const validFrom = EVENTS_FROM + 16 * random.below(span / 16 + 1) + left;
    // Of a backlog, what is known of customers stands there from the beginning: intake reads it first.
    drawn.push({ sentAt: isBacklog ? 0 : validFrom, topic: "parties", value: profile(random, validFrom) });
  }
  drawn.sort((a, b) => a.sentAt - b.sentAt);
  const messages = drawn.flatMap((one) => sent(random, one, partitions));
  const last = Array.from({ length: ACCOUNTS }, (_, i): Message => {
    time += isBacklog ? MINUTE_MS : gapMs;
    const facts = { time, from: i, to: (i + 1) % ACCOUNTS, euros: 5, named: true };
    return { topic: "transactions", partition: i % partitions, value: movement(`last${i}`, facts) };
  });
  return { isBacklog, messages, last };
}

/** Some come twice, some have something broken behind them. */
function sent(random: Random, { topic, value }: Drawn, partitions: number): Message[] {
  const pick = (): number => (topic === "parties" ? 0 : random.below(partitions));
  const messages: Message[] = [{ topic, partition: pick(), value }];
  const [first] = messages;
  if (first !== undefined && random.chance(3)) messages.push(first);
  if (random.chance(2)) messages.push({ topic, partition: pick(), value: random.pick(BROKEN) });
  return messages;
}

const BROKEN = ["{not json", "", '{"schema":"other/9"}', "[]"];

interface Facts {
  readonly time: number;
  readonly from: number;
  readonly to: number;
  readonly euros: number;
  /** The sides name their holders. */
  readonly named: boolean;
}

/** Takes a movement back a little later, mostly as the institution's own error; it may overtake its original. */
function reversal(random: Random, of: string, facts: Facts, lateMs: number): Drawn {
  const time = facts.time + random.below(lateMs);
  const relation = { kind: "reversal", of, occurredAt: new Date(facts.time).toISOString() };
  const initiator = random.chance(75) ? "institution" : "debtor";
  const value = movement(`r-${of}`, { ...facts, time }, { relation, initiator });
  return { sentAt: time + (random.chance(30) ? random.below(lateMs) : 0), topic: "transactions", value };
}

/** What is known of an account (who holds it) or of a party. */
function profile(random: Random, validFrom: number): string {
  const known = { schema: "party/1", validFrom: new Date(validFrom).toISOString(), partyType: "person" };
  const party = `P${random.below(PARTIES)}`;
  if (random.chance(30)) return JSON.stringify({ ...known, party });
  const account = `A${random.below(ACCOUNTS)}`;
  return JSON.stringify({ ...known, account, holders: [{ party, role: "holder" }] });
}

function movement(txId: string, { time, from, to, euros, named }: Facts, more: object = {}): string {
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
    ...more,
  });
}
