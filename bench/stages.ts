/** Where the CPU of the stream path goes: one pass under V8's profiler, its samples given to stages. */
import { join } from "node:path";
import { GAP_MS, messages } from "./end-to-end.ts";
import { lines } from "./generate.ts";
import type { Role } from "./palermo.ts";
import { runPass } from "./pipeline.ts";
import { STAGES, stagesOf } from "./profile-stages.ts";
import type { Row } from "./report.ts";
import type { Services } from "./services.ts";
import { createTopic, fill } from "./topic.ts";

const INPUTS = 4;
const ROLES: readonly Role[] = ["intake", "screen"];

/**
 * CPU a transaction by stage and process. The profile covers a process from start to end, so start-up and compiling
 * are in it; `threads` is what a process used beside its main thread: garbage collection, compiling, sockets.
 */
export async function stages(services: Services, folder: string, count: number, accounts: number): Promise<Row[]> {
  const topic = `stages-${count}`;
  await createTopic(services.brokers, topic, INPUTS);
  await fill(services.brokers, topic, INPUTS, messages(lines(count, { accounts, gapMs: GAP_MS })));
  const nodeArgs = (role: Role): string[] => ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${role}`];
  const pass = await runPass({ services, name: topic, topic, roles: ROLES, nodeArgs });
  const rows: Row[] = [];
  const bench = "stages";
  for (const role of ROLES) {
    const sums = stagesOf(join(folder, role));
    let inMain = 0;
    for (const stage of STAGES) {
      const used = sums.get(stage) ?? 0;
      inMain += used;
      if (used / count >= 0.005) rows.push({ bench, what: `${role}: ${stage}`, value: used / count, unit: "us/tx" });
    }
    const threads = Math.max(0, (pass.cpuUs[role] ?? 0) - inMain);
    rows.push({ bench, what: `${role}: threads`, value: threads / count, unit: "us/tx" });
  }
  for (const who of ["broker", "redis"]) {
    rows.push({ bench, what: who, value: (pass.cpuUs[who] ?? 0) / count, unit: "us/tx" });
  }
  return rows;
}
