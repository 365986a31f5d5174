/** Row 6: leaders of partitions move in mid-run; and the log loses records that nobody has read. */
import { afterAll, beforeAll, expect } from "vitest";
import { type KafkaService, startKafka } from "../../services/index.ts";
import { waitFor } from "../../services/process.ts";
import { faultTest, SEED, withRig } from "../fault-test.ts";
import { expectAsReference, referenceOf } from "../oracle.ts";
import { movements } from "../sample.ts";

const TOTAL = 12_000;

let brokers: KafkaService[];
beforeAll(async () => {
  const first = await startKafka({ heapMb: 320 });
  brokers = [first];
  for (let i = 0; i < 2; i++) brokers.push(await startKafka({ heapMb: 320, joins: first }));
}, 120_000);
afterAll(async () => {
  for (const broker of brokers.reverse()) await broker.close();
});

faultTest(
  {
    row: "6",
    fault: "leaders move",
    how: "three brokers, three replicas, two in sync wanted; the second and the third are killed and stopped in turn under load and come back",
    mustHold: "oracle; NOT_LEADER and lost connections are retried, nobody ends",
    timeoutMs: 300_000,
  },
  (measure) =>
    withRig({ brokers: brokers.flatMap((each) => each.brokers), replicas: 3 }, async (rig) => {
      const lines = movements(TOTAL, SEED);
      const reference = referenceOf(rig, lines);
      const palermo = await rig.start("both");
      const leaders = async (): Promise<string> => {
        const { topics } = await rig.admin.fetchTopicMetadata({ topics: [rig.topics.views] });
        return JSON.stringify(topics[0]?.partitions.map(({ partitionId, leader }) => [partitionId, leader]).sort());
      };
      let moves = 0;
      const ends = [
        () => brokers[1]?.kill(),
        () => brokers[2]?.kill(),
        () => brokers[1]?.stop(),
        () => brokers[2]?.stop(),
      ];
      for (const [round, end] of ends.entries()) {
        const before = await leaders();
        const feeding = rig.feed(lines.slice((round * TOTAL) / 4, ((round + 1) * TOTAL) / 4));
        await end();
        await feeding;
        measure(`round ${round + 1}: settled with one broker away, ms`, await rig.settled(((round + 1) * TOTAL) / 4));
        if ((await leaders()) !== before) moves++;
        await brokers[1 + (round % 2)]?.restart();
        await waitFor("all replicas are in sync", async () => {
          const { topics } = await rig.admin.fetchTopicMetadata({ topics: [rig.topics.views, rig.topics.alerts] });
          return topics.every((topic) => topic.partitions.every(({ isr }) => isr.length === 3));
        });
      }
      const published = await expectAsReference(rig, reference);
      measure("times that leaders moved", moves);
      measure("repeats by id", published.repeats);
      expect(moves).toBeGreaterThan(0);
      expect(await palermo.stop()).toBe(0);
    }),
);

faultTest(
  {
    row: "6 range",
    fault: "offset out of range",
    how: "the unread beginning of one views partition is deleted while the workers are down",
    mustHold: "that partition halts and says why, nothing is skipped; the others go on",
    timeoutMs: 120_000,
  },
  (measure) =>
    withRig({}, async (rig) => {
      const lines = movements(4_000, SEED);
      const intake = await rig.start("intake");
      const screen = await rig.start("screen");
      await rig.feed(lines.slice(0, 1_000));
      await rig.settled(1_000);
      await screen.stop();
      const endOfOne = async (): Promise<string> => {
        const ends = await rig.admin.fetchTopicOffsets(rig.topics.views);
        return ends.find(({ partition }) => partition === 1)?.high ?? "0";
      };
      const read = await endOfOne();
      await rig.feed(lines.slice(1_000));
      await waitFor("intake is done", async () => {
        const offsets = await rig.admin.fetchTopicOffsets(rig.topics.transactions);
        const [group] = await rig.admin.fetchOffsets({
          groupId: `${rig.id}-intake`,
          topics: [rig.topics.transactions],
        });
        return offsets.every(({ partition, high: end }) =>
          group?.partitions.some((at) => at.partition === partition && at.offset === end),
        );
      });
      const ends = await rig.admin.fetchTopicOffsets(rig.topics.views);
      const cut = await endOfOne();
      expect(BigInt(cut)).toBeGreaterThan(BigInt(read));
      await rig.admin.deleteTopicRecords({ topic: rig.topics.views, partitions: [{ partition: 1, offset: cut }] });
      const again = await rig.start("screen");
      await again.logged("LOG_CHANGED");
      await waitFor("the others go on", async () => {
        for (const { partition, high: end } of ends) {
          if (partition === 1) continue;
          const next = await rig.redis.hget(`${rig.id}:default:{p${partition}}:meta`, "next");
          if (BigInt(next ?? 0) < BigInt(end)) return false;
        }
        return true;
      });
      measure("said", "LOG_CHANGED: records are gone unread");
      expect(again.log()).toMatch(/records from \d+ on are gone unread/);
      expect(await again.stop()).toBe(0);
      expect(await intake.stop()).toBe(0);
    }),
);
