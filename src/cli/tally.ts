/** What a replay counts while it runs. Counting is cheap: numbers and small maps, no text is built. */
import type { RejectCode } from "../base/errors.ts";
import type { Alert } from "../domain/alert.ts";
import type { Severity } from "../domain/vocabulary.ts";
import type { HitRecord, Verdict } from "../screen/outputs.ts";

/** Counters of one replay. */
export interface Tally {
  /** Rows read of any kind, rejected ones included. */
  rows: number;
  /** Transactions handed to screening. */
  screened: number;
  profiles: number;
  events: number;
  /** Rows before `--from` with `--cold`, and rows after `--to`. */
  outside: number;
  /** Rows further from their place in time than a file may be out of order; screened where they stood. */
  unordered: number;
  /** Transactions that some entity had seen already. */
  duplicates: number;
  /** Late within L: put in their place and judged again. */
  refolded: number;
  /** Later than L: counted in their window, not judged. */
  counted: number;
  /** Reversals that took their original back, and originals that a reversal had come before. */
  reversed: number;
  /** Event time of the first and last transaction screened, epoch ms; NaN before the first. */
  firstTime: number;
  lastTime: number;
  /** Alert records written, all revisions. */
  alertRecords: number;
  readonly rejected: Map<RejectCode, number>;
  /** Hit episodes that opened, by rule. */
  readonly hits: Map<string, number>;
  /** Last standing of each alert. */
  readonly alerts: Map<string, { readonly typology: string; readonly severity: Severity; readonly withdrawn: boolean }>;
}

/** A tally of nothing. */
export function createTally(): Tally {
  return {
    rows: 0,
    screened: 0,
    profiles: 0,
    events: 0,
    outside: 0,
    unordered: 0,
    duplicates: 0,
    refolded: 0,
    counted: 0,
    reversed: 0,
    firstTime: Number.NaN,
    lastTime: Number.NaN,
    alertRecords: 0,
    rejected: new Map(),
    hits: new Map(),
    alerts: new Map(),
  };
}

/** How a transaction stands when its views got different verdicts: the gravest one tells. */
const GRAVITY: Readonly<Record<Verdict, number>> = {
  judged: 0,
  ignored: 1,
  refolded: 2,
  overflowed: 2,
  duplicate: 3,
  reversed: 4,
  counted: 5,
  too_late: 6,
  conflict: 7,
};

/** The graver of two verdicts on views of one transaction. */
export function graver(a: Verdict, b: Verdict): Verdict {
  return GRAVITY[b] > GRAVITY[a] ? b : a;
}

/** Counts a transaction by the gravest verdict on its views. Conflicts and too late ones count as rejects elsewhere. */
export function tallyVerdict(tally: Tally, verdict: Verdict): void {
  if (verdict === "duplicate") tally.duplicates += 1;
  else if (verdict === "refolded" || verdict === "overflowed") tally.refolded += 1;
  else if (verdict === "counted") tally.counted += 1;
  else if (verdict === "reversed") tally.reversed += 1;
}

/** Counts one alert record. */
export function tallyAlert(tally: Tally, alert: Alert): void {
  tally.alertRecords += 1;
  tally.alerts.set(alert.alertId, {
    typology: alert.typology.id,
    severity: alert.severity,
    withdrawn: alert.event === "withdrawn",
  });
}

/** Counts a hit episode when it opens. */
export function tallyHit(tally: Tally, hit: HitRecord): void {
  if (hit.event === "opened") tally.hits.set(hit.ruleId, (tally.hits.get(hit.ruleId) ?? 0) + 1);
}

/** Counts a reject. */
export function tallyReject(tally: Tally, code: RejectCode): void {
  tally.rejected.set(code, (tally.rejected.get(code) ?? 0) + 1);
}

/** Sum of a map of counts. */
export function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
