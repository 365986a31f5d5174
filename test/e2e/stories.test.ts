/**
 * Every story of `fixtures/` through Kafka and Redis gives the settled alerts that replay gives for its files; and
 * `palermo verify` finds nothing that one naive pass over the topics would have otherwise, state and alerts alike.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, inject, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import type { Findings } from "../../src/cli/verify.ts";
import { fakeTerminal } from "../cli/fake-terminal.ts";
import { createRunRig, type RunRig } from "../faults/run-rig.ts";
import { replayStory, stories, storyLines } from "../stories.ts";

const rules = fileURLToPath(new URL("../../rules/", import.meta.url));
/** The stories share no account, so that one run over all says what each would say alone; `demo` tells some of them again. */
const told = stories.filter((story) => story !== "demo");

interface Outcome {
  /** What `palermo alerts --settled` reads from the topics. */
  readonly settled: readonly string[];
  readonly findings: Findings;
  readonly transactions: number;
  readonly profiles: number;
}

/** What `workers` processes make of a topic of `inputs` partitions. */
async function streamed(inputs: number, workers: number): Promise<Outcome> {
  const env = { PALERMO_DRIFT_AHEAD_MS: "5000" };
  const services = { brokers: inject("kafkaBrokers"), redisUrl: inject("redisUrl") };
  const rig = await createRunRig({ ...services, rules, inputs, env });
  try {
    // Makes the topics.
    expect(await (await rig.start("both")).stop()).toBe(0);
    // All of it is there before anybody reads: a partition at its end holds nobody back, so months that came at once to
    // waiting workers could be passed on in one partition before another's end was known to be gone.
    const parties = told.flatMap((story) => storyLines(story, "parties.ndjson"));
    await rig.feedParties(parties);
    const lines = told.flatMap((story) => storyLines(story, "transactions.ndjson"));
    await rig.feed(lines.sort((a, b) => timeOf(a) - timeOf(b)));
    const running = await Promise.all(Array.from({ length: workers }, () => rig.start("both")));
    await rig.settled(lines.length);
    for (const palermo of running) expect(await palermo.stop()).toBe(0);
    const topics = [rig.topics.alerts, `${rig.topics.alerts}.protected`].flatMap((topic) => ["--topic", topic]);
    const settled = (await verb(rig, ["alerts", "--settled", ...topics])).trimEnd().split("\n");
    const findings = JSON.parse(await verb(rig, ["verify", "--json"])) as Findings;
    return { settled, findings, transactions: lines.length, profiles: parties.length };
  } finally {
    await rig.close();
  }
}

/** Standard output of a verb on the services of a rig. */
async function verb({ env }: RunRig, args: readonly string[]): Promise<string> {
  const terminal = { ...fakeTerminal({ env }), now: () => Date.now() };
  expect(await main(args, terminal), terminal.err() + terminal.out()).toBe(0);
  return terminal.out();
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
    const { settled, findings, transactions, profiles } = await streamed(inputs, workers);
    expect(settled).toEqual(expected);
    expect(findings).toMatchObject({
      input: { transactions, profiles, rejected: 0 },
      alerts: { expected: expected.length, published: expected.length },
      differences: [],
      reservations: [],
    });
    expect(findings.entities.expected).toBeGreaterThan(100);
    expect(findings.entities.stored).toBe(findings.entities.expected);
  });
});
