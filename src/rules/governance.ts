/**
 * What lets a rule act beyond being sound: approval by a second person, tests of all three kinds, a reason to
 * retire. `rules check` and the lock ask for it; a developer's replay does not.
 */
import { missingTestKinds } from "./check.ts";
import type { Findings } from "./diagnostics.ts";
import type { RuleSource } from "./schema.ts";
import { shorten } from "./source.ts";

/** Checks every rule of a pack. `asOf` is epoch ms; undefined: the days of approvals are not judged. */
export function checkGovernance(rules: readonly RuleSource[], asOf: number | undefined, findings: Findings): void {
  for (const rule of rules) {
    if (rule.status === "active") {
      checkApproval(rule, asOf, findings);
      const missing = missingTestKinds(rule);
      if (missing.length > 0) {
        const hint = "an active rule shows that it fires, that it does not fire just below, and not on a look-alike";
        findings.add("E082", rule.id, `no inline test of kind ${missing.join(", ")}`, hint);
      }
    }
    checkRetired(rule, findings);
  }
}

function checkApproval(rule: RuleSource, asOf: number | undefined, findings: Findings): void {
  const { author, approvedBy, effectiveFrom, effectiveFromMs } = rule.approval;
  const missing = [
    ...(author === undefined ? ["author"] : []),
    ...(approvedBy === undefined ? ["approvedBy"] : []),
    ...(effectiveFrom === undefined ? ["effectiveFrom"] : []),
  ];
  if (missing.length > 0) {
    const hint = "add them, or keep `status: shadow` until a second person has approved the rule";
    findings.add("E080", rule.id, `an active rule needs \`${missing.join("`, `")}\``, hint);
  }
  for (const person of [author, approvedBy]) {
    if (person?.text.trim() !== "") continue;
    findings.add("E080", person, "an active rule names who wrote and who approved it");
  }
  if (author !== undefined && approvedBy !== undefined && sameName(author.text, approvedBy.text)) {
    const message = `\`${shorten(approvedBy.text)}\` cannot approve what he or she wrote`;
    findings.add("E080", approvedBy, message, "four eyes: author and approver are two people or roles");
  }
  if (asOf !== undefined && effectiveFrom !== undefined && effectiveFromMs !== undefined && effectiveFromMs > asOf) {
    const message = `the approval holds from ${effectiveFrom.text} on, which is still to come`;
    findings.add("E080", effectiveFrom, message, "keep `status: shadow` until that day");
  }
}

function checkRetired(rule: RuleSource, findings: Findings): void {
  const { retiredBecause } = rule.approval;
  if (rule.status === "retired" && retiredBecause === undefined) {
    findings.add("E081", rule.id, "a retired rule says why", "retired: { because: ... }");
  }
  if (rule.status !== "retired" && retiredBecause !== undefined) {
    findings.add("E081", retiredBecause, `this rule is ${rule.status}, not retired`);
  }
}

/** Whether two names mean one person, whatever their case and blanks. */
export function sameName(a: string, b: string): boolean {
  const fold = (name: string): string =>
    name
      .normalize("NFKC")
      .toLowerCase()
      .replace(/[\s._-]+/g, " ")
      .trim();
  return fold(a) === fold(b);
}
