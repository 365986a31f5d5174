/**
 * A short form of every benchmark, for the checks of each change: it fails where a result is wrong or where a ratio,
 * taken within this run, is far off; never by an absolute time, which is the machine's.
 */
import { endToEnd } from "./end-to-end.ts";
import { latency } from "./latency.ts";
import { replayRate, scaling } from "./replay.ts";
import type { Row } from "./report.ts";
import { rulesPass } from "./rules-pass.ts";
import type { Services } from "./services.ts";

/** Ratios by the end of their row's name. Wide: in a second nothing is warm, and others share the machine. */
const LIMITS: readonly { readonly what: RegExp; readonly least?: number; readonly most?: number }[] = [
  { what: /ratio to it$/, least: 0.004 },
  { what: /^growth with transactions$/, most: 5 },
  { what: /^growth with accounts$/, most: 8 },
];

/** Throws where a result is wrong or a ratio is beyond its limit. */
export async function smoke(folder: string, services: Services): Promise<Row[]> {
  const rows = [
    ...rulesPass(10_000),
    ...(await replayRate(folder, 20_000, 1)),
    ...(await scaling({ count: 40_000, slice: 10_000, fewAccounts: 1_000, manyAccounts: 10_000 })),
    ...(await endToEnd(services, { count: 20_000, accounts: 20_000, runs: 1, roles: ["intake", "screen"] })),
    ...(await latency(services, { rate: 100, warmUpSeconds: 2, seconds: 3, roles: ["both"] })),
  ];
  const faults = rows.flatMap(({ what, value }) =>
    LIMITS.filter((limit) => limit.what.test(what))
      .filter(({ least = 0, most = Number.POSITIVE_INFINITY }) => !(value >= least && value <= most))
      .map(({ least, most }) => `${what} is ${value.toFixed(3)}, expected ${least ?? ""}..${most ?? ""}`),
  );
  if (faults.length > 0) throw new Error(faults.join("; "));
  return rows;
}
