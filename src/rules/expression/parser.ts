/**
 * Pratt parser of the expression language, a subset of CEL: `|| && ! == != < <= > >= in + - * /`,
 * parentheses, calls of named functions, dotted names and literals.
 */
import type { Quantity } from "../literals.ts";
import { lex, type Operator, type SyntaxFault, type Token } from "./tokens.ts";

interface Span {
  /** Offsets in the text of the expression, half open. */
  readonly start: number;
  readonly end: number;
}

export type BinaryOperator = "||" | "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "+" | "-" | "*" | "/";

export type Ast =
  | (Span & { readonly kind: "quantity"; readonly quantity: Quantity })
  | (Span & { readonly kind: "text"; readonly value: string })
  | (Span & { readonly kind: "truth"; readonly value: boolean })
  | (Span & { readonly kind: "list"; readonly items: readonly Ast[] })
  | (Span & { readonly kind: "path"; readonly segments: readonly Segment[] })
  | (Span & { readonly kind: "call"; readonly name: string; readonly nameEnd: number; readonly args: readonly Ast[] })
  | (Span & { readonly kind: "unary"; readonly operator: "!" | "-"; readonly operand: Ast })
  | (Span & {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly operatorAt: number;
      readonly left: Ast;
      readonly right: Ast;
    });

export interface Segment extends Span {
  readonly name: string;
}

export type Parsed = { readonly ok: true; readonly ast: Ast } | { readonly ok: false; readonly fault: ParseFault };

export interface ParseFault extends SyntaxFault {
  /** The expression is too large, not wrong. */
  readonly tooLarge?: boolean;
}

/** Bounds of one expression; the longest of the catalogue has about 30 parts. */
export const EXPRESSION_LENGTH_MAX = 2_000;
export const EXPRESSION_PARTS_MAX = 250;
export const EXPRESSION_DEPTH_MAX = 32;

const BINDING: Readonly<Record<BinaryOperator, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  in: 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
};
const COMPARISON_BINDING = 3;

/** Words of other languages that read as names here. */
const FOREIGN_WORDS: Readonly<Record<string, string>> = {
  and: "write `&&`, in filters only",
  or: "write `||`, in filters only",
  not: "write `!`",
  is: "write `==`",
};

class Fault extends Error {
  readonly fault: ParseFault;
  constructor(fault: ParseFault) {
    super(fault.message);
    this.fault = fault;
  }
}

interface Cursor {
  readonly tokens: readonly Token[];
  next: number;
  parts: number;
}

/** Parses one expression. Faults are values; nothing is thrown. */
export function parse(text: string): Parsed {
  if (text.length > EXPRESSION_LENGTH_MAX) {
    const message = `an expression has at most ${EXPRESSION_LENGTH_MAX} characters`;
    return { ok: false, fault: { message, at: 0, tooLarge: true } };
  }
  const lexed = lex(text);
  if (!lexed.ok) return lexed;
  const cursor: Cursor = { tokens: lexed.tokens, next: 0, parts: 0 };
  try {
    const ast = parseBinary(cursor, 0, 0);
    const rest = peek(cursor);
    if (rest.kind !== "end") throw new Fault(unexpected(rest));
    return { ok: true, ast };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.fault };
    throw error;
  }
}

function parseBinary(cursor: Cursor, least: number, depth: number): Ast {
  let left = parseUnary(cursor, depth);
  for (;;) {
    const token = peek(cursor);
    const operator = binaryOperator(token);
    if (operator === undefined || BINDING[operator] <= least) return left;
    const binding = BINDING[operator];
    if (binding === COMPARISON_BINDING && isComparison(left)) {
      const hint = "write two comparisons";
      throw new Fault({ message: "comparisons cannot be chained", hint, at: token.start });
    }
    cursor.next += 1;
    const right = parseBinary(cursor, binding, depth + 1);
    const span = { start: left.start, end: right.end };
    left = count(cursor, { kind: "binary", operator, operatorAt: token.start, left, right, ...span });
  }
}

function parseUnary(cursor: Cursor, depth: number): Ast {
  const token = peek(cursor);
  if (depth > EXPRESSION_DEPTH_MAX) {
    const message = `an expression nests at most ${EXPRESSION_DEPTH_MAX} levels`;
    throw new Fault({ message, at: token.start, tooLarge: true });
  }
  if (token.kind === "operator" && (token.operator === "!" || token.operator === "-")) {
    cursor.next += 1;
    const operand = parseUnary(cursor, depth + 1);
    return count(cursor, { kind: "unary", operator: token.operator, operand, start: token.start, end: operand.end });
  }
  return parsePrimary(cursor, depth);
}

