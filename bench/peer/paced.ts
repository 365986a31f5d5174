/**
 * Workload W at a steady rate, every tenth leg a sample that alerts, as the peers' latency was measured: the pack of W
 * with one rule more, and samples from accounts that nobody has seen.
 */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PacedWorkload } from "../latency.ts";
import { payments } from "./stream.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** A payment has two legs. */
const SAMPLE_EVERY = 5;
/** Minor units: payments of W are of a hundred at least. */
const SAMPLE_MINOR = 1;

/** Lays the pack out in `folder`. */
export function peerWorkload(folder: string): PacedWorkload {
  const rules = join(folder, "w-with-samples");
  for (const part of ["rules", "sample"]) cpSync(join(HERE, part), rules, { recursive: true });
  return {
    name: "W",
    env: { PALERMO_RULES: rules, PALERMO_MAPPING: join(HERE, "mapping.yaml") },
    *messages(count, _rate, written) {
      let i = 0;
      for (const { id, json } of payments(count)) {
        if (i % SAMPLE_EVERY !== 0) yield { key: id, value: json };
        else {
          const account = `DE89sample${i}`;
          const payment = JSON.parse(json) as { amount: object; debtor: object };
          const amount = { ...payment.amount, minor: SAMPLE_MINOR };
          written.set(account, Date.now());
          yield { key: id, value: JSON.stringify({ ...payment, amount, debtor: { ...payment.debtor, account } }) };
        }
        i++;
      }
    },
  };
}
