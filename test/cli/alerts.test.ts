import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { runAlerts } from "../../src/cli/alerts.ts";
import { readTopicsOnce } from "../../src/cli/alerts-topic.ts";
import type { Alert } from "../../src/domain/alert.ts";
import { createSettler } from "../../src/screen/settled.ts";
import type { Bus, BusRecord, ConsumerHandlers, TopicPartition } from "../../src/stream/bus.ts";
import { fakeTerminal } from "./fake-terminal.ts";
import { sampleAlert } from "./sample-alert.ts";

const folder = mkdtempSync(join(tmpdir(), "palermo-alerts-"));
const records: Alert[] = [
  sampleAlert({ alertId: "b", revision: 1, event: "opened", severity: "low" }),
  sampleAlert({ alertId: "a", revision: 1, event: "opened" }),
  sampleAlert({ alertId: "b", revision: 2, event: "escalated" }),
  sampleAlert({ alertId: "c", revision: 2, event: "withdrawn" }),
];
const stub = {
  schema: "alert-stub/1",
  alertId: "p",
  revision: 1,
  alertClass: "protected",
  sla: { class: "x", withinHours: 4 },
};

function fileOf(name: string, values: readonly unknown[]): string {
  const path = join(folder, name);
  writeFileSync(path, values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  return path;
}

describe("palermo alerts", () => {
  it("prints the settled form of several files together, whatever their order", async () => {
    const first = fileOf("first.ndjson", [...records.slice(0, 2), stub]);
    const second = fileOf("second.ndjson", records.slice(2));
    const outputs: string[] = [];
    for (const files of [
      [first, second],
      [second, first],
    ]) {
      const terminal = fakeTerminal();
      expect(await runAlerts(files, { settled: true }, terminal)).toBe(0);
      outputs.push(terminal.out());
      expect(terminal.err()).toBe("1 protected alert stands here as a stub only; read the protected topic too.\n");
    }
    const settler = createSettler();
    for (const record of records) settler.add(record);
    expect(outputs).toEqual(
      Array(2).fill(
        settler
          .lines()
          .map((line) => `${line}\n`)
          .join(""),
      ),
    );
    expect(
      outputs[0]
        ?.split("\n")
        .slice(0, 2)
        .map((line) => (JSON.parse(line) as Alert).alertId),
    ).toEqual(["a", "b"]);
  });

  it("prints pages or lines for a person", async () => {
    const file = fileOf("pages.ndjson", records);
    const pages = fakeTerminal();
    await runAlerts([file], {}, pages);
    expect(pages.out()).toContain("2 alerts.\n");
    expect(pages.out().match(/HIGH, score 65/g)).toHaveLength(2);
    const brief = fakeTerminal();
    await runAlerts([file], { brief: true, limit: 1 }, brief);
    expect(brief.out()).toContain("1 alert shown");
    expect(brief.out().split("\n")).toHaveLength(4);
  });

  it("reads standard input", async () => {
    const terminal = fakeTerminal({ stdin: `${JSON.stringify(records[1])}\n` });
    await runAlerts(["-"], { settled: true }, terminal);
    expect((JSON.parse(terminal.out()) as Alert).alertId).toBe("a");
  });

  it("refuses to read nothing", async () => {
    await expect(runAlerts([], {}, fakeTerminal())).rejects.toThrow(UsageError);
    await expect(runAlerts([], {}, fakeTerminal())).rejects.toThrow(/nothing to read/);
  });
});

describe("readTopicsOnce", () => {
  it("reads each partition from its first to its last offset of the start, once, and commits nothing", async () => {
    const bus = fakeBus({
      alerts: [
        [3n, 6n],
        [0n, 0n],
        [0n, 2n],
      ],
      shadow: [[5n, 5n]],
    });
    const seen: string[] = [];
    await readTopicsOnce(bus, ["alerts", "shadow"], (topic, partition, record) => {
      seen.push(`${topic}/${partition}/${record.offset}`);
    });
    expect(seen.sort()).toEqual(["alerts/0/3", "alerts/0/4", "alerts/0/5", "alerts/2/0", "alerts/2/1"]);
    expect(bus.closed()).toEqual({ admin: 1, consumer: 1, commits: 0 });
  });

  it("needs no consumer for empty topics", async () => {
    const bus = fakeBus({ alerts: [[7n, 7n]] });
    await readTopicsOnce(bus, ["alerts"], () => {});
    expect(bus.closed().consumer).toBe(0);
  });

  it("tells of a topic that is not there, of a record that is refused and of a consumer that fails", async () => {
    await expect(readTopicsOnce(fakeBus({}), ["alerts"], () => {})).rejects.toThrow(/no such topic: alerts/);
    const refused = fakeBus({ alerts: [[0n, 2n]] });
    const refuse = () => {
      throw new UsageError("not an alert");
    };
    await expect(readTopicsOnce(refused, ["alerts"], refuse)).rejects.toThrow("not an alert");
    expect(refused.closed().consumer).toBe(1);
    const failing = fakeBus({ alerts: [[0n, 2n]] }, new Error("group gone"));
    await expect(readTopicsOnce(failing, ["alerts"], () => {})).rejects.toThrow("group gone");
  });
});

/** A broker in memory that delivers each started partition in batches of two, with records past the end and repeats. */
function fakeBus(topics: Readonly<Record<string, readonly (readonly [bigint, bigint])[]>>, failure?: Error) {
  const closed = { admin: 0, consumer: 0, commits: 0 };
  const started: (TopicPartition & { readonly offset: bigint })[] = [];
  const record = (offset: bigint): BusRecord => ({
    offset,
    key: null,
    value: Buffer.from("{}"),
    timestamp: 0,
    headers: {},
  });
  const deliver = async (handlers: ConsumerHandlers): Promise<void> => {
    for (const { topic, partition, offset } of started) {
      const [, high] = topics[topic]?.[partition] ?? [0n, 0n];
      for (let at = offset; at < high; at += 2n) {
        const records = [record(at > offset ? at - 1n : at), record(at), record(at + 1n)];
        await handlers.batch({ topic, partition, records, end: at + 2n, highWatermark: high, generation: 1 });
      }
    }
  };
  const bus = {
    closed: () => ({ ...closed }),
    async admin() {
      return {
        describe: async (names: readonly string[]) =>
          names
            .filter((name) => name in topics)
            .map((name) => ({ name, partitions: topics[name]?.length ?? 0, replicationFactor: 1, config: {} })),
        ranges: async (topic: string) =>
          (topics[topic] ?? []).map(([low, high], partition) => ({ partition, low, high })),
        close: async () => {
          closed.admin += 1;
        },
      };
    },
    consumer() {
      return {
        async run(names: readonly string[], handlers: ConsumerHandlers) {
          const partitions = names.flatMap((topic) =>
            (topics[topic] ?? []).map((_, partition) => ({ topic, partition })),
          );
          await handlers.assigned(partitions, 1);
          if (failure === undefined) await deliver(handlers);
          else handlers.failed(failure);
        },
        start: (at: TopicPartition, offset: bigint) => started.push({ ...at, offset }),
        commit: async () => {
          closed.commits += 1;
          return true;
        },
        close: async () => {
          closed.consumer += 1;
        },
      };
    },
  };
  return bus as unknown as Bus & { readonly closed: () => typeof closed };
}
