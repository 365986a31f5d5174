/**
 * A process's producers, consumers and admin over `KafkaServer`: the port of `bus.ts` with the behaviour of
 * `kafka-producer.ts` and `kafka-consumer.ts` over kafkajs. A send repeats the whole batch until every partition is
 * acknowledged; a member joins again when its batch in hand is done; what is not resolved is fetched again.
 */
import {
  type Admin,
  BusError,
  type Consumer,
  type ConsumerHandlers,
  type OffsetCommit,
  type OutRecord,
  type Producer,
  type TopicPartition,
} from "../../src/stream/bus.ts";
import type { Assignment, GroupVerdict, KafkaServer } from "./kafka-server.ts";
import { type Network, request } from "./network.ts";
import type { SimProcess } from "./process.ts";

const HEARTBEAT_MS = 120;
/** The broker waits so long for a first record before it answers with none. */
const FETCH_WAIT_MS = 100;
const RETRY_MS = 150;

export interface KafkaLink {
  readonly process: SimProcess;
  readonly server: KafkaServer;
  readonly network: Network;
  /** Most records of one partition in one fetch. */
  readonly fetchRecords: number;
}

export function createProducer({ process, server, network }: KafkaLink, name: string): Producer {
  let open = false;
  let closed = false;
  const one = async (topic: string, partition: number, records: readonly OutRecord[]): Promise<boolean> => {
    const outcome = await request(process, network, `${name} produce`, () => {
      if (server.blocked.has(topic)) return false;
      server.append(topic, partition, records);
      return true;
    });
    return outcome.kind === "answer" && outcome.value;
  };
  return {
    async send(topic, records) {
      if (open) throw new Error(`invariant broken: two sends open on producer ${name}`);
      if (records.length === 0) return;
      open = true;
      try {
        const partitions = [...new Set(records.map(({ partition }) => partition))];
        for (;;) {
          if (closed) throw new BusError(`writing ${topic}: the producer is closed`, false);
          const done = await Promise.all(
            partitions.map((at) =>
              one(
                topic,
                at,
                records.filter(({ partition }) => partition === at),
              ),
            ),
          );
          if (done.every((acknowledged) => acknowledged)) return;
          await process.wait(`${name} retry`, RETRY_MS);
        }
      } finally {
        open = false;
      }
    },
    async close() {
      closed = true;
    },
  };
}

export function createAdmin({ process, server, network }: KafkaLink): Admin {
  const ask = async <T>(what: string, act: () => T): Promise<T> => {
    const outcome = await request(process, network, `admin ${what}`, act);
    if (outcome.kind === "answer") return outcome.value;
    throw new BusError(`${what}: no answer in time`, true);
  };
  return {
    describe: async () => [],
    create: async () => undefined,
    ranges: (topic) => ask("ranges", () => server.ranges(topic)),
    groupOffsets: (group, topic) => ask("group offsets", () => server.groupOffsets(group, topic)),
    members: (group) => ask("members", () => server.group(group).memberNames.length),
    brokers: async () => 2,
    close: async () => undefined,
  };
}

export function createConsumer(link: KafkaLink, group: string, redelivered: () => boolean): Consumer {
  return new GroupConsumer(link, group, redelivered);
}

class GroupConsumer implements Consumer {
  generation = 0;
  joined = false;
  private readonly link: KafkaLink;
  private readonly group: string;
  private readonly redelivered: () => boolean;
  private topics: readonly string[] = [];
  private handlers: ConsumerHandlers | undefined;
  private member: string | undefined;
  /** Generation at the coordinator. */
  private term = 0;
  /** Where each started partition is read next; a new object after each `start`. */
  private readonly places = new Map<string, { next: bigint }>();
  private readonly held = new Set<string>();
  private beatAt = 0;
  private closed = false;
  private loop: Promise<void> | undefined;
  private wake: () => void = () => undefined;

  constructor(link: KafkaLink, group: string, redelivered: () => boolean) {
    this.link = link;
    this.group = group;
    this.redelivered = redelivered;
  }

  async run(topics: readonly string[], handlers: ConsumerHandlers): Promise<void> {
    this.topics = topics;
    this.handlers = handlers;
    this.loop = this.live();
  }

  start(at: TopicPartition, offset: bigint): void {
    if (!this.joined) return;
    this.places.set(nameOf(at), { next: offset });
    this.wake();
  }

  halt(at: TopicPartition): void {
    this.places.delete(nameOf(at));
  }

  pause(at: TopicPartition): void {
    this.held.add(nameOf(at));
  }

  resume(at: TopicPartition): void {
    this.held.delete(nameOf(at));
    this.wake();
  }

  async commit(offsets: readonly OffsetCommit[], generation: number): Promise<boolean> {
    if (offsets.length === 0) return true;
    if (!this.joined || generation !== this.generation) return false;
    const verdict = await this.ask("commit offsets", (member) => this.peer.commit(member, this.term, offsets));
    return verdict === "NONE" && this.joined && generation === this.generation;
  }

  async heartbeat(): Promise<boolean> {
    if (this.joined) await this.beat();
    return this.joined;
  }

  async close(): Promise<void> {
    this.closed = true;
    const { member } = this;
    if (member !== undefined) {
      await this.ask("leave", () => {
        this.peer.remove(member);
        return "NONE";
      });
    }
    this.lose();
    await this.loop;
  }

