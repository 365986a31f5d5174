/**
 * The endpoint for orchestrators: `/livez` (the process answers), `/readyz` (the work goes on; JSON that
 * names each check), `/metrics` (Prometheus text). It answers GET and HEAD, and nothing else.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One check of readiness. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong, or how things stand. */
  readonly detail: string;
}

export interface HttpOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly checks: () => readonly Check[];
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
}

export interface HttpServer {
  readonly address: string;
  close(): Promise<void>;
}

/** Begins to listen. Throws when the port is taken. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, response, options).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "the port is taken: set http.port to another, or to 0" : error.message;
      reject(new Error(`listening at ${options.host}:${options.port}: ${why}`));
    });
    server.listen(options.port, options.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    address: `http://${address.includes(":") ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpOptions): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const [path] = (request.url ?? "").split("?", 1);
  if (path === "/livez") return reply(request, response, 200, "text/plain; charset=utf-8", "alive\n");
  if (path === "/readyz") {
    const checks = options.checks();
    const ready = checks.every((check) => check.ok);
    return reply(request, response, ready ? 200 : 503, "application/json", `${JSON.stringify({ ready, checks })}\n`);
  }
  if (path === "/metrics") {
    const { type, text } = await options.metrics();
    return reply(request, response, 200, type, text);
  }
  return reply(request, response, 404, "text/plain; charset=utf-8", "there are /livez, /readyz and /metrics\n");
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
): Promise<void> {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
