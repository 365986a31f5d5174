import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AMOUNT_MINOR_MAX } from "../../src/base/limits.ts";
import { type Currency, currencyCodes, currencyOf } from "../../src/domain/currencies.ts";
import { createRates, formatMoney, isAmountText, parseAmount, toDecimal } from "../../src/domain/money.ts";

function currency(code: string): Currency {
  const found = currencyOf(code);
  if (found === undefined) throw new Error(`no ${code}`);
  return found;
}

describe("parseAmount", () => {
  test.each([
    ["0", "EUR", 0],
    ["0.01", "EUR", 1],
    ["12.5", "EUR", 1250],
    ["12.500000", "EUR", 1250],
    ["1000", "JPY", 1000],
    ["1000.00", "JPY", 1000],
    ["1.234", "KWD", 1234],
    ["10000000000000", "EUR", AMOUNT_MINOR_MAX],
    ["0.00000001", "BTC", 1],
    ["21000000", "BTC", 2_100_000_000_000_000],
    ["1.000000000000000001", "ETH", 1_000_000_000_000_000_001n],
    ["0.001", "ETH", 1_000_000_000_000_000],
  ])("%s %s is %s minor units", (text, code, minor) => {
    expect(parseAmount(text, currency(code))).toBe(minor);
  });

  test.each([
    "",
    "-1",
    "+1",
    "1e3",
    "1.",
    ".5",
    "01",
    "00",
    "1,5",
    " 1",
    "1 ",
    "NaN",
    "0x10",
    "1.2.3",
    "١",
    "9".repeat(49),
  ])("%j breaks the grammar", (text) => {
    expect(parseAmount(text, currency("EUR"))).toBe("grammar");
    expect(isAmountText(text)).toBe(false);
  });

  test.each([
    ["12.505", "EUR", "decimals"],
    ["1.5", "JPY", "decimals"],
    ["10000000000000.01", "EUR", "range"],
    ["9".repeat(40), "EUR", "range"],
    ["9".repeat(40), "ETH", "range"],
  ])("%s %s fails by its %s", (text, code, fault) => {
    expect(parseAmount(text, currency(code))).toBe(fault);
  });

  test("balances may be negative, and minus zero is zero", () => {
    expect(parseAmount("-12.50", currency("EUR"), true)).toBe(-1250);
    expect(parseAmount("-0.00", currency("EUR"), true)).toBe(0);
    expect(parseAmount("--1", currency("EUR"), true)).toBe("grammar");
    expect(parseAmount("-", currency("EUR"), true)).toBe("grammar");
  });

  test("what toDecimal writes is read back, for every currency", () => {
    const minor = fc.bigInt({ min: 0n, max: BigInt(AMOUNT_MINOR_MAX) });
    fc.assert(
      fc.property(minor, fc.constantFrom(...currencyCodes()), (value, code) => {
        const text = toDecimal(value, code);
        expect(BigInt(parseAmount(text, currency(code)))).toBe(value);
        expect(toDecimal(Number(value), code)).toBe(text);
      }),
      { seed: 10 },
    );
  });
});

describe("toDecimal and formatMoney", () => {
  test.each([
    [270_000, "EUR", "2700.00", "2,700.00 EUR"],
    [-5, "EUR", "-0.05", "-0.05 EUR"],
    [-0.4, "EUR", "0.00", "0.00 EUR"],
    [1_234_567, "JPY", "1234567", "1,234,567 JPY"],
    [1, "BHD", "0.001", "0.001 BHD"],
    [1_000_000_000_000_000_001n, "ETH", "1.000000000000000001", "1.000000000000000001 ETH"],
    [0.5, "EUR", "0.00", "0.00 EUR"],
    [1.5, "EUR", "0.02", "0.02 EUR"],
    [100_000_000, "EUR", "1000000.00", "1,000,000.00 EUR"],
  ])("%s %s is %s, for people %s", (minor, code, decimal, money) => {
    expect(toDecimal(minor, code)).toBe(decimal);
    expect(formatMoney(minor, code)).toBe(money);
  });
});

