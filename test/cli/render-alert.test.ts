import { describe, expect, it } from "vitest";
import { PLAIN, styleOf } from "../../src/cli/output.ts";
import { renderAlert } from "../../src/cli/render-alert.ts";
import type { Alert } from "../../src/domain/alert.ts";
import { fakeTerminal } from "./fake-terminal.ts";
import { sampleAlert, sampleEvidence } from "./sample-alert.ts";

const page = (alert: Alert): string => renderAlert(alert, { style: PLAIN, width: 100 });

const standard: Partial<Alert> = {
  victimPossible: false,
  alertClass: "standard",
  handling: { queue: "standard", doNotNameAsSubject: false, note: "An alert is a reason to look, not a finding." },
  parties: [],
};

describe("renderAlert", () => {
  it("tells severity, score, title, entity, period, deadline and id first", () => {
    const head = page(sampleAlert()).split("\n").slice(0, 7).join("\n");
    for (const part of [
      "HIGH, score 65",
      "Pattern consistent with sexual exploitation for gain (HT-SX)",
      "party k1.CAROL (reference C-1029, held here)",
      "2026-03-02 10:05 to 2026-03-14 22:40 UTC",
      "within 24 hours, specialist queue",
      "a-0001, revision 2, escalated",
    ]) {
      expect(head).toContain(part);
    }
  });

  it("shows each number with what was needed, in units of people", () => {
    const evidence = [
      sampleEvidence({ measure: "agg.total", unit: "money", observed: "12700.00", threshold: "3000.00", exact: false }),
      sampleEvidence({ measure: "agg.share", unit: "ratio", observed: "0.83", threshold: "0.8" }),
      sampleEvidence({
        measure: "drain.gap",
        unit: "duration",
        observed: "172800000",
        comparison: "<=",
        threshold: "259200000",
      }),
      sampleEvidence({ measure: "distance", unit: "distance", observed: "180000", threshold: "100000" }),
      sampleEvidence({ measure: "place", unit: "text", observed: "00123", comparison: "in", threshold: "lists.air" }),
      sampleEvidence({ measure: "agg.lost", unit: "duration", observed: "unknown", threshold: "3600000" }),
    ];
    const [indicator] = sampleAlert().indicators;
    const text = page(sampleAlert({ indicators: [{ ...(indicator as Alert["indicators"][number]), evidence }] }));
    expect(text).toMatch(/total +12,700\.00 {2}at least 3,000\.00 .*9 movements {2}at most 1\/48 over/);
    expect(text).toMatch(/share +83 % {2}at least 80 %/);
    expect(text).toMatch(/drain gap +2 d {2}at most 3 d/);
    expect(text).toMatch(/distance +180 km {2}at least 100 km/);
    expect(text).toMatch(/place +00123 {2}one of lists\.air/);
    expect(text).toMatch(/lost +unknown {2}at least 1 h/);
  });

  it("lists a movement once, with every reason, in order of time, and says how many are left out", () => {
    const listed = Array.from({ length: 9 }, (_, index) => ({
      txId: `t-${index}`,
      at: `2026-03-0${index + 1}T10:00:00.000Z`,
      amount: "100.00",
      why: "counted" as const,
    }));
    const evidence = [sampleEvidence(), sampleEvidence({ listed })];
    const [indicator] = sampleAlert().indicators;
    const text = page(sampleAlert({ indicators: [{ ...(indicator as Alert["indicators"][number]), evidence }] }));
    const rows = text.split("\n").filter((line) => /^ {6}2026-03-\d\d \d\d:\d\d .* t-\d/.test(line));
    expect(rows).toHaveLength(6);
    expect([...rows].sort()).toEqual(rows);
    expect(text).toContain("last, largest");
    expect(text).toContain("crossed the line");
    expect(text).toContain("and 3 movements more in the record");
  });

  it("presents a person who may be a victim as a person at risk and never as a suspect", () => {
    for (const crime of ["human_trafficking", "terrorist_financing", "nexus", "migrant_smuggling"] as const) {
      const text = page(sampleAlert({ typology: { ...sampleAlert().typology, crime } }));
      expect(text).toContain("PERSON AT RISK");
      expect(text).toContain("not to be named as the subject of a report");
      expect(text).toContain("Do not close or restrict the account");
      expect(text).not.toMatch(/suspect|perpetrator|offender|culprit|guilty|trafficker|terrorist(?! financ)/i);
      expect(text).not.toMatch(/escalate for a report/);
    }
  });

  it("advises a review where nobody is at risk, with the note of the record", () => {
    const text = page(sampleAlert(standard));
    expect(text).not.toContain("PERSON AT RISK");
    expect(text).toContain("An alert is a reason to look, not a finding.");
    expect(text).toContain("Innocent reasons to consider");
    expect(text).toMatch(/Decide within 24 hours/);
  });

  it("says that a withdrawn or superseded alert asks for nothing", () => {
    expect(page(sampleAlert({ event: "withdrawn" }))).toContain("withdrawn: the data no longer bear it");
    const text = page(sampleAlert({ event: "superseded", relatedAlertId: "a-0009" }));
    expect(text).toContain("superseded by a-0009");
    expect(text).toContain("work on the alert that took its place");
  });

  it("stays within its width, and harmless whatever the texts hold", () => {
    const hostile = `evil \u001b[2J\u202e ${"long ".repeat(80)}`;
    const text = page(
      sampleAlert({
        explanation: hostile,
        cautions: [hostile],
        subject: { kind: "party", token: "t\u0007x", own: false },
      }),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toContain("not held here");
  });

  it("paints only on a terminal without NO_COLOR", () => {
    const alert = sampleAlert();
    const render = (tty: boolean, env: Record<string, string>): string => {
      const terminal = fakeTerminal({ tty, env });
      return renderAlert(alert, { style: styleOf(terminal.stdout, terminal.env), width: 100 });
    };
    expect(render(true, {})).toContain("\u001b[");
    for (const text of [render(false, {}), render(true, { NO_COLOR: "1" }), render(true, { TERM: "dumb" })]) {
      expect(text).toBe(page(alert));
    }
  });
});
