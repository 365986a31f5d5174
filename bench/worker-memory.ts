/**
 * Whether a worker's memory stays where it is while transactions and entities come: its peak after a third of them, and
 * in the end.
 */
import { GAP_MS, messages } from "./end-to-end.ts";
import { lines } from "./generate.ts";
import { runPass } from "./pipeline.ts";
import type { Row } from "./report.ts";
import type { Services } from "./services.ts";
import { createTopic, fill } from "./topic.ts";

const INPUTS = 4;

/** One pass of `count` transactions over `accounts` accounts through intake and screening, with default settings. */
export async function workerMemory(services: Services, count: number, accounts: number): Promise<Row[]> {
  const topic = `memory-${count}`;
  await createTopic(services.brokers, topic, INPUTS);
  await fill(services.brokers, topic, INPUTS, messages(lines(count, { accounts, gapMs: GAP_MS })));
  // Of the views that the transactions make by themselves; marks come on top.
  let early: Readonly<Record<string, number>> | undefined;
  const pass = await runPass({
    services,
    name: topic,
    topic,
    roles: ["intake", "screen"],
    watch: async (processes) => {
      const screen = processes.find(({ role }) => role === "screen");
      if (early !== undefined || screen === undefined) return;
      if ((await screen.metric("palermo_screen_views_total")) < (2 * count) / 3) return;
      early = Object.fromEntries(processes.map((each) => [each.role, each.peakMiB()]));
    },
  });
  const bench = "worker-memory";
  return Object.entries(pass.peakMiB).flatMap(([role, peak]): Row[] => [
    { bench, what: `${role}: peak after a third`, value: early?.[role] ?? Number.NaN, unit: "MiB" },
    { bench, what: `${role}: peak`, value: peak, unit: "MiB", target: { value: 512, side: "most" } },
  ]);
}
