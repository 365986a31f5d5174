/** Aggregates of a rule: from their definition in the file to a slot in the plan and the tree that reads it. */
import { canonical } from "./expression/canonical.ts";
import { compileNumber, compileText } from "./expression/compile.ts";
import {
  type Checked,
  CLASS_BITS,
  describeType,
  errorAt,
  isNumeric,
  joinBases,
  type Type,
  typeOf,
  unitOf,
} from "./expression/types.ts";
import { WEAK } from "./expression/weight.ts";
import type { AggregateDefinition, MeasureDefinition } from "./measures.ts";
import type { AggregateFunction, MeasureKind, Read, Scope } from "./plan.ts";
import { IN_FILTER, type RuleScope, type Where } from "./rule-scope.ts";
import type { AggregateSource } from "./schema-aggregates.ts";
import type { ScalarNode } from "./source.ts";
import type { Window } from "./window.ts";

export interface MeasuredOptions {
  readonly scope: Scope;
  /** Undefined: the window is at fault, and a finding says so. */
  readonly window: Window | undefined;
  readonly flow: { readonly flow: number; readonly step: number } | undefined;
}

/** How long the entity has known a key: over an implicit measure of first contacts. */
export function knownFor(
  scope: RuleScope,
  key: Checked,
  over: Scope,
  where: MeasureDefinition["where"],
  start: number,
  end: number,
): Checked {
  const read = compileText(key);
  const text = canonical(key);
  const definition: MeasureDefinition = {
    subject: scope.rule.subject,
    scope: over,
    kind: "first_seen",
    where,
    value: undefined,
    key: { canonical: text, read },
    cap: undefined,
  };
  const measure = scope.pack.measures.measure(definition, Number.POSITIVE_INFINITY);
  const base = { ...joinBases(start, end, [key]), classes: CLASS_BITS.behaviour };
  return {
    kind: "number",
    type: typeOf("duration"),
    read: (c) => {
      const token = read(c);
      return token === undefined ? undefined : c.knownFor(measure, token);
    },
    canonical: `known_for[${measure}](${text})`,
    ...base,
  };
}

/** A ratio or share of two numbers of one unit; unknown when the divisor is 0 or unknown. */
export function checkQuotient(scope: RuleScope, source: AggregateSource & { kind: "quotient" }): Checked {
  const { findings } = scope.pack;
  const of = scope.check(source.of, IN_FILTER);
  const over = scope.check(source.over, IN_FILTER);
  if (of.type.name === "error" || over.type.name === "error") return errorAt(0, 0);
  const countable = (type: Type): boolean => isNumeric(type) && type.name !== "instant" && type.name !== "time_of_day";
  if (!countable(of.type) || of.type.name !== over.type.name) {
    const units = `${describeType(of.type)} by ${describeType(over.type)}`;
    const message = `a ${source.word} divides two numbers of one unit, not ${units}`;
    findings.add("E022", source.of, message);
    return errorAt(0, 0);
  }
  const base = joinBases(0, 0, [of, over]);
  return { kind: "arithmetic", operator: "/", type: typeOf("ratio"), left: of, right: over, ...base };
}

type MeasuredSource = AggregateSource & { kind: "measured" };

const NUMBER_WORDS: ReadonlySet<string> = new Set([
  "sum",
  "min",
  "max",
  "avg",
  "median",
  "top_share",
  "max_of",
  "equal_amount_share",
]);

/** What makes one measured aggregate besides its source. */
interface Parts {
  readonly window: Window;
  readonly where: Where | undefined;
  readonly of: Checked | undefined;
  readonly by: Checked | undefined;
}

/** Interns a measured aggregate and gives the tree that reads it. */
export function checkMeasured(scope: RuleScope, source: MeasuredSource, options: MeasuredOptions): Checked {
  const where = scope.where(source.where);
  const counts = countsEvents(source);
  const of = counts ? undefined : scope.check(source.of, IN_FILTER);
  const by = source.by && scope.check(source.by, IN_FILTER);
  if (of?.type.name === "error" || by?.type.name === "error") return errorAt(0, 0);
  const fault = of && wrongOperand(source.word, of);
  if (fault !== undefined) {
    scope.pack.findings.add("E027", source.of, fault);
    return errorAt(0, 0);
  }
  if (by !== undefined && source.by !== undefined && !canSplit(scope, source, by, source.by)) return errorAt(0, 0);
  if (source.word === "first_seen" && of !== undefined) {
    if (!source.includeCurrent || by !== undefined) {
      const message = "`first_seen` of a value has no `by` and always sees the current movement";
      scope.pack.findings.add("E010", source.name, message);
    }
    const tree = knownFor(scope, of, options.scope, where?.filter, 0, 0);
    return { ...tree, classes: tree.classes | (where?.classes ?? 0) };
  }
  const { window } = options;
  if (window === undefined || !windowFits(scope, source, window)) return errorAt(0, 0);
  return intern(scope, source, options, { window, where, of, by });
}

function countsEvents(source: MeasuredSource): boolean {
  if (source.word === "count" || source.word === "gap_cv" || source.word === "same_day_of_month") return true;
  return EVENTS_ALLOWED.has(source.word) && source.of.text === "events";
}

