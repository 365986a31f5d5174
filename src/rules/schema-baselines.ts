/** `base` and `peer` as they stand in a rule file: what is usual for the entity, and for entities like it. */
import type { Findings } from "./diagnostics.ts";
import { BASE_STATS, type BaseStat, PEER_GROUPS, type PeerGroup } from "./plan-baselines.ts";
import { named } from "./schema-parts.ts";
import { asMap, checkKeys, integerAt, type Keys, scalarAt, wordAt } from "./shape.ts";
import type { ScalarNode, SourceNode } from "./source.ts";

export interface BaseSource {
  readonly name: ScalarNode;
  readonly of: ScalarNode | undefined;
  readonly stat: BaseStat;
  readonly over: ScalarNode | undefined;
  readonly step: ScalarNode | undefined;
  readonly skip: ScalarNode | undefined;
  readonly minSamples: number;
  readonly floor: ScalarNode | undefined;
}

export interface PeerSource {
  readonly name: ScalarNode;
  readonly of: ScalarNode | undefined;
  readonly group: PeerGroup;
  readonly percentile: number | undefined;
}

const BASE_KEYS: Keys = {
  of: "required",
  stat: "required",
  over: "required",
  step: "optional",
  skip: "optional",
  min_samples: "optional",
  floor: "optional",
};
/** Fewer say nothing about what is usual. */
const MIN_SAMPLES_LEAST = 5;
const MIN_SAMPLES_DEFAULT = 30;

/** Reads `base`. */
export function readBase(node: SourceNode | undefined, findings: Findings): Map<string, BaseSource> {
  const out = new Map<string, BaseSource>();
  for (const { name, value } of named(node, "base", findings)) {
    const map = asMap(value, `the base line \`${name.text}\``, findings);
    if (map === undefined) continue;
    checkKeys(map, BASE_KEYS, `the base line \`${name.text}\``, findings);
    out.set(name.text, {
      name,
      of: scalarAt(map, "of", findings),
      stat: wordAt(map, "stat", BASE_STATS, findings) ?? "mean",
      over: scalarAt(map, "over", findings),
      step: scalarAt(map, "step", findings),
      skip: scalarAt(map, "skip", findings),
      minSamples: integerAt(map, "min_samples", MIN_SAMPLES_LEAST, 180, findings) ?? MIN_SAMPLES_DEFAULT,
      floor: scalarAt(map, "floor", findings),
    });
  }
  return out;
}

/** Reads `peer`. */
export function readPeer(node: SourceNode | undefined, findings: Findings): Map<string, PeerSource> {
  const out = new Map<string, PeerSource>();
  for (const { name, value } of named(node, "peer", findings)) {
    const map = asMap(value, `the peer value \`${name.text}\``, findings);
    if (map === undefined) continue;
    const keys: Keys = { of: "required", group: "required", percentile: "required" };
    checkKeys(map, keys, `the peer value \`${name.text}\``, findings);
    out.set(name.text, {
      name,
      of: scalarAt(map, "of", findings),
      group: wordAt(map, "group", PEER_GROUPS, findings) ?? "segment",
      percentile: integerAt(map, "percentile", 1, 99, findings),
    });
  }
  return out;
}