function parsePrimary(cursor: Cursor, depth: number): Ast {
  const token = peek(cursor);
  cursor.next += 1;
  if (token.kind === "quantity") {
    return count(cursor, { kind: "quantity", quantity: token.quantity, start: token.start, end: token.end });
  }
  if (token.kind === "text") {
    return count(cursor, { kind: "text", value: token.value, start: token.start, end: token.end });
  }
  if (token.kind === "name") return parseName(cursor, token, depth);
  if (isOperator(token, "(")) {
    const inner = parseBinary(cursor, 0, depth + 1);
    const close = expect(cursor, ")", "this parenthesis is not closed", token.start);
    return { ...inner, start: token.start, end: close.end };
  }
  if (isOperator(token, "[")) {
    const { items, end } = parseItems(cursor, "]", depth, token.start);
    return count(cursor, { kind: "list", items, start: token.start, end });
  }
  throw new Fault(unexpected(token));
}

function parseName(cursor: Cursor, token: Token & { kind: "name" }, depth: number): Ast {
  if (token.name === "true" || token.name === "false") {
    return count(cursor, { kind: "truth", value: token.name === "true", start: token.start, end: token.end });
  }
  const segments: Segment[] = [{ name: token.name, start: token.start, end: token.end }];
  while (isOperator(peek(cursor), ".")) {
    cursor.next += 1;
    const part = peek(cursor);
    if (part.kind !== "name") throw new Fault({ message: "a name is expected after the dot", at: part.start });
    cursor.next += 1;
    segments.push({ name: part.name, start: part.start, end: part.end });
  }
  const last = segments[segments.length - 1] ?? token;
  if (isOperator(peek(cursor), "(")) {
    const open = peek(cursor);
    cursor.next += 1;
    const { items, end } = parseItems(cursor, ")", depth, open.start);
    const name = segments.map((s) => s.name).join(".");
    return count(cursor, { kind: "call", name, nameEnd: last.end, args: items, start: token.start, end });
  }
  return count(cursor, { kind: "path", segments, start: token.start, end: last.end });
}

function parseItems(cursor: Cursor, close: ")" | "]", depth: number, openedAt: number): { items: Ast[]; end: number } {
  const items: Ast[] = [];
  const first = peek(cursor);
  if (isOperator(first, close)) {
    cursor.next += 1;
    return { items, end: first.end };
  }
  for (;;) {
    items.push(parseBinary(cursor, 0, depth + 1));
    const token = peek(cursor);
    if (isOperator(token, ",")) {
      cursor.next += 1;
      continue;
    }
    const what = close === ")" ? "this parenthesis is not closed" : "this bracket is not closed";
    const end = expect(cursor, close, what, openedAt).end;
    return { items, end };
  }
}

function peek(cursor: Cursor): Token {
  return cursor.tokens[Math.min(cursor.next, cursor.tokens.length - 1)] ?? { kind: "end", start: 0, end: 0 };
}

function expect(cursor: Cursor, operator: Operator, message: string, at: number): Token {
  const token = peek(cursor);
  if (isOperator(token, operator)) {
    cursor.next += 1;
    return token;
  }
  throw new Fault(token.kind === "end" ? { message, at } : unexpected(token));
}

function isOperator(token: Token, operator: Operator): boolean {
  return token.kind === "operator" && token.operator === operator;
}

function binaryOperator(token: Token): BinaryOperator | undefined {
  if (token.kind === "name") return token.name === "in" ? "in" : undefined;
  if (token.kind !== "operator") return undefined;
  return Object.hasOwn(BINDING, token.operator) ? (token.operator as BinaryOperator) : undefined;
}

function isComparison(ast: Ast): boolean {
  return ast.kind === "binary" && BINDING[ast.operator] === COMPARISON_BINDING;
}

function count(cursor: Cursor, ast: Ast): Ast {
  cursor.parts += 1;
  if (cursor.parts > EXPRESSION_PARTS_MAX) {
    const message = `an expression has at most ${EXPRESSION_PARTS_MAX} parts`;
    throw new Fault({ message, at: ast.start, tooLarge: true });
  }
  return ast;
}

function unexpected(token: Token): ParseFault {
  if (token.kind === "end") return { message: "the expression ends too early", at: token.start };
  if (token.kind === "name") {
    const hint = FOREIGN_WORDS[token.name.toLowerCase()];
    const message = `\`${token.name}\` is not expected here`;
    return hint === undefined ? { message, at: token.start } : { message, hint, at: token.start };
  }
  const what = token.kind === "operator" ? `\`${token.operator}\`` : token.kind === "text" ? "a text" : "a number";
  return { message: `${what} is not expected here`, at: token.start };
}
