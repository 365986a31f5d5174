/**
 * The aggregate plan of a pack: equal aggregates of all rules become one, and those that differ only in
 * window or function share one base measure. A measure is known by the hash of its definition, in which no
 * threshold and no window stands, so that editing those keeps an entity's state.
 */

import { fnv1a32 } from "../base/hash.ts";
import { DISTINCT_CAP_DEFAULT } from "../base/limits.ts";
import { ENTITY_KINDS, type EntityKind } from "../domain/entity.ts";
import type {
  Aggregate,
  AggregateFunction,
  AggregateRefinement,
  Measure,
  MeasureKind,
  Read,
  Scope,
  Test,
  Unit,
} from "./plan.ts";

/** What makes one base measure. The canonical texts say the same as the closures. */
export interface MeasureDefinition {
  readonly subject: EntityKind;
  readonly scope: Scope;
  readonly kind: MeasureKind;
  readonly where: { readonly canonical: string; readonly test: Test } | undefined;
  /** kind number: undefined counts each event as 1. */
  readonly value: { readonly canonical: string; readonly read: Read<number> } | undefined;
  readonly key: { readonly canonical: string; readonly read: Read<string> } | undefined;
  readonly cap: number | undefined;
}

export interface AggregateDefinition {
  readonly measure: MeasureDefinition;
  readonly function: AggregateFunction;
  readonly windowMs: number;
  /** Shortest span that the window may have, for the grain of buckets. */
  readonly windowMinMs: number;
  readonly refined: { readonly canonical: string; readonly refinement: AggregateRefinement } | undefined;
  readonly flow: { readonly flow: number; readonly step: number } | undefined;
  readonly unit: Unit;
}

/** An aggregate over recent movements or completions of a flow. */
export type BareAggregate = Pick<Aggregate, "function" | "windowMs" | "unit" | "past" | "completed">;

/** Collects the measures and aggregates of a pack. */
export interface MeasureTable {
  /** Slot of the measure, with the window that is read from it. */
  measure(definition: MeasureDefinition, windowMs: number, windowMinMs?: number): number;
  /** Slot of the aggregate. */
  aggregate(definition: AggregateDefinition): number;
  /** Slot of an aggregate that needs no measure; `canonical` says all that it is. */
  bare(aggregate: BareAggregate, canonical: string): number;
  /** Window of a plain aggregate, ms; undefined for one that depends on the judged movement or on a flow step. */
  plainWindow(slot: number): number | undefined;
  /** Canonical text of an aggregate, for filters that read it. */
  canonicalOf(slot: number): string;
  /** All of it, in dependency order: a filter reads aggregates of lower slots only. */
  finish(): { readonly measures: readonly Measure[]; readonly aggregates: readonly Aggregate[] };
}

interface Draft {
  readonly definition: MeasureDefinition;
  readonly hash: number;
  cap: number;
  windowMs: number;
  windowMinMs: number;
}

