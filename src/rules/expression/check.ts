/**
 * Gives each part of an expression its type and unit, resolves names, folds constants, and says what does
 * not go together at the very token. One fault does not hide the next.
 */
import type { DiagnosticCode } from "../diagnostics.ts";
import { VOCABULARIES } from "../fields.ts";
import { LIST_DOMAINS, type Lists } from "../lists.ts";
import type { Quantity } from "../literals.ts";
import { shorten } from "../source.ts";
import { hintFor } from "../suggest.ts";
import { wordsOf } from "../vocabulary.ts";
import { canonicalTexts } from "./canonical.ts";
import { combine } from "./exact.ts";
import type { Ast, Segment } from "./parser.ts";
import {
  type Checked,
  CLASS_BITS,
  type Comparer,
  describeType,
  errorAt,
  isNumeric,
  joinBases,
  type Type,
  type TypeName,
  typeOf,
} from "./types.ts";
import { isWeightlessList, isWeightlessText } from "./weight.ts";

/** Records a finding at an offset of the expression. */
export type Tell = (code: DiagnosticCode, at: number, message: string, hint?: string) => void;

/** What names mean in one place of one rule. */
export interface Environment {
  readonly lists: Lists;
  /** Base currency and its decimals. */
  readonly currency: { readonly code: string; readonly decimals: number };
  /** The rule's flow says `remote: counts`. */
  readonly remoteCounts?: boolean;
  /** Resolves a dotted name other than `lists.X`; tells and gives an error tree when there is none. */
  resolve(path: readonly Segment[], tell: Tell): Checked;
  /** Checks a call; `check` is for its arguments. */
  call(ast: Ast & { kind: "call" }, tell: Tell): Checked;
}

/** Checks one expression. */
export function checkExpression(ast: Ast, env: Environment, tell: Tell): Checked {
  const { start, end } = ast;
  const none = { start, end, classes: 0, aggregates: [], hitInputs: [] };
  switch (ast.kind) {
    case "quantity":
      return checkQuantity(ast.quantity, start, end, env, tell);
    case "text":
      return { kind: "constant_text", type: typeOf("text"), value: ast.value, ...none };
    case "truth":
      return { kind: "constant_truth", type: typeOf("bool"), value: ast.value, ...none };
    case "list":
      return checkTexts(ast, tell);
    case "path":
      return ast.segments[0]?.name === "lists" ? checkList(ast.segments, env, tell) : env.resolve(ast.segments, tell);
    case "call":
      return env.call(ast, tell);
    case "unary":
      return checkUnary(ast, env, tell);
    case "binary":
      return checkBinary(ast, env, tell);
  }
}

/** A literal as a constant: money in minor units of the base currency. */
export function checkQuantity(
  quantity: Quantity,
  start: number,
  end: number,
  env: Pick<Environment, "currency">,
  tell: Tell,
): Checked {
  let { numerator } = quantity;
  const { denominator } = quantity;
  if (quantity.unit === "money") {
    if (quantity.currency !== env.currency.code) {
      const hint = `the base currency of the rates list is ${env.currency.code}`;
      tell("E022", start, `amounts of a rule are in ${env.currency.code}, not ${quantity.currency}`, hint);
      return errorAt(start, end);
    }
    numerator *= 10n ** BigInt(env.currency.decimals);
    if (numerator % denominator !== 0n) {
      tell("E016", start, `${env.currency.code} has ${env.currency.decimals} decimals`);
      return errorAt(start, end);
    }
  }
  const value = { numerator, denominator };
  return {
    kind: "constant",
    type: typeOf(quantity.unit),
    value,
    start,
    end,
    classes: 0,
    aggregates: [],
    hitInputs: [],
  };
}

function checkTexts(ast: Ast & { kind: "list" }, tell: Tell): Checked {
  const values: string[] = [];
  for (const item of ast.items) {
    if (item.kind === "text") values.push(item.value);
    else tell("E022", item.start, "a list holds texts in quotes only", "such as ['in', 'out']");
  }
  const type = typeOf("list");
  const { start, end } = ast;
  const base = { start, end, classes: 0, aggregates: [], hitInputs: [] };
  return { kind: "texts", type, values, canonical: canonicalTexts(values), ...base };
}