describe("createRates", () => {
  const day = (text: string) => Date.parse(`${text}T12:00:00Z`);
  const rates = createRates("EUR", [
    { from: "2026-02-01", rates: { USD: "1.20" } },
    { from: "2026-01-01", rates: { USD: "1.10", JPY: "160", ETH: "0.0005" } },
  ]);

  test("the base currency stays as it is", () => {
    expect(rates.toBase(123, "EUR", 0)).toBe(123);
  });

  test("the latest entry that is not after the day applies, before the first the first", () => {
    expect(rates.toBase(11_000, "USD", day("2026-01-31"))).toBe(10_000);
    expect(rates.toBase(12_000, "USD", Date.parse("2026-02-01T00:00:00Z"))).toBe(10_000);
    expect(rates.toBase(11_000, "USD", day("2019-01-01"))).toBe(10_000);
    expect(rates.toBase(160, "JPY", day("2026-03-01"))).toBe(100);
  });

  test("assets with many decimals and unknown currencies", () => {
    expect(rates.toBase(1_000_000_000_000_000_000n, "ETH", day("2026-01-02"))).toBe(200_000);
    expect(rates.toBase(100, "GBP", day("2026-01-02"))).toBeUndefined();
  });

  test("halves go to the even neighbour, on both sides of zero", () => {
    const half = createRates("EUR", [{ from: "2026-01-01", rates: { USD: "2" } }]);
    expect([1, 3, 5, -1, -3].map((minor) => half.toBase(minor, "USD", 0))).toEqual([0, 2, 2, 0, -2]);
  });

  test("a product beyond the safe integers is exact too", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -BigInt(AMOUNT_MINOR_MAX), max: BigInt(AMOUNT_MINOR_MAX) }),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom("USD", "JPY", "KWD", "CLF", "BTC", "ETH"),
        fc.constantFrom("EUR", "JPY", "TND"),
        fc.boolean(),
        (minor, digits, decimals, code, base, asNumber) => {
          fc.pre(code !== base);
          const scale = 10n ** BigInt(decimals);
          const rate = `${digits / scale}.${String(digits % scale).padStart(decimals, "0") || "0"}`;
          const list = createRates(base, [{ from: "2026-01-01", rates: { [code]: rate } }]);
          const input = asNumber && minor <= Number.MAX_SAFE_INTEGER ? Number(minor) : minor;
          // base = minor / 10^decimals(code) / rate * 10^decimals(base), as one fraction.
          const top = minor * scale * 10n ** BigInt(currency(base).decimals);
          const bottom = digits * 10n ** BigInt(currency(code).decimals);
          expect(list.toBase(input, code, 0)).toBe(Number(roundHalfEven(top, bottom)));
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });

  test.each([
    ["XXX", []],
    ["EUR", [{ from: "2026-02-30", rates: {} }]],
    ["EUR", [{ from: "2026-02-01", rates: { QQQ: "1" } }]],
    ["EUR", [{ from: "2026-02-01", rates: { USD: "0" } }]],
    ["EUR", [{ from: "2026-02-01", rates: { USD: "-1" } }]],
    ["EUR", [{ from: "2026-02-01", rates: { USD: "1e3" } }]],
  ])("a faulty list is refused: %s %j", (base, entries) => {
    expect(() => createRates(base, entries as Parameters<typeof createRates>[1])).toThrow(RangeError);
  });
});

test("the currency table is ISO's where the runtime's is not", () => {
  expect(["ISK", "UGX", "KWD", "CLF", "UYW", "HUF", "MGA", "XOF"].map((code) => currency(code).decimals)).toEqual([
    0, 0, 3, 4, 4, 2, 2, 0,
  ]);
  expect(currencyOf("eur")).toBeUndefined();
  expect(currencyOf("__proto__")).toBeUndefined();
  expect(currencyCodes().length).toBeGreaterThan(160);
});

function roundHalfEven(top: bigint, bottom: bigint): bigint {
  const negative = top < 0n;
  const absolute = negative ? -top : top;
  const floor = absolute / bottom;
  const twice = (absolute - floor * bottom) * 2n;
  const up = twice > bottom || (twice === bottom && floor % 2n === 1n);
  const rounded = up ? floor + 1n : floor;
  return negative ? -rounded : rounded;
}
