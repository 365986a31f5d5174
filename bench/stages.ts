/** Where the CPU of the stream path goes: one pass under V8's profiler, its samples given to stages. */
import { join } from "node:path";
import { fillTransactions } from "./end-to-end.ts";
import type { Role } from "./palermo.ts";
import { runPass } from "./pipeline.ts";
import { stagesOf } from "./profile-stages.ts";
import type { Row } from "./report.ts";
import type { Services } from "./services.ts";

const ROLES: readonly Role[] = ["intake", "screen"];

/**
 * CPU a transaction by stage and process: of the main thread by the shares that the profile gives, within the time of
 * the pass; `other threads` are those that collect garbage and compile.
 */
export async function stages(services: Services, folder: string, count: number, accounts: number): Promise<Row[]> {
  const topic = `stages-${count}`;
  await fillTransactions(services, topic, count, accounts);
  const nodeArgs = (role: Role): string[] => ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${role}`];
  const pass = await runPass({ services, name: topic, topic, roles: ROLES, nodeArgs });
  const rows: Row[] = [];
  const bench = "stages";
  const unit = "us/tx";
  let all = 0;
  for (const role of ROLES) {
    const main = (pass.mainUs[role] ?? 0) / count;
    const threads = (pass.cpuUs[role] ?? 0) / count - main;
    for (const [stage, share] of stagesOf(join(folder, role), pass.window)) {
      const value = share * main;
      if (value >= 0.005) rows.push({ bench, what: `${role}: ${stage}`, value, unit });
    }
    rows.push({ bench, what: `${role}: other threads`, value: threads, unit });
    all += main + threads;
  }
  for (const who of ["broker", "redis"]) {
    const value = (pass.cpuUs[who] ?? 0) / count;
    rows.push({ bench, what: who, value, unit });
    all += value;
  }
  rows.push({ bench, what: "all processes", value: all, unit });
  return rows;
}
