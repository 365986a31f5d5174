import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ast, parse } from "../../../src/rules/expression/parser.ts";
import { lex } from "../../../src/rules/expression/tokens.ts";
import { parseDurationMs, parseQuantity } from "../../../src/rules/literals.ts";

/** The tree with every operation in parentheses. */
function shown(ast: Ast): string {
  switch (ast.kind) {
    case "quantity":
      return `${ast.quantity.numerator}/${ast.quantity.denominator} ${ast.quantity.unit}`;
    case "text":
      return `'${ast.value}'`;
    case "truth":
      return String(ast.value);
    case "list":
      return `[${ast.items.map(shown).join(", ")}]`;
    case "path":
      return ast.segments.map((s) => s.name).join(".");
    case "call":
      return `${ast.name}(${ast.args.map(shown).join(", ")})`;
    case "unary":
      return `(${ast.operator}${shown(ast.operand)})`;
    case "binary":
      return `(${shown(ast.left)} ${ast.operator} ${shown(ast.right)})`;
  }
}

function tree(text: string): string {
  const parsed = parse(text);
  return parsed.ok ? shown(parsed.ast) : `at ${parsed.fault.at}: ${parsed.fault.message}`;
}

describe("literals", () => {
  it.each([
    ["3", "3/1 number"],
    ["0.25", "25/100 number"],
    ["3000 EUR", "3000/1 money"],
    ["3000EUR", "3000/1 money"],
    ["80%", "80/100 ratio"],
    ["2.5 %", "25/1000 ratio"],
    ["72h", "259200000/1 duration"],
    ["2h30m", "9000000/1 duration"],
    ["7d 1m", "604860000/1 duration"],
    ["2w", "1209600000/1 duration"],
    ["1.5h", "5400000/1 duration"],
    ["30m", "1800000/1 duration"],
    ["30 m", "30/1 distance"],
    ["100 km", "100000/1 distance"],
    ["22:00", "1320/1 time_of_day"],
    ["9:05", "545/1 time_of_day"],
    ["-30", "-30/1 number"],
  ])("%s is %s", (text, expected) => {
    const quantity = parseQuantity(text);
    expect(quantity && `${quantity.numerator}/${quantity.denominator} ${quantity.unit}`).toBe(expected);
  });

  it.each([
    "",
    "-",
    "abc",
    "3 eur",
    "12abc",
    "24:00",
    "10:60",
    "30m2h",
    "1e9",
    "3.",
    "0x10",
    "9999999999999999",
    "3 EURO",
  ])("%j is none", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it("read durations in ms", () => {
    expect(parseDurationMs("36h")).toBe(129_600_000);
    expect(parseDurationMs("36")).toBeUndefined();
  });
});

describe("parser", () => {
  it.each([
    ["a || b && c", "(a || (b && c))"],
    ["a && b || c", "((a && b) || c)"],
    ["!a && b", "((!a) && b)"],
    ["a + b * c - d", "((a + (b * c)) - d)"],
    ["a / b / c", "((a / b) / c)"],
    ["(a + b) * c", "((a + b) * c)"],
    ["agg.n >= params.few", "(agg.n >= params.few)"],
    ["!(x in lists.y)", "(!(x in lists.y))"],
    ["tx.direction in ['in', \"out\"]", "(tx.direction in ['in', 'out'])"],
    ["km(tx.act.cell, profile.homeCell) >= 100 km", "(km(tx.act.cell, profile.homeCell) >= 100000/1 distance)"],
    ["families.any(a, b)", "families.any(a, b)"],
    ["-a * 2", "((-a) * 2/1 number)"],
    ["true == x", "(true == x)"],
  ])("%s", (text, expected) => {
    expect(tree(text)).toBe(expected);
  });

  it.each([
    ["", "at 0: the expression ends too early"],
    ["a >=", "at 4: the expression ends too early"],
    ["a >= >= b", "at 5: `>=` is not expected here"],
    ["a == b == c", "at 7: comparisons cannot be chained"],
    ["(a", "at 0: this parenthesis is not closed"],
    ["f(a, ", "at 5: the expression ends too early"],
    ["a b", "at 2: `b` is not expected here"],
    ["a and b", "at 2: `and` is not expected here"],
    ["a = b", "at 2: `=` is not part of the language"],
    ["a.", "at 2: a name is expected after the dot"],
    ["'open", "at 0: this text has no closing quote"],
    ["a ≥ b", "at 2: `≥` is not part of the language"],
    ["ａ > 1", "at 0: `ａ` is not part of the language"],
    ["a[0]", "at 1: `[` is not expected here"],
    ["x ? 1 : 2", "at 2: `?` is not part of the language"],
  ])("%j is refused", (text, expected) => {
    expect(tree(text)).toBe(expected);
  });

  it("refuses what is too long, too deep or has too many parts", () => {
    for (const text of [
      "x".repeat(2_001),
      `${"(".repeat(60)}x${")".repeat(60)}`,
      `x${"+x".repeat(200)}`,
      "!".repeat(99),
    ]) {
      const parsed = parse(text);
      expect(parsed.ok ? undefined : parsed.fault.tooLarge).toBe(true);
    }
  });

  it("never throws, and every position lies in the text", () => {
    const part = fc.constantFrom(
      "a",
      "tx.b",
      "(",
      ")",
      "[",
      "]",
      "&&",
      "!",
      "<",
      "3",
      "3 EUR",
      "'t'",
      ",",
      ".",
      " ",
      "in",
      "\u0000",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join(" ")),
        ),
        (text) => {
          const parsed = parse(text);
          if (!parsed.ok) expect(parsed.fault.at).toBeLessThanOrEqual(text.length);
          else expect(parsed.ast.end).toBeLessThanOrEqual(text.length);
        },
      ),
    );
  });

  it("gives tokens that cover the text without overlap", () => {
    const lexed = lex("agg.n >= 80% * (3 EUR)");
    expect(lexed.ok).toBe(true);
    if (!lexed.ok) return;
    lexed.tokens.reduce((end, token) => {
      expect(token.start).toBeGreaterThanOrEqual(end);
      return token.end;
    }, 0);
  });
});
