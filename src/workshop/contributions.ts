/**
 * Contributions to measures of chosen entities, kept one by one while recorded data is screened: what an analyst
 * would note down by hand. Numbers are computed from them anew, with no window, bucket or counter of the engine.
 */
import type { EntityKey } from "../domain/entity.ts";
import type { TxView } from "../domain/view.ts";
import type { AggregateFunction, Measure, Pack } from "../rules/plan.ts";
import type { JudgeContext } from "../screen/context.ts";
import { scopeMatches } from "../screen/subject-index.ts";

/** One movement that counts in a measure. */
export interface Contribution {
  readonly txId: string;
  readonly time: number;
  /** Base minor units; NaN when the amount has no rate. */
  readonly amount: number;
  /** Order among the entity's movements. */
  readonly seq: number;
  value: number;
  readonly key: string | undefined;
}

/** Contributions of some entities to some measures. */
export interface Ledger {
  /** Takes a movement that was just screened, seen from an entity; the context is aimed at it. */
  add(view: TxView, context: JudgeContext): void;
  /** In the order in which they came. */
  of(entity: EntityKey, measure: number): readonly Contribution[];
}

/** A ledger of the measures with these slots. */
export function createLedger(pack: Pack, slots: ReadonlySet<number>): Ledger {
  const kept = new Map<string, Contribution[]>();
  const measures = [...slots].flatMap((slot) => pack.measures[slot] ?? []);
  const listOf = (entity: EntityKey, slot: number): Contribution[] => {
    const key = `${slot}|${entity}`;
    const list = kept.get(key) ?? [];
    kept.set(key, list);
    return list;
  };
  return {
    add(view, context) {
      const { relation } = view.tx;
      for (const measure of measures) {
        if (measure.subject !== context.index.kind) continue;
        const list = listOf(view.entity, measure.slot);
        if (relation?.kind === "reversal") takeOut(list, relation.of);
        else if (relation?.kind === "settles" && settles(list, relation.of, measure, context)) continue;
        else contribute(list, view, measure, context);
      }
    },
    of: (entity, slot) => kept.get(`${slot}|${entity}`) ?? [],
  };
}

/** The value over contributions in the window; undefined of nothing, and where this cannot compute it. */
export function computed(name: AggregateFunction, list: readonly Contribution[]): number | undefined {
  const values = list.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  switch (name) {
    case "count":
      return list.length;
    case "sum":
      return sum;
    case "distinct":
      return new Set(list.map(({ key }) => key)).size;
    default:
      break;
  }
  if (list.length === 0) return undefined;
  switch (name) {
    case "avg":
      return sum / list.length;
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    case "median":
      return medianOf(values);
    case "first_seen":
      return Math.min(...list.map(({ time }) => time));
    case "last_seen":
      return Math.max(...list.map(({ time }) => time));
    case "max_of":
      return Math.max(...partSums(list));
    case "top_share":
      return sum > 0 ? Math.max(...partSums(list)) / sum : undefined;
    case "gap_cv":
      return gapVariation(list.map(({ time }) => time));
    case "same_day_of_month":
      return sameDayShare(list.map(({ time }) => time));
    case "equal_amount_share":
      return Math.max(...values.map((value) => values.filter((one) => one === value).length)) / values.length;
    default:
      return undefined;
  }
}

function partSums(list: readonly Contribution[]): number[] {
  const sums = new Map<string, number>();
  for (const { key = "", value } of list) sums.set(key, (sums.get(key) ?? 0) + value);
  return [...sums.values()];
}

/** Standard deviation of the gaps by their mean. */
function gapVariation(times: readonly number[]): number | undefined {
  const sorted = [...times].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((time, i) => time - (sorted[i] as number)); // i is within the array.
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  if (gaps.length < 2 || mean === 0) return undefined;
  return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean;
}

/** Largest share that lies within two days of one day of the month, UTC; the 1st follows the 31st. */
function sameDayShare(times: readonly number[]): number {
  const days = times.map((time) => new Date(time).getUTCDate());
  const near = Array.from({ length: 31 }, (_, i) => {
    return days.filter((day) => Math.min(Math.abs(day - i - 1), 31 - Math.abs(day - i - 1)) <= 2).length;
  });
  return Math.max(...near) / times.length;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number; // values is not empty.
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2;
}

function contribute(list: Contribution[], view: TxView, measure: Measure, context: JudgeContext): void {
  const { tx, direction } = view;
  if (!scopeMatches(measure.scope, tx, direction)) return;
  if (measure.where !== undefined && measure.where(context) !== true) return;
  const value = measure.value === undefined ? 1 : measure.value(context);
  const key = measure.key?.(context);
  if (value === undefined || (measure.kind !== "number" && key === undefined)) return;
  const amount = tx.amount ?? Number.NaN;
  list.push({ txId: tx.id, time: tx.time, amount, seq: context.currentSeq, value, key });
}

function takeOut(list: Contribution[], txId: string): void {
  const at = list.findIndex((one) => one.txId === txId);
  if (at >= 0) list.splice(at, 1);
}

/** A booking gives its authorisation another value; false when that was never counted. */
function settles(list: Contribution[], of: string, measure: Measure, context: JudgeContext): boolean {
  const known = list.find((one) => one.txId === of);
  const value = measure.value?.(context);
  if (known !== undefined && value !== undefined) known.value = value;
  return known !== undefined;
}
