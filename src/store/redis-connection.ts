/**
 * One connection to Redis over ioredis, set up so that nothing is ever sent twice on its own: no offline queue, no
 * resending, and every command that is open when the connection breaks fails at once. Reconnects with backoff and
 * tells what happens in one line each, with the address and without secrets.
 */
import { Redis, type RedisOptions } from "ioredis";
import { StoreError } from "./port.ts";

export interface ConnectionEvents {
  connected(address: string): void;
  /** Told once for each loss or failed attempt. */
  disconnected(address: string, reason: string, retryInMs: number): void;
}

export interface ConnectionOptions {
  /** redis://[user[:password]@]host[:port][/db], or rediss:// for TLS. */
  readonly url: string;
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
  const commandTimeoutMs = options.commandTimeoutMs ?? 5_000;
  let reason = "connection closed";
  let refusal: CommandFailure | undefined;
  const settings: RedisOptions = {
    ...options.client,
    autoResendUnfulfilledCommands: false,
    // With 0, each close rejects what is open. With null and no resending, ioredis 6 would leave it open for ever.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: commandTimeoutMs,
    // A half-open connection is given up soon after the commands on it were.
    socketTimeout: commandTimeoutMs * 2,
    connectTimeout: commandTimeoutMs,
    retryStrategy: (attempt) => {
      const retryInMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10), MOST_RETRY_MS);
      options.events?.disconnected?.(address, reason, retryInMs);
      reason = "connection closed";
      return retryInMs;
    },
  };
  const client = new Redis(options.url, { ...settings, replyMapping: "legacy" });
  client.on("error", (error: Error) => {
    reason = plain(error);
    if (isReply(error)) refusal = new CommandFailure("refused", error.message);
  });
  client.on("ready", () => {
    refusal = undefined;
    options.events?.connected?.(address);
  });
  return {
    address,
    async call(command, args) {
      try {
        return await client.callBuffer(command, ...args);
      } catch (error) {
        const failure = sort(error as Error);
        // A server that turned the connection itself down (a password, LOADING) has said why.
        throw failure.kind === "unsent" && refusal !== undefined ? refusal : failure;
      }
    },
    close: () => client.disconnect(),
  };
}

/** What a rejection of ioredis means for the command. */
function sort(error: Error): CommandFailure {
  if (isReply(error)) return new CommandFailure("refused", error.message);
  const unsent = error.message.startsWith("Stream isn't writeable");
  return new CommandFailure(unsent ? "unsent" : "lost", unsent ? "not connected" : plain(error));
}

/** An error that the server sent, by whichever copy of the class. */
function isReply(error: Error): boolean {
  return error.name === "ReplyError" || error.constructor.name === "ReplyError";
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
