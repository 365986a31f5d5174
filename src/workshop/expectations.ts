/**
 * Holds what came against what a test expects, and says the difference so that the author can mend the
 * rule or the test without running anything else.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/limits.ts";
import type { Expected, ExpectedItem } from "./test-spec.ts";

/** A hit that opened or an alert revision, as a test sees it. */
export interface Observed {
  /** `opened` for hits; of alerts the event of the revision. */
  readonly event: string;
  /** Place of the movement that caused it, from 1; 0 when a given hit or mark did. */
  readonly atEvent: number;
  /** From the start of the test. */
  readonly atMs: number;
  readonly explanation: string;
  readonly severity: string | undefined;
  readonly score: number | undefined;
}

/** What is wrong, one line each; empty when everything is as expected. `what` is `hit` or `alert`. */
export function compareExpected(what: "hit" | "alert", expected: Expected, observed: readonly Observed[]): string[] {
  const { items, count } = expected;
  const wanted = new Set((items ?? []).map((item) => item.event ?? "opened"));
  if (wanted.size === 0) wanted.add("opened");
  const seen = observed.filter((one) => wanted.has(one.event));
  if (items === undefined || items.length !== seen.length) {
    if (seen.length === count) return [];
    const came = seen.length === 0 ? ["nothing"] : seen.map(describe);
    return [`expected ${counted(count, what)}, came ${seen.length}`, ...came.map((line) => `  came: ${line}`)];
  }
  return items.flatMap((item, i) => compareItem(what, i + 1, item, seen[i] as Observed));
}

/** `+2d3h` and the like, from the start of the test. */
export function offsetText(ms: number): string {
  const parts: string[] = [];
  let rest = Math.abs(ms);
  for (const [unit, size] of [
    ["d", DAY_MS],
    ["h", HOUR_MS],
    ["m", MINUTE_MS],
    ["s", 1000],
  ] as const) {
    const whole = Math.floor(rest / size);
    if (whole > 0) parts.push(`${whole}${unit}`);
    rest -= whole * size;
  }
  return `${ms < 0 ? "-" : "+"}${parts.length === 0 ? "0h" : parts.join("")}`;
}

function compareItem(what: string, place: number, item: ExpectedItem, came: Observed): string[] {
  const faults: string[] = [];
  const differs = (name: string, expected: unknown, found: unknown) => {
    faults.push(`${what} ${place}: expected ${name} ${expected}, came ${found}`);
  };
  if (item.event !== undefined && item.event !== came.event) differs("event", item.event, came.event);
  if (item.atEvent !== undefined && item.atEvent !== came.atEvent) {
    differs("at event", item.atEvent, came.atEvent === 0 ? "a given hit or mark" : came.atEvent);
  }
  if (item.atMs !== undefined && item.atMs !== came.atMs) differs("at", offsetText(item.atMs), offsetText(came.atMs));
  if (item.severity !== undefined && item.severity !== came.severity) differs("severity", item.severity, came.severity);
  if (item.score !== undefined && item.score !== came.score) differs("score", item.score, came.score);
  if (item.explain !== undefined && !came.explanation.includes(item.explain)) {
    differs("in the explanation", `"${item.explain}"`, `"${came.explanation}"`);
  }
  return faults;
}

function describe(one: Observed): string {
  const where = one.atEvent === 0 ? "a given hit or mark" : `event ${one.atEvent}`;
  const rank = one.severity === undefined ? "" : ` ${one.severity} (${one.score})`;
  return `${one.event}${rank} at ${where} (${offsetText(one.atMs)}): ${one.explanation}`;
}

function counted(count: number, what: string): string {
  return count === 0 ? `no ${what}` : `${count} ${what}${count === 1 ? "" : "s"}`;
}
