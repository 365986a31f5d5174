/** Compiles `base` and `peer` of a rule: what is usual for the entity itself, and for its peers. */
import { fnv1a32 } from "../base/hash.ts";
import { DAY_MS, HOUR_MS } from "../base/limits.ts";
import { canonical } from "./expression/canonical.ts";
import { compileNumber, constantNumber } from "./expression/compile.ts";
import { type Checked, describeType, errorAt, joinBases, typeOf, unitOf } from "./expression/types.ts";
import { groupOf, peerKey } from "./peers.ts";
import { IN_FILTER, type RuleScope } from "./rule-scope.ts";
import type { BaseSource, PeerSource } from "./schema-baselines.ts";
import type { ScalarNode } from "./source.ts";
import { readDurationWindow } from "./window.ts";

/** Samples that an entity keeps of one number at most: 1.5 KiB of a value that should stay within 32. */
const SAMPLES_MAX = 180;

/** The tree that reads a base line. */
export function checkBase(scope: RuleScope, source: BaseSource): Checked {
  const { findings } = scope.pack;
  const of = source.of && checkSampled(scope, source.of);
  const overMs = readDurationWindow(scope, source.over, "over", false);
  const stepMs = source.step === undefined ? DAY_MS : readDurationWindow(scope, source.step, "step", false);
  const skipMs = source.skip === undefined ? 0 : readDurationWindow(scope, source.skip, "skip", false);
  const floor = readFloor(scope, source, of);
  if (of === undefined || overMs === undefined || stepMs === undefined || skipMs === undefined || floor === undefined) {
    return errorAt(0, 0);
  }
  const keep = Math.ceil((overMs + skipMs) / stepMs);
  const at = source.step ?? source.over ?? source.name;
  if (stepMs < HOUR_MS || keep > SAMPLES_MAX) {
    const message = `a step is at least an hour, and \`over\` and \`skip\` together at most ${SAMPLES_MAX} steps`;
    findings.add("E050", at, message, `this would be ${keep} samples of ${stepMs / HOUR_MS} h`);
    return errorAt(0, 0);
  }
  if (overMs / stepMs < source.minSamples) {
    const message = `${source.minSamples} samples are needed, and \`over\` holds ${Math.floor(overMs / stepMs)}`;
    findings.add("E051", at, message, "min_samples: 10, or a longer `over`");
    return errorAt(0, 0);
  }
  const text = canonical(of.tree);
  const slot = scope.pack.baselines.baseline(
    {
      canonical: text,
      subject: scope.rule.subject,
      read: compileNumber(of.tree),
      stepMs,
      keep,
      windowMs: of.windowMs,
    },
    { stat: source.stat, overMs, skipMs, minSamples: source.minSamples, floor },
  );
  const type = source.stat === "robust_z" ? typeOf("ratio") : of.tree.type;
  const parts = [source.stat, overMs, stepMs, skipMs, source.minSamples, floor].join("|");
  const base = joinBases(0, 0, [of.tree]);
  return { kind: "number", type, read: (c) => c.base(slot), canonical: `base(${text})[${parts}]`, ...base };
}

function readFloor(scope: RuleScope, source: BaseSource, of: { tree: Checked } | undefined): number | undefined {
  if (source.floor === undefined) return source.stat === "robust_z" ? 0 : Number.NEGATIVE_INFINITY;
  const constant = scope.constant(source.floor, "`floor`");
  if (constant === undefined || of === undefined) return undefined;
  const unit = of.tree.type.name;
  const plain = constant.type.name === "number" && (unit === "count" || unit === "ratio");
  if (constant.type.name === unit || plain) {
    const floor = constantNumber(constant.value);
    if (floor >= 0) return floor;
    scope.pack.findings.add("E017", source.floor, "`floor` is 0 or above");
    return undefined;
  }
  const message = `\`floor\` is ${describeType(constant.type)}, the number is ${describeType(of.tree.type)}`;
  scope.pack.findings.add("E022", source.floor, message);
  return undefined;
}

/** A number that can be read at any moment: of aggregates that do not depend on the judged movement. */
function checkSampled(scope: RuleScope, node: ScalarNode): { tree: Checked; windowMs: number } | undefined {
  const tree = scope.check(node, IN_FILTER);
  if (tree.type.name === "error") return undefined;
  const windows = tree.aggregates.map((slot) => scope.pack.measures.plainWindow(slot));
  const windowMs = Math.max(0, ...windows.map((ms) => ms ?? Number.NaN));
  if (isOfAggregates(scope, tree) && Number.isFinite(windowMs) && windowMs > 0) return { tree, windowMs };
  const hint = "of: agg.NAME, or two of them with + - * /";
  const message = "what is sampled are aggregates over time, whole, that do not depend on the judged movement";
  scope.pack.findings.add("E027", node, message, hint);
  return undefined;
}

function isOfAggregates(scope: RuleScope, tree: Checked): boolean {
  if (tree.kind === "constant") return true;
  if (tree.kind === "arithmetic") return isOfAggregates(scope, tree.left) && isOfAggregates(scope, tree.right);
  const [slot] = tree.aggregates;
  if (tree.kind !== "number" || slot === undefined) return false;
  return tree.canonical === scope.pack.measures.canonicalOf(slot);
}

/** The tree that reads a peer value: the percentile of the entity's group in the files of base lines. */
export function checkPeer(scope: RuleScope, source: PeerSource): Checked {
  const { findings } = scope.pack;
  const of = source.of && checkSampled(scope, source.of);
  const { percentile, group } = source;
  if (of === undefined || percentile === undefined) return errorAt(0, 0);
  const text = canonical(of.tree);
  const definition = fnv1a32(`${scope.rule.subject}:${text}`).toString(16).padStart(8, "0");
  const unit = unitOf(of.tree.type) ?? "count";
  const rule = scope.rule.id;
  const name = source.name.text;
  const { subject } = scope.rule;
  scope.pack.baselines.peer({ rule, name, read: compileNumber(of.tree), subject, group, percentile, unit, definition });
  const table = scope.pack.peerTables.get(peerKey(rule, name, group));
  const values = table?.percentiles.get(percentile);
  const write = "palermo baseline FILE... writes the file from recorded data";
  if (table === undefined)
    findings.add("W120", source.name, `no file of base lines has \`${name}\`: it is unknown`, write);
  else if (values === undefined) {
    findings.add("W120", source.name, `the file of base lines has no percentile ${percentile}`, write);
  } else if (table.definition !== definition || table.unit !== unit) {
    findings.add("W120", source.name, `the file of base lines measured another \`${name}\`: it is unknown`, write);
  }
  const usable = table?.definition === definition && table.unit === unit ? values : undefined;
  const base = joinBases(0, 0, [of.tree]);
  return {
    kind: "number",
    type: of.tree.type,
    read: (c) => {
      const own = groupOf(c.profile, group);
      return own === undefined ? undefined : usable?.get(own);
    },
    canonical: `peer(${text})[${group}|${percentile}]`,
    ...base,
  };
}
