/** The functions of the language: their arguments, their types, how they are computed. */
import { HOUR_MS } from "../base/limits.ts";
import type { LinkKind, TxSide } from "../domain/tx.ts";
import { LINK_KINDS, REF_KINDS } from "../domain/tx.ts";
import { cellReader, distanceMetres } from "./cells.ts";
import { canonical } from "./expression/canonical.ts";
import { checkExpression, type Environment, type Tell } from "./expression/check.ts";
import { compileNumber, compileShown, compileTest, constantNumber } from "./expression/compile.ts";
import type { Ast } from "./expression/parser.ts";
import {
  type Checked,
  type CheckedBase,
  CLASS_BITS,
  describeType,
  errorAt,
  joinBases,
  typeOf,
} from "./expression/types.ts";
import { FIELDS } from "./fields.ts";
import type { ListType, RuleList } from "./lists.ts";
import type { Context, Read, Test, Tri } from "./plan.ts";
import { hintFor } from "./suggest.ts";

type CallAst = Ast & { kind: "call" };
type Parts = Omit<CheckedBase, "type">;

/** One function: how it is written, what it means, how a call is checked. */
export interface RuleFunction {
  readonly signature: string;
  readonly doc: string;
  check(call: CallAst, env: Environment, tell: Tell): Checked;
}

/** Functions that belong to a rule's scope, for the reference. */
export const SCOPED_FUNCTIONS: readonly Pick<RuleFunction, "signature" | "doc">[] = [
  { signature: "known_for(other.id)", doc: "how long the entity knows the value; 0 at the first contact" },
  { signature: "families.any(a, b)", doc: "one of these families of a typology's score has points" },
];

/** Functions that need nothing but lists and fields; those of SCOPED_FUNCTIONS need the rule's scope. */
export const FUNCTIONS: ReadonlyMap<string, RuleFunction> = new Map<string, RuleFunction>([
  ["km", { signature: "km(a, b)", doc: "distance between two places on the map", check: checkKm }],
  [
    "local_hour_in",
    {
      signature: "local_hour_in(22:00, 06:00)",
      doc: "local time of the act is in the band, its end left out; unknown where hour or zone is",
      check: checkLocalHour,
    },
  ],
  ["multiple_of", { signature: "multiple_of(tx.amount, 3 EUR)", doc: "a whole number of times", check: checkMultiple }],
  [
    "within",
    {
      signature: "within(past.amount, tx.amount, 10%)",
      doc: "the first lies within that share of the second, the edge included",
      check: checkWithin,
    },
  ],
  [
    "faster_than",
    {
      signature: "faster_than(900 km)",
      doc: "the way from the entity's act before was faster than so much in one hour",
      check: checkFasterThan,
    },
  ],
  [
    "in_corridor",
    { signature: "in_corridor(lists.X)", doc: "the movement goes along a corridor of the list", check: checkCorridor },
  ],
  [
    "has_class",
    { signature: "has_class(lists.X)", doc: "a memo class of the movement is in the list", check: checkClass },
  ],
  [
    "during",
    { signature: "during(lists.X)", doc: "the movement falls in a period of the calendar", check: checkDuring },
  ],
  [
    "matches_any",
    {
      signature: "matches_any(lists.X) or matches_any(self, lists.X)",
      doc: "an identifier of the far (or own) side is in the list",
      check: checkMatches,
    },
  ],
  ["known", { signature: "known(x)", doc: "whether x can be told; never unknown itself", check: checkKnown }],
  ["ref", { signature: "ref(employee)", doc: "first reference of that kind", check: checkRef }],
  ["linked", { signature: "linked(self, phone)", doc: "the side's link of that kind", check: checkLinked }],
]);

/** Checks a call of one of FUNCTIONS; tells of an unknown one, naming `more` too. */
export function checkCall(call: CallAst, env: Environment, tell: Tell, more: readonly string[]): Checked {
  const found = FUNCTIONS.get(call.name);
  if (found !== undefined) return found.check(call, env, tell);
  tell("E025", call.start, `there is no function \`${call.name}\``, hintFor(call.name, [...FUNCTIONS.keys(), ...more]));
  return errorAt(call.start, call.end);
}

