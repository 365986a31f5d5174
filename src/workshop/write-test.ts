/** Writes an inline test as it stands in a rule file, ready to be pasted under `tests:`. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/limits.ts";
import type { Observed } from "./expectations.ts";
import type { EventSpec, GivenTelling, TestSpec } from "./test-spec.ts";
import type { TestOutcome } from "./test-world.ts";

/** The test with what `outcome` gives as its expectation. */
export function writeTest(test: TestSpec, kind: "indicator" | "typology", outcome: TestOutcome, name: string): string {
  const what = kind === "indicator" ? "hits" : "alerts";
  const came = outcome[what];
  const lines = [`  - name: ${quoted(name)}`, `    kind: ${came.length > 0 ? "fires" : "near_miss"}`];
  lines.push(...givenLines(test.given));
  if (test.events.length > 0) lines.push("    events:", ...test.events.map((event) => `      - ${eventText(event)}`));
  const items = came.map((one) => expectedText(one, kind)).join(", ");
  lines.push(`    expect: { ${what}: ${came.length === 0 ? "0" : `[${items}]`} }`);
  return `${lines.join("\n")}\n`;
}

function givenLines(given: TestSpec["given"]): string[] {
  const lines: string[] = [];
  if (given.historyMs !== undefined) lines.push(`      history: ${durationText(given.historyMs)}`);
  if (given.profile.size > 0) lines.push(`      profile: { ${pairs(given.profile)} }`);
  if (given.lists.size > 0) {
    lines.push(`      lists: { ${[...given.lists].map(([id, entries]) => `${id}: ${entries}`).join(", ")} }`);
  }
  if (given.peers.size > 0) {
    const peers = [...given.peers].map(([name, groups]) => `${name}: { ${pairs(groups)} }`);
    lines.push(`      peers: { ${peers.join(", ")} }`);
  }
  for (const kind of ["hit", "mark"] as const) {
    const own = given.tellings.filter((telling) => telling.kind === kind);
    if (own.length > 0) lines.push(`      ${kind}s:`, ...own.map((telling) => `        - ${tellingText(telling)}`));
  }
  return lines.length === 0 ? [] : ["    given:", ...lines];
}

function tellingText(telling: GivenTelling): string {
  const parts = [`rule: ${telling.rule}`, `at: ${durationText(telling.atMs)}`];
  if (telling.from !== undefined) parts.push(`from: ${quoted(telling.from)}`);
  if (telling.kind === "mark") parts.push(`flow: ${telling.flow}`, `distance: ${telling.distance}`);
  if (telling.aboutMs !== undefined) parts.push(`about: ${durationText(telling.aboutMs)}`);
  return `{ ${parts.join(", ")} }`;
}

function eventText(event: EventSpec): string {
  const parts = [`at: ${durationText(event.atMs)}`];
  if (event.times > 1) parts.push(`every: ${durationText(event.everyMs)}`, `times: ${event.times}`);
  for (const [key, values] of event.values) {
    const [first = "", ...more] = values;
    parts.push(`${key}: ${more.length === 0 ? quoted(first) : `[${values.map(quoted).join(", ")}]`}`);
  }
  return `{ ${parts.join(", ")} }`;
}

function expectedText(one: Observed, kind: "indicator" | "typology"): string {
  const parts = one.atEvent > 0 ? [`at_event: ${one.atEvent}`] : [`at: ${durationText(one.atMs)}`];
  if (one.event !== "opened") parts.push(`event: ${one.event}`);
  if (kind === "typology") parts.push(`severity: ${one.severity}`, `score: ${one.score}`);
  parts.push(`explain: ${quoted(one.explanation)}`);
  return `{ ${parts.join(", ")} }`;
}

function pairs(values: ReadonlyMap<string, string>): string {
  return [...values].map(([key, value]) => `${key}: ${quoted(value)}`).join(", ");
}

/** Plain where YAML takes it as text, else in double quotes. */
function quoted(text: string): string {
  return /^[A-Za-z0-9][\w .+/-]*$/.test(text) && !text.endsWith(" ") ? text : JSON.stringify(text);
}

function durationText(ms: number): string {
  let rest = Math.abs(ms);
  let text = ms < 0 ? "-" : "";
  for (const [unit, size] of [
    ["d", DAY_MS],
    ["h", HOUR_MS],
    ["m", MINUTE_MS],
    ["s", 1000],
  ] as const) {
    const whole = Math.floor(rest / size);
    if (whole > 0) text += `${whole}${unit}`;
    rest -= whole * size;
  }
  return text === "" || text === "-" ? "0h" : text;
}
