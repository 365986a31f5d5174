/** Numbers as people read them, in the unit that the rule's author gave them. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/limits.ts";
import { formatMoney, toDecimal } from "../domain/money.ts";
import type { Context, TemplatePart, Unit } from "../rules/plan.ts";

/** A value for a sentence: `2,700.00 EUR`, `14 d`, `100 km`, `83 %`; `unknown` when it is. */
export function renderValue(value: number | string | undefined, unit: Unit, baseCurrency: string): string {
  if (value === undefined || (typeof value === "number" && Number.isNaN(value))) return "unknown";
  if (typeof value === "string") return value;
  switch (unit) {
    case "money":
      return formatMoney(roundMinor(value), baseCurrency);
    case "ratio":
      return `${trimmed(value * 100, 1)} %`;
    case "duration":
      return renderDuration(value);
    case "distance":
      return value >= 1_000 ? `${trimmed(value / 1_000, 1)} km` : `${trimmed(value, 0)} m`;
    case "time_of_day":
      return `${String(Math.floor(value / 60)).padStart(2, "0")}:${String(value % 60).padStart(2, "0")}`;
    default:
      return trimmed(value, 2);
  }
}

/** A value as a machine reads it in an alert: money as a decimal string, the rest as a plain number. */
export function plainValue(value: number | string | undefined, unit: Unit, baseCurrency: string): string {
  if (value === undefined || (typeof value === "number" && Number.isNaN(value))) return "unknown";
  if (typeof value === "string") return value;
  return unit === "money" ? toDecimal(roundMinor(value), baseCurrency) : String(Math.round(value * 1e6) / 1e6);
}

/** An explanation with its values filled in. */
export function renderTemplate(parts: readonly TemplatePart[], context: Context, baseCurrency: string): string {
  return parts
    .map((part) => (typeof part === "string" ? part : renderValue(part.read(context), part.unit, baseCurrency)))
    .join("");
}

function renderDuration(ms: number): string {
  if (ms >= DAY_MS && ms % HOUR_MS === 0 && ms % DAY_MS === 0) return `${ms / DAY_MS} d`;
  if (ms >= 2 * DAY_MS) return `${trimmed(ms / DAY_MS, 1)} d`;
  if (ms >= HOUR_MS) return `${trimmed(ms / HOUR_MS, 1)} h`;
  if (ms >= MINUTE_MS) return `${trimmed(ms / MINUTE_MS, 0)} min`;
  return `${trimmed(ms / 1_000, 0)} s`;
}

/** Averages and medians may fall between two minor units: half to even, as everywhere. */
function roundMinor(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.0+$/, "");
}
