/** Reads a V8 CPU profile and gives each sample to the stage of the pipeline whose code was at work. */
import { readFileSync } from "node:fs";
import type { Window } from "./pipeline.ts";

/** Stages in the order of a transaction's way. */
export const STAGES = [
  "fetch",
  "parse",
  "check",
  "route",
  "pack",
  "unpack",
  "fold",
  "rules",
  "encode",
  "commit",
  "publish",
  "gc",
  "other",
] as const;
export type Stage = (typeof STAGES)[number];

interface Place {
  readonly stage: Stage;
  /** Of the file's address. */
  readonly file: RegExp;
  /** Of the function's name, where a file serves two stages. */
  readonly name?: RegExp;
  /** Decides only where no frame further out does: kafkajs writes and reads with the same code. */
  readonly isWeak?: boolean;
}

/** From the innermost frame outwards, the first frame that one of these names decides; the first of them wins. */
const PLACES: readonly Place[] = [
  { stage: "parse", file: /\/intake\/(decode|json-keys|mapping|mapping-field|columns)\.[jt]s$/ },
  { stage: "check", file: /\/intake\/(?!route)[a-z-]+\.[jt]s$/ },
  { stage: "publish", file: /\/stream\/intake-worker\.[jt]s$/, name: /^(send|dispatch)$/ },
  { stage: "commit", file: /\/stream\/intake-worker\.[jt]s$/, name: /^(commit|board|exchange)$/ },
  {
    stage: "route",
    file: /\/intake\/route\.[jt]s$|\/stream\/(intake-worker|intake-lane|intake-inputs|drift|pace)\.[jt]s$/,
  },
  { stage: "unpack", file: /\/stream\/record\.[jt]s$/, name: /^(RecordReader|next)$/ },
  { stage: "unpack", file: /\/stream\/partition-state\.[jt]s$/, name: /^readRecord$/ },
  { stage: "pack", file: /\/stream\/(record|intake-batch)\.[jt]s$/ },
  {
    stage: "encode",
    file: /\/screen\/[a-z-]*codec[a-z-]*\.[jt]s$|\/stream\/partition-state\.[jt]s$/,
    name: /encode|close/i,
  },
  { stage: "encode", file: /\/screen\/[a-z-]*codec[a-z-]*\.[jt]s$/ },
  {
    stage: "rules",
    file: /\/rules\/|\/screen\/(context|readings|reading-detail|typologies|subject-index|windows)\.[jt]s$/,
  },
  { stage: "fold", file: /\/screen\/|\/stream\/partition-state\.[jt]s$/ },
  {
    stage: "commit",
    file: /\/store\/|\/stream\/(partition-runner|settle|screen-worker|screen-drift)\.[jt]s$|\/ioredis\//,
  },
  { stage: "publish", file: /\/stream\/(publisher|alert-messages|kafka-producer|rejected)\.[jt]s$/ },
  // What is sent is small but for records.
  { stage: "publish", file: /\/kafkajs\/src\/(producer|network\/requestQueue|protocol\/requests\/produce)\// },
  { stage: "fetch", file: /\/kafkajs\/|\/stream\/kafka-[a-z]+\.[jt]s$/, isWeak: true },
];

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/**
 * Shares of the stages in what the main thread did within a time; idle time is left out. A sample stands for the time
 * until the next one, in which another process may have had the processor: so the shares are right, sums are not.
 */
export function stagesOf(file: string, { from, to }: Window): Map<Stage, number> {
  const { startTime, nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8")) as Profile;
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const stages = new Map<number, Stage | undefined>();
  for (const node of nodes) stages.set(node.id, stageOf(node, parents));
  const sums = new Map<Stage, number>(STAGES.map((stage) => [stage, 0]));
  let at = startTime;
  let all = 0;
  for (const [i, id] of samples.entries()) {
    const delta = timeDeltas[i] ?? 0;
    at += delta;
    const stage = at < from || at > to ? undefined : stages.get(id);
    if (stage === undefined) continue;
    sums.set(stage, (sums.get(stage) ?? 0) + delta);
    all += delta;
  }
  if (all === 0) throw new Error(`${file} has no sample from the time of the pass`);
  return new Map([...sums].map(([stage, sum]) => [stage, sum / all]));
}

function stageOf(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): Stage | undefined {
  const { functionName } = node.callFrame;
  if (functionName === "(idle)") return undefined;
  if (functionName === "(garbage collector)") return "gc";
  let weak: Stage | undefined;
  for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) {
    const { url, functionName: name } = at.callFrame;
    const place = PLACES.find((each) => each.file.test(url) && (each.name?.test(name) ?? true));
    if (place !== undefined && !place.isWeak) return place.stage;
    weak ??= place?.stage;
  }
  return weak ?? "other";
}