  private get peer() {
    return this.link.server.group(this.group);
  }

  /** One question to the coordinator about this member; what it says of the membership is taken in. */
  private async ask(what: string, act: (member: string) => GroupVerdict): Promise<GroupVerdict | undefined> {
    const { member, generation } = this;
    if (member === undefined) return undefined;
    const outcome = await request(this.link.process, this.link.network, `${this.group} ${what}`, () => act(member));
    if (outcome.kind === "silence") return undefined;
    if (outcome.value === "UNKNOWN_MEMBER_ID" && member === this.member) this.member = undefined;
    if (outcome.value !== "NONE" && generation === this.generation) this.lose();
    return outcome.value;
  }

  private async beat(): Promise<void> {
    this.beatAt = this.link.process.scheduler.now;
    const { term } = this;
    await this.ask("heartbeat", (member) => this.peer.heartbeat(member, term));
  }

  private async live(): Promise<void> {
    while (!this.closed) {
      const assignment = await this.join();
      if (assignment === undefined) continue;
      this.member = assignment.member;
      this.term = assignment.generation;
      this.lose();
      this.generation++;
      this.joined = true;
      this.beatAt = this.link.process.scheduler.now;
      this.handlers?.assigned(assignment.partitions, this.generation).catch((error: Error) => this.fail(error));
      await this.consume(this.generation);
    }
  }

  /** Asks to join and waits for the group to form. */
  private join(): Promise<Assignment | undefined> {
    const { process } = this.link;
    return new Promise((resolve) => {
      const answer = (assignment: Assignment | undefined): void =>
        process.later(`${this.group} joined`, 1, () => resolve(assignment));
      void request(process, this.link.network, `${this.group} join`, () =>
        this.peer.join(this.member, this.topics, answer),
      ).then((outcome) => {
        if (outcome.kind === "silence") resolve(undefined);
      });
    });
  }

  /** Fetches and hands over until the membership ends. */
  private async consume(generation: number): Promise<void> {
    const { process } = this.link;
    const isMember = (): boolean => this.joined && generation === this.generation && !this.closed;
    while (isMember()) {
      if (process.scheduler.now - this.beatAt >= HEARTBEAT_MS) await this.beat();
      const wanted = [...this.places].filter(([name]) => !this.held.has(name));
      const fetched = wanted.length === 0 ? [] : await this.fetch(wanted);
      if (fetched.length === 0) await this.idle();
      for (const one of fetched) if (isMember()) await this.deliver(one, isMember);
    }
  }

  /** Until something is appended, or a partition is started or resumed; at most as long as the broker waits. */
  private idle(): Promise<void> {
    const { process, server } = this.link;
    return new Promise((resolve) => {
      const end = server.onAppend(this.topics, () => process.later(`${this.group} woken`, 0.3, () => this.wake()));
      this.wake = () => {
        end();
        this.wake = () => undefined;
        resolve();
      };
      const { wake } = this;
      process.later(`${this.group} nothing fetched`, FETCH_WAIT_MS, () => {
        if (this.wake === wake) wake();
      });
    });
  }

  private async fetch(wanted: readonly [string, { next: bigint }][]): Promise<Fetched[]> {
    const { process, server, network, fetchRecords } = this.link;
    const { random } = process.scheduler;
    const outcome = await request(process, network, `${this.group} fetch`, () =>
      wanted.flatMap(([name, place]): Fetched[] => {
        const at = atOf(name);
        const log = server.log(at.topic, at.partition);
        const from = Number(place.next);
        const records = log.slice(from, from + 1 + random.below(fetchRecords));
        return records.length === 0 ? [] : [{ at, place, records, high: BigInt(log.length) }];
      }),
    );
    return outcome.kind === "answer" ? random.shuffle(outcome.value) : [];
  }

  private async deliver({ at, place, records, high }: Fetched, isMember: () => boolean): Promise<void> {
    const name = nameOf(at);
    if (this.places.get(name) !== place) return;
    const { generation } = this;
    const end = (records.at(-1)?.offset ?? 0n) + 1n;
    let busy = true;
    const keepAlive = async (): Promise<void> => {
      const { process } = this.link;
      while (busy && isMember()) {
        await process.wait(`${this.group} heartbeat timer`, HEARTBEAT_MS);
        if (busy && isMember()) await this.beat();
      }
    };
    void keepAlive();
    try {
      await this.handlers?.batch({ ...at, records, end, highWatermark: high, generation });
    } catch (error) {
      this.fail(error as Error);
    } finally {
      busy = false;
    }
    if (isMember() && this.places.get(name) === place && !this.redelivered()) place.next = end;
  }

  private lose(): void {
    if (!this.joined) return;
    const lost = this.generation;
    this.joined = false;
    this.generation++;
    this.places.clear();
    this.held.clear();
    this.wake();
    this.handlers?.revoked(lost);
  }

  private fail(error: Error): void {
    this.handlers?.failed(error);
  }
}

interface Fetched {
  readonly at: TopicPartition;
  readonly place: { next: bigint };
  readonly records: ReturnType<KafkaServer["log"]>;
  readonly high: bigint;
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

function atOf(name: string): TopicPartition {
  const colon = name.lastIndexOf(":");
  return { topic: name.slice(0, colon), partition: Number(name.slice(colon + 1)) };
}
