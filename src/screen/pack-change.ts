/**
 * What an entity keeps when another pack takes force: everything that both packs define alike. A measure that the new
 * pack adds, or reads over a longer window than the old one kept, is warming: it knows nothing of the time before, and
 * must not be read as if nothing had been there.
 */
import { WINDOW_MAX_MS } from "../base/limits.ts";
import type { EntityKind } from "../domain/entity.ts";
import type { Measure, Pack } from "../rules/plan.ts";
import type { EntityState } from "./state.ts";
import { decodeStateBytes, encodeStateBytes } from "./state-codec.ts";

/** The state under the plan of `to`; `state`, kept under that of `from`, is left as it is. */
export function carryOver(state: EntityState, kind: EntityKind, from: Pack, to: Pack): EntityState {
  const next = decodeStateBytes(encodeStateBytes(state, from, kind), to, kind);
  next.warming = warmingAfter(state, next, from.subjects[kind].measures, to.subjects[kind].measures);
  return next;
}

function warmingAfter(
  before: EntityState,
  after: EntityState,
  from: readonly Measure[],
  to: readonly Measure[],
): EntityState["warming"] {
  // An entity without a movement has missed nothing.
  if (before.since === Number.POSITIVE_INFINITY) return undefined;
  const known = new Map(from.map((measure) => [measure.definition, measure]));
  const warming = new Map<number, number>();
  for (const measure of to) {
    const since = begunAt(measure, known.get(measure.definition), before, after);
    if (since === undefined || since < before.since) continue;
    // What every window of the measure has left behind is of no account any more.
    if (since > after.clock - Math.min(measure.windowMs, WINDOW_MAX_MS)) warming.set(measure.index, since);
  }
  return warming.size === 0 ? undefined : warming;
}

/** Event time since when the measure has counted all; undefined: always. */
function begunAt(
  measure: Measure,
  known: Measure | undefined,
  before: EntityState,
  after: EntityState,
): number | undefined {
  if (known === undefined || known.kind !== measure.kind) return after.clock;
  const since = before.warming?.get(known.index);
  if (measure.windowMs <= known.windowMs) return since;
  const kept = after.clock - known.windowMs;
  return since === undefined || kept > since ? kept : since;
}
