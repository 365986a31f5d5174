/**
 * kafkajs errors as one sentence each: what was tried where, what came back, what mends it, and whether
 * a retry may help. kafkajs nests causes, and names some by class and others by the protocol's error type.
 */
import { BusError } from "./bus.ts";

/** Reads `error` (of kafkajs, of a socket, anything) as a BusError about `attempt` at `address`. */
export function explain(error: unknown, attempt: string, address: string): BusError {
  if (error instanceof BusError) return error;
  const chain = causes(error);
  const types = chain.map((e) => e.type ?? "");
  const text = chain.map((e) => e.message).join(": ");
  for (const known of KNOWN) {
    if (types.some((type) => known.types.includes(type)) || known.pattern?.test(text)) {
      return new BusError(`${attempt} at ${address}: ${known.says}`, known.retriable);
    }
  }
  const innermost = chain.at(-1);
  const program = ["TypeError", "RangeError", "ReferenceError"].includes(innermost?.name ?? "");
  return new BusError(`${attempt} at ${address}: ${innermost?.message ?? String(error)}`, !program);
}

/** Whether the group gave out its partitions anew or no longer knows this member. */
export function lostMembership(error: unknown): boolean {
  return causes(error).some((e) => LOST.includes(e.type ?? ""));
}

const LOST = ["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "NOT_COORDINATOR_FOR_GROUP"];

/** Whether a partition was asked of a broker that does not lead it any more: newer metadata name the one that does. */
export function leaderMoved(error: unknown): boolean {
  return causes(error).some((e) => MOVED.includes(e.type ?? ""));
}

const MOVED = ["NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE", "FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH"];

interface Link {
  readonly name?: string;
  readonly type?: string;
  readonly message: string;
}

interface Known {
  readonly types: readonly string[];
  readonly pattern?: RegExp;
  readonly says: string;
  readonly retriable: boolean;
}

const KNOWN: readonly Known[] = [
  {
    types: ["SASL_AUTHENTICATION_FAILED", "ILLEGAL_SASL_STATE"],
    pattern: /SASL.*(authentication failed|invalid credentials)|Authentication failed/i,
    says: "the broker refused the user name or password: check kafka.sasl.username and kafka.sasl.password",
    retriable: false,
  },
  {
    types: ["UNSUPPORTED_SASL_MECHANISM"],
    pattern: /SASL .* mechanism is not supported/i,
    says: "the broker does not offer this SASL mechanism: check kafka.sasl.mechanism",
    retriable: false,
  },
  {
    types: ["TOPIC_AUTHORIZATION_FAILED"],
    says: "the user may not read or write this topic: grant it, or check kafka.sasl.username",
    retriable: false,
  },
  {
    types: ["GROUP_AUTHORIZATION_FAILED"],
    says: "the user may not join this consumer group: grant READ on it",
    retriable: false,
  },
  {
    types: ["CLUSTER_AUTHORIZATION_FAILED"],
    says: "the user lacks a right on the cluster (idempotent writes, creating topics): grant it",
    retriable: false,
  },
  {
    types: ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"],
    says: "the broker refuses a record of this size: raise max.message.bytes of the topic to at least 1 MiB",
    retriable: false,
  },
  {
    types: [],
    pattern: /certificate has expired|CERT_HAS_EXPIRED/,
    says: "the broker's certificate has expired",
    retriable: false,
  },
  {
    types: [],
    pattern: /self[- ]signed certificate|unable to (verify|get)|UNABLE_TO_VERIFY|altnames|certificate unknown/i,
    says: "the broker's certificate is not trusted for this address: check kafka.tls.ca",
    retriable: false,
  },
  {
    types: [],
    pattern: /(LZ4|Snappy|ZSTD) compression not implemented/i,
    says: "the topic holds records compressed with a codec that is not read here: have its producers use gzip or none",
    retriable: false,
  },
  { types: [], pattern: /ECONNREFUSED/, says: "nobody listens there", retriable: true },
  { types: [], pattern: /ENOTFOUND|EAI_AGAIN/, says: "the host name cannot be resolved", retriable: true },
  { types: [], pattern: /ETIMEDOUT|Connection timeout/i, says: "no answer in time", retriable: true },
  { types: ["UNKNOWN_TOPIC_OR_PARTITION"], says: "the topic (or partition) does not exist", retriable: true },
];

function causes(error: unknown): Link[] {
  const chain: Link[] = [];
  let at = error as (Partial<Link> & { cause?: unknown; errors?: unknown[] }) | undefined;
  while (at !== undefined && at !== null && typeof at === "object" && chain.length < 8) {
    chain.push(Object.assign({ message: at.message ?? "" }, pick(at)));
    at = (at.cause ?? at.errors?.[0]) as typeof at;
  }
  if (chain.length === 0) chain.push({ message: String(error) });
  return chain;
}

function pick(from: Partial<Link>): Partial<Link> {
  return {
    ...(from.name === undefined ? {} : { name: from.name }),
    ...(from.type === undefined ? {} : { type: from.type }),
  };
}
