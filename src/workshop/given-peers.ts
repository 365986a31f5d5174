/**
 * Percentiles of peers that an inline test gives in place of those in the files of base lines, so that a rule with
 * `peer` can be tested without recorded data, and so can its mutants, whose numbers no file has measured.
 */
import { currencyOf } from "../domain/currencies.ts";
import { parseQuantity, toNumber } from "../rules/literals.ts";
import { type PeerTable, type PeerTables, peerKey } from "../rules/peers.ts";
import type { Pack, Unit } from "../rules/plan.ts";
import type { PeerInput } from "../rules/plan-baselines.ts";

/** `given.peers` of one test: name of a peer value -> group of customers -> value as written, such as `800 EUR`. */
export type GivenPeers = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The peer values that a test gives for its own rule. */
export interface PeersOfRule {
  readonly ruleId: string;
  readonly peers: GivenPeers;
}

/** Tables that take the place of those with the same key, measured as this very pack means the numbers. */
export function tablesOf(pack: Pack, { ruleId, peers }: PeersOfRule): PeerTables {
  const tables = new Map<string, PeerTable>();
  for (const input of pack.peers) {
    const groups = input.rule === ruleId ? peers.get(input.name) : undefined;
    if (groups === undefined) continue;
    const values = [...groups].flatMap(([group, text]) => {
      const value = numberOf(text, input.unit, pack.baseCurrency);
      return value === undefined ? [] : [[group, value] as const];
    });
    const { unit, definition, percentile } = input;
    const percentiles = new Map([[percentile, new Map(values)]]);
    tables.set(peerKey(input.rule, input.name, input.group), { unit, definition, percentiles });
  }
  return tables;
}

/** What is wrong with the peer values that a test gives: names that its rule does not have, and other units. */
export function peerProblems(pack: Pack, { ruleId, peers }: PeersOfRule): string[] {
  const inputs = new Map(pack.peers.filter(({ rule }) => rule === ruleId).map((input) => [input.name, input]));
  return [...peers].flatMap(([name, groups]) => {
    const input = inputs.get(name);
    if (input === undefined) return [`given.peers: the rule has no peer value "${name}"`];
    return [...groups].flatMap(([group, text]) => unitProblem(input, group, text, pack.baseCurrency));
  });
}

function unitProblem({ name, unit }: PeerInput, group: string, text: string, currency: string): string[] {
  if (numberOf(text, unit, currency) !== undefined) return [];
  const example = unit === "money" ? `, such as 800 ${currency}` : "";
  return [`given.peers: "${text}" of ${group} is no ${unit}, which "${name}" is${example}`];
}

/** In minor units, ms, metres or as it is; undefined when the text is of another unit. */
function numberOf(text: string, unit: Unit, currency: string): number | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  if (unit === "money") {
    if (quantity.unit !== "money" || quantity.currency !== currency) return undefined;
    const minor = 10n ** BigInt(currencyOf(currency)?.decimals ?? 2);
    return toNumber({ ...quantity, numerator: quantity.numerator * minor });
  }
  const plain = quantity.unit === "number" && (unit === "count" || unit === "ratio");
  return plain || quantity.unit === unit ? toNumber(quantity) : undefined;
}
