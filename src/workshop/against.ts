/**
 * A pack held against recorded data: which rules can fire on them at all and what the others lack, clauses that
 * never or always held, list entries that nothing met, how many alerts a day to expect.
 */
import { DAY_MS } from "../base/limits.ts";
import { type EntityKey, kindOf } from "../domain/entity.ts";
import type { EntityEvent, Profile } from "../domain/profile.ts";
import type { Tx } from "../domain/tx.ts";
import { routeTx } from "../intake/route.ts";
import { entriesOf, type ListLookup, listLookups } from "../rules/list-lookups.ts";
import type { Lists, RuleList } from "../rules/lists.ts";
import { evaluateClause } from "../rules/logic.ts";
import { missingOf, type Need, needsOf, valueNeeds } from "../rules/needs.ts";
import type { Pack } from "../rules/plan.ts";
import type { RuleSource } from "../rules/schema.ts";
import { imagined } from "../rules/typology.ts";
import { createEmbedded } from "../screen/embedded.ts";
import { type ClauseTally, tallyClauses } from "./clause-tally.ts";
import { isInScope, observedContext } from "./observed.ts";

/** Counts below this are not told: they could point at persons. */
export const COUNT_TOLD_LEAST = 10;

/** A count, or undefined where it is between 1 and 9. */
export type ToldCount = number | undefined;

export interface RuleOutlook {
  readonly id: string;
  readonly kind: "indicator" | "typology";
  readonly canFire: boolean;
  /** What the data lack; empty when the rule can fire. */
  readonly missing: readonly string[];
  /** Alerts opened of a typology, hit episodes of an indicator. */
  readonly count: ToldCount;
  /** The same a day; undefined where the count is. */
  readonly perDay: number | undefined;
}

export interface AgainstReport {
  readonly movements: number;
  readonly days: number;
  readonly rules: readonly RuleOutlook[];
  /** Fields that rules name and no movement in their scope carries. */
  readonly absentFields: readonly { readonly field: string; readonly rules: readonly string[] }[];
  readonly clauses: readonly {
    readonly rule: string;
    readonly clause: string;
    readonly text: string;
    readonly outcome: "never" | "always" | "unknown";
    readonly judged: number;
  }[];
  readonly lists: readonly {
    readonly list: string;
    readonly entries: number;
    readonly unmatched: number;
    /** Undefined for identifiers, which name persons. */
    readonly examples: readonly string[] | undefined;
  }[];
}

export interface Against {
  pushTx(tx: Tx): void;
  pushProfile(profile: Profile): void;
  pushEvent(event: EntityEvent): void;
  report(): AgainstReport;
}

interface Watched {
  readonly rule: RuleSource;
  readonly need: Need;
  readonly values: (Need & { kind: "seen" })[];
  readonly lookups: readonly ListLookup[];
}

/** Makes a report over data that come in time order. `rules` are the sources of the pack. */
export function createAgainst(pack: Pack, rules: readonly RuleSource[], lists: Lists): Against {
  const inForce = new Set(pack.rules.map((rule) => rule.id));
  const watched = rules.filter((rule) => inForce.has(rule.id.text)).map((rule) => watch(rule, lists));
  const seen = new Set<Need>();
  const matched = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  const profiles = new Map<EntityKey, Profile>();
  const { pack: tallied, tallies } = tallyClauses(pack);
  const count = (id: string): void => void counts.set(id, (counts.get(id) ?? 0) + 1);
  const embedded = createEmbedded(tallied, {
    alert: (alert) => alert.event === "opened" && count(alert.typology.id),
    hit: (hit) => hit.event === "opened" && count(hit.ruleId),
    verdict: () => {},
  });
  const span = { movements: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY };
  return {
    pushTx(tx) {
      span.movements += 1;
      span.first = Math.min(span.first, tx.time);
      span.last = Math.max(span.last, tx.time);
      for (const view of routeTx(tx)) {
        const context = observedContext(view, profiles.get(view.entity));
        const kind = kindOf(view.entity);
        for (const { rule, values, lookups } of watched) {
          if (rule.subject !== kind) continue;
          settle(values, seen, (need) => isInScope(need.scope, view) && hasValue(need.read?.(context), need));
          for (const { list, met } of lookups) for (const entry of met(context)) note(matched, list.id, entry);
        }
      }
      embedded.pushTx(tx);
    },
    pushProfile(profile) {
      profiles.set(profile.entity, profile);
      embedded.pushProfile(profile);
    },
    pushEvent: (event) => embedded.pushEvent(event),
    report: () => {
      const days = span.movements === 0 ? 0 : Math.max(1, (span.last - span.first) / DAY_MS);
      return {
        movements: span.movements,
        days,
        rules: outlooks(pack, watched, seen, counts, days),
        absentFields: absentFields(watched, seen),
        clauses: tallies.flatMap(toldClause),
        lists: listUse(watched, matched),
      };
    },
  };
}

function watch(rule: RuleSource, lists: Lists): Watched {
  const need = needsOf(rule);
  const values: (Need & { kind: "seen" })[] = [];
  valueNeeds(need, (value) => values.push(value));
  return { rule, need, values, lookups: listLookups(rule, lists) };
}