function checkList(path: readonly Segment[], env: Environment, tell: Tell): Checked {
  const [root, name, rest] = path;
  const start = root?.start ?? 0;
  const end = path[path.length - 1]?.end ?? start;
  const list = name === undefined ? undefined : env.lists.get(name.name);
  if (name === undefined || rest !== undefined || list === undefined) {
    const at = name?.start ?? start;
    tell("E060", at, `there is no list \`${shorten(name?.name ?? "")}\``, hintFor(name?.name ?? "", env.lists.ids));
    return errorAt(start, end);
  }
  const classes = ["country", "corridor", "institution"].includes(list.type) ? CLASS_BITS.geography : 0;
  return { kind: "list", type: typeOf("list"), id: list.id, start, end, classes, aggregates: [], hitInputs: [] };
}

function checkUnary(ast: Ast & { kind: "unary" }, env: Environment, tell: Tell): Checked {
  const operand = checkExpression(ast.operand, env, tell);
  const base = joinBases(ast.start, ast.end, [operand]);
  if (operand.type.name === "error") return errorAt(ast.start, ast.end);
  if (ast.operator === "!") {
    if (operand.type.name !== "bool") {
      tell("E022", ast.start, `\`!\` needs a truth value, not ${describeType(operand.type)}`);
      return errorAt(ast.start, ast.end);
    }
    return { kind: "not", type: operand.type, operand, ...base };
  }
  if (!isNumeric(operand.type) || operand.type.name === "instant" || operand.type.name === "time_of_day") {
    tell("E022", ast.start, `\`-\` needs a number, not ${describeType(operand.type)}`);
    return errorAt(ast.start, ast.end);
  }
  if (operand.kind === "constant") {
    const { numerator, denominator } = operand.value;
    return { ...operand, value: { numerator: -numerator, denominator }, start: ast.start };
  }
  return { kind: "negate", type: operand.type, operand, ...base };
}

type BinaryAst = Ast & { kind: "binary" };

function checkBinary(ast: BinaryAst, env: Environment, tell: Tell): Checked {
  const left = checkExpression(ast.left, env, tell);
  const right = checkExpression(ast.right, env, tell);
  if (left.type.name === "error" || right.type.name === "error") return errorAt(ast.start, ast.end);
  switch (ast.operator) {
    case "||":
    case "&&":
      return checkLogic(ast, ast.operator, left, right, tell);
    case "in":
      return checkMembership(ast, left, right, env, tell);
    case "+":
    case "-":
    case "*":
    case "/":
      return checkArithmetic(ast, ast.operator, left, right, tell);
    default:
      return checkComparison(ast, ast.operator, left, right, env, tell);
  }
}

function checkLogic(ast: BinaryAst, operator: "||" | "&&", left: Checked, right: Checked, tell: Tell): Checked {
  const wrong = left.type.name !== "bool" ? left : right.type.name !== "bool" ? right : undefined;
  if (wrong !== undefined) {
    tell("E022", wrong.start, `\`${operator}\` joins truth values, not ${describeType(wrong.type)}`);
    return errorAt(ast.start, ast.end);
  }
  const base = joinBases(ast.start, ast.end, [left, right]);
  return { kind: "logic", type: typeOf("bool"), operator, left, right, ...base };
}

function checkComparison(
  ast: BinaryAst,
  operator: Comparer,
  left: Checked,
  right: Checked,
  env: Environment,
  tell: Tell,
): Checked {
  const a = left.type.name;
  const b = right.type.name;
  const ordered = operator !== "==" && operator !== "!=";
  const fail = (message: string, hint?: string): Checked => {
    tell("E022", ast.operatorAt, message, hint);
    return errorAt(ast.start, ast.end);
  };
  for (const side of [left, right]) {
    if (side.type.name === "list" || side.type.name === "set") return fail("a list is searched with `in`");
    if (side.type.name === "side") return fail("a side has fields, such as other.account");
    if (side.type.name === "cell") return fail("places on the map are compared with km(a, b)");
    if (ordered && (side.type.name === "text" || side.type.name === "bool")) {
      return fail(`\`${operator}\` orders numbers, not ${describeType(side.type)}`);
    }
  }
  const base = joinBases(ast.start, ast.end, [left, right]);
  const result = { kind: "compare", type: typeOf("bool"), operator, left, right } as const;
  if (a === "text" && b === "text") {
    if (!checkTextPair(left, right, ast.operatorAt, env, tell)) return errorAt(ast.start, ast.end);
    return { ...result, ...base, classes: literalClasses(base.classes, left, right) };
  }
  if (a === b || unify(left.type, right.type) !== undefined) return { ...result, ...base };
  return fail(
    `cannot compare ${describeType(left.type)} with ${describeType(right.type)}`,
    unitHint(left.type, right.type),
  );
}

