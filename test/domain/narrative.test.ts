import { describe, expect, test } from "vitest";
import type { Alert } from "../../src/domain/alert.ts";
import { NARRATIVE_MAX, type NarrativeFacts, narrativeDraft } from "../../src/domain/narrative.ts";

const flag = (title: string, explanation = "4 senders in 2 days"): Alert["indicators"][number] => ({
  ruleId: "R",
  version: 1,
  title,
  source: { kind: "account", token: "k1.secret" },
  family: "funnel",
  first: "2026-01-05T12:00:00.000Z",
  last: "2026-01-06T08:30:00.000Z",
  explanation,
  sources: [],
  cautions: [],
  evidence: [],
});
const mark: Alert["marks"][number] = {
  ruleId: "M",
  crime: "terrorist_financing",
  root: { kind: "account", token: "k1.root" },
  flow: "downstream",
  distance: 2,
  about: "2026-01-05T12:00:00.000Z",
  amount: "10.00",
  viaTx: "t1",
};
const facts: NarrativeFacts = {
  typology: { id: "HT-SX", version: 1, title: "Sexual exploitation", crime: "human_trafficking", sources: [] },
  subject: { kind: "account", token: "k1.subject", own: true },
  victimPossible: false,
  openedAt: "2026-01-05T12:00:00.000Z",
  indicators: [flag("Funnel account")],
  marks: [],
};

describe("the draft of a narrative", () => {
  test("says who, what, when and where, and no why", () => {
    expect(narrativeDraft(facts)).toBe(
      'Since 2026-01-05 12:00 account k1.subject shows one red flag of the pattern "Sexual exploitation". Funnel ' +
        "account, on one account, from 2026-01-05 12:00 to 2026-01-06 08:30. 4 senders in 2 days. Why it was done is " +
        "not known; innocent reasons are listed with the alert and remain to be looked at.",
    );
  });

  test("names nobody who may be a victim, whatever the subject, the customer behind it and the flags", () => {
    const openFor = { kind: "party" as const, token: "k1.customer", own: true };
    const draft = narrativeDraft({ ...facts, openFor, victimPossible: true, marks: [mark] });
    expect(draft).toContain("who is not named here");
    expect(draft).not.toMatch(/k1\./);
  });

  test("speaks of the customer on whom a case is opened, and of flows in both directions", () => {
    const openFor = { kind: "party" as const, token: "k1.customer", own: true };
    const draft = narrativeDraft({ ...facts, openFor, marks: [mark, { ...mark, flow: "upstream", distance: 3 }] });
    expect(draft).toContain("party k1.customer shows");
    expect(draft).toContain("Money comes from and goes to other flagged entities, at most 3 hops away.");
  });

  test("tells the first flags and counts the rest; is bounded whatever they say", () => {
    const many = Array.from({ length: 11 }, (_, i) => flag(`Flag ${i}`));
    expect(narrativeDraft({ ...facts, indicators: many })).toContain("3 further red flags are listed.");
    const huge = narrativeDraft({ ...facts, indicators: [flag("Long", "x".repeat(9_000))] });
    expect(huge).toHaveLength(NARRATIVE_MAX);
  });
});
