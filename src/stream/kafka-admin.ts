/** What the port asks of a cluster as a whole, through the admin of kafkajs 2.2.4: topics, ends of logs, groups. */
import kafkajs from "kafkajs";
import { backoffMs, sleep } from "./backoff.ts";
import type { Admin, GroupOffset, PartitionRange, TopicSpec, TopicState } from "./bus.ts";
import { explain, leaderMoved } from "./kafka-errors.ts";

/** Questions about what follows with a delay before it counts as failed, about half a minute. */
const TRIES = 30;

type RawAdmin = ReturnType<kafkajs.Kafka["admin"]>;

/** The admin of the port over one of kafkajs that is connected. */
export function createAdmin(raw: RawAdmin, address: string): Admin {
  const ask = async <T>(attempt: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, attempt, address);
    }
  };
  return {
    describe: (names) => ask("describing topics", () => describe(raw, names)),
    create: (topics) => ask(`creating topics`, () => createTopics(raw, topics)),
    ranges: (topic) => ask(`reading offsets of ${topic}`, () => ranges(raw, topic)),
    groupOffsets: (group, topic) => ask(`reading offsets of group ${group}`, () => groupOffsets(raw, group, topic)),
    members: (group) =>
      ask(`describing group ${group}`, async () => (await raw.describeGroups([group])).groups[0]?.members.length ?? 0),
    brokers: () => ask("describing the cluster", async () => (await raw.describeCluster()).brokers.length),
    close: () => raw.disconnect(),
  };
}

async function describe(raw: RawAdmin, names: readonly string[]): Promise<TopicState[]> {
  const existing = new Set(await raw.listTopics());
  const wanted = names.filter((name) => existing.has(name));
  if (wanted.length === 0) return [];
  const { topics } = await metadataOf(raw, wanted, () => true);
  const configs = await topicConfigs(raw, wanted);
  return topics.map((topic) => ({
    name: topic.name,
    partitions: topic.partitions.length,
    replicationFactor: Math.min(...topic.partitions.map((p) => p.replicas.length)),
    config: configs.get(topic.name) ?? {},
  }));
}

/** Empty where the user may not describe configurations: the checks that need them are then left out. */
async function topicConfigs(raw: RawAdmin, names: readonly string[]): Promise<Map<string, Record<string, string>>> {
  const resources = names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }));
  try {
    const reply = await raw.describeConfigs({ includeSynonyms: false, resources });
    return new Map(
      reply.resources.map((r) => [
        r.resourceName,
        Object.fromEntries(r.configEntries.map((entry) => [entry.configName, entry.configValue])),
      ]),
    );
  } catch {
    return new Map();
  }
}

async function createTopics(raw: RawAdmin, topics: readonly TopicSpec[]): Promise<void> {
  for (const topic of topics) {
    await raw.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: topic.replicationFactor,
          configEntries: Object.entries(topic.config).map(([name, value]) => ({ name, value })),
        },
      ],
    });
  }
  const names = topics.map((topic) => topic.name);
  if (names.length === 0) return;
  await metadataOf(raw, names, ({ topics: known }) =>
    known.every((topic) => topic.partitions.every((partition) => partition.leader >= 0)),
  );
}

type Metadata = Awaited<ReturnType<RawAdmin["fetchTopicMetadata"]>>;

/**
 * Metadata of topics that exist. It follows their creation with a delay that grows with the broker's load and differs
 * from broker to broker: one that has not heard of a topic yet says that there is none.
 */
async function metadataOf(raw: RawAdmin, topics: string[], isDone: (found: Metadata) => boolean): Promise<Metadata> {
  const mayCome = (error: unknown): boolean => explain(error, "", "").retriable;
  return patiently(() => raw.fetchTopicMetadata({ topics }), mayCome, isDone);
}

/**
 * Asks again, about half a minute, while the error `mayPass` or the answer is not `isDone`; what came last then counts.
 * kafkajs holds metadata of the same millisecond for new, and gives a question up when a leader has moved since.
 */
async function patiently<T>(
  ask: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  isDone: (found: T) => boolean = () => true,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      const found = await ask();
      if (isDone(found) || tries >= TRIES) return found;
    } catch (error) {
      if (tries >= TRIES || !mayPass(error)) throw error;
    }
    await sleep(backoffMs(tries, 50, 1_000));
  }
}

async function ranges(raw: RawAdmin, topic: string): Promise<PartitionRange[]> {
  const offsets = await patiently(() => raw.fetchTopicOffsets(topic), leaderMoved);
  return offsets
    .map((o) => ({ partition: o.partition, low: BigInt(o.low), high: BigInt(o.high) }))
    .sort((a, b) => a.partition - b.partition);
}

async function groupOffsets(raw: RawAdmin, group: string, topic: string): Promise<GroupOffset[]> {
  const [reply] = await raw.fetchOffsets({ groupId: group, topics: [topic] });
  return (reply?.partitions ?? [])
    .map((p) => {
      const offset = BigInt(p.offset);
      return { partition: p.partition, offset: offset < 0n ? undefined : offset, metadata: p.metadata ?? "" };
    })
    .sort((a, b) => a.partition - b.partition);
}
