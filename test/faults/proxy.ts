/**
 * A TCP proxy on the loopback that a test can make slow, cut, half-open or forgetful, and that can stop at one chosen
 * request or reply, so that a test kills a process at exactly that instant.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface TcpProxy {
  readonly port: number;
  /** Replies from now on are swallowed; what is asked still arrives. */
  swallowReplies(): void;
  /** Requests from now on are swallowed as well as replies: the far side is gone without a goodbye. */
  swallowAll(): void;
  /** The next request that contains `needle` arrives; instead of its reply the connection is cut. */
  cutReplyTo(needle: string): void;
  /** How often a reply was cut. */
  readonly cuts: number;
  /** Each piece waits so long in each direction; order is kept. */
  delay(ms: number): void;
  /** Passes everything on in pieces of so many bytes; 0 as it comes. */
  slice(bytes: number): void;
  /** Cuts every connection with a reset. New ones are taken. */
  reset(): void;
  /**
   * Resolves when a request that contains `needle` comes by. `before`: it is kept back, the far side never sees it.
   * `after`: it arrives and its reply is kept back. From then on that connection passes nothing until `heal`.
   */
  stopAt(needle: string | RegExp, when: "before" | "after"): Promise<void>;
  /** Passes everything on again; connections that held something back are cut. */
  heal(): void;
  close(): Promise<void>;
}

interface Stop {
  readonly needle: string | RegExp;
  readonly when: "before" | "after";
  readonly reached: () => void;
}

interface Faults {
  swallowing: "none" | "replies" | "all";
  needle: string | undefined;
  stop: Stop | undefined;
  delayMs: number;
  sliceBytes: number;
  cuts: number;
}

/** Listens on a free port, or on `port`, and passes everything to 127.0.0.1:`target`. */
export async function startProxy(target: number | (() => number), port = 0): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const faults: Faults = { swallowing: "none", needle: undefined, stop: undefined, delayMs: 0, sliceBytes: 0, cuts: 0 };
  const server: Server = createServer({ noDelay: true }, (client) => {
    const pair = new Pair(client, typeof target === "number" ? target : target(), faults, () => pairs.delete(pair));
    pairs.add(pair);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const cutAll = (): void => {
    for (const pair of [...pairs]) pair.end();
  };
  return {
    port: address.port,
    swallowReplies: () => {
      faults.swallowing = "replies";
    },
    swallowAll: () => {
      faults.swallowing = "all";
    },
    cutReplyTo: (text) => {
      faults.needle = text;
    },
    get cuts() {
      return faults.cuts;
    },
    delay: (ms) => {
      faults.delayMs = ms;
    },
    slice: (bytes) => {
      faults.sliceBytes = bytes;
    },
    reset: () => {
      for (const pair of [...pairs]) pair.reset();
    },
    stopAt: (needle, when) =>
      new Promise<void>((reached) => {
        faults.stop = { needle, when, reached };
      }),
    heal: () => {
      Object.assign(faults, { swallowing: "none", needle: undefined, stop: undefined, delayMs: 0, sliceBytes: 0 });
      cutAll();
    },
    close: async () => {
      cutAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function holds(bytes: Buffer, needle: string | RegExp): boolean {
  return typeof needle === "string" ? bytes.includes(needle) : needle.test(bytes.toString("latin1"));
}

/** One connection through the proxy. */
class Pair {
  private readonly client: Socket;
  private readonly upstream: Socket;
  private readonly faults: Faults;
  private readonly gone: () => void;
  private cutting = false;
  private stopping: Stop | undefined;
  private stopped = false;
  private readonly queues = new Map<Socket, Promise<void>>();

  constructor(client: Socket, target: number, faults: Faults, gone: () => void) {
    this.client = client;
    this.upstream = connect({ host: "127.0.0.1", port: target, noDelay: true });
    this.faults = faults;
    this.gone = gone;
    client.on("data", (bytes) => this.request(bytes));
    this.upstream.on("data", (bytes) => this.reply(bytes));
    for (const socket of [client, this.upstream]) {
      socket.on("error", () => this.end());
      socket.on("close", () => this.end());
    }
  }

  end(): void {
    this.gone();
    this.client.destroy();
    this.upstream.destroy();
  }

  reset(): void {
    this.gone();
    this.client.resetAndDestroy();
    this.upstream.resetAndDestroy();
  }

  private request(bytes: Buffer): void {
    const { faults } = this;
    if (faults.needle !== undefined && bytes.includes(faults.needle)) {
      faults.needle = undefined;
      this.cutting = true;
    }
    const { stop } = faults;
    if (stop !== undefined && holds(bytes, stop.needle)) {
      faults.stop = undefined;
      if (stop.when === "after") this.stopping = stop;
      else {
        this.stopped = true;
        stop.reached();
      }
    }
    if (!this.stopped && faults.swallowing !== "all") this.pass(this.upstream, bytes);
  }

  private reply(bytes: Buffer): void {
    const { faults } = this;
    if (this.cutting) {
      faults.cuts++;
      this.end();
      return;
    }
    if (this.stopping !== undefined) {
      this.stopped = true;
      this.stopping.reached();
      this.stopping = undefined;
    }
    if (!this.stopped && faults.swallowing === "none") this.pass(this.client, bytes);
  }

  private pass(to: Socket, bytes: Buffer): void {
    const { delayMs, sliceBytes } = this.faults;
    const before = this.queues.get(to);
    if (delayMs === 0 && sliceBytes === 0 && before === undefined) {
      to.write(bytes);
      return;
    }
    const due = Date.now() + delayMs;
    const work = (before ?? Promise.resolve()).then(async () => {
      await sleep(Math.max(0, due - Date.now()));
      if (sliceBytes === 0) to.write(bytes);
      else await sliced(to, bytes, sliceBytes);
      if (this.queues.get(to) === work) this.queues.delete(to);
    });
    this.queues.set(to, work);
  }
}

/** Without a breath in between the kernel would put the pieces together again. */
async function sliced(to: Socket, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length && !to.destroyed; at += size) {
    to.write(bytes.subarray(at, at + size));
    if (at % (size * 64) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
