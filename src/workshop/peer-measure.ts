/**
 * Measures the base lines of peers from recorded data: for each number that a rule holds against a group of customers,
 * the percentiles of the greatest value that each of them showed. Above the 95th is what 19 of 20 never reached.
 */
import { quantileSorted } from "simple-statistics";
import type { EntityKey } from "../domain/entity.ts";
import type { TxView } from "../domain/view.ts";
import { groupOf, PEER_GROUP_LEAST, type PeerFile, type PeerNumber } from "../rules/peers.ts";
import type { Pack } from "../rules/plan.ts";
import type { PeerGroup, PeerInput } from "../rules/plan-baselines.ts";
import type { Inspector } from "./inspect.ts";

/** Percentiles that are written besides those that rules ask for. */
const PERCENTILES = [50, 75, 90, 95, 99];

export interface PeerMeasure {
  /** Numbers to measure; empty: no rule holds one against this group. */
  readonly inputs: readonly PeerInput[];
  /** Told of each movement after it was screened. */
  saw(views: readonly TxView[], inspector: Inspector): void;
  /** Undefined before the first movement. */
  result(id: string, currency: string): PeerFile | undefined;
}

/** A measure of the numbers that a pack holds against one kind of group. */
export function createPeerMeasure(pack: Pack, group: PeerGroup): PeerMeasure {
  const inputs = distinct(pack.peers.filter((input) => input.group === group));
  const peaks = inputs.map(() => new Map<EntityKey, { group: string; value: number }>());
  let asOf = Number.NEGATIVE_INFINITY;
  return {
    inputs,
    saw(views, inspector) {
      for (const view of views) {
        asOf = Math.max(asOf, view.time);
        const context = inspector.aim(view);
        const name = context && groupOf(context.profile, group);
        if (context === undefined || name === undefined) continue;
        inputs.forEach((input, i) => {
          if (input.subject !== context.index.kind) return;
          const value = input.read(context);
          const known = peaks[i]?.get(view.entity);
          if (value === undefined || (known !== undefined && known.value >= value && known.group === name)) return;
          peaks[i]?.set(view.entity, { group: name, value });
        });
      }
    },
    result(id, currency) {
      if (!Number.isFinite(asOf)) return undefined;
      const numbers = inputs.map((input, i) => measured(input, [...(peaks[i]?.values() ?? [])], inputs));
      return { id, asOf, currency, group, numbers };
    },
  };
}

/** A number that several percentiles are asked of is measured once. */
function distinct(inputs: readonly PeerInput[]): PeerInput[] {
  const found = new Map(inputs.map((input) => [`${input.rule} ${input.name}`, input]));
  return [...found.values()];
}

function measured(
  input: PeerInput,
  peaks: readonly { readonly group: string; readonly value: number }[],
  inputs: readonly PeerInput[],
): PeerNumber {
  const { rule, name, unit, definition } = input;
  const wanted = [...new Set([...PERCENTILES, ...inputs.map(({ percentile }) => percentile)])].sort((a, b) => a - b);
  const names = [...new Set(peaks.map(({ group }) => group))].sort();
  const groups = names.flatMap((group) => {
    const values = peaks.filter((peak) => peak.group === group).map(({ value }) => value);
    if (values.length < PEER_GROUP_LEAST) return [];
    const sorted = values.sort((a, b) => a - b);
    const percentiles = new Map(wanted.map((one) => [one, rounded(quantileSorted(sorted, one / 100), unit)]));
    return [{ name: group, entities: values.length, percentiles }];
  });
  return { rule, name, unit, definition, groups };
}

/** Whole minor units, ms and metres; ratios to six places. */
function rounded(value: number, unit: PeerInput["unit"]): number {
  return unit === "ratio" ? Math.round(value * 1e6) / 1e6 : Math.round(value);
}
