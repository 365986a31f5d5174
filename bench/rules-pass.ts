/**
 * What the rules cost: the same decoded transactions through the whole pack, and through a pack without rules, with
 * state in memory. The difference is the rules pass: measures, clauses, episodes, typologies.
 */
import type { Tx } from "../src/domain/tx.ts";
import { readRuleFiles } from "../src/files/rules-dir.ts";
import { createDecoder } from "../src/intake/decode.ts";
import { loadPack } from "../src/rules/load.ts";
import type { Pack } from "../src/rules/plan.ts";
import { createEmbedded } from "../src/screen/embedded.ts";
import { lines } from "./generate.ts";
import { median, type Row } from "./report.ts";

/** Runs it over `count` transactions of 20,000 accounts, three times each way, interleaved. */
export function rulesPass(count: number): Row[] {
  const files = readRuleFiles("rules");
  const full = loadPack(files, {});
  const bare = loadPack(
    files.filter((file) => file.path.includes("/lists/") || file.path.endsWith("vocabulary.yaml")),
    {},
  );
  if (full.pack === undefined || bare.pack === undefined) throw new Error("the shipped pack does not compile");
  const decoder = createDecoder({ rates: full.lists.rates });
  const txs: Tx[] = [];
  for (const line of lines(count, { accounts: 20_000 })) {
    const decoded = decoder.decodeJson(line);
    if (decoded.kind !== "tx") throw new Error(`the generator made a bad row: ${JSON.stringify(decoded)}`);
    txs.push(decoded.tx);
  }
  const withRules: number[] = [];
  const without: number[] = [];
  for (let round = 0; round < 3; round++) {
    without.push(screen(bare.pack, txs));
    withRules.push(screen(full.pack, txs));
  }
  const rules = full.pack.rules.length;
  const cost = median(withRules) - median(without);
  return [
    { bench: "rules-pass", what: `fold and rules, ${rules} rules`, value: median(withRules), unit: "us/tx" },
    { bench: "rules-pass", what: "fold without rules", value: median(without), unit: "us/tx" },
    { bench: "rules-pass", what: "rules pass", value: cost, unit: "us/tx", target: { value: 3, side: "most" } },
  ];
}

function screen(pack: Pack, txs: readonly Tx[]): number {
  const run = createEmbedded(pack, { alert: () => {}, hit: () => {}, verdict: () => {} });
  // CPU time, all threads: what others take of the machine does not count.
  const before = process.cpuUsage();
  for (const tx of txs) run.pushTx(tx);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / txs.length;
}
