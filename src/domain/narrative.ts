/**
 * The draft of a narrative for the report that may follow an alert: who, what, when, where and how, in neutral words,
 * from what the alert itself says. It draws no conclusion, and names nobody who may be a victim.
 */
import type { Alert } from "./alert.ts";

/** What the draft is made from. */
export type NarrativeFacts = Pick<
  Alert,
  "typology" | "subject" | "openFor" | "victimPossible" | "openedAt" | "indicators" | "marks"
>;

/** Red flags told one by one; the alert lists all. */
const FLAGS_TOLD = 8;
/** Characters at most. */
export const NARRATIVE_MAX = 2_000;

/** A few sentences a person can start from; times are UTC, numbers those of the evidence. */
export function narrativeDraft(facts: NarrativeFacts): string {
  const { typology, indicators, marks } = facts;
  const flags = indicators.length === 1 ? "one red flag" : `${indicators.length} red flags`;
  const sentences = [
    `Since ${minute(facts.openedAt)} ${who(facts)} shows ${flags} of the pattern "${typology.title}".`,
    ...indicators.slice(0, FLAGS_TOLD).map(flagTold),
  ];
  if (indicators.length > FLAGS_TOLD) sentences.push(`${indicators.length - FLAGS_TOLD} further red flags are listed.`);
  if (marks.length > 0) sentences.push(flowsTold(marks));
  sentences.push(
    "Why it was done is not known; innocent reasons are listed with the alert and remain to be looked at.",
  );
  const text = sentences.join(" ");
  return text.length <= NARRATIVE_MAX ? text : `${text.slice(0, NARRATIVE_MAX - 1)}\u2026`;
}

function who({ subject, openFor, victimPossible }: NarrativeFacts): string {
  if (victimPossible) return "an account or person behind which there may be a victim, who is not named here,";
  const { kind, token } = openFor ?? subject;
  return `${kind} ${token}`;
}

function flagTold({ title, first, last, source, explanation }: Alert["indicators"][number]): string {
  const when = first === last ? `at ${minute(first)}` : `from ${minute(first)} to ${minute(last)}`;
  const what = explanation === "" ? "" : ` ${sentence(explanation)}`;
  return `${sentence(`${title}, on one ${source.kind}, ${when}`)}${what}`;
}

function flowsTold(marks: Alert["marks"]): string {
  const sides = new Set(marks.map(({ flow }) => (flow === "downstream" ? "comes from" : "goes to")));
  return `Money ${[...sides].sort().join(" and ")} other flagged entities, at most ${farthest(marks)} hops away.`;
}

function farthest(marks: Alert["marks"]): number {
  return Math.max(...marks.map(({ distance }) => distance));
}

/** Ends with a full stop, once. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** `2026-01-05 12:00`. */
function minute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)}`;
}
