/**
 * A seeded stream of transactions in `tx/1`: the same bytes on every machine. Accounts are drawn unevenly (few busy,
 * many quiet) and mostly pay the same few others, rails and purposes are mixed as a retail bank sees them, and a small
 * share walks into rules.
 */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { DAY_MS } from "../src/base/limits.ts";

export interface StreamOptions {
  readonly accounts: number;
  readonly seed?: number;
  /** Event time between two transactions, ms. Default: each account moves money twice a day, however many there are. */
  readonly gapMs?: number;
  /** First event time, epoch ms. */
  readonly from?: number;
}

const RAILS = ["transfer", "transfer", "transfer", "p2p", "p2p", "card", "card", "cash", "direct_debit", "remittance"];
const CHANNELS = ["online", "mobile", "mobile", "branch", "atm", "pos"];
const PURPOSES = [undefined, undefined, undefined, undefined, "rent", "family", "trade"];
/** One account in so many pays wages by transfer; random wages between everybody would look like debt bondage. */
const EMPLOYERS = 40;
const PLACES = ["Northby", "Southam", "Eastwick", "Westrup", "Midford", "Lakeside", "Hillcrest", "Bayview"];

/** Most payments go to the few whom an account always pays; this share goes to anybody. */
const STRANGERS = 0.15;
const CONTACTS = 8;

/** Start of every benchmark's event time: a thousand days of it are still past. */
export const BENCH_FROM = Date.UTC(2022, 0, 1);

/** One transaction after the other, as objects. */
export function* transactions(count: number, options: StreamOptions): Generator<Record<string, unknown>> {
  const random = xorshift(options.seed ?? 20260101);
  const account = () => Math.floor(options.accounts * random() * random());
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const gapMs = options.gapMs ?? DAY_MS / options.accounts;
  const from = options.from ?? BENCH_FROM;
  for (let i = 0; i < count; i++) {
    const debtor = account();
    let creditor =
      random() < STRANGERS ? account() : contactOf(debtor, Math.floor(random() * CONTACTS), options.accounts);
    if (creditor === debtor) creditor = (creditor + 1) % options.accounts;
    const rail = pick(RAILS);
    const pays = rail === "transfer" && debtor % EMPLOYERS === 0;
    const purpose = pays ? "wage" : pick(PURPOSES);
    const spread = random() * random();
    const cents = pays ? 120_000 + Math.floor(spread * 300_000) : 100 + Math.floor(spread * random() * 300_000);
    yield {
      schema: "tx/1",
      txId: `tx-${String(i).padStart(10, "0")}`,
      occurredAt: new Date(from + Math.floor(i * gapMs)).toISOString(),
      tz: "Europe/Berlin",
      rail,
      ...(purpose === undefined ? {} : { purpose }),
      channel: pick(CHANNELS),
      amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`,
      currency: "EUR",
      debtor: rail === "cash" && i % 2 === 0 ? { kind: "cash" } : side(debtor),
      creditor:
        rail === "cash" && i % 2 === 1 ? { kind: "cash" } : rail === "card" ? merchant(creditor) : side(creditor),
      act: { place: pick(PLACES) },
    };
  }
}

/** One line of NDJSON after the other, without line ends. */
export function* lines(count: number, options: StreamOptions): Generator<string> {
  for (const tx of transactions(count, options)) yield JSON.stringify(tx);
}

/** Writes a stream to a file; returns its bytes. */
export async function writeStream(path: string, count: number, options: StreamOptions): Promise<number> {
  const file = createWriteStream(path);
  let bytes = 0;
  let block: string[] = [];
  for (const line of lines(count, options)) {
    block.push(line);
    if (block.length < 2_000) continue;
    const text = `${block.join("\n")}\n`;
    block = [];
    bytes += text.length;
    if (!file.write(text)) await once(file, "drain");
  }
  if (block.length > 0) file.write(`${block.join("\n")}\n`);
  file.end();
  await once(file, "finish");
  return bytes;
}

/** One of those whom an account always pays: spread over all accounts, the same for the whole stream. */
function contactOf(account: number, k: number, accounts: number): number {
  return ((Math.imul(account + 1, 2_654_435_761) ^ Math.imul(k + 1, 2_246_822_519)) >>> 0) % accounts;
}

function side(n: number): Record<string, unknown> {
  return { own: n % 3 !== 0, kind: "account", account: `k1.acc${String(n).padStart(8, "0")}` };
}

function merchant(n: number): Record<string, unknown> {
  const mcc = ["5411", "7011", "5814", "4121", "5541", "7273"][n % 6];
  return { kind: "merchant", merchant: { id: `k1.mer${n % 2_000}`, mcc } };
}

function xorshift(seed: number): () => number {
  let x = seed | 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 4_294_967_296;
  };
}
