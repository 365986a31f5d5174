/**
 * One connection to Redis over ioredis, a server or a cluster, set up so that nothing is ever sent twice on its own: no
 * offline queue, no resending, and every command that is open when the connection breaks fails at once. Reconnects
 * with backoff and tells what happens in one line each, with the address and without secrets.
 */
import { Cluster, Redis, type RedisOptions } from "ioredis";
import { StoreError } from "./port.ts";
import { WrittenCommand } from "./written-command.ts";

export interface ConnectionEvents {
  connected(address: string): void;
  /** Told once for each loss or failed attempt. */
  disconnected(address: string, reason: string, retryInMs: number): void;
}

export interface ConnectionOptions {
  /** redis://[user[:password]@]host[:port][/db], or rediss:// for TLS. */
  readonly url: string;
  /** The address is a node of a Redis Cluster: each command goes to the master of its keys' slot. */
  readonly cluster?: boolean;
  /** TLS material and the like, passed through to the client. */
  readonly client?: RedisOptions;
  /** A command without a reply for this long counts as lost. Default 5,000. */
  readonly commandTimeoutMs?: number;
  readonly events?: Partial<ConnectionEvents>;
}

export interface Connection {
  readonly address: string;
  /** Sends one command. Throws `CommandFailure`. */
  call(command: string, args: readonly (string | Buffer)[]): Promise<unknown>;
  /** Sends one command without keys to every master. Throws `CommandFailure`. */
  everywhere(command: string, args: readonly (string | Buffer)[]): Promise<void>;
  /** Keys that begin with `prefix`, in portions; one that stays comes at least once. Throws `CommandFailure`. */
  keys(prefix: string): AsyncGenerator<string[]>;
  close(): void;
}

/** `refused`: the server said no. `unsent`: never left. `lost`: it may have been done. */
export class CommandFailure extends Error {
  readonly kind: "refused" | "unsent" | "lost";
  /** First word of a refusal, such as `OOM`. */
  readonly code: string;
  constructor(kind: CommandFailure["kind"], message: string) {
    super(message);
    this.name = "CommandFailure";
    this.kind = kind;
    this.code = kind === "refused" ? (message.split(" ", 1)[0] ?? "") : "";
  }
}

const FIRST_RETRY_MS = 50;
const MOST_RETRY_MS = 2_000;
const TRY_AGAIN_MS = 20;
const SCAN_COUNT = 1_000;
const SLOTS_REFRESH_MS = 5_000;
/** What ioredis says when a cluster cannot be used yet. */
const NOT_READY = "Cluster isn't ready";

/** host:port/db of a Redis URL, without user and password. Throws when it is no such URL. */
export function redisAddress(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new StoreError(`not a Redis URL; expected redis://host:port or rediss://host:port (TLS)`, false);
  }
  if (parsed.protocol !== "redis:" && parsed.protocol !== "rediss:") {
    throw new StoreError(`a Redis URL begins with redis:// or rediss://, not ${parsed.protocol}//`, false);
  }
  return `${parsed.hostname}:${parsed.port || "6379"}${parsed.pathname === "/" ? "" : parsed.pathname}`;
}

/** Begins to connect; commands fail as `unsent` until the connection stands. */
export function connectRedis(options: ConnectionOptions): Connection {
  const address = redisAddress(options.url);
  let reason = "connection closed";
  let refusal: CommandFailure | undefined;
  const retryIn = (attempt: number): number => {
    const retryInMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10), MOST_RETRY_MS);
    options.events?.disconnected?.(address, reason, retryInMs);
    reason = "connection closed";
    return retryInMs;
  };
  const client = options.cluster === true ? openCluster(options, retryIn) : openServer(options, retryIn);
  client.on("error", (error: Error & { lastNodeError?: Error }) => {
    // A cluster says only that it reached no node; the node's own error says why.
    const cause = error.lastNodeError ?? error;
    reason = plain(cause);
    if (isReply(cause)) refusal = new CommandFailure("refused", cause.message);
    else if (isDistrust(cause)) refusal = new CommandFailure("refused", `CERTIFICATE ${reason}`);
  });
  client.on("ready", () => {
    refusal = undefined;
    options.events?.connected?.(address);
  });
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const failure = sort(error as Error);
      // A server that turned the connection itself down (a password, LOADING) has said why.
      throw failure.kind === "unsent" && refusal !== undefined ? refusal : failure;
    }
  };
  const masters = (): readonly Redis[] => {
    const found = client instanceof Cluster ? client.nodes("master") : [client];
    if (found.length === 0) throw new Error(NOT_READY);
    return found;
  };
  return {
    address,
    call: (command, args) => attempt(async () => client.sendCommand(new WrittenCommand(command, args))),
    everywhere: (command, args) =>
      attempt(async () => {
        for (const master of masters()) await master.callBuffer(command, ...args);
      }),
    async *keys(prefix) {
      const pattern = `${prefix.replace(/[\\*?[\]]/g, "\\$&")}*`;
      for (const master of await attempt(async () => masters())) {
        let cursor = "0";
        do {
          const [next, found] = await attempt(() => master.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT));
          cursor = next;
          if (found.length > 0) yield found;
        } while (cursor !== "0");
      }
    },
    close: () => client.disconnect(),
  };
}