/** Tells how a function is called, unless an argument is at fault itself. */
export function wrongCall(call: CallAst, tell: Tell, args: readonly Checked[], signature: string): Checked {
  if (!args.some((arg) => arg.type.name === "error")) {
    tell("E024", call.nameEnd, `\`${call.name}\` is called otherwise`, `write ${signature}`);
  }
  return errorAt(call.start, call.end);
}

function checkAll(call: CallAst, env: Environment, tell: Tell): Checked[] {
  return call.args.map((arg) => checkExpression(arg, env, tell));
}

function truth(parts: Parts, test: Test, text: string): Checked {
  return { kind: "truth", type: typeOf("bool"), test, canonical: text, ...parts };
}

function checkKm(call: CallAst, env: Environment, tell: Tell): Checked {
  const args = checkAll(call, env, tell);
  const [a, b, more] = args;
  if (a?.kind !== "read_text" || b?.kind !== "read_text" || more !== undefined) {
    return wrongCall(call, tell, args, "km(tx.act.cell, profile.home_cell)");
  }
  const wrong = a.type.name !== "cell" ? a : b.type.name !== "cell" ? b : undefined;
  if (wrong !== undefined) {
    tell("E024", wrong.start, `km() measures between places on the map, not ${describeType(wrong.type)}`);
    return errorAt(call.start, call.end);
  }
  const from = cellReader(a.read);
  const to = cellReader(b.read);
  const texts = [canonical(a), canonical(b)].sort();
  return {
    kind: "number",
    type: typeOf("distance"),
    read: (c) => {
      const start = from(c);
      if (start === undefined) return undefined;
      const end = to(c);
      return end === undefined ? undefined : distanceMetres(start, end);
    },
    canonical: `km(${texts.join(",")})`,
    ...joinBases(call.start, call.end, [a, b]),
  };
}

function checkLocalHour(call: CallAst, env: Environment, tell: Tell): Checked {
  const args = checkAll(call, env, tell);
  const [a, b, more] = args;
  const good = a?.kind === "constant" && b?.kind === "constant" && more === undefined;
  if (!good || a.type.name !== "time_of_day" || b.type.name !== "time_of_day") {
    return wrongCall(call, tell, args, "local_hour_in(22:00, 06:00)");
  }
  const from = constantNumber(a.value);
  const until = constantNumber(b.value);
  if (from === until) {
    tell("E024", b.start, "a band from a time to the same time is empty");
    return errorAt(call.start, call.end);
  }
  const wraps = until < from;
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.behaviour };
  const test: Test = (c) => {
    const minute = c.tx === undefined ? -1 : c.tx.localMinute;
    if (minute < 0) return undefined;
    return wraps ? minute >= from || minute < until : minute >= from && minute < until;
  };
  return truth(parts, test, `hour(${from},${until})`);
}

function checkMultiple(call: CallAst, env: Environment, tell: Tell): Checked {
  const args = checkAll(call, env, tell);
  const [a, b, more] = args;
  const units = ["money", "count", "duration"];
  if (a === undefined || b?.kind !== "constant" || more !== undefined || !units.includes(a.type.name)) {
    return wrongCall(call, tell, args, "multiple_of(tx.amount, 3 EUR)");
  }
  const same = a.type.name === b.type.name || (a.type.name === "count" && b.type.name === "number");
  const step = constantNumber(b.value);
  if (!same || step <= 0 || !Number.isInteger(step)) {
    tell("E024", b.start, "the step must be whole, above 0 and of the same unit");
    return errorAt(call.start, call.end);
  }
  const read = compileNumber(a);
  const test: Test = (c) => {
    const value = read(c);
    return value === undefined ? undefined : value % step === 0;
  };
  return truth(joinBases(call.start, call.end, [a, b]), test, `multiple(${canonical(a)},${step})`);
}

function checkWithin(call: CallAst, env: Environment, tell: Tell): Checked {
  const args = checkAll(call, env, tell);
  const [a, b, share, more] = args;
  const units = ["money", "count", "duration", "distance"];
  const good = share?.kind === "constant" && share.type.name === "ratio" && more === undefined;
  if (a === undefined || b === undefined || !good || a.type.name !== b.type.name || !units.includes(a.type.name)) {
    return wrongCall(call, tell, args, "within(past.amount, tx.amount, 10%), both of one unit");
  }
  const up = Number(share.value.numerator);
  const down = Number(share.value.denominator);
  const left = compileNumber(a);
  const right = compileNumber(b);
  const test: Test = (c) => {
    const x = left(c);
    const y = x === undefined ? undefined : right(c);
    return x === undefined || y === undefined ? undefined : Math.abs(x - y) * down <= Math.abs(y) * up;
  };
  const text = `within(${canonical(a)},${canonical(b)},${canonical(share)})`;
  return truth(joinBases(call.start, call.end, [a, b, share]), test, text);
}

