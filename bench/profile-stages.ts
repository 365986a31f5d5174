/** Reads a V8 CPU profile and gives each sample to the stage of the pipeline whose code was at work. */
import { readFileSync } from "node:fs";

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
}

/** From the innermost frame outwards, the first frame that one of these names decides; the first of them wins. */
const PLACES: readonly Place[] = [
  { stage: "parse", file: /\/intake\/(decode|json-keys|mapping|mapping-field|columns)\.[jt]s$/ },
  { stage: "check", file: /\/intake\/(?!route)[a-z-]+\.[jt]s$/ },
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
  {
    stage: "publish",
    file: /\/kafkajs\/src\/(producer|protocol\/(recordBatch|requests\/produce))\//,
    name: /encode|send|group|Batch/i,
  },
  { stage: "publish", file: /\/kafkajs\/src\/producer\// },
  { stage: "fetch", file: /\/kafkajs\/|\/stream\/kafka-[a-z]+\.[jt]s$/ },
];

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** CPU of the main thread by stage, microseconds; idle time is left out. */
export function stagesOf(file: string): Map<Stage, number> {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8")) as Profile;
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const stages = new Map<number, Stage | undefined>();
  for (const node of nodes) stages.set(node.id, stageOf(node, parents));
  const sums = new Map<Stage, number>(STAGES.map((stage) => [stage, 0]));
  for (const [i, id] of samples.entries()) {
    const stage = stages.get(id);
    if (stage !== undefined) sums.set(stage, (sums.get(stage) ?? 0) + (timeDeltas[i] ?? 0));
  }
  return sums;
}

function stageOf(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): Stage | undefined {
  const { functionName } = node.callFrame;
  if (functionName === "(idle)") return undefined;
  if (functionName === "(garbage collector)") return "gc";
  for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) {
    const { url, functionName: name } = at.callFrame;
    const place = PLACES.find((each) => each.file.test(url) && (each.name?.test(name) ?? true));
    if (place !== undefined) return place.stage;
  }
  return "other";
}
