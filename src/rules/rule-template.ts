/** The text of a new rule: sound, tested and in form from its first line on, as a draft to begin from. */
import type { Crime } from "../domain/vocabulary.ts";

/** What a new rule begins with. */
export interface NewRule {
  readonly id: string;
  readonly crime: Crime;
  /** Path of the JSON Schema for editors, as seen from the file. */
  readonly schemaPath: string;
}

/** An indicator that counts cash paid in by different people, with a test of each kind. */
export function newIndicator({ id, crime, schemaPath }: NewRule): string {
  return `# yaml-language-server: $schema=${schemaPath}
schema: rule/v1
kind: indicator
id: ${id}
version: 1
title: Cash paid in by several people within a few days
crime: ${crime}
status: draft
owner: financial-intelligence
author: rule-author
sources:
  - { doc: FINTRAC-2016-OA003, point: third-party cash deposits }
subject: account
roles:
  self: { may_be: [victim, facilitator] }
scope: { rail: [cash], direction: [in] }
params:
  min_people: { value: 3, range: [2, 8], step: 1 }
  min_total: { value: 2000 EUR, range: [500 EUR, 10000 EUR], step: 500 EUR }
  window: { value: 7d, range: [1d, 30d], step: 1d }
filters:
  third_party: tx.conductor != self.party
aggregates:
  people: { distinct: tx.conductor, where: third_party, last: params.window, cap: 32 }
  total: { sum: tx.amount, where: third_party, last: params.window }
when:
  all:
    - people: agg.people >= params.min_people
    - total: agg.total >= params.min_total
explain: >-
  {agg.people} different people paid {agg.total} in cash into this account within {params.window}.
cautions:
  - Clubs and charities collect cash from many hands.
suppress: { for: 7d }
tests:
  - name: three people in three days
    kind: fires
    events:
      - { at: 0h, every: 1d, times: 3, amount: 700 EUR, conductor: [p1, p2, p3] }
    expect: { hits: [{ at_event: 3, explain: "3 different people paid 2,100.00 EUR" }] }
  - name: two people are one too few
    kind: near_miss
    events:
      - { at: 0h, every: 1d, times: 4, amount: 700 EUR, conductor: [p1, p2] }
    expect: { hits: 0 }
  - name: the holder pays in the takings of a shop
    kind: look_alike
    events:
      - { at: 0h, every: 1d, times: 5, amount: 700 EUR, conductor: subject-party }
    expect: { hits: 0 }
`;
}

/** A typology that opens an alert when two kinds of red flags meet on one party. */
export function newTypology({ id, crime, schemaPath }: NewRule, indicators: readonly [string, string]): string {
  const [first, second] = indicators;
  return `# yaml-language-server: $schema=${schemaPath}
schema: rule/v1
kind: typology
id: ${id}
version: 1
title: Two kinds of red flags on one party
crime: ${crime}
status: draft
owner: financial-intelligence
author: rule-author
subject: party
hits:
  first: { of: ${first}, from: accounts, last: 30d, count: episodes }
  second: { of: ${second}, from: accounts, last: 30d, count: episodes }
scoring:
  indicators:
    - first: { family: receipts, points: 30, when: hits.first >= 1 }
    - second: { family: movement, points: 30, when: hits.second >= 1 }
alert_when:
  all:
    - several: families.count >= 2
severity: { medium: 50, high: 70, critical: 90 }
explain: "{families.count} independent kinds of red flags, {score.total} points."
suppress: { for: 7d }
`;
}
