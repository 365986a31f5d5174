/**
 * What the local Redis and Kafka have in common: a child process that never outlives this one, on ports of the loopback
 * that stay free while it is down, with its data in a folder that goes when it is closed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that a test owns. Data and addresses survive `stop` and `kill`, and are gone after `close`. */
export interface Service {
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Ends it as a power cut of the process would: SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same addresses and data; stops it first where it runs. */
  restart(): Promise<void>;
  /** Freezes it (SIGSTOP): connections stay open and nothing answers. */
  pause(): Promise<void>;
  /** Ends a pause. */
  resume(): Promise<void>;
  /** Ends it and deletes its data. May be called twice. */
  close(): Promise<void>;
}

export interface ServerPlan {
  /** In messages, for example "Kafka". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The data folder, which `close` deletes. */
  readonly dir: string;
  readonly startTimeoutMs: number;
  /** Resolves to true once requests are answered; called again and again while the process lives. */
  ready(): Promise<boolean>;
  /** What the server wrote about itself, for the message of a failed start. */
  log?(): string;
}

/** Starts the server and waits until it answers. Throws with the server's own words when it ends before that. */
export async function startServer(plan: ServerPlan): Promise<Service> {
  let child = await launch(plan).catch((error: unknown) => {
    deleteDir(plan.dir);
    throw error;
  });
  let closed = false;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded(child)) return;
    // A stopped process only takes SIGTERM in after it goes on.
    child.kill("SIGCONT");
    child.kill(signal);
    await ended(child);
  };
  return {
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    restart: async () => {
      if (closed) throw new Error(`${plan.name} was closed and cannot be restarted: its data are gone`);
      await end("SIGTERM");
      child = await launch(plan);
    },
    pause: async () => void child.kill("SIGSTOP"),
    resume: async () => void child.kill("SIGCONT"),
    close: async () => {
      closed = true;
      await end("SIGKILL");
      deleteDir(plan.dir);
    },
  };
}

/** A new folder for the data of one server, deleted at the latest when this process ends. */
export function makeDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `palermo-${name}-`));
  dirs.add(dir);
  return dir;
}

/**
 * `count` different ports of the loopback that nobody listens on. They lie below the range from which Linux takes the
 * ports of outgoing connections, so that none is taken between the death and the restart of a server.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt += 1) {
    if (attempt === 1000) throw new Error("found no free port of 127.0.0.1 between 20000 and 32000");
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Asks again and again until `check` holds. Throws with `what` in the message when it does not in time. */
export async function waitFor(
  what: string,
  check: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(50);
  }
}

/** Sends `request` to a port of the loopback and gives the first bytes of the reply, or undefined where none comes. */
export function firstReply(port: number, request: string, timeoutMs = 1000): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: timeoutMs });
    const finish = (reply: string | undefined): void => {
      socket.destroy();
      resolve(reply);
    };
    socket.once("connect", () => socket.write(request));
    socket.once("data", (bytes) => finish(bytes.toString("utf8")));
    socket.once("timeout", () => finish(undefined));
    socket.once("error", () => finish(undefined));
    socket.once("close", () => finish(undefined));
  });
}

const children = new Set<ChildProcess>();
const dirs = new Set<string>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  for (const dir of dirs) deleteDir(dir);
});

/** Debian's own way to tell the kernel that a child dies with its parent, also when the parent is killed with -9. */
const BOUND = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));

async function launch(plan: ServerPlan): Promise<ChildProcess> {
  const command = BOUND ?? plan.command;
  const args = BOUND ? ["--pdeathsig", "KILL", "--", plan.command, ...plan.args] : plan.args;
  const child = spawn(command, args, { cwd: plan.dir, stdio: ["ignore", "pipe", "pipe"], detached: false });
  children.add(child);
  let output = "";
  const keep = (bytes: Buffer): void => {
    output = (output + bytes.toString("utf8")).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.once("error", (error) => keep(Buffer.from(error.message)));
  child.once("close", () => children.delete(child));
  // Neither the child nor its pipes keep a finished run alive.
  child.unref();
  const explain = (what: string): Error =>
    new Error(`${plan.name} ${what}. It said:\n${`${output}\n${plan.log?.() ?? ""}`.trim() || "(nothing)"}`);
  const deadline = Date.now() + plan.startTimeoutMs;
  while (Date.now() < deadline) {
    if (hasEnded(child)) throw explain(`ended while starting (${plan.command} ${plan.args.join(" ")})`);
    if (await plan.ready()) return child;
    await sleep(50);
  }
  child.kill("SIGKILL");
  await ended(child);
  throw explain(`did not answer within ${plan.startTimeoutMs} ms`);
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  await new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => resolve(true)));
  });
}

function deleteDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  dirs.delete(dir);
}