/** Texts of one domain only, and literals that the domain can hold. */
function checkTextPair(left: Checked, right: Checked, operatorAt: number, env: Environment, tell: Tell): boolean {
  const a = left.type.domain;
  const b = right.type.domain;
  if (a !== "any" && b !== "any" && a !== b) {
    tell("E022", operatorAt, `cannot compare ${describeType(left.type)} with ${describeType(right.type)}`);
    return false;
  }
  const [literal, other] = left.kind === "constant_text" ? [left, right] : [right, left];
  if (literal.kind !== "constant_text") return true;
  return checkVocabulary(literal.value, other.type, literal.start, env, tell);
}

function checkVocabulary(value: string, type: Type, at: number, env: Environment, tell: Tell): boolean {
  const words = VOCABULARIES[type.domain] ?? wordsOf(env.lists.vocabulary, type.domain);
  if (words === undefined || [...words].includes(value)) return true;
  tell("E028", at, `${describeType(type)} is never '${shorten(value)}'`, hintFor(value, words));
  return false;
}

function checkMembership(ast: BinaryAst, left: Checked, right: Checked, env: Environment, tell: Tell): Checked {
  const fail = (code: DiagnosticCode, at: number, message: string, hint?: string): Checked => {
    tell(code, at, message, hint);
    return errorAt(ast.start, ast.end);
  };
  if (right.type.name !== "list" && right.type.name !== "set") {
    return fail("E022", right.start, `\`in\` searches a list, not ${describeType(right.type)}`);
  }
  if (left.type.name !== "text") {
    return fail("E022", left.start, `\`in\` looks up a text, not ${describeType(left.type)}`);
  }
  const base = joinBases(ast.start, ast.end, [left, right]);
  const type = typeOf("bool");
  if (right.kind === "set") {
    if (left.type.domain !== "any" && right.type.domain !== "any" && left.type.domain !== right.type.domain) {
      return fail("E029", left.start, `${describeType(left.type)} is looked up in a set of another kind`);
    }
    const remoteCounts = env.remoteCounts === true && left.kind === "read_text" && PLACES_OF_ACT.has(left.canonical);
    return { kind: "in", type, left, right, remoteCounts, ...base };
  }
  if (right.kind === "texts") {
    for (const value of right.values)
      if (!checkVocabulary(value, left.type, right.start, env, tell)) return errorAt(ast.start, ast.end);
    const classes = right.values.some((value) => isWeightlessText(left.type.domain, value));
    return { kind: "in", type, left, right, ...base, classes: weightless(base.classes, classes) };
  }
  const list = right.kind === "list" ? env.lists.get(right.id) : undefined;
  if (list === undefined) return errorAt(ast.start, ast.end);
  const domain = LIST_DOMAINS[list.type];
  if (domain === undefined) {
    return fail("E029", right.start, `a list of type ${list.type} is not searched with \`in\``, LIST_HINTS[list.type]);
  }
  const customer = domain === "segment" && (left.type.domain === "industry" || left.type.domain === "occupation_group");
  if (left.type.domain !== "any" && left.type.domain !== domain && !customer) {
    const what = describeType(left.type);
    return fail("E029", right.start, `${what} is looked up in a list of type ${list.type}`);
  }
  const texts: Checked = {
    kind: "texts",
    type: right.type,
    values: [...list.entries],
    canonical: `list:${list.id}`,
    ...joinBases(right.start, right.end, [right]),
  };
  return { kind: "in", type, left, right: texts, ...base, classes: weightless(base.classes, isWeightlessList(list)) };
}

/** Where somebody acts: what a movement that is ordered from afar has none of. */
const PLACES_OF_ACT: ReadonlySet<string> = new Set(["tx.act.country", "tx.act.place", "tx.act.cell", "tx.act.site"]);

