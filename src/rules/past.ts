/**
 * Aggregates over the entity's recent movements one by one: those that a `matching` filter finds like the judged one,
 * how long money stays, how much of it leaves soon; and how often the rule's flow was completed.
 */
import { canonical } from "./expression/canonical.ts";
import { compileNumber, compileTest, compileText } from "./expression/compile.ts";
import {
  type Checked,
  CLASS_BITS,
  describeType,
  errorAt,
  joinBases,
  type Type,
  typeOf,
  unitOf,
} from "./expression/types.ts";
import { raisesByProfile } from "./expression/weight.ts";
import type { PastQuery, Read } from "./plan.ts";
import { IN_MATCHING, type RuleScope } from "./rule-scope.ts";
import type { AggregateSource, PastWord } from "./schema-aggregates.ts";
import { readDurationWindow } from "./window.ts";

type PastSource = AggregateSource & { kind: "past" };

const NUMBERS: ReadonlySet<PastWord> = new Set(["sum", "min", "max"]);

/** An aggregate over recent movements, interned, and the tree that reads it. */
export function checkPast(scope: RuleScope, source: PastSource): Checked {
  const windowMs = readDurationWindow(scope, source.last, "last", false);
  const matching = source.matching && checkMatching(scope, source.matching);
  const withinMs = source.word === "passed_on" ? readDurationWindow(scope, source.of, "passed_on", false) : 0;
  const of = NUMBERS.has(source.word) || source.word === "distinct" ? scope.check(source.of, IN_MATCHING) : undefined;
  const faulty = matching?.type.name === "error" || of?.type.name === "error";
  if (windowMs === undefined || withinMs === undefined || faulty) return errorAt(0, 0);
  const wanted = NUMBERS.has(source.word) ? "money" : "text";
  if (of !== undefined && of.type.name !== wanted) {
    const hint = wanted === "money" ? "sum: past.amount" : "distinct: past.other";
    scope.pack.findings.add("E027", source.of, `\`${source.word}\` is not of ${describeType(of.type)} here`, hint);
    return errorAt(0, 0);
  }
  const type = pastType(source.word, of);
  const query: PastQuery = {
    subject: scope.rule.subject,
    matching: matching && compileTest(matching),
    value: of?.type.name === "money" ? compileNumber(of) : undefined,
    key: of?.type.name === "text" ? compileText(of) : undefined,
    withinMs,
  };
  const parts = [scope.rule.subject, matching === undefined ? "" : canonical(matching), withinMs, windowMs];
  const text = `past ${source.word}(${of === undefined ? "" : canonical(of)})[${parts.join("|")}]`;
  const aggregate = {
    function: source.word,
    windowMs,
    unit: unitOf(type) ?? "count",
    past: query,
    completed: undefined,
  };
  const slot = scope.pack.measures.bare(aggregate, text);
  const base = joinBases(
    0,
    0,
    [of, matching].filter((part) => part !== undefined),
  );
  const flows = source.word === "dwell" || source.word === "passed_on";
  // Whom the found movements went to adds nothing to what they are.
  const found = (matching?.classes ?? 0) | (source.word === "distinct" ? 0 : (of?.classes ?? 0));
  const own = { ...base, classes: flows ? found | CLASS_BITS.behaviour : found, aggregates: [slot], type };
  if (source.word !== "last_seen") return { kind: "number", read: (c) => c.agg(slot), canonical: text, ...own };
  const age: Read<number> = (c) => {
    const time = c.agg(slot);
    return time === undefined ? undefined : c.now - time;
  };
  return { kind: "number", read: age, canonical: `age(${text})`, ...own };
}

function checkMatching(scope: RuleScope, node: NonNullable<PastSource["matching"]>): Checked {
  const { findings } = scope.pack;
  const tree = scope.check(node, IN_MATCHING);
  if (tree.type.name === "error") return tree;
  if (tree.type.name !== "bool") {
    findings.add("E027", node, `\`matching\` is a truth value, not ${describeType(tree.type)}`);
    return errorAt(0, 0);
  }
  if (raisesByProfile(tree, true)) {
    const hint = "ask what the customer is not, or lower the score under `scoring.reduce`";
    findings.add("E052", node, "a word of the customer profile may not count towards a hit", hint);
  }
  return tree;
}

function pastType(word: PastWord, of: Checked | undefined): Type {
  if (word === "dwell" || word === "last_seen") return typeOf("duration");
  if (word === "passed_on") return typeOf("ratio");
  return word === "count" || word === "distinct" || of === undefined ? typeOf("count") : of.type;
}

/** How often the rule's own flow was completed. */
export function checkCompleted(scope: RuleScope, source: AggregateSource & { kind: "completed" }): Checked {
  const windowMs = readDurationWindow(scope, source.last, "last", false);
  if (source.of.text !== "flow" && source.of.text !== scope.rule.id) {
    const hint = "completed: flow; count the hits of another rule under `hits`";
    scope.pack.findings.add("E013", source.of, "`completed` counts the flow of its own rule", hint);
    return errorAt(0, 0);
  }
  const { flow } = scope;
  if (flow === undefined) {
    scope.pack.findings.add("E011", source.name, "`completed` counts a flow, and the rule has none");
    return errorAt(0, 0);
  }
  if (windowMs === undefined) return errorAt(0, 0);
  const text = `completed[${flow}]/${windowMs}`;
  const aggregate = { function: "count", windowMs, unit: "count", past: undefined, completed: flow } as const;
  const slot = scope.pack.measures.bare(aggregate, text);
  const base = { ...joinBases(0, 0, []), classes: CLASS_BITS.behaviour, aggregates: [slot], type: typeOf("count") };
  return { kind: "number", read: (c) => c.agg(slot), canonical: text, ...base };
}
