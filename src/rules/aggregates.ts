/** Aggregates of a rule: from their definition in the file to a slot in the plan and the tree that reads it. */
import { WINDOW_MAX_MS } from "../base/limits.ts";
import { canonical } from "./expression/canonical.ts";
import { compileNumber, compileText, constantNumber } from "./expression/compile.ts";
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
import type { MeasureDefinition } from "./measures.ts";
import type { AggregateFunction, Read, Scope } from "./plan.ts";
import { IN_FILTER, type RuleScope, type Where } from "./rule-scope.ts";
import type { AggregateSource } from "./schema-parts.ts";
import type { ScalarNode } from "./source.ts";

export interface MeasuredOptions {
  readonly scope: Scope;
  /** Undefined: the window is at fault, and a finding says so. */
  readonly windowMs: number | undefined;
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

const WINDOW_HINT = "a duration such as 7d, or a parameter such as params.window";

/** Length of a window: a duration or `ever` (Infinity); undefined when at fault or missing. */
export function readWindow(
  scope: RuleScope,
  node: ScalarNode | undefined,
  what: string,
  ever: boolean,
): number | undefined {
  const { findings } = scope.pack;
  if (node === undefined) return undefined;
  if (node.text === "ever") {
    if (ever) return Number.POSITIVE_INFINITY;
    findings.add("E050", node, "`ever` is for first_seen only", WINDOW_HINT);
    return undefined;
  }
  const constant = scope.constant(node, `\`${what}\``);
  if (constant === undefined) return undefined;
  if (constant.type.name !== "duration") {
    findings.add("E027", node, `\`${what}\` is a duration, not ${describeType(constant.type)}`, WINDOW_HINT);
    return undefined;
  }
  const ms = constantNumber(constant.value);
  if (ms > 0 && ms <= WINDOW_MAX_MS) return ms;
  findings.add("E050", node, `a window is longer than 0 and at most ${WINDOW_MAX_MS / 86_400_000} days`);
  return undefined;
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

const NUMBER_WORDS: ReadonlySet<string> = new Set(["sum", "min", "max", "avg", "median"]);

/** Interns a measured aggregate and gives the tree that reads it. */
export function checkMeasured(
  scope: RuleScope,
  source: AggregateSource & { kind: "measured" },
  options: MeasuredOptions,
): Checked {
  const where = scope.where(source.where);
  const seen = source.word === "first_seen" || source.word === "last_seen";
  const counts = source.word === "count" || (seen && source.of.text === "events");
  const of = counts ? undefined : scope.check(source.of, IN_FILTER);
  if (of?.type.name === "error") return errorAt(0, 0);
  const fault = of && wrongOperand(source.word, of);
  if (fault !== undefined) {
    scope.pack.findings.add("E027", source.of, fault);
    return errorAt(0, 0);
  }
  if (source.word === "first_seen" && of !== undefined) {
    const tree = knownFor(scope, of, options.scope, where?.filter, 0, 0);
    return { ...tree, classes: tree.classes | (where?.classes ?? 0) };
  }
  if (options.windowMs === undefined) return errorAt(0, 0);
  if (options.windowMs === Number.POSITIVE_INFINITY) {
    scope.pack.findings.add("E050", source.of, "`ever` is for first_seen of a value only", WINDOW_HINT);
    return errorAt(0, 0);
  }
  return intern(scope, source, options.windowMs, options, where, of);
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

function intern(
  scope: RuleScope,
  source: AggregateSource & { kind: "measured" },
  windowMs: number,
  options: MeasuredOptions,
  where: Where | undefined,
  of: Checked | undefined,
): Checked {
  const keyed = source.word === "distinct" || source.word === "set";
  const type = aggregateType(source.word, of);
  const definition: MeasureDefinition = {
    subject: scope.rule.subject,
    scope: options.scope,
    kind: keyed ? "distinct" : "number",
    where: where?.filter,
    value: of !== undefined && !keyed ? { canonical: canonical(of), read: compileNumber(of) } : undefined,
    key: of !== undefined && keyed ? { canonical: canonical(of), read: compileText(of) } : undefined,
    cap: source.cap,
  };
  const name: AggregateFunction = source.word === "set" ? "distinct" : source.word;
  const unit = source.word === "set" ? "count" : (unitOf(type) ?? "count");
  const slot = scope.pack.measures.aggregate({
    measure: definition,
    function: name,
    windowMs,
    flow: options.flow,
    unit,
  });
  const base = { ...joinBases(0, 0, of === undefined ? [] : [of]), type };
  const own = { ...base, classes: base.classes | (where?.classes ?? 0), aggregates: [slot] };
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

function aggregateType(word: string, of: Checked | undefined): Type {
  if (word === "set") return typeOf("set", of?.type.domain ?? "any");
  if (word === "first_seen" || word === "last_seen") return typeOf("duration");
  return NUMBER_WORDS.has(word) && of !== undefined && of.type.name !== "number" ? of.type : typeOf("count");
}
