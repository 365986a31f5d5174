/** Reading of option values: each gives the value or throws a message that names the fix. */
import { InvalidArgumentError } from "commander";
import { DAY_MS } from "../base/limits.ts";
import { parseTime } from "../domain/time.ts";

/** `2026-03-01T08:00:00Z`, or a day, which stands for its first instant in UTC. Gives epoch ms. */
export function timeOption(text: string): number {
  const time = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError(
      "Expected a day or a time with its zone, such as 2026-03-01 or 2026-03-01T08:00:00Z.",
    );
  }
  return time;
}

/** As `timeOption`, but a day stands for its end: `--to 2026-03-31` takes the whole of that day in. */
export function endTimeOption(text: string): number {
  return timeOption(text) + (text.length === 10 ? DAY_MS : 0);
}

/** A whole number of at least `least`. */
export function countOption(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least)) throw new InvalidArgumentError(`Expected a whole number of ${least} or more.`);
    return value;
  };
}

/** A number from 0 to 100. */
export function percentOption(text: string): number {
  const value = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 100)) throw new InvalidArgumentError("Expected a percentage from 0 to 100, such as 85.");
  return value;
}

/** A name of at least one character, as the configuration of `run` demands. */
export function nameOption(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Expected a name.");
  return text;
}

/** Gathers an option that may stand more than once. */
export function gathered(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Gathers `RULE.param=value`; the last of two for the same parameter holds. */
export function settingOption(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const match = /^([A-Za-z0-9-]+\.[A-Za-z_]\w*)=(.+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Expected RULE.param=value, such as HT-FUNNEL-02.min_people=4.");
  const [, name = "", value = ""] = match;
  return { ...before, [name]: value.trim() };
}
