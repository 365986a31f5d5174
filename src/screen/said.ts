/** What folds of a tail say: of each alert its last content, every derived view, every hit. */
import { DERIVED_HOPS_MAX } from "../base/limits.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { AlertContent, FoldSink, HitRecord } from "./outputs.ts";

/** Collects by id what a fold says, so that two folds can be compared. */
export interface Said extends FoldSink {
  readonly alerts: Map<string, { readonly content: AlertContent; readonly hash: number }>;
  readonly views: Map<string, HitView | MarkView>;
  readonly hits: Map<string, HitRecord>;
}

/** Nothing said yet, or what `before` has collected, to go on from there. */
export function newSaid(before?: Said): Said {
  const alerts: Said["alerts"] = new Map(before?.alerts);
  const views: Said["views"] = new Map(before?.views);
  const hits: Said["hits"] = new Map(before?.hits);
  return {
    alerts,
    views,
    hits,
    alert: (content, hash) => alerts.set(content.alertId, { content, hash }),
    view(view) {
      if (goesOn(view)) views.set(`${view.kind}|${view.entity}|${view.id}`, view);
    },
    hit: (hit) => hits.set(`${hit.ruleId}|${hit.event}|${hit.start}`, hit),
    unknown: () => {},
    unknownFilter: () => {},
  };
}

/** Whether a telling is told: not too many have led to it. */
export function goesOn(view: HitView | MarkView): boolean {
  return view.hop <= DERIVED_HOPS_MAX;
}
