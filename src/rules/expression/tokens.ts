/** Splits the text of an expression into tokens with their positions. */
import { isDigit, type Quantity, readQuantity } from "../literals.ts";

export const OPERATORS = [
  "||",
  "&&",
  "==",
  "!=",
  "<=",
  ">=",
  "<",
  ">",
  "+",
  "-",
  "*",
  "/",
  "!",
  "(",
  ")",
  "[",
  "]",
  ",",
  ".",
] as const;
export type Operator = (typeof OPERATORS)[number];

interface Span {
  /** Offsets in the text of the expression, half open. */
  readonly start: number;
  readonly end: number;
}

export type Token =
  | (Span & { readonly kind: "name"; readonly name: string })
  | (Span & { readonly kind: "quantity"; readonly quantity: Quantity })
  | (Span & { readonly kind: "text"; readonly value: string })
  | (Span & { readonly kind: "operator"; readonly operator: Operator })
  | (Span & { readonly kind: "end" });

/** A fault in the text of an expression. */
export interface SyntaxFault {
  readonly message: string;
  readonly hint?: string;
  readonly at: number;
}

export type Lexed =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly fault: SyntaxFault };

const BLANK = /[ \t\r\n]+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
/** What people write from other languages, and what it is called here. */
const FOREIGN: Readonly<Record<string, string>> = {
  "=": "equality is `==`",
  "&": "`and` is `&&`, in filters only",
  "|": "`or` is `||`, in filters only",
  "?": "there is no `? :`; write two clauses",
  "%": "a percentage is written on its number, such as 80%",
  "≥": "write `>=`",
  "≤": "write `<=`",
  "≠": "write `!=`",
  "“": "write straight quotes",
  "’": "write straight quotes",
};

/** All tokens of `text`, ending with an `end` token. Linear in the length. */
export function lex(text: string): Lexed {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    BLANK.lastIndex = at;
    if (BLANK.test(text)) {
      at = BLANK.lastIndex;
      continue;
    }
    const token = lexOne(text, at);
    if (!("kind" in token)) return { ok: false, fault: token };
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", start: text.length, end: text.length });
  return { ok: true, tokens };
}

function lexOne(text: string, at: number): Token | SyntaxFault {
  const c = text[at] ?? "";
  if (isDigit(text, at)) {
    const read = readQuantity(text, at);
    if (read.ok) return { kind: "quantity", quantity: read.quantity, start: at, end: read.end };
    const hint = "units: 3000 EUR, 80%, 72h, 2h30m, 100 km, 500 m, 22:00";
    return { message: read.message, hint, at };
  }
  NAME.lastIndex = at;
  const name = NAME.exec(text);
  if (name !== null) return { kind: "name", name: name[0], start: at, end: at + name[0].length };
  if (c === "'" || c === '"') return lexText(text, at, c);
  for (const operator of OPERATORS) {
    if (text.startsWith(operator, at)) return { kind: "operator", operator, start: at, end: at + operator.length };
  }
  const hint = FOREIGN[c];
  const message = `\`${String.fromCodePoint(text.codePointAt(at) ?? 0)}\` is not part of the language`;
  return hint === undefined ? { message, at } : { message, hint, at };
}

function lexText(text: string, at: number, quote: string): Token | SyntaxFault {
  const end = text.indexOf(quote, at + 1);
  if (end === -1) return { message: "this text has no closing quote", at };
  const value = text.slice(at + 1, end);
  if (value.includes("\\")) {
    return { message: "a text has no escapes", hint: "use the other kind of quote around it", at };
  }
  return { kind: "text", value, start: at, end: end + 1 };
}
