/**
 * Checks the evidence of an alert against recorded data: for each number every transaction behind it is listed, the
 * number is computed again from that list, and the two must be equal to the last digit.
 */
import type { Alert, Evidence } from "../domain/alert.ts";
import { type EntityKey, entityKey } from "../domain/entity.ts";
import { parseTime } from "../domain/time.ts";
import type { EventView, TxView, View } from "../domain/view.ts";
import type { Aggregate, Clause, Comparison, Pack } from "../rules/plan.ts";
import type { JudgeContext } from "../screen/context.ts";
import { plainValue } from "../screen/render.ts";
import { type Contribution, computed, createLedger, type Ledger } from "./contributions.ts";
import type { Inspector } from "./inspect.ts";
import { createMovementBook, type MovementBook, recountCompletions, recountPast } from "./movement-book.ts";

export interface CheckedTransaction {
  readonly txId: string;
  readonly time: number;
  readonly amount: number;
}

/** `equal` and `different` are judged; `no_transactions` rests on hits or on the movement itself. */
export type NumberVerdict = "equal" | "different" | "no_transactions" | "not_computed";

export interface CheckedNumber {
  readonly ruleId: string;
  readonly entity: EntityKey;
  readonly evidence: Evidence;
  readonly verdict: NumberVerdict;
  /** Computed from the list; undefined when it was not. */
  readonly recomputed: string | undefined;
  /** Every transaction behind the number, oldest first. */
  readonly transactions: readonly CheckedTransaction[];
}

/** Takes recorded data in, movement by movement, and judges the numbers as their time comes. */
export interface EvidenceCheck {
  /** Latest time of any number, epoch ms: later rows cannot matter. */
  readonly until: number;
  /** Before a movement is screened: numbers of earlier times can be judged now. */
  before(time: number): void;
  /** After it was screened; `counted`: entities that count it, and not as a repeat. */
  after(views: readonly TxView[], counted: (entity: EntityKey) => boolean): void;
  finish(): readonly CheckedNumber[];
}

interface Claim {
  readonly ruleId: string;
  readonly entity: EntityKey;
  readonly evidence: Evidence;
  readonly from: number;
  readonly to: number;
  readonly comparison: Comparison | undefined;
  result: CheckedNumber | undefined;
}

/** A check of all numbers of an alert. */
export function createEvidenceCheck(alert: Alert, pack: Pack, inspector: Inspector): EvidenceCheck {
  const claims = alert.indicators.flatMap((indicator): Claim[] => {
    const entity = entityKey(indicator.source.kind, indicator.source.token);
    return indicator.evidence.map((evidence) => ({
      ruleId: indicator.ruleId,
      entity,
      evidence,
      from: parseTime(evidence.from),
      to: parseTime(evidence.to),
      comparison: comparisonOf(pack, indicator.ruleId, evidence),
      result: undefined,
    }));
  });
  const slots = claims.flatMap((claim) => aggregatesOf(pack, claim).map((aggregate) => aggregate.measure));
  const records: Records = { ledger: createLedger(pack, new Set(slots)), book: createMovementBook() };
  const judge = (claim: Claim, view: View): void => {
    if (claim.result?.verdict === "equal") return;
    const context = inspector.aim(view);
    if (context !== undefined) claim.result = judged(claim, context, records);
  };
  return {
    until: claims.reduce((latest, { to }) => Math.max(latest, to), Number.NEGATIVE_INFINITY),
    before(time) {
      for (const claim of claims) {
        if (claim.result === undefined && claim.to < time) judge(claim, momentOf(claim.entity, claim.to));
      }
    },
    after(views, counted) {
      const [first] = views;
      for (const view of views) {
        const context = counted(view.entity) ? inspector.aim(view) : undefined;
        if (context === undefined || !claims.some(({ entity }) => entity === view.entity)) continue;
        records.ledger.add(view, context);
        records.book.add(view, context);
      }
      for (const claim of claims) {
        if (first?.time !== claim.to) continue;
        judge(claim, views.find(({ entity }) => entity === claim.entity) ?? momentOf(claim.entity, claim.to));
      }
    },
    finish: () => claims.map((claim) => claim.result ?? unseen(claim)),
  };
}

/** What was kept of the recorded data. */
interface Records {
  readonly ledger: Ledger;
  readonly book: MovementBook;
}