function checkFasterThan(call: CallAst, env: Environment, tell: Tell): Checked {
  const args = checkAll(call, env, tell);
  const [way, more] = args;
  if (way?.kind !== "constant" || way.type.name !== "distance" || more !== undefined) {
    return wrongCall(call, tell, args, "faster_than(900 km)");
  }
  const metresPerHour = constantNumber(way.value);
  const distance = FIELDS.get("tx.act.distance")?.read as Read<number>;
  const elapsed = FIELDS.get("tx.act.elapsed")?.read as Read<number>;
  const test: Test = (c) => {
    const metres = distance(c);
    const ms = elapsed(c);
    return metres === undefined || ms === undefined ? undefined : metres * HOUR_MS > metresPerHour * ms;
  };
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.behaviour };
  return truth(parts, test, `faster(${metresPerHour})`);
}

function listArgument(
  call: CallAst,
  index: number,
  type: ListType,
  env: Environment,
  tell: Tell,
  signature: string,
): RuleList | undefined {
  const args = checkAll(call, env, tell);
  const arg = args[index];
  if (arg?.kind !== "list" || args.length !== index + 1) {
    wrongCall(call, tell, args, signature);
    return undefined;
  }
  const list = env.lists.get(arg.id);
  if (list !== undefined && list.type !== type) {
    tell("E029", arg.start, `\`${call.name}\` needs a list of type ${type}; \`${list.id}\` is of type ${list.type}`);
    return undefined;
  }
  return list;
}

function checkCorridor(call: CallAst, env: Environment, tell: Tell): Checked {
  const list = listArgument(call, 0, "corridor", env, tell, "in_corridor(lists.NAME)");
  if (list === undefined) return errorAt(call.start, call.end);
  const { corridors } = list;
  const test: Test = (c) => {
    if (c.tx === undefined) return undefined;
    const from = c.tx.corridorFrom;
    const to = c.tx.corridorTo;
    let result: Tri = false;
    for (const corridor of corridors) {
      const begins = corridor.from === undefined ? true : from === undefined ? undefined : from === corridor.from;
      const ends = corridor.to === undefined ? true : to === undefined ? undefined : to === corridor.to;
      if (begins === true && ends === true) return true;
      if (begins !== false && ends !== false) result = undefined;
    }
    return result;
  };
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.geography };
  return truth(parts, test, `corridor(${list.id})`);
}

function checkClass(call: CallAst, env: Environment, tell: Tell): Checked {
  const list = listArgument(call, 0, "memo_class", env, tell, "has_class(lists.NAME)");
  if (list === undefined) return errorAt(call.start, call.end);
  const { entries } = list;
  const test: Test = (c) => {
    if (c.tx === undefined) return undefined;
    for (const memo of c.tx.memoClasses) if (entries.has(memo)) return true;
    return false;
  };
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.behaviour };
  return truth(parts, test, `memo(${list.id})`);
}

function checkDuring(call: CallAst, env: Environment, tell: Tell): Checked {
  const list = listArgument(call, 0, "calendar", env, tell, "during(lists.NAME)");
  if (list === undefined) return errorAt(call.start, call.end);
  const { periods } = list;
  const test: Test = (c) => {
    for (const period of periods) if (c.now >= period.from && c.now < period.until) return true;
    return false;
  };
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.customer };
  return truth(parts, test, `during(${list.id})`);
}

function checkMatches(call: CallAst, env: Environment, tell: Tell): Checked {
  const first = call.args[0];
  const named = first?.kind === "path" && first.segments.length === 1 ? first.segments[0]?.name : undefined;
  const side = named === "self" || named === "other" ? named : undefined;
  const signature = "matches_any(lists.NAME) or matches_any(self, lists.NAME)";
  const list = listArgument(call, side === undefined ? 0 : 1, "identifier", env, tell, signature);
  if (list === undefined) return errorAt(call.start, call.end);
  const { entries, byKind } = list;
  const ofKind = byKind ? tokensByKind(entries) : undefined;
  const own = side === "self";
  const test: Test = (c) => {
    const of = own ? c.self : c.other;
    return of === undefined ? undefined : isListed(of, entries, ofKind);
  };
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.person };
  return truth(parts, test, `matches(${own ? "self" : "other"},${list.id})`);
}