/** Moves the needs that a view meets over to `seen`; they are not asked about again. */
function settle(
  values: (Need & { kind: "seen" })[],
  seen: Set<Need>,
  isMet: (need: Need & { kind: "seen" }) => boolean,
): void {
  for (let i = values.length - 1; i >= 0; i--) {
    const need = values[i];
    if (need === undefined || !isMet(need)) continue;
    seen.add(need);
    values.splice(i, 1);
  }
}

function hasValue(value: unknown, need: Need & { kind: "seen" }): boolean {
  return need.read === undefined || value !== undefined;
}

function note(into: Map<string, Set<string>>, list: string, entry: string): void {
  const known = into.get(list);
  if (known === undefined) into.set(list, new Set([entry]));
  else known.add(entry);
}

function outlooks(
  pack: Pack,
  watched: readonly Watched[],
  seen: ReadonlySet<Need>,
  counts: ReadonlyMap<string, number>,
  days: number,
): RuleOutlook[] {
  const byId = new Map(watched.map((entry) => [entry.rule.id.text, entry]));
  const known = new Map<string, readonly string[]>();
  const missing = (id: string): readonly string[] => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const entry = byId.get(id);
    if (entry === undefined) return ["a rule that is in force"];
    // What fired can fire, whatever the needs that are read from its text say.
    if ((counts.get(id) ?? 0) > 0) return [];
    known.set(id, []);
    const { need, rule } = entry;
    const found = rule.typology === undefined ? missingOf(need, (one) => seen.has(one), fires) : unreachable(id);
    known.set(id, found);
    return found;
  };
  /** Hits that a typology lacks for its condition to hold with all others present; empty when it can hold. */
  const unreachable = (id: string): string[] => {
    const { typology, hitInputs = [] } = pack.rules.find((rule) => rule.id === id) ?? {};
    if (typology === undefined) return [];
    const there = (slot: number): boolean => pack.hitInputs[slot]?.of.some(fires) === true;
    const present = typology.indicators.filter((one) => one.hitInputs.every(there));
    const families = new Set(present.map((one) => (one.geography ? "geography" : `family ${one.family}`)));
    const context = imagined(present, typology.familyCap, hitInputs.filter(there), families.size);
    if (evaluateClause(typology.alertWhen, context) !== false) return [];
    const absent = hitInputs.filter((slot) => !there(slot));
    return absent.map((slot) => `hits of ${pack.hitInputs[slot]?.of.join(", ")}`);
  };
  const fires = (id: string): boolean => {
    if (!id.endsWith("*")) return missing(id).length === 0;
    return [...byId.keys()].some((other) => other.startsWith(id.slice(0, -1)) && missing(other).length === 0);
  };
  return pack.rules.map(({ id, kind }) => {
    const count = counts.get(id) ?? 0;
    const told = count > 0 && count < COUNT_TOLD_LEAST ? undefined : count;
    const perDay = told === undefined || days === 0 ? undefined : told / days;
    const lack = missing(id);
    return { id, kind, canFire: lack.length === 0, missing: lack, count: told, perDay };
  });
}

function absentFields(watched: readonly Watched[], seen: ReadonlySet<Need>): AgainstReport["absentFields"] {
  const out = new Map<string, Set<string>>();
  for (const { rule, need } of watched) {
    valueNeeds(need, (value) => {
      if (value.read === undefined || seen.has(value)) return;
      out.set(value.label, (out.get(value.label) ?? new Set()).add(rule.id.text));
    });
  }
  return [...out].sort(([a], [b]) => (a < b ? -1 : 1)).map(([field, rules]) => ({ field, rules: [...rules].sort() }));
}

function toldClause(tally: ClauseTally): AgainstReport["clauses"] {
  const judged = tally.held + tally.failed + tally.unknown;
  // A clause that was asked a few times has said nothing yet.
  if (judged < COUNT_TOLD_LEAST) return [];
  const outcome =
    tally.unknown === judged
      ? ("unknown" as const)
      : tally.held === 0
        ? ("never" as const)
        : tally.held === judged
          ? ("always" as const)
          : undefined;
  if (outcome === undefined) return [];
  return [{ rule: tally.ruleId, clause: tally.clause, text: tally.text, outcome, judged }];
}

const EXAMPLES_MAX = 5;

function listUse(
  watched: readonly Watched[],
  matched: ReadonlyMap<string, ReadonlySet<string>>,
): AgainstReport["lists"] {
  const lists = new Map<string, RuleList>();
  for (const { lookups } of watched) for (const { list } of lookups) lists.set(list.id, list);
  return [...lists.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((list) => {
      const entries = entriesOf(list);
      const met = matched.get(list.id) ?? new Set();
      const unmatched = entries.filter((entry) => !met.has(entry));
      if (unmatched.length === 0) return [];
      const personal = list.type === "identifier" || list.type === "registry";
      const examples = personal ? undefined : unmatched.slice(0, EXAMPLES_MAX);
      return [{ list: list.id, entries: entries.length, unmatched: unmatched.length, examples }];
    });
}
