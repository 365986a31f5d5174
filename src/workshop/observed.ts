/** A context that knows a movement and a profile and nothing that was counted: what data carry by themselves. */
import type { Profile } from "../domain/profile.ts";
import type { TxView } from "../domain/view.ts";
import type { Context, Scope } from "../rules/plan.ts";

/** The context of one view. */
export function observedContext(view: TxView, profile: Profile | undefined): Context {
  const { tx, direction } = view;
  const incoming = direction === "in";
  return {
    view,
    entity: view.entity,
    now: view.time,
    tx,
    self: incoming ? tx.creditor : tx.debtor,
    other: incoming ? tx.debtor : tx.creditor,
    direction,
    profile,
    agg: () => undefined,
    base: () => undefined,
    aggHas: () => undefined,
    hits: () => 0,
    hitAttr: () => undefined,
    knownFor: () => undefined,
    flowTime: () => undefined,
    past: undefined,
    priorAct: undefined,
    score: 0,
    familyCount: () => 0,
    hasFamily: () => false,
  };
}

/** Whether a movement is of a scope. */
export function isInScope(scope: Scope, { tx, direction }: TxView): boolean {
  return (
    (scope.rail === undefined || scope.rail.includes(tx.rail)) &&
    (scope.direction === undefined || scope.direction.includes(direction)) &&
    (scope.channel === undefined || (tx.channel !== undefined && scope.channel.includes(tx.channel))) &&
    (scope.purpose === undefined || (tx.purpose !== undefined && scope.purpose.includes(tx.purpose))) &&
    scope.stage.includes(tx.stage)
  );
}