/**
 * Entries that hold for one kind only, by kind. Looked up instead of a text put together for each identifier of each
 * movement: that was an eighth of all that screening allocated.
 */
function tokensByKind(entries: ReadonlySet<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const entry of entries) {
    const colon = entry.indexOf(":");
    const kind = entry.slice(0, Math.max(0, colon));
    const tokens = found.get(kind);
    if (tokens === undefined) found.set(kind, new Set([entry.slice(colon + 1)]));
    else tokens.add(entry.slice(colon + 1));
  }
  return found;
}

function isListed(
  side: TxSide,
  entries: ReadonlySet<string>,
  ofKind: ReadonlyMap<string, ReadonlySet<string>> | undefined,
): boolean {
  const has = (kind: string, token: string | undefined): boolean =>
    token !== undefined && (entries.has(token) || (ofKind?.get(kind)?.has(token) ?? false));
  if (has("account", side.account) || has("party", side.party) || has("card", side.card)) return true;
  if (has("wallet", side.wallet) || has("merchant", side.merchantId)) return true;
  for (const link of side.links) if (has(link.kind, link.token)) return true;
  return false;
}

function checkKnown(call: CallAst, env: Environment, tell: Tell): Checked {
  const args = checkAll(call, env, tell);
  const [of, more] = args;
  const names = ["list", "set", "side"];
  if (of === undefined || more !== undefined || names.includes(of.type.name)) {
    return wrongCall(call, tell, args, "known(tx.act.cell)");
  }
  if (of.type.name === "error") return errorAt(call.start, call.end);
  const read: (c: Context) => unknown = of.type.name === "bool" ? compileTest(of) : compileShown(of);
  return truth(joinBases(call.start, call.end, [of]), (c) => read(c) !== undefined, `known(${canonical(of)})`);
}

/** A bare word argument from a closed set, such as the kind of a link. */
function wordArgument<T extends string>(arg: Ast | undefined, words: readonly T[], tell: Tell): T | undefined {
  if (arg?.kind !== "path" || arg.segments.length !== 1) return undefined;
  const name = arg.segments[0]?.name ?? "";
  const found = words.find((word) => word === name);
  if (found === undefined) tell("E013", arg.start, `there is no kind \`${name}\` here`, hintFor(name, words));
  return found;
}

function checkRef(call: CallAst, _env: Environment, tell: Tell): Checked {
  const kind = wordArgument(call.args[0], REF_KINDS, tell);
  if (call.args.length !== 1 || call.args[0]?.kind !== "path") return wrongCall(call, tell, [], "ref(employee)");
  if (kind === undefined) return errorAt(call.start, call.end);
  const read = (c: Context): string | undefined => {
    if (c.tx === undefined) return undefined;
    for (const ref of c.tx.refs) if (ref.kind === kind) return ref.token;
    return undefined;
  };
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.behaviour };
  return { kind: "read_text", type: typeOf("text", "id"), read, canonical: `ref(${kind})`, ...parts };
}

function checkLinked(call: CallAst, _env: Environment, tell: Tell): Checked {
  const side = wordArgument(call.args[0], ["self", "other"] as const, tell);
  const kind = wordArgument(call.args[1], LINK_KINDS, tell);
  const shaped = call.args.length === 2 && call.args.every((arg) => arg.kind === "path");
  if (!shaped) return wrongCall(call, tell, [], "linked(self, phone)");
  if (side === undefined || kind === undefined) return errorAt(call.start, call.end);
  const own = side === "self";
  const read = (c: Context): string | undefined => linkOf(own ? c.self : c.other, kind);
  const parts = { ...joinBases(call.start, call.end, []), classes: CLASS_BITS.person };
  return { kind: "read_text", type: typeOf("text", "id"), read, canonical: `linked(${side},${kind})`, ...parts };
}

function linkOf(side: TxSide | undefined, kind: LinkKind): string | undefined {
  if (side === undefined) return undefined;
  for (const link of side.links) if (link.kind === kind) return link.token;
  return undefined;
}