/** An empty table. */
export function createMeasureTable(): MeasureTable {
  const drafts: Draft[] = [];
  const measureSlots = new Map<string, number>();
  const hashes = new Set<number>();
  const aggregates: Aggregate[] = [];
  const aggregateSlots = new Map<string, number>();
  const aggregateTexts: string[] = [];
  /** One closure for filters that say the same, so that screening asks it once for all measures that share it. */
  const tests = new Map<string, Test>();

  const shared = (definition: MeasureDefinition): MeasureDefinition => {
    const { subject, where } = definition;
    if (where === undefined) return definition;
    const text = `${subject} ${where.canonical}`;
    const test = tests.get(text) ?? where.test;
    tests.set(text, test);
    return { ...definition, where: { ...where, test } };
  };
  const measure = (definition: MeasureDefinition, windowMs: number, windowMinMs = windowMs): number => {
    const text = measureText(definition);
    const known = measureSlots.get(text);
    const cap = definition.kind === "number" ? 0 : (definition.cap ?? DISTINCT_CAP_DEFAULT);
    const draft = known === undefined ? undefined : drafts[known];
    if (known !== undefined && draft !== undefined) {
      draft.cap = Math.max(draft.cap, cap);
      draft.windowMs = Math.max(draft.windowMs, windowMs);
      draft.windowMinMs = Math.min(draft.windowMinMs, windowMinMs);
      return known;
    }
    const slot = drafts.length;
    drafts.push({ definition: shared(definition), hash: freeHash(text, hashes), cap, windowMs, windowMinMs });
    measureSlots.set(text, slot);
    return slot;
  };

  return {
    measure,
    aggregate(definition) {
      const { function: name, windowMs, windowMinMs, refined, flow, unit } = definition;
      const slot = measure(definition.measure, windowMs, windowMinMs);
      const step = flow === undefined ? "" : `|flow ${flow.flow}.${flow.step}`;
      const more = refined === undefined ? "" : `|${refined.canonical}`;
      const text = `${name}(${measureText(definition.measure)})/${windowMs}${step}${more}`;
      const known = aggregateSlots.get(text);
      if (known !== undefined) return known;
      const index = aggregates.length;
      const refinement = refined?.refinement;
      const measured = { measure: slot, past: undefined, completed: undefined, refined: refinement, flow };
      aggregates.push({ slot: index, function: name, windowMs, unit, ...measured });
      aggregateSlots.set(text, index);
      aggregateTexts.push(text);
      return index;
    },
    bare(aggregate, text) {
      const known = aggregateSlots.get(text);
      if (known !== undefined) return known;
      const slot = aggregates.length;
      aggregates.push({ slot, measure: -1, refined: undefined, flow: undefined, ...aggregate });
      aggregateSlots.set(text, slot);
      aggregateTexts.push(text);
      return slot;
    },
    plainWindow(slot) {
      const aggregate = aggregates[slot];
      if (aggregate === undefined || aggregate.measure < 0 || aggregate.flow !== undefined) return undefined;
      const { refined, windowMs } = aggregate;
      if (refined !== undefined && (refined.part !== undefined || !refined.current)) return undefined;
      return windowMs;
    },
    canonicalOf: (slot) => `agg[${aggregateTexts[slot] ?? ""}]`,
    finish: () => ({ measures: finishMeasures(drafts), aggregates }),
  };
}

/** A scope as text: the same values in any order give the same text. */
export function scopeText(scope: Scope): string {
  const part = (name: string, values: readonly string[] | undefined): string =>
    values === undefined ? "" : `${name}:${[...values].sort().join("|")};`;
  return (
    part("rail", scope.rail) +
    part("direction", scope.direction) +
    part("channel", scope.channel) +
    part("purpose", scope.purpose) +
    part("stage", scope.stage)
  );
}

function measureText(definition: MeasureDefinition): string {
  const { subject, scope, kind, value, key, where } = definition;
  const number = value?.canonical ?? "1";
  const of = kind === "number" ? number : kind === "split" ? `${number} by ${key?.canonical}` : (key?.canonical ?? "");
  return `${subject}{${scopeText(scope)}}${kind}[${of}]where[${where?.canonical ?? ""}]`;
}

/** Hash of the definition; the next free one in the rare case that two definitions share it. */
function freeHash(text: string, taken: Set<number>): number {
  let hash = fnv1a32(text);
  for (let i = 1; taken.has(hash); i++) hash = fnv1a32(`${text}#${i}`);
  taken.add(hash);
  return hash;
}

function finishMeasures(drafts: readonly Draft[]): Measure[] {
  const nextIndex = new Map<EntityKind, number>(ENTITY_KINDS.map((kind) => [kind, 0]));
  const keys = new Map<EntityKind, Map<string, number>>(ENTITY_KINDS.map((kind) => [kind, new Map()]));
  return drafts.map(({ definition, hash, cap, windowMs, windowMinMs }, slot) => {
    const index = nextIndex.get(definition.subject) ?? 0;
    nextIndex.set(definition.subject, index + 1);
    const { kind } = definition;
    const counted = kind === "number" || kind === "split";
    const key = kind === "number" ? undefined : definition.key;
    return {
      slot,
      index,
      definition: hash,
      kind,
      subject: definition.subject,
      scope: definition.scope,
      where: definition.where?.test,
      value: counted ? (definition.value?.read ?? one) : undefined,
      adds: addsOf(kind, definition.value?.canonical),
      key: key?.read,
      keySlot: key === undefined ? -1 : numberOf(key.canonical, keys.get(definition.subject) as Map<string, number>),
      cap,
      windowMs,
      windowMinMs,
    };
  });
}

function numberOf(text: string, known: Map<string, number>): number {
  const number = known.get(text) ?? known.size;
  known.set(text, number);
  return number;
}

function addsOf(kind: MeasureKind, value: string | undefined): Measure["adds"] {
  if (kind === "distinct") return "key";
  if (kind !== "number") return "other";
  if (value === undefined) return "one";
  return value === "tx.amount" ? "amount" : "other";
}

function one(): number {
  return 1;
}
