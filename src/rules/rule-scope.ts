/** What expressions of one rule can see and do: the types, the places in a rule, and the default scope. */
import type { EntityKind } from "../domain/entity.ts";
import type { Crime } from "../domain/vocabulary.ts";
import type { BaselineTable } from "./baseline-table.ts";
import type { Findings } from "./diagnostics.ts";
import type { Ast } from "./expression/parser.ts";
import type { Checked, Type } from "./expression/types.ts";
import type { Lists } from "./lists.ts";
import type { MeasureDefinition, MeasureTable } from "./measures.ts";
import type { PeerTables } from "./peers.ts";
import type { Scope } from "./plan.ts";
import type { ScopeSource } from "./schema-parts.ts";
import type { ScalarNode } from "./source.ts";

/** Everything that rules share while a pack is compiled. */
export interface PackScope {
  readonly findings: Findings;
  readonly lists: Lists;
  readonly currency: { readonly code: string; readonly decimals: number };
  readonly measures: MeasureTable;
  readonly baselines: BaselineTable;
  readonly peerTables: PeerTables;
}

/** What may be named besides the rule's own definitions. */
export interface Place {
  /** Flow steps and what they keep. */
  readonly steps: boolean;
  /** `score` and `families`, in a typology's conditions. */
  readonly score: boolean;
  /** `hits`. */
  readonly hits: boolean;
  /** Calendars and words of the profile, which may only lower a score. */
  readonly lowering: boolean;
  /** `past`, the earlier movement that a `matching` filter is asked about. */
  readonly past?: boolean;
}

export const IN_FILTER: Place = { steps: false, score: false, hits: false, lowering: false };
export const IN_MATCHING: Place = { ...IN_FILTER, past: true };
export const IN_CLAUSE: Place = { steps: true, score: false, hits: true, lowering: false };
export const IN_SCORE: Place = { steps: false, score: false, hits: true, lowering: false };
export const IN_ALERT: Place = { steps: false, score: true, hits: true, lowering: false };
export const IN_REDUCTION: Place = { steps: false, score: false, hits: true, lowering: true };
export const IN_TEXT: Place = { steps: true, score: true, hits: true, lowering: true };

/** A step of the rule's flow, as expressions see it. */
export interface StepNames {
  readonly flow: number;
  readonly step: number;
  readonly kept: ReadonlyMap<string, Checked>;
}

/** Hit inputs as expressions see them. */
export interface HitNames {
  readonly slot: number;
  readonly classes: number;
  /** What can be read of the values that the hits carry, by name: index in the input's `attrs`, and type. */
  readonly attrs: ReadonlyMap<string, { readonly index: number; readonly type: Type }>;
}

/** A filter of `where`, as the measure table wants it, and the classes of what it reads. */
export interface Where {
  readonly filter: NonNullable<MeasureDefinition["where"]>;
  readonly classes: number;
}

/** The scope of one rule. */
export interface RuleScope {
  readonly pack: PackScope;
  readonly rule: { readonly id: string; readonly crime: Crime; readonly subject: EntityKind; readonly scope: Scope };
  /** Slot of the rule's flow. */
  flow: number | undefined;
  readonly steps: Map<string, StepNames>;
  readonly hits: Map<string, HitNames>;
  /** Families of a typology's score. */
  readonly families: Set<string>;
  /** What expressions have named, such as `filter far_deposit`. */
  readonly used: Set<string>;
  /** The tree of an expression, `text` in place of the node's own; undefined when it cannot be parsed. */
  parse(node: ScalarNode, text?: string): Ast | undefined;
  /** Checks a parsed expression; tells every fault. */
  checkAst(ast: Ast, node: ScalarNode, place: Place): Checked;
  /** Both of the above. */
  check(node: ScalarNode, place: Place): Checked;
  /** The constant of a literal or of `params.X`. */
  constant(node: ScalarNode, what: string): (Checked & { kind: "constant" }) | undefined;
  /** A filter of `where`. */
  where(node: ScalarNode | undefined): Where | undefined;
  /** Aggregates of the rule with the trees that read them, all resolved, so that their faults are told. */
  resolveAll(): ReadonlyMap<string, Checked>;
}

/** Stages that count when a scope names none: money that moved or is held. */
export const STAGES_DEFAULT = ["booked", "authorised"] as const;

/** A scope with its default stages. */
export function planScope(source: ScopeSource | undefined): Scope {
  return {
    rail: source?.rail,
    direction: source?.direction,
    channel: source?.channel,
    purpose: source?.purpose,
    stage: source?.stage ?? STAGES_DEFAULT,
  };
}
