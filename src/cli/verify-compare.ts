/**
 * What a run left behind against what one ordered pass over its input gives: alerts by id, entities by key. Pure; every
 * difference names the thing, what was found and what was expected.
 */
import type { EntityKey } from "../domain/entity.ts";
import { CONTENT_HASH_MS } from "../screen/recent-codec.ts";
import { BITS, type RecentEvents } from "../screen/recent-events.ts";
import type { SettledAlert } from "../screen/settled.ts";
import type { Slots } from "../screen/slots.ts";
import type { Entity, EntityState } from "../screen/state.ts";
import type { Total } from "./verify-pass.ts";

export interface Difference {
  readonly what: "alert" | "entity" | "rejected";
  /** Alert id, entity key, or place of a rejected record. */
  readonly name: string;
  readonly problem: "missing" | "extra" | "differs";
  /** Field, found and expected, in words. */
  readonly detail: string;
}

/** Compares settled alerts, both sorted by id. */
export function compareAlerts(found: readonly SettledAlert[], expected: readonly SettledAlert[]): Difference[] {
  const differences: Difference[] = [];
  const byId = new Map(found.map((alert) => [alert.alertId, alert]));
  for (const alert of expected) {
    const name = alert.alertId;
    const other = byId.get(name);
    byId.delete(name);
    if (other === undefined)
      differences.push({ what: "alert", name, problem: "missing", detail: describeAlert(alert) });
    else {
      const detail = firstDifference(other, alert, "");
      if (detail !== undefined) differences.push({ what: "alert", name, problem: "differs", detail });
    }
  }
  for (const alert of byId.values()) {
    differences.push({ what: "alert", name: alert.alertId, problem: "extra", detail: describeAlert(alert) });
  }
  return differences;
}

/**
 * Compares one stored entity with that of the ordered pass and with the plain totals of the input; undefined: no
 * difference.
 */
export function compareEntity(
  key: EntityKey,
  found: Entity | undefined,
  expected: Entity | undefined,
  total: Total | undefined,
): Difference | undefined {
  if (expected === undefined || found === undefined) {
    if (expected === found) return undefined;
    const state = (found ?? expected) as Entity;
    const problem = found === undefined ? "missing" : "extra";
    return { what: "entity", name: key, problem, detail: `${state.work.seq} movements` };
  }
  const detail = totalDifference(found.work, total) ?? stateDifference(found.work, expected.work);
  return detail === undefined ? undefined : { what: "entity", name: key, problem: "differs", detail };
}

/** The arithmetic that needs no engine: how many movements, and how much came in and went out. */
function totalDifference(found: EntityState, total: Total | undefined): string | undefined {
  if (total === undefined || !total.plain) return undefined;
  if (found.seq !== total.count) return told("movements", found.seq, total.count);
  // Older ones are no longer kept one by one.
  if (found.recent.length < total.count) return undefined;
  let incoming = 0;
  let outgoing = 0;
  for (const event of found.recent) {
    const amount = Number.isNaN(event.amount) ? 0 : event.amount;
    if (event.incoming) incoming += amount;
    else outgoing += amount;
  }
  if (incoming !== total.incoming) return told("sum received (minor units)", incoming, total.incoming);
  return outgoing === total.outgoing ? undefined : told("sum sent (minor units)", outgoing, total.outgoing);
}

/** Parts of the state that no order of arrival may change, in the order in which a person would look at them. */
const PARTS: readonly (readonly [string, (state: EntityState) => unknown])[] = [
  ["movements", (state) => state.seq],
  ["newest event time", (state) => state.clock],
  ["recent movements", recentOf],
  ["hit episodes", (state) => bySlot(state.rules, ({ episodes }) => episodes)],
  ["alert episodes", (state) => bySlot(state.alerts, ({ alertId, start, last }) => [alertId, start, last])],
  ["hits received", (state) => [...state.hits.map((hit) => hit.id)].sort()],
  [
    "marks",
    (state) => [...state.marks.map((mark) => [mark.root, mark.ruleId, mark.flow, mark.distance].join())].sort(),
  ],
  ["measures", (state) => bySlot(state.measures, ({ recent, buckets }) => [recent, buckets])],
  ["measures of movements", ({ recent }) => Array.from(recent, (_, i) => countedAt(recent, i))],
];

/** The content hash of an older one is not stored: it serves the look for repeats, which ends before. */
function recentOf({ recent, clock }: EntityState): unknown {
  return Array.from(recent, (event) => (event.time >= clock - CONTENT_HASH_MS ? event : { ...event, contentHash: 0 }));
}

/** By slot, so that the same under another rule or measure is a difference. */
function bySlot<T>(slots: Slots<T>, of: (item: T) => unknown): Record<number, unknown> {
  const found: Record<number, unknown> = {};
  slots.forEach((item, index) => {
    found[index] = of(item);
  });
  return found;
}

/** What measures ask of movement `i`: the bits of those that count it, and by slot the keys that it shows. */
function countedAt({ cells, stride, keys }: RecentEvents, i: number): unknown {
  const shown = Object.fromEntries(keys.map((column, slot) => [slot, column?.[i]]));
  return { bits: cells.slice(i * stride + BITS, (i + 1) * stride), keys: shown };
}

function stateDifference(found: EntityState, expected: EntityState): string | undefined {
  for (const [name, part] of PARTS) {
    const detail = firstDifference(part(found), part(expected), name);
    if (detail !== undefined) return detail;
  }
  return undefined;
}

/** The first place where two values differ, in words; undefined where they agree. */
export function firstDifference(found: unknown, expected: unknown, path: string): string | undefined {
  if (Object.is(found, expected) || isNothing(found, expected)) return undefined;
  if (typeof found !== "object" || typeof expected !== "object" || found === null || expected === null) {
    return told(path, found, expected);
  }
  if (Array.isArray(found) && Array.isArray(expected) && found.length !== expected.length) {
    return told(`${path}: number of entries`, found.length, expected.length);
  }
  const [a, b] = [found as Record<string, unknown>, expected as Record<string, unknown>];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inside = path === "" ? name : `${path}.${name}`;
    const detail = firstDifference(a[name], b[name], inside);
    if (detail !== undefined) return detail;
  }
  return undefined;
}

/** A list slot that was never used may be absent on one side and undefined, or empty, on the other. */
function isNothing(a: unknown, b: unknown): boolean {
  const empty = (value: unknown): boolean =>
    value === undefined || value === null || (Array.isArray(value) && value.every(empty));
  return empty(a) && empty(b);
}

const SHOWN_MAX = 60;

function told(path: string, found: unknown, expected: unknown): string {
  return `${path}: ${shown(found)}, expected ${shown(expected)}`;
}

function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 3)}...` : text;
}

function describeAlert({ typology, subject }: SettledAlert): string {
  return `${typology.id} on ${subject.kind}:${subject.token}`;
}