const LIST_HINTS: Readonly<Record<string, string>> = {
  corridor: "use in_corridor(lists.NAME)",
  memo_class: "use has_class(lists.NAME)",
  calendar: "use during(lists.NAME)",
};

function literalClasses(classes: number, left: Checked, right: Checked): number {
  const [literal, other] = left.kind === "constant_text" ? [left, right] : [right, left];
  return weightless(classes, literal.kind === "constant_text" && isWeightlessText(other.type.domain, literal.value));
}

/** What rests on being a non-profit organisation rests on that only. */
function weightless(classes: number, yes: boolean): number {
  return yes ? CLASS_BITS.npo : classes;
}

function checkArithmetic(
  ast: BinaryAst,
  operator: "+" | "-" | "*" | "/",
  left: Checked,
  right: Checked,
  tell: Tell,
): Checked {
  const type =
    operator === "+" || operator === "-" ? unify(left.type, right.type) : product(operator, left.type, right.type);
  const usable = type !== undefined && type.name !== "instant" && type.name !== "time_of_day";
  if (!isNumeric(left.type) || !isNumeric(right.type) || !usable) {
    const verb = { "+": "add", "-": "subtract", "*": "multiply", "/": "divide" }[operator];
    const [a, b] = operator === "-" ? [right, left] : [left, right];
    const join = { "+": "and", "-": "from", "*": "and", "/": "by" }[operator];
    const message = `cannot ${verb} ${describeType(a.type)} ${join} ${describeType(b.type)}`;
    tell("E022", ast.operatorAt, message, unitHint(left.type, right.type));
    return errorAt(ast.start, ast.end);
  }
  const base = joinBases(ast.start, ast.end, [left, right]);
  if (left.kind === "constant" && right.kind === "constant") {
    const value = combine(operator, left.value, right.value);
    if (value !== undefined) return { kind: "constant", type, value, ...base };
    tell("E022", ast.operatorAt, "cannot divide by zero");
    return errorAt(ast.start, ast.end);
  }
  return { kind: "arithmetic", type, operator, left, right, ...base };
}

/** The common type of two numbers that may be compared or added. */
function unify(a: Type, b: Type): Type | undefined {
  if (!isNumeric(a) || !isNumeric(b)) return undefined;
  if (a.name === b.name) return a;
  if (a.name === "number" && (b.name === "count" || b.name === "ratio")) return b;
  if (b.name === "number" && (a.name === "count" || a.name === "ratio")) return a;
  return undefined;
}

const MEASURED: ReadonlySet<TypeName> = new Set(["money", "duration", "distance"]);
const SCALARS: ReadonlySet<TypeName> = new Set(["number", "count", "ratio"]);

function product(operator: "*" | "/", a: Type, b: Type): Type | undefined {
  if (!isNumeric(a) || !isNumeric(b)) return undefined;
  if (operator === "*") {
    if (MEASURED.has(a.name) && SCALARS.has(b.name)) return a;
    if (MEASURED.has(b.name) && SCALARS.has(a.name)) return b;
    return SCALARS.has(a.name) && SCALARS.has(b.name) ? scalarProduct(a, b) : undefined;
  }
  if (MEASURED.has(a.name) && SCALARS.has(b.name)) return a;
  if (a.name === b.name && MEASURED.has(a.name)) return typeOf("ratio");
  if (!SCALARS.has(a.name) || !SCALARS.has(b.name)) return undefined;
  if (a.name === "number" && b.name === "number") return a;
  return typeOf("ratio");
}

function scalarProduct(a: Type, b: Type): Type {
  if (a.name === "ratio" || b.name === "ratio") return typeOf("ratio");
  return a.name === "count" || b.name === "count" ? typeOf("count") : a;
}

function unitHint(a: Type, b: Type): string | undefined {
  const plain = a.name === "number" ? b : b.name === "number" ? a : undefined;
  if (plain?.name === "money") return "write the amount with its currency, such as 500 EUR";
  if (plain?.name === "duration") return "write the duration with its unit, such as 72h or 14d";
  if (plain?.name === "distance") return "write the distance with its unit, such as 100 km";
  if (a.name === "distance" || b.name === "distance") return "`30 m` is a distance, `30m` a duration";
  return undefined;
}
