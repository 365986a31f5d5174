/**
 * Small variations of an inline test: an event more or less, a value at a boundary, time drawn out or pressed, a
 * side that the scope leaves out. Where the literals of a change are known, values around them come first.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/limits.ts";
import { CHANNELS, PURPOSES, RAILS } from "../domain/tx.ts";
import { parseDurationMs, parseQuantity } from "../rules/literals.ts";
import type { EventSpec, GivenTelling, RuleTests, TestSpec } from "./test-spec.ts";

/** Variations of one test, the likeliest to matter first; the test itself is none of them. */
export function* variationsOf(test: TestSpec, rule: RuleTests, literals: readonly string[]): Generator<TestSpec> {
  yield* aroundLiterals(test, literals);
  for (let i = 0; i < test.events.length; i++) {
    const spec = test.events[i] as EventSpec;
    for (const varied of variedEvents(spec)) yield withEvent(test, i, varied);
    yield { ...test, events: test.events.filter((_, at) => at !== i) };
  }
  yield* variedTellings(test);
  for (let i = 0; i < test.events.length; i++) {
    const spec = test.events[i] as EventSpec;
    for (const varied of outOfScope(spec, rule)) yield withEvent(test, i, varied);
  }
  yield* variedGiven(test);
}

/** Amounts, spans and counts just at, below and above the literals of the change. */
function* aroundLiterals(test: TestSpec, literals: readonly string[]): Generator<TestSpec> {
  for (const literal of literals) {
    const quantity = parseQuantity(literal);
    const plain = Number(quantity?.numerator ?? 0n) / Number(quantity?.denominator ?? 1n);
    for (let i = 0; i < test.events.length && quantity !== undefined; i++) {
      const spec = test.events[i] as EventSpec;
      if (quantity.unit === "money") {
        for (const amount of [plain, plain - 0.01, plain + 0.01, plain / spec.times]) {
          yield withEvent(test, i, withAmount(spec, amount));
        }
      }
      if (quantity.unit === "ratio") yield* sharedAmounts(test, i, plain);
      if (quantity.unit === "number" && plain >= 1 && plain <= 200) {
        for (const times of [plain - 1, plain, plain + 1]) {
          if (times >= 1) yield withEvent(test, i, withTimes(spec, times));
        }
      }
      if (quantity.unit === "time_of_day") {
        for (const minutes of [plain - 1, plain, plain + 1])
          yield withEvent(test, i, withValue(spec, "local_time", clock(minutes)));
      }
      if (quantity.unit === "distance") {
        for (const km of [plain / 1000 - 1, plain / 1000 + 1])
          yield withEvent(test, i, withValue(spec, "km_from_home", String(km)));
      }
    }
    const ms = parseDurationMs(literal);
    if (ms !== undefined) yield* aroundSpan(test, ms);
  }
}

/** The last events, and the last of each repetition, so far from the first that a window just holds them or not. */
function* aroundSpan(test: TestSpec, ms: number): Generator<TestSpec> {
  for (const near of [-MINUTE_MS, 0, MINUTE_MS, -DAY_MS, DAY_MS / 2]) {
    const span = ms + near;
    if (span <= 0) continue;
    for (let i = 0; i < test.events.length; i++) {
      const spec = test.events[i] as EventSpec;
      const at = Math.min(...test.events.filter((_, other) => other !== i).map((other) => other.atMs));
      if (Number.isFinite(at)) yield withEvent(test, i, { ...spec, atMs: at + span });
      const before = test.events[i - 1];
      if (before !== undefined) yield withEvent(test, i, { ...spec, atMs: endOf(before) + span });
      if (spec.times > 1) yield withEvent(test, i, { ...spec, everyMs: Math.floor(span / (spec.times - 1)) });
      if (spec.times > 1) yield* lastApart(test, i, span);
    }
    for (let i = 0; i < test.given.tellings.length; i++) {
      const others = test.given.tellings.filter((_, other) => other !== i).map((telling) => telling.atMs);
      if (others.length > 0) yield withTelling(test, i, { atMs: Math.min(...others) + span });
    }
    yield { ...test, given: { ...test.given, historyMs: span } };
  }
}

/** All but the last repetition stay; the last comes `span` after the first. */
function* lastApart(test: TestSpec, i: number, span: number): Generator<TestSpec> {
  const spec = test.events[i] as EventSpec;
  const values = new Map(
    [...spec.values].map(([key, list]) => [key, [list[(spec.times - 1) % list.length] as string]]),
  );
  const last = { ...spec, atMs: spec.atMs + span, everyMs: 0, times: 1, values };
  if (span <= spec.everyMs * (spec.times - 2)) return;
  const events = test.events.map((event, at) => (at === i ? { ...spec, times: spec.times - 1 } : event));
  yield { ...test, events: [...events, last] };
}

/** One amount such a share of another that a ratio is just reached or not. */
function* sharedAmounts(test: TestSpec, i: number, share: number): Generator<TestSpec> {
  const total = test.events.reduce((sum, event, at) => (at === i ? sum : sum + amountOf(event) * event.times), 0);
  const spec = test.events[i] as EventSpec;
  for (const part of [share, share / (1 - share)]) {
    if (!(part > 0) || !Number.isFinite(part) || total === 0) continue;
    for (const cent of [0, -0.01, 0.01]) {
      yield withEvent(test, i, withAmount(spec, (total * part) / spec.times + cent));
    }
  }
}

