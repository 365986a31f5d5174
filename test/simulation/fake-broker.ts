/**
 * Two brokers that speak as much of the Kafka protocol as a producing kafkajs needs (ApiVersions, Metadata,
 * InitProducerId, Produce) and one that asks for the ends of logs (ListOffsets), with what a broker must keep for
 * idempotent producers: the last sequence of each producer and partition, so that a batch that it has is acknowledged
 * and not written twice. Faults stand in the way of single requests, under the real client.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { WireReader, WireWriter } from "./wire.ts";

/** What happens to one produce request. */
export type ProduceFault =
  | "none"
  /** The connection breaks before the broker has read it, */
  | "unread"
  /** or after it has written it and before its reply. */
  | "unanswered"
  /** The leader of its first partition moves to the other broker while it is on its way. */
  | "moved";

export interface FakeCluster {
  readonly brokers: readonly string[];
  /** Values by partition, in log order. */
  readonly logs: readonly (readonly string[])[];
  /** Asked at each produce request, with its number from 0 on. */
  fault: (request: number) => ProduceFault;
  /** Faults that happened. */
  readonly happened: Record<ProduceFault, number>;
  /** The other broker leads a partition from now on, or from when the ends of logs are next asked for. */
  move(partition: number, when?: "now" | "asked"): void;
  close(): Promise<void>;
}

const [PRODUCE, LIST_OFFSETS, METADATA, API_VERSIONS, INIT_PRODUCER_ID] = [0, 2, 3, 18, 22];
/** Key, least and greatest version that is spoken. */
const VERSIONS = [
  [PRODUCE, 3, 3],
  [LIST_OFFSETS, 1, 1],
  [METADATA, 1, 1],
  [API_VERSIONS, 0, 0],
  [INIT_PRODUCER_ID, 0, 0],
] as const;
const NOT_LEADER = 6;
const OUT_OF_ORDER = 45;
/** Time that asks for the first offset there is. */
const EARLIEST = -2n;

/** Starts two brokers that share `partitions` of one topic between them. */
export async function startFakeCluster(topic: string, partitions: number): Promise<FakeCluster> {
  const cluster = new Cluster(topic, partitions);
  await cluster.listen();
  return cluster;
}

interface Appended {
  readonly firstSequence: number;
  readonly count: number;
  readonly offset: number;
}

class Cluster implements FakeCluster {
  readonly logs: string[][];
  readonly happened = { none: 0, unread: 0, unanswered: 0, moved: 0 };
  fault: (request: number) => ProduceFault = () => "none";
  private readonly topic: string;
  private readonly leaders: number[];
  /** Partitions whose leader moves before the next question for the ends of logs is answered. */
  private moving: number[] = [];
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  /** The last batches of each producer and partition, newest last. */
  private readonly appended = new Map<string, Appended[]>();
  private ports: number[] = [];
  private producers = 0;
  private requests = 0;

  constructor(topic: string, partitions: number) {
    this.topic = topic;
    this.logs = Array.from({ length: partitions }, () => []);
    this.leaders = this.logs.map((_, partition) => partition % 2);
  }

  get brokers(): string[] {
    return this.ports.map((port) => `127.0.0.1:${port}`);
  }

  async listen(): Promise<void> {
    for (const node of [0, 1]) {
      const server = createServer((socket) => this.serve(node, socket));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      this.servers.push(server);
    }
    this.ports = this.servers.map((server) => (server.address() as AddressInfo).port);
  }