function judged(claim: Claim, context: JudgeContext, records: Records): CheckedNumber {
  const { comparison, evidence } = claim;
  const aggregates = aggregatesOf(context.pack, claim);
  const base = { ruleId: claim.ruleId, entity: claim.entity, evidence, recomputed: undefined };
  if (comparison === undefined) return { ...base, verdict: "not_computed", transactions: [] };
  if (aggregates.length === 0) return { ...base, verdict: "no_transactions", transactions: [] };
  const counted = new Map(aggregates.map((one) => [one.slot, recount(one, claim, context, records)]));
  const transactions = joined([...counted.values()].map(({ movements }) => movements));
  // The rule's own formula over numbers that were computed here.
  const byHand: JudgeContext = Object.create(context, {
    agg: {
      value: (slot: number) => {
        const known = counted.get(slot);
        return known === undefined ? context.agg(slot) : known.value;
      },
    },
  });
  const recomputed = plainValue(comparison.observed(byHand), comparison.unit, context.pack.baseCurrency);
  const verdict = recomputed === evidence.observed ? "equal" : "different";
  return { ...base, verdict, recomputed, transactions };
}

/** An aggregate computed from the list of what it counts. */
function recount(
  aggregate: Aggregate,
  claim: Claim,
  context: JudgeContext,
  { ledger, book }: Records,
): { readonly value: number | undefined; readonly movements: readonly CheckedTransaction[] } {
  const { past, completed } = aggregate;
  if (past !== undefined) return recountPast(aggregate, past, context, book.of(claim.entity));
  if (completed !== undefined) return recountCompletions(aggregate, completed, context, book.of(claim.entity));
  const movements = inWindow(aggregate, claim, context, ledger.of(claim.entity, aggregate.measure));
  return { value: computed(aggregate.function, movements), movements };
}

/** Contributions that an aggregate counts at the time of a claim. */
function inWindow(
  aggregate: Aggregate,
  claim: Claim,
  context: JudgeContext,
  list: readonly Contribution[],
): readonly Contribution[] {
  const { refined } = aggregate;
  const plain = refined === undefined || refined.window.kind === "last";
  // What is not exact says how far back it reaches; what is exact is bounded by the rule.
  const from = plain && claim.evidence.exact ? claim.to - aggregate.windowMs : claim.from;
  const bound = context.flowBound(aggregate).seq;
  const part = refined?.part?.(context);
  const found = list.filter((one) => {
    if (one.time <= from || one.time > claim.to || one.seq <= bound) return false;
    if (refined?.part !== undefined && one.key !== part) return false;
    return refined?.current !== false || one.txId !== context.view.txId;
  });
  return refined?.window.kind === "events" ? found.slice(-refined.window.count) : found;
}

function joined(lists: readonly (readonly CheckedTransaction[])[]): CheckedTransaction[] {
  const found = new Map<string, CheckedTransaction>();
  for (const list of lists) {
    for (const { txId, time, amount } of list) found.set(txId, { txId, time, amount });
  }
  return [...found.values()].sort((a, b) => a.time - b.time || (a.txId < b.txId ? -1 : 1));
}

function unseen(claim: Claim): CheckedNumber {
  const { ruleId, entity, evidence } = claim;
  return { ruleId, entity, evidence, verdict: "different", recomputed: undefined, transactions: [] };
}

function aggregatesOf(pack: Pack, claim: Claim): readonly Aggregate[] {
  return (claim.comparison?.aggregates ?? []).flatMap((slot) => pack.aggregates[slot] ?? []);
}

/** The clause of a rule that a number is the evidence of. */
function comparisonOf(pack: Pack, ruleId: string, evidence: Evidence): Comparison | undefined {
  const rule = pack.rules.find(({ id }) => id === ruleId);
  const flow = rule?.flow === undefined ? undefined : pack.flows[rule.flow];
  const clauses = [...(flow?.steps.map((step) => step.until) ?? []), ...(rule?.when ? [rule.when] : [])];
  const found = clauses.flatMap(comparisonsIn).filter((one) => {
    return one.left === evidence.measure && one.operator === evidence.comparison;
  });
  return found[0];
}

function comparisonsIn(clause: Clause): Comparison[] {
  if (clause.kind === "leaf") return clause.comparison === undefined ? [] : [clause.comparison];
  return clause.children.flatMap(comparisonsIn);
}

/** A moment at which nothing happens, to read an entity as of then. */
function momentOf(entity: EntityKey, time: number): EventView {
  const event = { id: "", entity, type: "tick" as const, time, device: undefined, country: undefined };
  return { kind: "event", entity, time, txId: "", hop: 0, source: "", index: 0, event };
}
