/** Collects what the rules of a pack sample for base lines and hold against peers; equal samplers are one. */
import { fnv1a32 } from "../base/hash.ts";
import { ENTITY_KINDS, type EntityKind } from "../domain/entity.ts";
import type { Baseline, PeerInput, Sampler } from "./plan-baselines.ts";

export type SamplerDefinition = Omit<Sampler, "slot" | "index" | "definition"> & { readonly canonical: string };

export interface BaselineTable {
  /** Slot of the base line. */
  baseline(sampler: SamplerDefinition, baseline: Omit<Baseline, "slot" | "sampler">): number;
  peer(input: PeerInput): void;
  finish(): {
    readonly samplers: readonly Sampler[];
    readonly baselines: readonly Baseline[];
    readonly peers: readonly PeerInput[];
  };
}

/** An empty table. */
export function createBaselineTable(): BaselineTable {
  const drafts: { definition: SamplerDefinition; keep: number }[] = [];
  const slots = new Map<string, number>();
  const baselines: Baseline[] = [];
  const peers: PeerInput[] = [];

  const samplerSlot = (definition: SamplerDefinition): number => {
    const text = `${definition.subject}:${definition.canonical}/${definition.stepMs}`;
    const known = slots.get(text);
    const draft = known === undefined ? undefined : drafts[known];
    if (known !== undefined && draft !== undefined) {
      draft.keep = Math.max(draft.keep, definition.keep);
      return known;
    }
    drafts.push({ definition: { ...definition, canonical: text }, keep: definition.keep });
    slots.set(text, drafts.length - 1);
    return drafts.length - 1;
  };

  return {
    baseline(sampler, baseline) {
      baselines.push({ slot: baselines.length, sampler: samplerSlot(sampler), ...baseline });
      return baselines.length - 1;
    },
    peer: (input) => void peers.push(input),
    finish() {
      const nextIndex = new Map<EntityKind, number>(ENTITY_KINDS.map((kind) => [kind, 0]));
      const samplers = drafts.map(({ definition: { canonical, ...rest }, keep }, slot): Sampler => {
        const index = nextIndex.get(rest.subject) ?? 0;
        nextIndex.set(rest.subject, index + 1);
        return { ...rest, keep, slot, index, definition: fnv1a32(canonical) };
      });
      return { samplers, baselines, peers };
    },
  };
}