  move(partition: number, when: "now" | "asked" = "now"): void {
    if (when === "asked") this.moving.push(partition);
    else this.leaders[partition] = 1 - (this.leaders[partition] as number);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private serve(node: number, socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => undefined);
    let buffered = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const end = 4 + buffered.readInt32BE(0);
        const reply = this.answer(node, new WireReader(buffered.subarray(4, end)));
        buffered = buffered.subarray(end);
        if (reply === undefined) {
          socket.destroy();
          return;
        }
        socket.write(reply);
      }
    });
  }

  /** The reply's bytes; undefined: the connection breaks. */
  private answer(node: number, request: WireReader): Buffer | undefined {
    const api = request.int16();
    request.int16();
    const reply = new WireWriter().int32(request.int32());
    request.text();
    if (api === API_VERSIONS) {
      reply.int16(0).array(VERSIONS, ([key, least, most]) => reply.int16(key).int16(least).int16(most));
    } else if (api === METADATA) this.metadata(reply);
    else if (api === LIST_OFFSETS) this.listOffsets(node, request, reply);
    else if (api === INIT_PRODUCER_ID)
      reply
        .int32(0)
        .int16(0)
        .int64(++this.producers)
        .int16(0);
    else if (api === PRODUCE) return this.produce(node, request, reply);
    else return undefined;
    return reply.framed();
  }

  private metadata(reply: WireWriter): void {
    reply.array(this.ports, (port, node) => reply.int32(node).text("127.0.0.1").int32(port).text(null));
    reply.int32(0).array([this.topic], (topic) => {
      reply.int16(0).text(topic).int8(0);
      reply.array(this.leaders, (leader, partition) => {
        reply.int16(0).int32(partition).int32(leader);
        reply.array([0, 1], (replica) => reply.int32(replica)).array([0, 1], (replica) => reply.int32(replica));
      });
    });
  }

  private listOffsets(node: number, request: WireReader, reply: WireWriter): void {
    for (const partition of this.moving.splice(0)) this.move(partition);
    request.int32();
    reply.array(request.array(), () => {
      reply.text(request.text() ?? "");
      reply.array(request.array(), () => {
        const partition = request.int32();
        const isFirst = request.int64() === EARLIEST;
        const error = this.leaders[partition] === node ? 0 : NOT_LEADER;
        reply.int32(partition).int16(error).int64(-1);
        reply.int64(error !== 0 ? -1 : isFirst ? 0 : (this.logs[partition] as string[]).length);
      });
    });
  }

  private produce(node: number, request: WireReader, reply: WireWriter): Buffer | undefined {
    const fault = this.fault(this.requests++);
    this.happened[fault]++;
    if (fault === "unread") return undefined;
    request.text();
    request.int16();
    request.int32();
    let isFirst = true;
    reply.array(request.array(), () => {
      reply.text(request.text() ?? "");
      reply.array(request.array(), () => {
        const partition = request.int32();
        const batch = request.recordBatch();
        if (isFirst && fault === "moved") this.leaders[partition] = 1 - node;
        isFirst = false;
        const { error, offset } = this.leaders[partition] === node ? this.append(partition, batch) : MOVED;
        reply.int32(partition).int16(error).int64(offset).int64(-1);
      });
    });
    return fault === "unanswered" ? undefined : reply.int32(0).framed();
  }

  /** As a broker does: what it has is acknowledged again, what does not continue is refused. */
  private append(partition: number, batch: ReturnType<WireReader["recordBatch"]>): { error: number; offset: number } {
    const key = `${batch.producer}:${partition}`;
    const known = this.appended.get(key) ?? [];
    const { firstSequence, values } = batch;
    const same = known.find((one) => one.firstSequence === firstSequence && one.count === values.length);
    if (same !== undefined) return { error: 0, offset: same.offset };
    const last = known.at(-1);
    if (firstSequence !== (last === undefined ? 0 : last.firstSequence + last.count)) {
      return { error: OUT_OF_ORDER, offset: -1 };
    }
    const log = this.logs[partition] as string[];
    const offset = log.length;
    this.appended.set(key, [...known.slice(-4), { firstSequence, count: values.length, offset }]);
    log.push(...values);
    return { error: 0, offset };
  }
}

const MOVED = { error: NOT_LEADER, offset: -1 };
