/** A small pack and movements for tests of replay: three people who pay cash into one account within a week. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../src/cli/main.ts";
import { type FakeOptions, fakeTerminal } from "./fake-terminal.ts";

const INDICATOR = `schema: rule/v1
kind: indicator
id: HT-CASH-01
version: 1
title: Cash from several people
crime: human_trafficking
status: active
sources: [ { doc: FINTRAC-2016-OA003, point: third-party cash deposits } ]
subject: account
scope: { rail: [cash], direction: [in] }
params:
  min_people: { value: 3, range: [2, 8], step: 1 }
aggregates:
  people: { distinct: tx.conductor, last: 7d, cap: 32 }
  total: { sum: tx.amount, last: 7d }
when:
  all:
    - people: agg.people >= params.min_people
explain: "{agg.people} people paid {agg.total} in cash."
cautions: [Collections for a funeral.]
`;

const TYPOLOGY = `schema: rule/v1
kind: typology
id: HT-CASH
version: 1
title: Cash from several people
crime: human_trafficking
status: active
sources: [ { doc: FINTRAC-2016-OA003, point: third-party cash deposits } ]
subject: party
alone: { because: "FINTRAC-2016-OA003 lists it; this pack is for tests" }
hits:
  cash: { of: HT-CASH-01, from: accounts, last: 30d, count: episodes }
scoring:
  indicators:
    - cash: { family: cash, points: 50, when: hits.cash >= 1 }
alert_when:
  all:
    - cash: hits.cash >= 1
severity: { medium: 45, high: 60, critical: 80 }
explain: "{hits.cash} episodes of cash from several people."
cautions: [Collections for a funeral.]
suppress: { for: 7d }
`;

const RATES = `schema: list/v1
id: rates
type: rates
title: Fictional rates
owner: tests
source: fictional
version: 1
reviewBy: 2030-01-01
base: EUR
entries: [ { from: 2026-01-01, rates: { USD: "1.10" } } ]
`;

/** A folder of its own for one test file. */
export function testFolder(): string {
  return mkdtempSync(join(tmpdir(), "palermo-replay-"));
}

/** Writes a file below the folder and gives its path. */
export function write(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Writes the pack and gives its folder. */
export function writeRules(folder: string, edit: (text: string) => string = (text) => text): string {
  write(folder, "rules/ht/HT-CASH-01.yaml", edit(INDICATOR));
  write(folder, "rules/ht/HT-CASH.yaml", edit(TYPOLOGY));
  write(folder, "rules/lists/rates.yaml", edit(RATES));
  return join(folder, "rules");
}

/** One cash deposit as a line of tx/1. */
export function deposit(txId: string, occurredAt: string, over: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    schema: "tx/1",
    txId,
    occurredAt,
    rail: "cash",
    channel: "branch",
    amount: "900.00",
    currency: "EUR",
    debtor: { kind: "cash" },
    creditor: { kind: "account", account: "a-1", party: "p-1", own: true },
    conductor: "c-1",
    ...over,
  });
}

/** `accounts` accounts, in each of which three people pay in `weeks` weeks: one alert episode an account and week. */
export function deposits(accounts: number, weeks: number): string[] {
  const lines: { at: number; text: string }[] = [];
  for (let week = 0; week < weeks; week += 1) {
    for (let account = 0; account < accounts; account += 1) {
      for (let person = 0; person < 3; person += 1) {
        const at = Date.UTC(2026, 0, 5 + 14 * week + person, 9, account % 60);
        const creditor = { kind: "account", account: `a-${account}`, party: `p-${account}`, own: true };
        const id = `t-${week}-${account}-${person}`;
        lines.push({ at, text: deposit(id, new Date(at).toISOString(), { creditor, conductor: `c-${person}` }) });
      }
    }
  }
  return lines.sort((a, b) => a.at - b.at).map((line) => line.text);
}

/** Runs one command line in-process. */
export async function palermo(args: readonly string[], options: FakeOptions = {}) {
  const terminal = fakeTerminal(options);
  const code = await main(args, terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}
