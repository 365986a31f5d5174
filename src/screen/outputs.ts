/** What screening an entity's view gives back. The shells decide where it goes. */
import type { Alert } from "../domain/alert.ts";
import type { EntityKey } from "../domain/entity.ts";
import type { HitView, MarkView } from "../domain/view.ts";
import type { CompiledRule, Measure } from "../rules/plan.ts";

/** A hit episode as `--hits` writes it. */
export interface HitRecord {
  readonly schema: "hit/1";
  readonly ruleId: string;
  readonly version: number;
  readonly entity: EntityKey;
  readonly event: "opened" | "ended";
  readonly start: number;
  readonly last: number;
  readonly txId: string;
  readonly explanation: string;
}

export type Output =
  /** One revision of an alert. */
  | { readonly kind: "alert"; readonly alert: Alert }
  /** A derived view for another entity (or for the entity itself never). */
  | { readonly kind: "view"; readonly view: HitView | MarkView }
  /** An episode of an own hit began or ended; told once, in arrival order. */
  | { readonly kind: "hit"; readonly hit: HitRecord };

/** What became of a view; all but `judged` are counted by the shell. */
export type Verdict =
  | "judged"
  /** Late within the tail: put in its place and folded again. */
  | "refolded"
  /** Judged or refolded, and a full tail settled its oldest views early: order may decide on them. */
  | "overflowed"
  /** Later than L: counted in its bucket, judges nothing. */
  | "counted"
  | "too_late"
  | "duplicate"
  | "conflict"
  | "reversed"
  /** A `off` whose original had settled or was never there. */
  | "ignored";

/** An alert without what only sending decides: revision, event, cause, changes. */
export type AlertContent = Omit<Alert, "revision" | "event" | "cause" | "changes">;

/** Where a fold puts what it finds. Live folds send at once; a fold of a tail collects and compares. */
export interface FoldSink {
  /** `hash` tells two contents of one alert apart, dates included; never 0. */
  alert(content: AlertContent, hash: number): void;
  view(view: HitView | MarkView): void;
  hit(hit: HitRecord): void;
  /** A rule could not be judged: something that it reads is missing, or the entity is too new. */
  unknown(rule: CompiledRule): void;
  /** A movement could not be counted, nor left out, because the measure's filter reads what is missing. */
  readonly unknownFilter: (measure: Measure) => void;
}
