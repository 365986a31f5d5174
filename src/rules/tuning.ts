/**
 * `tuning.yaml`: what an operator changes of shipped rules without touching their files. Each entry sets one
 * parameter (for all or for one segment), one status, or the values of one exception, and says why, who owns
 * it, who approved it and until when it holds.
 */
import { RULE_STATUSES, type RuleStatus } from "../domain/vocabulary.ts";
import type { Findings } from "./diagnostics.ts";
import { sameName } from "./governance.ts";
import type { Override } from "./params.ts";
import type { RuleSource } from "./schema.ts";
import { asMap, asScalar, checkKeys, dayAt, type Keys, scalarAt, wordAt } from "./shape.ts";
import { type MapNode, type ScalarNode, type SourceNode, shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Name of the file, in the folder of the rules. */
export const TUNING_FILE = "tuning.yaml";

export type TuningEffect =
  | { readonly kind: "param"; readonly param: ScalarNode; readonly value: ScalarNode; readonly segment?: ScalarNode }
  | { readonly kind: "status"; readonly status: RuleStatus }
  | { readonly kind: "exception"; readonly exception: ScalarNode; readonly tuples: readonly (readonly string[])[] };

export interface TuningEntry {
  readonly node: MapNode;
  readonly rule: ScalarNode;
  readonly effect: TuningEffect;
  readonly expires: ScalarNode;
  /** Epoch ms: the first instant at which the entry does not hold any more. */
  readonly expiresMs: number;
}

/** What tuning makes of one rule. */
export interface RuleTuning {
  readonly overrides: readonly Override[];
  readonly status: RuleStatus | undefined;
  /** Tuples of values by the name of the exception. */
  readonly exceptions: ReadonlyMap<string, readonly (readonly string[])[]>;
}

const ENTRIES_MAX = 1_000;
const TUPLES_MAX = 1_000;
const DAY_MS = 86_400_000;
const GOVERNED: Keys = {
  rule: "required",
  reason: "required",
  owner: "required",
  approver: "required",
  expires: "required",
};
const KEYS_BY_KIND: Readonly<Record<TuningEffect["kind"], Keys>> = {
  param: { ...GOVERNED, param: "required", value: "required", segment: "optional" },
  status: { ...GOVERNED, status: "required" },
  exception: { ...GOVERNED, exception: "required", values: "required" },
};
const KINDS = ["param", "status", "exception"] as const;

/** Reads a tuning file against the rules that it changes; entries at fault are told and left out. */
export function readTuning(
  root: MapNode,
  rules: readonly RuleSource[],
  vocabulary: Vocabulary,
  findings: Findings,
): TuningEntry[] {
  checkKeys(root, { schema: "required", overrides: "required" }, "a tuning file", findings);
  const list = root.byKey.get("overrides")?.value;
  const byId = new Map(rules.map((rule) => [rule.id.text, rule]));
  const targets = new Set<string>();
  const out: TuningEntry[] = [];
  for (const item of itemsOf(list, "`overrides`", ENTRIES_MAX, findings)) {
    const map = asMap(item, "an override", findings);
    const entry = map && readEntry(map, findings);
    if (entry === undefined || !checkTarget(entry, byId, vocabulary, findings)) continue;
    const target = targetOf(entry);
    if (targets.has(target)) findings.add("E090", entry.node, "two overrides change the same thing");
    else out.push(entry);
    targets.add(target);
  }
  return out;
}

function itemsOf(node: SourceNode | undefined, what: string, most: number, findings: Findings): readonly SourceNode[] {
  if (node === undefined) return [];
  if (node.kind !== "seq") {
    findings.add("E012", node, `${what} must be a list`, "write [a, b] or lines that begin with `- `");
    return [];
  }
  if (node.items.length <= most) return node.items;
  findings.add("E015", node, `${what} has ${node.items.length} entries; the most is ${most}`);
  return [];
}

function readEntry(map: MapNode, findings: Findings): TuningEntry | undefined {
  const kind = KINDS.find((candidate) => map.byKey.has(candidate));
  if (kind === undefined) {
    findings.add("E011", map, "an override changes something", "give `param`, `status` or `exception`");
    return undefined;
  }
  checkKeys(map, KEYS_BY_KIND[kind], `an override of ${kind === "param" ? "a parameter" : `the ${kind}`}`, findings);
  const rule = scalarAt(map, "rule", findings);
  const reason = scalarAt(map, "reason", findings);
  const owner = scalarAt(map, "owner", findings);
  const approver = scalarAt(map, "approver", findings);
  const day = dayAt(map, "expires", findings);
  const expires = scalarAt(map, "expires", findings);
  for (const node of [reason, owner, approver]) {
    if (node?.text.trim() === "") findings.add("E091", node, "reason, owner and approver are not empty");
  }
  if (owner !== undefined && approver !== undefined && sameName(owner.text, approver.text)) {
    const hint = "four eyes: owner and approver are two people or roles";
    findings.add("E091", approver, `\`${shorten(approver.text)}\` cannot approve an override of his or her own`, hint);
  }
  const effect = readEffect(map, kind, findings);
  const whole = reason !== undefined && owner !== undefined && approver !== undefined;
  if (!whole || rule === undefined || effect === undefined || expires === undefined || day === undefined) {
    return undefined;
  }
  return { node: map, rule, effect, expires, expiresMs: day + DAY_MS };
}

function readEffect(map: MapNode, kind: TuningEffect["kind"], findings: Findings): TuningEffect | undefined {
  if (kind === "status") {
    const status = wordAt(map, "status", RULE_STATUSES, findings);
    return status && { kind, status };
  }
  if (kind === "param") {
    const param = scalarAt(map, "param", findings);
    const value = scalarAt(map, "value", findings);
    const segment = scalarAt(map, "segment", findings);
    if (param === undefined || value === undefined) return undefined;
    return { kind, param, value, ...(segment && { segment }) };
  }
  const exception = scalarAt(map, "exception", findings);
  const tuples: string[][] = [];
  for (const item of itemsOf(map.byKey.get("values")?.value, "`values`", TUPLES_MAX, findings)) {
    const tuple: string[] = [];
    for (const part of item.kind === "seq" ? item.items : [item]) {
      const scalar = asScalar(part, "a value of an exception", findings);
      if (scalar !== undefined) tuple.push(scalar.text);
    }
    tuples.push(tuple);
  }
  return exception && { kind, exception, tuples };
}

function checkTarget(
  entry: TuningEntry,
  rules: ReadonlyMap<string, RuleSource>,
  vocabulary: Vocabulary,
  findings: Findings,
): boolean {
  const { effect } = entry;
  const rule = rules.get(entry.rule.text);
  const unknown = (node: ScalarNode, what: string, known: Iterable<string>): boolean => {
    findings.add("E090", node, `there is no ${what} \`${shorten(node.text)}\``, hintFor(node.text, known));
    return false;
  };
  if (rule === undefined) return unknown(entry.rule, "rule", rules.keys());
  if (effect.kind === "param") {
    const known = vocabulary.segments;
    if (!rule.params.has(effect.param.text)) return unknown(effect.param, "parameter", rule.params.keys());
    const { segment } = effect;
    return segment === undefined || known?.has(segment.text) !== false || unknown(segment, "segment", known);
  }
  if (effect.kind === "status") return true;
  const exception = rule.exceptions.get(effect.exception.text);
  if (exception === undefined) return unknown(effect.exception, "exception", rule.exceptions.keys());
  if (effect.tuples.every((tuple) => tuple.length === exception.fields.length)) return true;
  const fields = exception.fields.map(({ text }) => text).join(", ");
  findings.add("E090", effect.exception, `each entry of \`values\` gives a value for ${fields}`);
  return false;
}

function targetOf({ rule, effect }: TuningEntry): string {
  if (effect.kind === "param") return JSON.stringify([rule.text, effect.param.text, effect.segment?.text ?? null]);
  if (effect.kind === "status") return JSON.stringify([rule.text]);
  return JSON.stringify([rule.text, "exception", effect.exception.text]);
}

/**
 * The entries that hold at `now` (epoch ms; undefined: all of them). Those that have expired are told: with
 * `strict` as errors, else as warnings.
 */
export function entriesInForce(
  entries: readonly TuningEntry[],
  now: number | undefined,
  strict: boolean,
  findings: Findings,
): TuningEntry[] {
  if (now === undefined) return [...entries];
  return entries.filter(({ expires, expiresMs }) => {
    if (now < expiresMs) return true;
    if (strict) findings.add("E092", expires, "this override has expired", "take it out, or have it approved again");
    else findings.add("W106", expires, `this override expired after ${expires.text} and is left out`);
    return false;
  });
}

/** What the entries make of each rule, by id. */
export function tuningByRule(entries: readonly TuningEntry[]): Map<string, RuleTuning> {
  const out = new Map<string, RuleTuning>();
  for (const { rule, effect } of entries) {
    const before = out.get(rule.text) ?? { overrides: [], status: undefined, exceptions: new Map() };
    out.set(rule.text, withEffect(before, rule.text, effect));
  }
  return out;
}

function withEffect(before: RuleTuning, rule: string, effect: TuningEffect): RuleTuning {
  switch (effect.kind) {
    case "status":
      return { ...before, status: effect.status };
    case "exception":
      return { ...before, exceptions: new Map([...before.exceptions, [effect.exception.text, effect.tuples]]) };
    case "param": {
      const { param, value, segment } = effect;
      const override = { key: `${rule}.${param.text}`, param: param.text, value: value.text, place: value };
      const own = segment === undefined ? override : { ...override, segment: segment.text };
      return { ...before, overrides: [...before.overrides, own] };
    }
  }
}

/** The entries as they are hashed: what they change, not why or for how long. */
export function tuningValues(entries: readonly TuningEntry[]): { key: string; value: string }[] {
  return entries.map((entry) => {
    const { effect } = entry;
    const value =
      effect.kind === "param"
        ? effect.value.text
        : effect.kind === "status"
          ? effect.status
          : JSON.stringify(effect.tuples.map((tuple) => JSON.stringify(tuple)).sort());
    return { key: `tuning ${targetOf(entry)}`, value };
  });
}
