/**
 * Whether a worker's memory stays where it is while transactions and entities come: its peak after a third of them, and
 * in the end.
 */
import { fillTransactions } from "./end-to-end.ts";
import { runPass } from "./pipeline.ts";
import type { Row } from "./report.ts";
import type { Services } from "./services.ts";

/** One pass of `count` transactions over `accounts` accounts through intake and screening, with default settings. */
export async function workerMemory(services: Services, count: number, accounts: number): Promise<Row[]> {
  const topic = `memory-${count}`;
  await fillTransactions(services, topic, count, accounts);
  let early: Readonly<Record<string, number>> | undefined;
  const pass = await runPass({
    services,
    name: topic,
    topic,
    roles: ["intake", "screen"],
    watch: async (processes) => {
      const screen = processes.find(({ role }) => role === "screen");
      if (early !== undefined || screen === undefined) return;
      // Two views a transaction; marks come on top.
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
