/**
 * What a page about an alert advises. The sentences follow the safeguards: a person who may be a victim
 * is never presented as a suspect, no advice closes or blocks an account, and nobody is told of the alert.
 */
import type { Alert } from "../domain/alert.ts";

/** The paragraph that stands above everything else where the subject may be a victim. */
export function personAtRisk(alert: Alert): string {
  const who = alert.subject.kind === "party" ? "The person concerned" : `The person behind this ${alert.subject.kind}`;
  return (
    `PERSON AT RISK. ${who} may be exploited by others. Read the pattern as a sign of possible harm to this person, ` +
    "and look for whoever gains from it."
  );
}

/** Steps for the person who opens the alert, in order. */
export function nextSteps(alert: Alert): string[] {
  if (alert.event === "withdrawn") return ["Nothing, unless a case is open already: that one stays with its owner."];
  if (alert.event === "superseded") return ["Nothing here: work on the alert that took its place."];
  const subject = alert.openFor ?? alert.subject;
  return [
    ...(alert.victimPossible ? protectiveSteps(alert) : reviewSteps(alert)),
    ...crimeSteps(alert),
    ...(subject.own ? [] : ["The entity is not held here: follow the movements to your own customers first."]),
    "Do not tell the customer, or anyone outside the review, that this alert exists.",
  ];
}

function protectiveSteps(alert: Alert): string[] {
  return [
    `Hand it to the ${alert.handling.queue} queue; the first answer is due within ${alert.sla.withinHours} hours.`,
    "See who received the money, who was present, and which accounts, phones or addresses recur.",
    "Do not close or restrict the account over this alert: losing it can cost the person the way out.",
    "Make no contact by a channel that someone else may read; follow your safeguarding procedure.",
  ];
}

function reviewSteps(alert: Alert): string[] {
  return [
    "Check the numbers above against the movements; each can be added up by hand.",
    "Hold them against what is known of the customer, and against the innocent reasons listed.",
    `Decide within ${alert.sla.withinHours} hours: no concern, watch, or escalate for a report. Note the reason.`,
  ];
}

function crimeSteps(alert: Alert): string[] {
  switch (alert.typology.crime) {
    case "terrorist_financing":
    case "nexus":
      return ["Palermo blocks no money: a true match with a sanctions list also goes to your sanctions process."];
    case "child_exploitation":
      return ["Highest priority: inform the safeguarding contact at once, and put no images or links into the case."];
    case "migrant_smuggling":
      return ["Families often pay for relatives on a journey: payers are not taken for organisers."];
    case "human_trafficking":
      return [];
  }
}
