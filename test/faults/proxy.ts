/** A TCP proxy on the loopback that a test can make lose replies, cut connections or fall silent. */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Replies from now on are swallowed; what is asked still arrives. */
  swallowReplies(): void;
  /** The next request that contains `needle` arrives; instead of its reply the connection is cut. */
  cutReplyTo(needle: string): void;
  /** How often a reply was cut. */
  readonly cuts: number;
  /** Passes everything on again; connections that swallowed replies are cut. */
  heal(): void;
  close(): Promise<void>;
}

/** Listens on a free port and passes everything to 127.0.0.1:`target`. */
export async function startProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let swallowing = false;
  let needle: string | undefined;
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: target });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    let cutting = false;
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (bytes) => {
      if (needle !== undefined && bytes.includes(needle)) {
        needle = undefined;
        cutting = true;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (cutting) {
        cuts++;
        return end();
      }
      if (!swallowing) client.write(bytes);
    });
    for (const socket of pair) {
      socket.on("error", end);
      socket.on("close", end);
    }
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const cutAll = (): void => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  return {
    port: address.port,
    swallowReplies: () => {
      swallowing = true;
    },
    cutReplyTo: (text) => {
      needle = text;
    },
    get cuts() {
      return cuts;
    },
    heal: () => {
      swallowing = false;
      needle = undefined;
      cutAll();
    },
    close: async () => {
      cutAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
