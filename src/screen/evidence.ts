/**
 * Evidence for the numbers of a rule: what was observed and needed, over which interval, by which
 * transactions, with subtotals that add up. Built only when a hit is told.
 */
import { EVIDENCE_CARRIED_MAX, LEDGER_ROWS_MAX } from "../base/limits.ts";
import type { Evidence } from "../domain/alert.ts";
import { toDecimal } from "../domain/money.ts";
import { formatTime } from "../domain/time.ts";
import type { Aggregate, Clause, Comparison } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { type LedgerRow, type ReadingDetail, readingDetail } from "./measures.ts";
import { pastDetail } from "./past-readings.ts";
import { measureOf } from "./plain-readings.ts";
import type { RecentEvent } from "./recent-event.ts";
import { refinedDetail } from "./refined-readings.ts";
import { plainValue } from "./render.ts";
import type { PreparedRule } from "./subject-index.ts";

type Listed = Evidence["listed"][number];

/** Evidence of every comparison of a rule that holds for the view that the context is aimed at. */
export function evidenceOf(context: JudgeContext, prepared: PreparedRule): Evidence[] {
  const found: Evidence[] = [];
  for (const clause of clausesOf(prepared)) collect(context, clause, found);
  return found;
}

function clausesOf(prepared: PreparedRule): Clause[] {
  const { rule, flow } = prepared;
  const steps = flow === undefined ? [] : flow.flow.steps.map((step) => step.until);
  return rule.when === undefined ? steps : [...steps, rule.when];
}

function collect(context: JudgeContext, clause: Clause, found: Evidence[]): void {
  if (clause.kind !== "leaf") {
    if (clause.kind === "not") return;
    for (const child of clause.children) collect(context, child, found);
    return;
  }
  if (clause.comparison === undefined || clause.test(context) !== true) return;
  found.push(evidence(context, clause.comparison));
}

function evidence(context: JudgeContext, comparison: Comparison): Evidence {
  const { pack } = context;
  const base = pack.baseCurrency;
  const rests = comparison.aggregates.map((slot) => restsOn(context, slot)).filter((r) => r !== undefined);
  const first = rests[0];
  const from = Math.min(context.now - 1, ...rests.map((r) => r.detail.from));
  return {
    measure: comparison.left,
    observed: plainValue(comparison.observed(context), comparison.unit, base),
    comparison: comparison.operator,
    threshold: plainValue(comparison.needed(context), comparison.unit, base),
    unit: comparison.unit,
    exact: rests.every((r) => r.detail.exact),
    from: formatTime(Number.isFinite(from) ? from : context.now - 1),
    to: formatTime(context.now),
    count: first === undefined ? Number(context.tx !== undefined) : first.detail.count,
    listed: first === undefined ? listedNow(context) : listed(context, first.detail),
    ledger: first === undefined ? [] : ledger(first.detail, first.aggregate, base),
  };
}

/** What an aggregate rests on right now; undefined where the entity has none of it. */
export function restsOn(
  context: JudgeContext,
  slot: number,
): { aggregate: Aggregate; detail: ReadingDetail } | undefined {
  const aggregate = context.pack.aggregates[slot];
  if (aggregate?.past !== undefined) return { aggregate, detail: pastDetail(context, aggregate, aggregate.past) };
  const measure = aggregate === undefined ? undefined : context.pack.measures[aggregate.measure];
  if (aggregate === undefined || measure === undefined || measure.subject !== context.index.kind) return undefined;
  const state = measureOf(context.state, measure);
  if (state === undefined) return undefined;
  if (aggregate.refined !== undefined) {
    return { aggregate, detail: refinedDetail(context, state, measure, aggregate) };
  }
  const { seq, time } = context.flowBound(aggregate);
  const detail = readingDetail(state, measure, aggregate.function, context.now, aggregate.windowMs, seq, time);
  return { aggregate, detail };
}

/** A clause on the movement itself rests on that movement. */
function listedNow(context: JudgeContext): Listed[] {
  const { tx } = context;
  if (tx === undefined) return [];
  return [listing(context, { txId: tx.id, time: tx.time, amount: tx.amount ?? Number.NaN }, "crossed")];
}

/** First, last, largest and the one that crossed the line; then the newest others, up to the cap. */
function listed(context: JudgeContext, detail: ReadingDetail): Listed[] {
  const { recent } = context.state;
  const events = detail.seqs
    .map((seq) => recent.placeOf(seq))
    .filter((i) => i >= 0 && i < recent.length)
    .sort((a, b) => a - b)
    .map((i) => recent.at(i));
  if (events.length === 0) return [];
  const why = new Map<RecentEvent, Listed["why"]>();
  const last = events[events.length - 1] as RecentEvent;
  why.set(
    events.reduce((a, b) => (b.amount > a.amount ? b : a)),
    "largest",
  );
  why.set(events[0] as RecentEvent, "first");
  why.set(last, last.time === context.now ? "crossed" : "last");
  for (let i = events.length - 1; i >= 0 && why.size < EVIDENCE_CARRIED_MAX; i--) {
    const event = events[i] as RecentEvent;
    if (!why.has(event)) why.set(event, "counted");
  }
  return events.flatMap((event) => {
    const reason = why.get(event);
    return reason === undefined ? [] : [listing(context, event, reason)];
  });
}

function listing(
  context: JudgeContext,
  event: Pick<RecentEvent, "txId" | "time" | "amount">,
  why: Listed["why"],
): Listed {
  const item = { txId: event.txId, at: formatTime(event.time), why };
  return Number.isNaN(event.amount) ? item : { ...item, amount: toDecimal(event.amount, context.pack.baseCurrency) };
}

function ledger(detail: ReadingDetail, aggregate: Aggregate, base: string): Evidence["ledger"] {
  const money = aggregate.unit === "money" && aggregate.function === "sum";
  return joinRows(detail.ledger).map((row) => {
    const entry = { from: formatTime(row.from), to: formatTime(row.to), count: row.count };
    return money ? { ...entry, sum: toDecimal(row.sum, base) } : entry;
  });
}

/** At most so many rows that they fit: neighbours in groups of one size, which add up as before. */
function joinRows(rows: readonly LedgerRow[]): readonly LedgerRow[] {
  const size = Math.ceil(rows.length / LEDGER_ROWS_MAX);
  if (size <= 1) return rows;
  const joined: LedgerRow[] = [];
  for (const [i, row] of rows.entries()) {
    const open = joined[joined.length - 1];
    if (i % size === 0 || open === undefined) joined.push(row);
    else {
      const { from } = open;
      joined[joined.length - 1] = { from, to: row.to, count: open.count + row.count, sum: open.sum + row.sum };
    }
  }
  return joined;
}