const EVENTS_ALLOWED: ReadonlySet<string> = new Set(["first_seen", "last_seen", "top_share", "max_of"]);
/** They look at single contributions, which a window without start does not keep. */
const ONE_BY_ONE: ReadonlySet<string> = new Set(["median", "gap_cv", "same_day_of_month", "equal_amount_share"]);

function windowFits(scope: RuleScope, source: MeasuredSource, window: Window): boolean {
  if (window.windowMs !== Number.POSITIVE_INFINITY || !ONE_BY_ONE.has(source.word)) return true;
  const node = source.window.last ?? source.name;
  scope.pack.findings.add("E050", node, `\`${source.word}\` looks at single events: give it a window with a start`);
  return false;
}

function canSplit(scope: RuleScope, source: MeasuredSource, by: Checked, node: ScalarNode): boolean {
  if (by.type.name !== "text") {
    scope.pack.findings.add("E027", node, `\`by\` splits by a text, not ${describeType(by.type)}`, "by: other.id");
    return false;
  }
  if (source.word === "distinct") {
    scope.pack.findings.add("E010", node, "`distinct` cannot be split", "count `events` by, or two aggregates");
    return false;
  }
  return true;
}

function wrongOperand(word: string, of: Checked): string | undefined {
  if (NUMBER_WORDS.has(word)) {
    const good = isNumeric(of.type) && of.type.name !== "instant" && of.type.name !== "time_of_day";
    return good ? undefined : `\`${word}\` needs a number, not ${describeType(of.type)}`;
  }
  if (word === "last_seen") return "`last_seen` tells the age of the newest of its `events`";
  if (of.type.name === "text" || (word === "distinct" && of.type.name === "cell")) return undefined;
  return `\`${word}\` needs a text, not ${describeType(of.type)}`;
}

/** A set of texts is enough where only the time of each text's last event is asked for. */
function kindOf(source: MeasuredSource, parts: Parts): MeasureKind {
  if (parts.by !== undefined) return "split";
  if (source.word !== "distinct" && source.word !== "set") return "number";
  const { kind } = parts.window.shape;
  return source.includeCurrent && (kind === "last" || kind === "calendar") ? "distinct" : "split";
}

function refine(source: MeasuredSource, parts: Parts): AggregateDefinition["refined"] {
  const { window, by } = parts;
  const groups = source.word === "top_share" || source.word === "max_of";
  const part = by === undefined || groups ? undefined : by;
  if (window.shape.kind === "last" && source.includeCurrent && part === undefined && !groups) return undefined;
  const texts = [window.canonical, source.includeCurrent ? "" : "before", part === undefined ? "" : "part"];
  return {
    canonical: texts.join("|"),
    refinement: { window: window.shape, current: source.includeCurrent, part: part && compileText(part) },
  };
}

function intern(scope: RuleScope, source: MeasuredSource, options: MeasuredOptions, parts: Parts): Checked {
  const { window, where, of, by } = parts;
  const kind = kindOf(source, parts);
  const type = aggregateType(source.word, of);
  const keyed = source.word === "distinct" || source.word === "set";
  const key = by ?? (keyed ? of : undefined);
  const number = keyed ? undefined : of;
  const definition: MeasureDefinition = {
    subject: scope.rule.subject,
    scope: options.scope,
    kind,
    where: where?.filter,
    value: number && { canonical: canonical(number), read: compileNumber(number) },
    key: key && { canonical: canonical(key), read: compileText(key) },
    cap: source.cap,
  };
  const name: AggregateFunction = source.word === "set" ? "distinct" : source.word;
  const unit = source.word === "set" ? "count" : (unitOf(type) ?? "count");
  const slot = scope.pack.measures.aggregate({
    measure: definition,
    function: name,
    windowMs: window.windowMs,
    windowMinMs: window.windowMinMs,
    refined: refine(source, parts),
    flow: options.flow,
    unit,
  });
  const base = {
    ...joinBases(
      0,
      0,
      [of, by].filter((part) => part !== undefined),
    ),
    type,
  };
  // Whose events are counted adds nothing to what they are: one payment into a corridor is one, whoever gets it.
  const classes = (number?.classes ?? 0) | ((key?.classes ?? 0) & WEAK) | (where?.classes ?? 0);
  const own = { ...base, classes, aggregates: [slot] };
  const text = scope.pack.measures.canonicalOf(slot);
  if (source.word === "set") return { kind: "set", slot, canonical: text, ...own };
  if (source.word === "first_seen" || source.word === "last_seen") {
    // Screening gives the event time of the contribution; a rule asks how long ago it was.
    const age: Read<number> = (c) => {
      const time = c.agg(slot);
      return time === undefined ? undefined : c.now - time;
    };
    return { kind: "number", read: age, canonical: `age(${text})`, ...own };
  }
  return { kind: "number", read: (c) => c.agg(slot), canonical: text, ...own };
}

const RATIO_WORDS: ReadonlySet<string> = new Set(["top_share", "gap_cv", "same_day_of_month", "equal_amount_share"]);

function aggregateType(word: string, of: Checked | undefined): Type {
  if (word === "set") return typeOf("set", of?.type.domain ?? "any");
  if (word === "first_seen" || word === "last_seen") return typeOf("duration");
  if (RATIO_WORDS.has(word)) return typeOf("ratio");
  return NUMBER_WORDS.has(word) && of !== undefined && of.type.name !== "number" ? of.type : typeOf("count");
}