/** What holds for the connection to each server. */
function settingsOf({ client, commandTimeoutMs = 5_000 }: ConnectionOptions): RedisOptions {
  return {
    ...client,
    autoResendUnfulfilledCommands: false,
    // With 0, each close rejects what is open. With null and no resending, ioredis 6 would leave it open for ever.
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    // A half-open connection is given up soon after the commands on it were.
    socketTimeout: commandTimeoutMs * 2,
    connectTimeout: commandTimeoutMs,
  };
}

function openServer(options: ConnectionOptions, retryStrategy: (attempt: number) => number): Redis {
  const settings = { ...settingsOf(options), enableOfflineQueue: false, retryStrategy };
  return new Redis(options.url, { ...settings, replyMapping: "legacy" });
}

/**
 * The client follows MOVED and ASK by itself: the server that sends them has done nothing. What may have been done
 * (`retryDelayOnFailover`) is never sent again.
 */
function openCluster(options: ConnectionOptions, clusterRetryStrategy: (attempt: number) => number): Cluster {
  const { hostname, port, username, password, pathname } = new URL(options.url);
  if (pathname !== "" && pathname !== "/" && pathname !== "/0") {
    throw new StoreError(`a Redis Cluster has no databases: take ${pathname} out of the URL`, false);
  }
  const access = {
    ...(username === "" ? {} : { username: decodeURIComponent(username) }),
    ...(password === "" ? {} : { password: decodeURIComponent(password) }),
  };
  return new Cluster([{ host: hostname, port: Number(port || "6379") }], {
    clusterRetryStrategy,
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // A slot that moves refuses commands whose keys stand on both sides for as long as it moves.
    retryDelayOnTryAgain: TRY_AGAIN_MS,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // The names stay as the cluster gives them, so that certificates fit.
    dnsLookup: (host, found) => found(null, host),
    redisOptions: { ...access, ...settingsOf(options), replyMapping: "legacy" },
  });
}

/** What a rejection of ioredis means for the command. */
function sort(error: Error): CommandFailure {
  if (isReply(error)) return new CommandFailure("refused", error.message);
  // All that the redirections came to was refusals; the last one stands at the end.
  const last = /^Too many Cluster redirections\. Last error: (?:ReplyError: )?(.*)$/s.exec(error.message)?.[1];
  if (last !== undefined) return new CommandFailure("refused", last.startsWith("MOVED") ? `TRYAGAIN ${last}` : last);
  const unsent = error.message.startsWith("Stream isn't writeable") || error.message.startsWith(NOT_READY);
  return new CommandFailure(unsent ? "unsent" : "lost", unsent ? "not connected" : plain(error));
}

/** An error that the server sent, by whichever copy of the class. */
function isReply(error: Error): boolean {
  return error.name === "ReplyError" || error.constructor.name === "ReplyError";
}

/** The server's certificate is at fault, or ours, or what it is held against. */
function isDistrust({ code = "" }: Error & { code?: string }): boolean {
  return /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/.test(code);
}

/** Without a stack, and in words where Node only has a code. */
function plain(error: Error & { code?: string }): string {
  const words: Record<string, string> = {
    ECONNREFUSED: "connection refused",
    ENOTFOUND: "host name not found",
    ETIMEDOUT: "no answer in time",
    ECONNRESET: "connection reset",
  };
  return (error.code !== undefined ? words[error.code] : undefined) ?? error.message;
}
