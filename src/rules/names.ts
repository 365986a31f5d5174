/** Resolves the dotted names and the calls of one rule's expressions. */

import { knownFor } from "./aggregates.ts";
import { checkExpression, type Environment, type Tell } from "./expression/check.ts";
import type { Ast, Segment } from "./expression/parser.ts";
import { type Checked, CLASS_BITS, errorAt, joinBases, typeOf } from "./expression/types.ts";
import { FIELDS, foldName, isProtectedName } from "./fields.ts";
import { checkCall, wrongCall } from "./functions.ts";
import type { Read, Test } from "./plan.ts";
import { type HitNames, type Place, planScope, type RuleScope, type StepNames } from "./rule-scope.ts";
import type { RuleSource } from "./schema.ts";
import { shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";

/** What a rule defines itself, resolved on demand. */
export interface OwnNames {
  readonly source: RuleSource;
  readonly params: ReadonlyMap<string, Checked>;
  filter(name: string): Checked | undefined;
  aggregate(name: string): Checked | undefined;
  base(name: string): Checked | undefined;
  peer(name: string): Checked | undefined;
}

/** The environment of expressions in one place of a rule. */
export function createEnvironment(scope: RuleScope, place: Place, own: OwnNames): Environment {
  const environment: Environment = {
    lists: scope.pack.lists,
    currency: scope.pack.currency,
    remoteCounts: own.source.flow?.remoteCounts === true,
    resolve: (path, tell) => resolveName(scope, place, own, path, tell),
    call: (call, tell) => resolveCall(scope, place, environment, call, tell),
  };
  return environment;
}

type Missing = (what: string, segment: Segment | undefined, known: Iterable<string>) => Checked;

function resolveName(scope: RuleScope, place: Place, own: OwnNames, path: readonly Segment[], tell: Tell): Checked {
  const [root, second, third] = path;
  const start = root?.start ?? 0;
  const end = path[path.length - 1]?.end ?? start;
  const name = root?.name ?? "";
  const at = (tree: Checked): Checked => ({ ...tree, start, end });
  const missing: Missing = (what, segment, known) => {
    const whole = path.map((step) => step.name).join(".");
    if (isProtectedName(whole)) return protectedName(whole, start, end, tell);
    const word = segment?.name ?? "";
    tell("E021", segment?.start ?? start, `there is no ${what} \`${shorten(word)}\``, hintFor(word, known));
    return errorAt(start, end);
  };
  if (second === undefined) return resolveWord(scope, own, root, missing);
  switch (name) {
    case "params": {
      scope.used.add(`param ${second.name}`);
      const param = third === undefined ? own.params.get(second.name) : undefined;
      return param === undefined ? missing("parameter", third ?? second, own.params.keys()) : at(param);
    }
    case "agg": {
      scope.used.add(`aggregate ${second.name}`);
      const aggregate = third === undefined ? own.aggregate(second.name) : undefined;
      return aggregate === undefined
        ? missing("aggregate", third ?? second, own.source.aggregates.keys())
        : at(aggregate);
    }
    case "base":
    case "peer": {
      scope.used.add(`${name} ${second.name}`);
      const known = name === "base" ? own.source.base : own.source.peer;
      const tree = third === undefined ? own[name](second.name) : undefined;
      return tree === undefined
        ? missing(name === "base" ? "base line" : "peer value", third ?? second, known.keys())
        : at(tree);
    }
    case "hits":
      return resolveHits(scope, place, path, missing, tell);
    case "score":
    case "families":
      return resolveScore(place, path, tell);
    case "tx":
    case "self":
    case "other":
    case "profile":
      return resolveField(scope, path, tell);
    case "past":
      if (place.past === true) return resolveField(scope, path, tell);
      tell("E031", start, "`past` is an earlier movement; it can be read in `matching` and in what it counts only");
      return errorAt(start, end);
    default:
      break;
  }
  const step = scope.steps.get(name);
  if (step !== undefined) return resolveStep(place, step, path, missing, tell);
  return missing("name", root, [
    "tx",
    "self",
    "other",
    "profile",
    "params",
    "lists",
    "agg",
    "base",
    "peer",
    "hits",
    ...scope.steps.keys(),
  ]);
}

/** A name without dots: a filter, or a side as an argument. */
function resolveWord(scope: RuleScope, own: OwnNames, root: Segment | undefined, missing: Missing): Checked {
  const { name, start, end } = root ?? { name: "", start: 0, end: 0 };
  if (name === "self" || name === "other") {
    return { kind: "side", side: name, type: typeOf("side"), ...joinBases(start, end, []) };
  }
  scope.used.add(`filter ${name}`);
  const filter = own.filter(name);
  if (filter !== undefined) return { ...filter, start, end };
  return missing("filter or value", root, [
    ...own.source.filters.keys(),
    "tx",
    "self",
    "other",
    "profile",
    "agg",
    "params",
  ]);
}

function protectedName(name: string, start: number, end: number, tell: Tell): Checked {
  const hint = "nationality, religion, ethnicity, sex, language and the like can never be part of a rule";
  tell("E026", start, `\`${shorten(name)}\`: Palermo has no such field, on purpose`, hint);
  return errorAt(start, end);
}

function resolveField(scope: RuleScope, path: readonly Segment[], tell: Tell): Checked {
  const name = path.map((segment) => segment.name).join(".");
  const start = path[0]?.start ?? 0;
  const end = path[path.length - 1]?.end ?? start;
  const field = FIELDS.get(foldName(name));
  if (field === undefined) {
    if (isProtectedName(name)) return protectedName(name, start, end, tell);
    const root = path[0]?.name ?? "";
    const ofFarSide =
      root === "other" ? FIELDS.get(foldName(name.replace(/^other\.(profile\.)?/, "profile."))) : undefined;
    if (ofFarSide !== undefined) {
      const hint = "write the rule with the far side as its subject, where it is `self`";
      tell("E031", start, `a profile is known of \`self\` only: \`${ofFarSide.name}\``, hint);
      return errorAt(start, end);
    }
    const known = [...FIELDS.values()].map((f) => f.name).filter((f) => f.startsWith(`${root}.`));
    tell("E021", path[1]?.start ?? start, `there is no field \`${shorten(name)}\``, hintFor(name, known));
    return errorAt(start, end);
  }
  if (field.childOnly && scope.rule.crime !== "child_exploitation") {
    tell("E031", start, `\`${field.name}\` can be read in rules against child exploitation only`);
    return errorAt(start, end);
  }
  const classes = field.neutral ? 0 : field.customer ? CLASS_BITS.customer : CLASS_BITS[field.class];
  const base = { ...joinBases(start, end, []), classes, type: field.type };
  // The table's type column says which of the three a field's reader gives.
  if (field.type.name === "bool") return { kind: "truth", test: field.read as Test, canonical: field.name, ...base };
  const text = field.type.name === "text" || field.type.name === "cell";
  if (text) return { kind: "read_text", read: field.read as Read<string>, canonical: field.name, ...base };
  return { kind: "number", read: field.read as Read<number>, canonical: field.name, ...base };
}

function resolveHits(scope: RuleScope, place: Place, path: readonly Segment[], missing: Missing, tell: Tell): Checked {
  const [root, name, more] = path;
  const start = root?.start ?? 0;
  const end = path[path.length - 1]?.end ?? start;
  if (!place.hits) {
    tell("E031", start, "hits cannot be read in a filter", "name them in `when` or in a score");
    return errorAt(start, end);
  }
  scope.used.add(`hits ${name?.name ?? ""}`);
  const hit = scope.hits.get(name?.name ?? "");
  if (hit !== undefined && more !== undefined) return resolveHitAttr(hit, path, missing);
  if (hit === undefined) return missing("hit input", name, scope.hits.keys());
  const { slot, classes } = hit;
  const base = { ...joinBases(start, end, []), classes, hitInputs: [slot] };
  return { kind: "number", type: typeOf("count"), read: (c) => c.hits(slot), canonical: `hits[${slot}]`, ...base };
}

/** `hits.NAME.ATTR`: a number over what the counted hits carry. */
function resolveHitAttr(hit: HitNames, path: readonly Segment[], missing: Missing): Checked {
  const [root, , attr, more] = path;
  const found = more === undefined ? hit.attrs.get(attr?.name ?? "") : undefined;
  if (found === undefined) return missing("attribute of these hits", more ?? attr, hit.attrs.keys());
  const { slot, classes } = hit;
  const { index, type } = found;
  const parts = joinBases(root?.start ?? 0, path[path.length - 1]?.end ?? 0, []);
  const base = { ...parts, classes, hitInputs: [slot], type };
  return { kind: "number", read: (c) => c.hitAttr(slot, index), canonical: `hits[${slot}].${index}`, ...base };
}

function resolveScore(place: Place, path: readonly Segment[], tell: Tell): Checked {
  const name = path.map((segment) => segment.name).join(".");
  const start = path[0]?.start ?? 0;
  const base = { ...joinBases(start, path[path.length - 1]?.end ?? start, []), classes: CLASS_BITS.behaviour };
  if (!place.score) {
    tell("E031", start, `\`${name}\` can be read in alert_when and explain of a typology only`);
    return errorAt(start, base.end);
  }
  const type = typeOf("count");
  if (name === "score.total") return { kind: "number", type, read: (c) => c.score, canonical: name, ...base };
  if (name === "families.count")
    return { kind: "number", type, read: (c) => c.familyCount(), canonical: name, ...base };
  const known = "score.total, families.count, families.any(a, b)";
  tell("E021", start, `there is no \`${shorten(name)}\``, `known here: ${known}`);
  return errorAt(start, base.end);
}

function resolveStep(place: Place, step: StepNames, path: readonly Segment[], missing: Missing, tell: Tell): Checked {
  const [root, name, more] = path;
  const start = root?.start ?? 0;
  const end = path[path.length - 1]?.end ?? start;
  if (!place.steps) {
    tell("E031", start, "a flow step can be read in `until`, `when` and `explain` only");
    return errorAt(start, end);
  }
  const base = { ...joinBases(start, end, []), classes: CLASS_BITS.behaviour };
  const { flow } = step;
  const which = name?.name;
  if (more === undefined && (which === "first" || which === "last")) {
    const index = step.step;
    const read: Read<number> = (c) => c.flowTime(flow, index, which);
    return { kind: "number", type: typeOf("instant"), read, canonical: `flow[${flow}.${index}].${which}`, ...base };
  }
  if (more === undefined && which === "gap" && step.step > 0) {
    const index = step.step;
    return {
      kind: "number",
      type: typeOf("duration"),
      read: (c) => {
        const first = c.flowTime(flow, index, "first");
        const last = c.flowTime(flow, index - 1, "last");
        return first === undefined || last === undefined ? undefined : first - last;
      },
      canonical: `flow[${flow}.${index}].gap`,
      ...base,
    };
  }
  const kept = more === undefined ? step.kept.get(which ?? "") : undefined;
  if (kept === undefined) return missing("kept value", more ?? name, [...step.kept.keys(), "first", "last", "gap"]);
  return { ...kept, start, end };
}

function resolveCall(
  scope: RuleScope,
  place: Place,
  env: Environment,
  call: Ast & { kind: "call" },
  tell: Tell,
): Checked {
  if (call.name === "families.any") return checkFamilies(scope, place, call, tell);
  if (call.name === "during" && !place.lowering) {
    tell("E031", call.start, "a calendar may only lower a score", "use it under `scoring.reduce`");
    return errorAt(call.start, call.end);
  }
  if (call.name !== "known_for") return checkCall(call, env, tell, ["known_for", "families.any"]);
  const args = call.args.map((arg) => checkExpression(arg, env, tell));
  const [key, more] = args;
  if (key === undefined || key.type.name !== "text" || more !== undefined) {
    return wrongCall(call, tell, args, "known_for(other.id)");
  }
  return knownFor(scope, key, planScope(undefined), undefined, call.start, call.end);
}

function checkFamilies(scope: RuleScope, place: Place, call: Ast & { kind: "call" }, tell: Tell): Checked {
  if (!place.score) {
    tell("E031", call.start, "`families.any` can be asked in alert_when of a typology only");
    return errorAt(call.start, call.end);
  }
  const names: string[] = [];
  for (const arg of call.args) {
    const name = arg.kind === "path" && arg.segments.length === 1 ? arg.segments[0]?.name : undefined;
    if (name === undefined) tell("E024", arg.start, "families are named plainly", "families.any(receipts, movement)");
    else if (scope.families.has(name)) names.push(name);
    else tell("E021", arg.start, `there is no family \`${shorten(name)}\``, hintFor(name, scope.families));
  }
  if (call.args.length === 0) return wrongCall(call, tell, [], "families.any(receipts, movement)");
  if (names.length === 0) return errorAt(call.start, call.end);
  const base = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.behaviour };
  const test: Test = (c) => names.some((name) => c.hasFamily(name));
  return { kind: "truth", type: typeOf("bool"), test, canonical: `families(${names.join(",")})`, ...base };
}