function* variedEvents(spec: EventSpec): Generator<EventSpec> {
  yield withTimes(spec, spec.times + 1);
  if (spec.times > 1) yield withTimes(spec, spec.times - 1);
  for (const factor of [0.5, 0.9, 1.1, 2, 10]) yield withAmount(spec, amountOf(spec) * factor);
  for (const factor of [0.5, 2]) {
    if (spec.everyMs > 0) yield { ...spec, everyMs: spec.everyMs * factor };
  }
  for (const shift of [HOUR_MS, DAY_MS, -HOUR_MS, -DAY_MS, 30 * DAY_MS]) yield { ...spec, atMs: spec.atMs + shift };
  for (const [key, list] of spec.values) {
    if (list.length > 1) yield { ...spec, values: new Map([...spec.values, [key, list.slice(0, -1)]]) };
    if (spec.times > 1 && list.length === 1 && SPREADABLE.has(key)) {
      yield { ...spec, values: new Map([...spec.values, [key, spread(list[0] as string, spec.times)]]) };
    }
    if (DROPPABLE.has(key)) yield { ...spec, values: new Map([...spec.values].filter(([other]) => other !== key)) };
  }
  yield withValue(spec, "balance_after", "5000 EUR");
}

const SPREADABLE: ReadonlySet<string> = new Set(["other", "place", "conductor", "card", "device", "employee", "self"]);
const DROPPABLE: ReadonlySet<string> = new Set([
  "place",
  "conductor",
  "purpose",
  "party",
  "memo",
  "local_time",
  "balance_after",
  "merchant_class",
  "mcc",
  "nights",
  "device",
  "cell",
  "km_from_home",
  "institution_country",
  "other_kind",
  "employee",
]);

function* outOfScope(spec: EventSpec, rule: RuleTests): Generator<EventSpec> {
  const read = (key: string): string | undefined => spec.values.get(key)?.[0] ?? rule.scope.get(key);
  yield withValue(spec, "direction", read("direction") === "in" ? "out" : "in");
  for (const [key, words] of [
    ["rail", RAILS],
    ["purpose", PURPOSES],
    ["channel", CHANNELS],
  ] as const) {
    for (const word of words) if (word !== read(key)) yield withValue(spec, key, word);
  }
  yield withValue(spec, "stage", "attempted");
  yield withValue(spec, "other_own", "true");
  yield withValue(spec, "other", "subject");
  yield withValue(spec, "party", "subject-party");
}

function* variedTellings(test: TestSpec): Generator<TestSpec> {
  const { tellings } = test.given;
  for (let i = 0; i < tellings.length; i++) {
    const own = tellings[i] as GivenTelling;
    yield { ...test, given: { ...test.given, tellings: tellings.filter((_, at) => at !== i) } };
    // Told again, of the same entity and of another: one source with two episodes, and two sources.
    const again = { ...own, atMs: own.atMs + 10 * DAY_MS };
    yield { ...test, given: { ...test.given, tellings: [...tellings, again] } };
    yield { ...test, given: { ...test.given, tellings: [...tellings, { ...again, from: "account:another" }] } };
    yield withTelling(test, i, { from: tellings[i === 0 ? 1 : 0]?.from });
    yield withTelling(test, i, { distance: own.distance + 1 });
  }
}

function* variedGiven(test: TestSpec): Generator<TestSpec> {
  const { given } = test;
  for (const historyMs of [HOUR_MS, DAY_MS, 20 * DAY_MS, 45 * DAY_MS, 100 * DAY_MS]) {
    yield { ...test, given: { ...given, historyMs } };
  }
  for (const key of given.profile.keys()) {
    const profile = new Map([...given.profile].filter(([other]) => other !== key));
    yield { ...test, given: { ...given, profile } };
  }
}

function withEvent(test: TestSpec, i: number, event: EventSpec): TestSpec {
  return { ...test, events: test.events.map((own, at) => (at === i ? event : own)) };
}

function withTelling(test: TestSpec, i: number, change: Partial<GivenTelling>): TestSpec {
  const tellings = test.given.tellings.map((own, at) => (at === i ? { ...own, ...change } : own));
  return { ...test, given: { ...test.given, tellings } };
}

function withTimes(spec: EventSpec, times: number): EventSpec {
  return { ...spec, times, everyMs: spec.everyMs === 0 && times > 1 ? HOUR_MS : spec.everyMs };
}

function withValue(spec: EventSpec, key: string, value: string): EventSpec {
  return { ...spec, values: new Map([...spec.values, [key, [value]]]) };
}

function withAmount(spec: EventSpec, amount: number): EventSpec {
  return withValue(spec, "amount", `${Math.max(0.01, Math.round(amount * 100) / 100)} EUR`);
}

function amountOf(spec: EventSpec): number {
  return Number(spec.values.get("amount")?.[0]?.split(" ")[0] ?? "100");
}

function endOf(spec: EventSpec): number {
  return spec.atMs + spec.everyMs * (spec.times - 1);
}

function spread(text: string, times: number): string[] {
  return Array.from({ length: times }, (_, i) => `${text}-${i + 1}`);
}

function clock(minutes: number): string {
  const wrapped = (minutes + 1440) % 1440;
  return `${String(Math.floor(wrapped / 60)).padStart(2, "0")}:${String(wrapped % 60).padStart(2, "0")}`;
}
