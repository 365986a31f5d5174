/**
 * A pack prepared for one entity kind: which measures and rules a movement can concern is looked up by what scopes
 * name (rail, direction, stage, channel, purpose), so that a view costs what its candidates cost, not what the pack
 * holds.
 */
import { ENTITY_KINDS, type EntityKind } from "../domain/entity.ts";
import { CHANNELS, type Direction, PURPOSES, RAILS, STAGES, type Tx } from "../domain/tx.ts";
import type { Clause, CompiledRule, Context, Flow, Measure, Pack, Scope, Test, Tri } from "../rules/plan.ts";
import { isPlain } from "./counted.ts";
import { type CountingStep, countingSteps } from "./counting.ts";
import type { SetsByKey } from "./shown-keys.ts";

export interface PreparedRule {
  readonly rule: CompiledRule;
  /** Index in the state's `rules` and `flows` (indicators) or `alerts` (typologies). */
  readonly index: number;
  readonly when: Test | undefined;
  readonly flow: PreparedFlow | undefined;
  /** A party's rule judged on an account whose holder nobody named. */
  readonly standIn: boolean;
  /** Some rule counts hits of this one on the same entity, its holders or links, so hits are kept or told. */
  readonly recorded: boolean;
  readonly told: boolean;
}

export interface PreparedFlow {
  readonly flow: Flow;
  readonly until: readonly Test[];
}

/** What one combination of rail, direction, stage, channel and purpose concerns. */
export interface Candidates {
  readonly measures: readonly Measure[];
  /** The same, as a movement that comes in order is taken in. */
  readonly steps: readonly CountingStep[];
  readonly indicators: readonly PreparedRule[];
  readonly typologies: readonly PreparedRule[];
}

export interface SubjectIndex {
  readonly kind: EntityKind;
  readonly measures: readonly Measure[];
  /** Those of which recent events tell everything, and those that keep lists of what they add. */
  readonly plain: readonly Measure[];
  readonly listed: readonly Measure[];
  /** Plain sets by the key that they count. */
  readonly byKey: SetsByKey;
  readonly indicators: readonly PreparedRule[];
  readonly typologies: readonly PreparedRule[];
  /** Those whose hits travel along money. */
  readonly marking: { readonly indicators: readonly PreparedRule[]; readonly typologies: readonly PreparedRule[] };
  candidates(tx: Tx, direction: Direction): Candidates;
}

/** Prepares every entity kind of a pack. */
export function indexPack(pack: Pack): ReadonlyMap<EntityKind, SubjectIndex> {
  const read = readers(pack);
  return new Map(ENTITY_KINDS.map((kind) => [kind, indexSubject(pack, kind, read)]));
}

/**
 * Lets accounts be judged by the typologies of parties: where neither movement nor profile names a
 * holder, the account stands for its party (model of a feed with nothing but account numbers).
 */
export function withStandIns(pack: Pack): Pack {
  const { account, party } = pack.subjects;
  const typologies = [...account.typologies, ...party.typologies];
  return { ...pack, subjects: { ...pack.subjects, account: { ...account, typologies } } };
}

/** The rule with an id; undefined where the pack has none. */
export function ruleOf(pack: Pack, id: string): CompiledRule | undefined {
  return pack.rules.find((rule) => rule.id === id);
}

/** Whether a movement lies in a scope, seen in `direction`. */
export function scopeMatches(scope: Scope, tx: Tx, direction: Direction): boolean {
  return (
    (scope.rail === undefined || scope.rail.includes(tx.rail)) &&
    (scope.direction === undefined || scope.direction.includes(direction)) &&
    scope.stage.includes(tx.stage) &&
    (scope.channel === undefined || (tx.channel !== undefined && scope.channel.includes(tx.channel))) &&
    (scope.purpose === undefined || (tx.purpose !== undefined && scope.purpose.includes(tx.purpose)))
  );
}

/** Clause tree to one three-valued test: Kleene for all, any, not; at_least counts what is known. */
export function clauseTest(clause: Clause): Test {
  if (clause.kind === "leaf") return clause.test;
  const tests = clause.children.map(clauseTest);
  if (clause.kind === "not") {
    const inner = allOf(tests);
    return (c) => {
      const value = inner(c);
      return value === undefined ? undefined : !value;
    };
  }
  if (clause.kind === "all") return allOf(tests);
  return atLeast(tests, clause.kind === "any" ? 1 : clause.n);
}

function allOf(tests: readonly Test[]): Test {
  return (c: Context): Tri => {
    let result: Tri = true;
    for (const test of tests) {
      const value = test(c);
      if (value === false) return false;
      if (value === undefined) result = undefined;
    }
    return result;
  };
}

function atLeast(tests: readonly Test[], n: number): Test {
  return (c: Context): Tri => {
    let known = 0;
    let possible = 0;
    for (const test of tests) {
      const value = test(c);
      if (value === true) known++;
      if (value !== false) possible++;
      if (known >= n) return true;
    }
    return possible >= n ? undefined : false;
  };
}

