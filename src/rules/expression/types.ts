/** Types of expressions, and the checked tree from which closures are made. */
import type { Read, Test, Unit } from "../plan.ts";

export type TypeName =
  | "money"
  | "count"
  | "ratio"
  | "duration"
  | "distance"
  | "time_of_day"
  /** A literal without unit: a count or a ratio, as its place wants. */
  | "number"
  /** A point in event time; only compared with another one. */
  | "instant"
  | "text"
  /** `lat,lon`; only for distances. */
  | "cell"
  | "bool"
  | "list"
  /** The texts that a flow step has kept. */
  | "set"
  /** A side of the movement, only as an argument of a function. */
  | "side"
  /** Something is wrong with it, and a finding says so already. */
  | "error";

/** What a text stands for: texts of different domains are not compared. */
export type Domain =
  | "any"
  | "id"
  | "country"
  | "currency"
  | "place"
  | "mcc"
  | "merchant_class"
  | "institution"
  | "segment"
  | "industry"
  | "occupation_group"
  | "memo_class"
  | "day"
  | "product"
  | "rail"
  | "channel"
  | "purpose"
  | "stage"
  | "direction"
  | "side_kind"
  | "party_type"
  | "institution_type"
  | "relation"
  | "initiator";

export interface Type {
  readonly name: TypeName;
  /** Of texts, sets and lists. */
  readonly domain: Domain;
}

/** Classes of what an expression rests on, as bits (model of safeguards: geography is one family). */
export const CLASS_BITS = { money: 1, behaviour: 2, act: 4, person: 8, geography: 16, npo: 32, customer: 64 } as const;
export type FieldClass = "money" | "behaviour" | "act" | "person" | "geography";

export interface CheckedBase {
  readonly type: Type;
  /** Offsets in the text of the expression. */
  readonly start: number;
  readonly end: number;
  /** Bits of CLASS_BITS of all that is read. */
  readonly classes: number;
  /** Slots of the aggregates read. */
  readonly aggregates: readonly number[];
  /** Slots of the hit inputs read. */
  readonly hitInputs: readonly number[];
}

export interface Constant {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export type Comparer = "==" | "!=" | "<" | "<=" | ">" | ">=";

export type Checked =
  | (CheckedBase & { readonly kind: "constant"; readonly value: Constant })
  | (CheckedBase & {
      /** A parameter that an operator's tuning sets by the customer's segment. */
      readonly kind: "by_segment";
      readonly values: ReadonlyMap<string, Constant>;
      readonly otherwise: Constant;
    })
  | (CheckedBase & { readonly kind: "constant_text"; readonly value: string })
  | (CheckedBase & { readonly kind: "constant_truth"; readonly value: boolean })
  | (CheckedBase & { readonly kind: "texts"; readonly values: readonly string[]; readonly canonical: string })
  | (CheckedBase & { readonly kind: "set"; readonly slot: number; readonly canonical: string })
  | (CheckedBase & { readonly kind: "side"; readonly side: "self" | "other" })
  | (CheckedBase & { readonly kind: "list"; readonly id: string })
  | (CheckedBase & { readonly kind: "number"; readonly read: Read<number>; readonly canonical: string })
  | (CheckedBase & { readonly kind: "read_text"; readonly read: Read<string>; readonly canonical: string })
  | (CheckedBase & { readonly kind: "truth"; readonly test: Test; readonly canonical: string })
  | (CheckedBase & { readonly kind: "not"; readonly operand: Checked })
  | (CheckedBase & { readonly kind: "negate"; readonly operand: Checked })
  | (CheckedBase & {
      readonly kind: "logic";
      readonly operator: "&&" | "||";
      readonly left: Checked;
      readonly right: Checked;
    })
  | (CheckedBase & {
      readonly kind: "compare";
      readonly operator: Comparer;
      readonly left: Checked;
      readonly right: Checked;
    })
  | (CheckedBase & {
      readonly kind: "in";
      readonly left: Checked;
      readonly right: Checked;
      /** A movement that was ordered from afar is in no set of places, instead of being unknown. */
      readonly remoteCounts?: boolean;
    })
  | (CheckedBase & {
      readonly kind: "arithmetic";
      readonly operator: "+" | "-" | "*" | "/";
      readonly left: Checked;
      readonly right: Checked;
    })
  | (CheckedBase & { readonly kind: "error" });

/** A type without domain, or a text type of a domain. */
export function typeOf(name: TypeName, domain: Domain = "any"): Type {
  return { name, domain };
}

/** The marker of an expression whose fault has been told. */
export function errorAt(start: number, end: number): Checked {
  return { kind: "error", type: typeOf("error"), start, end, classes: 0, aggregates: [], hitInputs: [] };
}

const NUMERIC: ReadonlySet<TypeName> = new Set([
  "money",
  "count",
  "ratio",
  "duration",
  "distance",
  "time_of_day",
  "number",
  "instant",
]);

/** Whether values of the type are numbers at run time. */
export function isNumeric(type: Type): boolean {
  return NUMERIC.has(type.name);
}

/** How the type is called in messages, with its article. */
export function describeType(type: Type): string {
  if (type.name === "text" && type.domain !== "any")
    return `${/^[aeiou]/.test(type.domain) ? "an" : "a"} ${type.domain.replaceAll("_", " ")}`;
  const names: Readonly<Record<TypeName, string>> = {
    money: "money",
    count: "a count",
    ratio: "a ratio",
    duration: "a duration",
    distance: "a distance",
    time_of_day: "a time of day",
    number: "a plain number",
    instant: "a point in time",
    text: "a text",
    cell: "a place on the map",
    bool: "a truth value",
    list: "a list",
    set: "a set of texts",
    side: "a side of the movement",
    error: "an error",
  };
  return names[type.name];
}

/** The unit in which a value of this type is shown; undefined for what cannot be shown. */
export function unitOf(type: Type): Unit | undefined {
  switch (type.name) {
    case "money":
    case "count":
    case "ratio":
    case "duration":
    case "distance":
    case "time_of_day":
    case "text":
      return type.name;
    case "number":
      return "count";
    case "cell":
      return "text";
    default:
      return undefined;
  }
}

/** Merges what the parts of an expression rest on. */
export function joinBases(start: number, end: number, parts: readonly CheckedBase[]): Omit<CheckedBase, "type"> {
  let classes = 0;
  const aggregates: number[] = [];
  const hitInputs: number[] = [];
  for (const part of parts) {
    classes |= part.classes;
    for (const slot of part.aggregates) if (!aggregates.includes(slot)) aggregates.push(slot);
    for (const slot of part.hitInputs) if (!hitInputs.includes(slot)) hitInputs.push(slot);
  }
  return { start, end, classes, aggregates, hitInputs };
}
