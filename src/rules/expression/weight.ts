/**
 * What evidence weighs: geography, being a non-profit organisation and words of the customer profile are not
 * enough alone, and some may never add weight: being a non-profit organisation, and the merchant categories that
 * stand for it.
 */
import type { RuleList } from "../lists.ts";
import { WEIGHTLESS_MCC } from "../vocabulary.ts";
import { type Checked, CLASS_BITS, type Constant, type Domain } from "./types.ts";

/** Whether comparing a value of this domain with this text asks for such a thing. */
export function isWeightlessText(domain: Domain, text: string): boolean {
  if (domain === "party_type") return text === "npo";
  if (domain === "mcc") return WEIGHTLESS_MCC.has(text);
  return domain === "merchant_class" && text === "charity";
}

/** Whether a list holds such a thing. */
export function isWeightlessList(list: RuleList): boolean {
  if (list.type === "registry") return true;
  if (list.type === "merchant_class") return list.entries.has("charity");
  if (list.type !== "mcc") return false;
  for (const code of WEIGHTLESS_MCC) if (list.entries.has(code)) return true;
  return false;
}

/** How much an expression proves when it holds: 0 nothing by itself, 1 something weak, 2 something solid. */
export type Weight = 0 | 1 | 2;

/** What is never enough alone. */
export const WEAK = CLASS_BITS.geography | CLASS_BITS.npo | CLASS_BITS.customer;

/** The least that must have been seen for the tree to hold. */
export function weightOf(tree: Checked): Weight {
  if (tree.kind === "logic") {
    const left = weightOf(tree.left);
    const right = weightOf(tree.right);
    return tree.operator === "&&" ? larger(left, right) : left < right ? left : right;
  }
  if (tree.kind === "not") return weightOf(tree.operand);
  if ((tree.classes & ~WEAK) !== 0) return 2;
  if (isRepeated(tree) && (tree.classes & CLASS_BITS.npo) === 0) return 2;
  return tree.classes === 0 ? 0 : 1;
}

export function larger(a: Weight, b: Weight): Weight {
  return a > b ? a : b;
}

/** Whether a tree rests on geography and nothing else. */
export function isGeography(tree: Checked): boolean {
  return (tree.classes & CLASS_BITS.geography) !== 0 && (tree.classes & ~WEAK) === 0;
}

/** A count that must be at least two: seeing something again and again is behaviour. */
function isRepeated(tree: Checked): boolean {
  if (tree.kind !== "compare") return false;
  const left = leastOf(tree.left);
  const flipped = left !== undefined;
  const value = left ?? leastOf(tree.right);
  const counted = flipped ? tree.right : tree.left;
  if (value === undefined || counted.type.name !== "count") return false;
  const operator = flipped ? ({ "<": ">", "<=": ">=" } as Record<string, string>)[tree.operator] : tree.operator;
  return (operator === ">=" && value >= 2) || (operator === ">" && value >= 1);
}

/** The least that a constant can be; undefined for what is none. */
function leastOf(tree: Checked): number | undefined {
  const number = ({ numerator, denominator }: Constant): number => Number(numerator) / Number(denominator);
  if (tree.kind === "constant") return number(tree.value);
  if (tree.kind !== "by_segment") return undefined;
  return Math.min(number(tree.otherwise), ...[...tree.values.values()].map(number));
}

/** Whether a word of the customer profile must hold (not: must not hold) for the tree to be true. */
export function raisesByProfile(tree: Checked, positive: boolean): boolean {
  switch (tree.kind) {
    case "not":
      return raisesByProfile(tree.operand, !positive);
    case "logic":
      return raisesByProfile(tree.left, positive) || raisesByProfile(tree.right, positive);
    case "compare":
      // Words are compared as texts; what an aggregate counted was judged with its own filter.
      if (tree.left.type.name !== "text") return false;
      return (tree.classes & CLASS_BITS.customer) !== 0 && (tree.operator === "!=") !== positive;
    case "in":
      return (tree.classes & CLASS_BITS.customer) !== 0 && positive;
    default:
      return false;
  }
}