/** Ids of rules that some hit input reads on the spot or over holders and links, by reading subject. */
function readers(pack: Pack): { local: Map<EntityKind, Set<string>>; told: Set<string> } {
  const local = new Map<EntityKind, Set<string>>(ENTITY_KINDS.map((kind) => [kind, new Set<string>()]));
  const told = new Set<string>();
  for (const rule of pack.rules) {
    for (const slot of rule.hitInputs) {
      const input = pack.hitInputs[slot];
      if (input === undefined) continue;
      for (const id of input.of) {
        if (input.from.kind === "self" || input.from.kind === "accounts") local.get(rule.subject)?.add(id);
        if (input.from.kind === "accounts" || input.from.kind === "linked") told.add(id);
        // An account that stands for its party reads its own hits as the party would.
        if (rule.subject === "party") local.get("account")?.add(id);
      }
    }
  }
  return { local, told };
}

function indexSubject(pack: Pack, kind: EntityKind, read: ReturnType<typeof readers>): SubjectIndex {
  const plan = pack.subjects[kind];
  const prepare = (rule: CompiledRule, index: number): PreparedRule => ({
    rule,
    index,
    when: rule.when === undefined ? undefined : clauseTest(rule.when),
    flow: rule.flow === undefined ? undefined : prepareFlow(pack, rule.flow),
    standIn: rule.subject !== kind,
    recorded: read.local.get(kind)?.has(rule.id) ?? false,
    told: read.told.has(rule.id),
  });
  const indicators = plan.indicators.map(prepare);
  const typologies = plan.typologies.map(prepare);
  const table = new Map<number, Candidates>();
  return {
    kind,
    measures: plan.measures,
    plain: plan.measures.filter(isPlain),
    listed: plan.measures.filter((measure) => measure.value !== undefined && !isPlain(measure)),
    byKey: byKeyOf(plan.measures),
    indicators,
    typologies,
    marking: { indicators: indicators.filter(marks), typologies: typologies.filter(marks) },
    candidates(tx, direction) {
      const key = tableKey(tx, direction);
      let found = table.get(key);
      if (found === undefined) {
        found = select(plan.measures, indicators, typologies, tx, direction);
        table.set(key, found);
      }
      return found;
    },
  };
}

function byKeyOf(measures: readonly Measure[]): SetsByKey {
  const sets: Measure[][] = [];
  for (const measure of measures) {
    if (measure.keySlot < 0) continue;
    while (sets.length <= measure.keySlot) sets.push([]);
    if (isPlain(measure)) sets[measure.keySlot]?.push(measure);
  }
  return sets;
}

function marks({ rule }: PreparedRule): boolean {
  return rule.marks.downstream > 0 || rule.marks.upstream > 0;
}

function prepareFlow(pack: Pack, slot: number): PreparedFlow {
  const flow = pack.flows[slot];
  if (flow === undefined) throw new Error(`invariant broken: pack has no flow ${slot}`);
  return { flow, until: flow.steps.map((step) => clauseTest(step.until)) };
}

function select(
  measures: readonly Measure[],
  indicators: readonly PreparedRule[],
  typologies: readonly PreparedRule[],
  tx: Tx,
  direction: Direction,
): Candidates {
  const matches = (scope: Scope | undefined) => scope === undefined || scopeMatches(scope, tx, direction);
  const counting = measures.filter((measure) => matches(measure.scope));
  return {
    measures: counting,
    steps: countingSteps(counting),
    indicators: indicators.filter(({ rule, flow }) => {
      if (flow === undefined) return matches(rule.scope);
      const scopes = flow.flow.steps.map((step) => step.scope);
      return scopes.some(matches) || (flow.flow.cancelOn !== undefined && matches(flow.flow.cancelOn.scope));
    }),
    typologies: typologies.filter(({ rule }) => rule.scope !== undefined && matches(rule.scope)),
  };
}

/** One number for all that a scope can name; every combination that occurs is worked out once. */
function tableKey(tx: Tx, direction: Direction): number {
  let key = numberIn(RAIL_NUMBERS, tx.rail);
  key = key * STAGES.length + numberIn(STAGE_NUMBERS, tx.stage);
  key = key * (CHANNELS.length + 1) + numberIn(CHANNEL_NUMBERS, tx.channel);
  key = key * (PURPOSES.length + 1) + numberIn(PURPOSE_NUMBERS, tx.purpose);
  return key * 2 + (direction === "in" ? 0 : 1);
}

/** Position of a word in its list; behind all of them where there is none. */
function numberIn(numbers: ReadonlyMap<string, number>, word: string | undefined): number {
  return word === undefined ? numbers.size : (numbers.get(word) as number);
}

const RAIL_NUMBERS = numbered(RAILS);
const STAGE_NUMBERS = numbered(STAGES);
const CHANNEL_NUMBERS = numbered(CHANNELS);
const PURPOSE_NUMBERS = numbered(PURPOSES);

function numbered(words: readonly string[]): ReadonlyMap<string, number> {
  return new Map(words.map((word, i) => [word, i]));
}
