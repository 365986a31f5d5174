/** Every story of `fixtures/` through Kafka and Redis gives the settled alerts that replay gives for its files. */
import { fileURLToPath } from "node:url";
import { describe, expect, inject, test } from "vitest";
import { createRunRig } from "../faults/run-rig.ts";
import { replayStory, stories, storyLines } from "../stories.ts";

const rules = fileURLToPath(new URL("../../rules/", import.meta.url));
/** The stories share no account, so that one run over all says what each would say alone; `demo` tells some of them again. */
const told = stories.filter((story) => story !== "demo");

/** Settled alerts of `workers` processes that share a topic of `inputs` partitions. */
async function streamed(inputs: number, workers: number): Promise<string[]> {
  const env = { PALERMO_DRIFT_AHEAD_MS: "5000" };
  const services = { brokers: inject("kafkaBrokers"), redisUrl: inject("redisUrl") };
  const rig = await createRunRig({ ...services, rules, inputs, env });
  try {
    const running = await Promise.all(Array.from({ length: workers }, () => rig.start("both")));
    await rig.feedParties(told.flatMap((story) => storyLines(story, "parties.ndjson")));
    const lines = told.flatMap((story) => storyLines(story, "transactions.ndjson"));
    await rig.feed(lines.sort((a, b) => timeOf(a) - timeOf(b)));
    await rig.settled(lines.length);
    const { settled } = await rig.alerts();
    for (const palermo of running) expect(await palermo.stop()).toBe(0);
    return settled;
  } finally {
    await rig.close();
  }
}

function timeOf(line: string): number {
  return Date.parse((JSON.parse(line) as { readonly occurredAt: string }).occurredAt);
}

async function replayed(): Promise<string[]> {
  const lines = (await Promise.all(told.map(replayStory))).flat();
  return lines.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

function idOf(line: string): string {
  return (JSON.parse(line) as { readonly alertId: string }).alertId;
}

describe("the stories through Kafka and Redis", () => {
  test.each([
    { inputs: 1, workers: 1 },
    { inputs: 4, workers: 2 },
  ])("$inputs input partitions, $workers workers", { timeout: 300_000 }, async ({ inputs, workers }) => {
    const expected = await replayed();
    expect(expected.length).toBeGreaterThan(6);
    expect(await streamed(inputs, workers)).toEqual(expected);
  });
});
