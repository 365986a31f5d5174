/**
 * The trace of a replay: the value of every aggregate at every judgement, as one line for each rule and movement.
 * With the recorded data and the rule file it is all that another tool needs to compute the same numbers.
 */
import { kindOf, tokenOf } from "../domain/entity.ts";
import { formatTime } from "../domain/time.ts";
import type { TxView } from "../domain/view.ts";
import type { JudgeContext } from "../screen/context.ts";
import { restsOn } from "../screen/evidence.ts";
import { plainValue } from "../screen/render.ts";
import type { Inspector } from "./inspect.ts";

/** One number of a trace line. */
interface TracedAggregate {
  readonly name: string;
  readonly function: string;
  readonly unit: string;
  /** Money as a decimal of the base currency, the rest as a plain number; null while it cannot be told. */
  readonly value: string | null;
  readonly exact: boolean;
  /** Interval really covered, half open: (from, to]. */
  readonly from: string;
  readonly to: string;
  /** Contributions behind the value. */
  readonly count: number;
}

/** Lines of JSON (`trace/1`) for a movement that was just screened, one for each rule that judged it. */
export function traceLines(inspector: Inspector, views: readonly TxView[]): string[] {
  const lines: string[] = [];
  for (const view of views) {
    const context = inspector.aim(view);
    if (context === undefined) continue;
    for (const { rule } of inspector.candidates(view)) {
      const aggregates = rule.aggregates.flatMap(({ name, slot }) => traced(context, name, slot) ?? []);
      if (aggregates.length === 0) continue;
      const entity = { kind: kindOf(view.entity), token: tokenOf(view.entity) };
      const base = { schema: "trace/1", at: formatTime(view.time), txId: view.txId, entity };
      lines.push(JSON.stringify({ ...base, direction: view.direction, ruleId: rule.id, aggregates }));
    }
  }
  return lines;
}

function traced(context: JudgeContext, name: string, slot: number): TracedAggregate | undefined {
  const { pack, now } = context;
  const aggregate = pack.aggregates[slot];
  if (aggregate === undefined) return undefined;
  const value = context.agg(slot);
  const detail = restsOn(context, slot)?.detail;
  const from = detail?.from ?? now - aggregate.windowMs;
  return {
    name,
    function: aggregate.function,
    unit: aggregate.unit,
    value: value === undefined ? null : valueText(aggregate.function, value, aggregate.unit, pack.baseCurrency),
    exact: detail?.exact ?? true,
    from: formatTime(Number.isFinite(from) ? from : now - 1),
    to: formatTime(now),
    count: detail?.count ?? 0,
  };
}

/** First and last sight are times; everything else is in its unit. */
function valueText(name: string, value: number, unit: Parameters<typeof plainValue>[1], currency: string): string {
  return name === "first_seen" || name === "last_seen" ? formatTime(value) : plainValue(value, unit, currency);
}
