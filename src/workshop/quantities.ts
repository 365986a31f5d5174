/** Arithmetic on the literals of a rule file: one step up or down, half, double, written as a rule would. */
import { parseQuantity, type Quantity } from "../rules/literals.ts";

/** `text` plus `times` steps of one unit; undefined when the two do not go together or it falls below 0. */
export function stepped(text: string, step: string, times: 1 | -1): string | undefined {
  const value = parseQuantity(text);
  const by = parseQuantity(step);
  if (value === undefined || by === undefined || value.unit !== by.unit) return undefined;
  const numerator = value.numerator * by.denominator + BigInt(times) * by.numerator * value.denominator;
  return written({ ...value, numerator, denominator: value.denominator * by.denominator });
}

/** `text` multiplied by the fraction `numerator / denominator`. */
export function scaled(text: string, numerator: bigint, denominator: bigint): string | undefined {
  const value = parseQuantity(text);
  if (value === undefined) return undefined;
  const parts = { numerator: value.numerator * numerator, denominator: value.denominator * denominator };
  return written({ ...value, ...parts });
}

/** -1, 0 or 1; undefined when the units differ. */
export function compareQuantities(a: string, b: string): number | undefined {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  if (left === undefined || right === undefined || left.unit !== right.unit) return undefined;
  const difference = left.numerator * right.denominator - right.numerator * left.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const DURATION_UNITS = [
  ["d", 86_400_000n],
  ["h", 3_600_000n],
  ["m", 60_000n],
  ["s", 1_000n],
] as const;

/** A literal as a rule file has it; undefined when no literal can say it. */
function written(quantity: Quantity): string | undefined {
  const { unit, numerator, denominator, currency } = quantity;
  if (numerator < 0n) return undefined;
  switch (unit) {
    case "number":
      return decimal(numerator, denominator);
    case "money":
      return suffixed(decimal(numerator, denominator), ` ${currency}`);
    case "ratio":
      return suffixed(decimal(numerator * 100n, denominator), "%");
    case "distance":
      return numerator % (1000n * denominator) === 0n
        ? `${numerator / (1000n * denominator)} km`
        : suffixed(decimal(numerator, denominator), " m");
    case "time_of_day": {
      if (numerator % denominator !== 0n) return undefined;
      const minutes = (numerator / denominator) % 1440n;
      return `${String(minutes / 60n).padStart(2, "0")}:${String(minutes % 60n).padStart(2, "0")}`;
    }
    case "duration":
      return writtenDuration(numerator, denominator);
  }
}

function writtenDuration(numerator: bigint, denominator: bigint): string | undefined {
  if (numerator % denominator !== 0n) return undefined;
  let rest = numerator / denominator;
  let text = "";
  for (const [unit, size] of DURATION_UNITS) {
    if (rest >= size) text += `${rest / size}${unit}`;
    rest %= size;
  }
  return rest === 0n && text !== "" ? text : undefined;
}

/** At most six places after the point; undefined when that is not exact. */
function decimal(numerator: bigint, denominator: bigint): string | undefined {
  const scaledUp = numerator * 1_000_000n;
  if (scaledUp % denominator !== 0n) return undefined;
  const digits = String(scaledUp / denominator).padStart(7, "0");
  const fraction = digits.slice(-6).replace(/0+$/, "");
  return `${digits.slice(0, -6)}${fraction === "" ? "" : `.${fraction}`}`;
}

function suffixed(text: string | undefined, suffix: string): string | undefined {
  return text === undefined ? undefined : `${text}${suffix}`;
}
