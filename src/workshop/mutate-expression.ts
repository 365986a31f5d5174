/** Mutants of one expression, made on its syntax tree: other comparisons, a literal one off, a part left out. */
import { type Ast, parse } from "../rules/expression/parser.ts";
import { stepped } from "./quantities.ts";

export type ExpressionOperator = "operator" | "boundary" | "negation" | "dropped part" | "all/any";

export interface ExpressionMutant {
  readonly operator: ExpressionOperator;
  readonly text: string;
}

const SWAPPED: Readonly<Record<string, string>> = {
  ">=": ">",
  ">": ">=",
  "<=": "<",
  "<": "<=",
  "==": "!=",
  "!=": "==",
  "&&": "||",
  "||": "&&",
};

/** Every mutant of an expression; none when it cannot be parsed. */
export function expressionMutants(text: string): ExpressionMutant[] {
  const parsed = parse(text);
  const found: ExpressionMutant[] = [];
  if (parsed.ok) visit(text, parsed.ast, found);
  return found;
}

function visit(text: string, ast: Ast, found: ExpressionMutant[]): void {
  const add = (operator: ExpressionOperator, start: number, end: number, by: string): void => {
    found.push({ operator, text: `${text.slice(0, start)}${by}${text.slice(end)}` });
  };
  switch (ast.kind) {
    case "unary":
      if (ast.operator === "!") add("negation", ast.start, ast.end, text.slice(ast.operand.start, ast.operand.end));
      visit(text, ast.operand, found);
      return;
    case "call":
      for (const arg of ast.args) visit(text, arg, found);
      return;
    case "binary": {
      const { operator, operatorAt, left, right } = ast;
      const logic = operator === "&&" || operator === "||";
      const swapped = SWAPPED[operator];
      if (swapped !== undefined) {
        add(logic ? "all/any" : "operator", operatorAt, operatorAt + operator.length, swapped);
      }
      if (logic) {
        add("dropped part", ast.start, ast.end, text.slice(left.start, left.end));
        add("dropped part", ast.start, ast.end, text.slice(right.start, right.end));
      } else if (swapped !== undefined) {
        for (const side of [left, right]) literalMutants(text, side, found);
      }
      visit(text, left, found);
      visit(text, right, found);
      return;
    }
    default:
      return;
  }
}

/** A plain number that something is compared with, one more and one less: the step of a literal is not known else. */
function literalMutants(text: string, side: Ast, found: ExpressionMutant[]): void {
  if (side.kind !== "quantity" || side.quantity.unit !== "number" || side.quantity.denominator !== 1n) return;
  for (const times of [1, -1] as const) {
    const by = stepped(text.slice(side.start, side.end), "1", times);
    if (by === undefined) continue;
    found.push({ operator: "boundary", text: `${text.slice(0, side.start)}${by}${text.slice(side.end)}` });
  }
}
