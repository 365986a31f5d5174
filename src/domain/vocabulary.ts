/** Closed sets of words that rules and alerts share. */

export const CRIMES = [
  "human_trafficking",
  "migrant_smuggling",
  "child_exploitation",
  "terrorist_financing",
  "nexus",
] as const;
export type Crime = (typeof CRIMES)[number];

export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a party may be in a pattern. Never a verdict; `unknown` unless a rule says otherwise. */
export const PARTY_ROLES = [
  "victim",
  "relative",
  "facilitator",
  "organiser",
  "financier",
  "consumer",
  "unknown",
] as const;
export type PartyRole = (typeof PARTY_ROLES)[number];

export const RULE_STATUSES = ["draft", "shadow", "active", "retired"] as const;
export type RuleStatus = (typeof RULE_STATUSES)[number];

/** Which topic an alert goes to. */
export const ALERT_CLASSES = ["standard", "protected"] as const;
export type AlertClass = (typeof ALERT_CLASSES)[number];
